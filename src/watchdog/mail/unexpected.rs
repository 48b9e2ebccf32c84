//! Mail that nobody sent: in our name through a provider of ours, from a domain of ours, or to an address that one provider alone knows.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Trouble, row};
use crate::model::{At, Claim, Culprit, Kind, Name, Severity, Stranger, quoted};
use crate::watchdog::explain::{grouped, subject};
use crate::watchdog::plan::Plan;
use crate::watchdog::state::State;
use crate::watchdog::stranger::{Unexpected, word};

/// Senders named in the summary.
const SAID: usize = 3;

/// Every culprit with such mail.
pub(super) fn troubles(plan: &Plan, state: &State, now: At) -> Vec<Trouble> {
    let goes_on = |u: &&Unexpected| !u.is_over(now) && plan.knows(&u.culprit);
    state.strangers.unexpected.iter().filter(goes_on).map(trouble).collect()
}

fn trouble(unexpected: &Unexpected) -> Trouble {
    let (in_our_name, leaks) = unexpected.kinds();
    let told: Vec<(String, String)> = [in_our_name, leaks]
        .into_iter()
        .enumerate()
        .filter(|(_, count)| *count > 0)
        .map(|(place, count)| kind(unexpected, place == 1, count))
        .collect();
    let what = told.iter().map(|(what, _)| what.as_str()).collect::<Vec<_>>().join("; and ");
    let allow = if unexpected.mails.is_empty() { "" } else { ". What may come can be allowed in the configuration" };
    let next = told.iter().map(|(_, next)| next.as_str()).collect::<Vec<_>>().join("; and ") + allow;
    Trouble {
        kind: Kind::UnexpectedMail,
        severity: Severity::Warn,
        culprit: unexpected.culprit.clone(),
        named: named(unexpected),
        summary: format!("{what}; since {}", unexpected.since.minute()),
        evidence: json!({
            "since": unexpected.since.rfc3339(),
            "last": unexpected.last.rfc3339(),
            "mails": unexpected.count,
            "leak": unexpected.leak,
            "leaked": leaks,
            "newest": unexpected.mails.iter().rev().map(|(inbox, mail)| shown(inbox, mail)).collect::<Vec<_>>(),
            "next_step": next,
        }),
    }
}

/// What is said of the mails of one kind, in our name or from others to a leaked address, and what to do about them.
fn kind(unexpected: &Unexpected, leak: bool, count: u64) -> (String, String) {
    let mine = || unexpected.mails.iter().filter(|(_, mail)| matches!(mail.claim, Claim::Honeytoken(_)) == leak);
    let inboxes: BTreeSet<&str> = mine().map(|(inbox, _)| inbox.as_str()).collect();
    let inboxes = if inboxes.is_empty() { String::new() } else { format!(" (in {})", row(inboxes.into_iter(), SAID)) };
    let about = mine().next_back().map_or_else(String::new, |(_, mail)| newest(mail));
    let count = if count == 1 { "1 mail".to_owned() } else { format!("{} mails", grouped(count)) };
    let whose = subject(&unexpected.culprit);
    let nameless = mine().filter(|(_, mail)| mail.nameless).count();
    match &unexpected.culprit {
        Culprit::Provider(_) if leak => (
            format!("{count} from somebody else to {} that only {whose} knows{inboxes}{about}", bait(unexpected)),
            format!("the list at {whose} has leaked or is used by others: tell its security team, and see who could export it"),
        ),
        Culprit::Provider(_) if nameless > 0 && nameless < mine().count() => (
            format!("{count}, some of them in our name, came through {whose} that no canary accounts for{inboxes}{about}"),
            format!("find out who uses {whose} besides: its log says who handed in what"),
        ),
        Culprit::Provider(_) if nameless > 0 => (
            format!("{count} in other names came through {whose}, which is ours alone{inboxes}{about}"),
            format!(
                "see in the log of {whose} who handed it in: an open relay, a stolen password, or a host of yours that is not yours any more"
            ),
        ),
        Culprit::Provider(_) => (
            format!("{count} in our name came through {whose} that no canary accounts for{inboxes}{about}"),
            format!("find out what sent it: a test, or somebody else with the account at {whose} or with your reset form"),
        ),
        Culprit::Inbox(_) | Culprit::Stream(..) | Culprit::Path(..) | Culprit::Route(..) | Culprit::Watcher {} => (
            format!("{count} to {whose} in our name that no canary accounts for{about}"),
            "find out what sent it: a test, or somebody else in your name; DMARC says what receivers do with it".to_owned(),
        ),
    }
}

/// Who the newest is from, what it is about, and where else than as its sender it names us.
fn newest(mail: &Stranger) -> String {
    let names = mail.names.as_ref().map_or_else(String::new, |mark| format!(", with {} in its {}", quoted(&mark.value), mark.part.title()));
    format!(": the newest from {}{names}, subject {}", quoted(&mail.from), quoted(&mail.subject))
}

/// The address that was written to, where it is known.
fn bait(unexpected: &Unexpected) -> String {
    let to = unexpected.mails.iter().rev().find_map(|(_, mail)| mail.to.as_deref());
    to.map_or_else(|| "an address".to_owned(), quoted)
}

/// Who writes, and every power of ten: a hundred are told once more, and not a hundred times.
fn named(unexpected: &Unexpected) -> Vec<String> {
    let mut named: Vec<String> = unexpected.mails.iter().map(|(_, mail)| format!("from {}", mail.from)).collect();
    named.sort();
    named.dedup();
    named.extend((1..=unexpected.count.checked_ilog10().unwrap_or(0)).map(|power| format!("{} mails", 10_u64.pow(power))));
    named.extend(unexpected.leak.then(|| "leak".to_owned()));
    named
}

fn shown(inbox: &Name, mail: &Stranger) -> Value {
    json!({
        "inbox": inbox.as_str(),
        "from": mail.from,
        "names": mail.names,
        "subject": mail.subject,
        "to": mail.to,
        "placement": mail.placement,
        "arrived_at": mail.arrived_at.rfc3339(),
        "claim": word(&mail.claim),
        "of": match &mail.claim {
            Claim::Provider(provider) | Claim::Honeytoken(provider) => Value::from(provider.as_str()),
            Claim::Nothing | Claim::Allowed | Claim::OurDomain => Value::Null,
        },
    })
}
