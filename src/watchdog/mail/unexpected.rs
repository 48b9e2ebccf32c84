//! Mail that nobody sent: in our name through a provider of ours, from a domain of ours, or to an address that one provider alone knows.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Trouble, row};
use crate::model::{At, Claim, Culprit, Kind, Mark, Name, Part, Severity, Stranger, party, quoted};
use crate::watchdog::explain::{grouped, subject};
use crate::watchdog::plan::Plan;
use crate::watchdog::state::State;
use crate::watchdog::stranger::{Unexpected, word};

/// Senders named in the summary.
const SAID: usize = 3;
/// Whom else a mail names, of whom so many are named in the summary.
const BESIDES: usize = 2;

/// Every culprit with such mail.
pub(super) fn troubles(plan: &Plan, state: &State, now: At) -> Vec<Trouble> {
    let goes_on = |u: &&Unexpected| !u.is_over(now) && plan.knows(&u.culprit);
    state.strangers.unexpected.iter().filter(goes_on).map(|unexpected| trouble(state, unexpected)).collect()
}

fn trouble(state: &State, unexpected: &Unexpected) -> Trouble {
    let (in_our_name, leaks) = unexpected.kinds();
    let told: Vec<(String, String)> = [in_our_name, leaks]
        .into_iter()
        .enumerate()
        .filter(|(_, count)| *count > 0)
        .map(|(place, count)| kind(state, unexpected, place == 1, count))
        .collect();
    let what = told.iter().map(|(what, _)| what.as_str()).collect::<Vec<_>>().join("; and ");
    let allow = if unexpected.mails.is_empty() { "" } else { ". What may come can be allowed in the configuration" };
    let next = told.iter().map(|(_, next)| next.as_str()).collect::<Vec<_>>().join("; and ") + allow;
    Trouble {
        kind: Kind::UnexpectedMail,
        severity: Severity::Warn,
        culprit: unexpected.culprit.clone(),
        named: named(state, unexpected),
        summary: format!("{what}; since {}", unexpected.since.minute()),
        evidence: json!({
            "since": unexpected.since.rfc3339(),
            "last": unexpected.last.rfc3339(),
            "mails": unexpected.count,
            "leak": unexpected.leak,
            "leaked": leaks,
            "newest": unexpected.mails.iter().rev().map(|(inbox, mail)| shown(state, inbox, mail)).collect::<Vec<_>>(),
            "next_step": next,
        }),
    }
}

/// What is said of the mails of one kind, in our name or from others to a leaked address, and what to do about them.
fn kind(state: &State, unexpected: &Unexpected, leak: bool, count: u64) -> (String, String) {
    let mine = || unexpected.mails.iter().filter(|(_, mail)| matches!(mail.claim, Claim::Honeytoken(_)) == leak);
    let inboxes: BTreeSet<&str> = mine().map(|(inbox, _)| inbox.as_str()).collect();
    let inboxes = if inboxes.is_empty() { String::new() } else { format!(" (in {})", row(inboxes.into_iter(), SAID)) };
    let about = mine().next_back().map_or_else(String::new, |(_, mail)| newest(state, mail));
    let count = if count == 1 { "1 mail".to_owned() } else { format!("{} mails", grouped(count)) };
    let whose = subject(&unexpected.culprit);
    let nameless = mine().filter(|(_, mail)| mail.nameless).count();
    match &unexpected.culprit {
        Culprit::Provider(_) if leak => (
            format!("{count} from somebody else to {} that only {whose} knows{inboxes}{about}", bait(unexpected)),
            format!("the list at {whose} has leaked or is used by others: tell its security team, and see who could export it"),
        ),
        Culprit::Provider(_) if mine().any(|(_, mail)| is_by_account(mail)) => (
            format!("{count} in other names or ours came through our account at {whose} that no canary accounts for{inboxes}{about}"),
            format!(
                "somebody else is in the account at {whose}: its log says who handed in what; revoke its keys and change its passwords"
            ),
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
fn newest(state: &State, mail: &Stranger) -> String {
    let others: Vec<String> = others(state, mail)
        .filter(|mark| is_written_to(mark.part) && party(&mark.value) != party(&mail.from))
        .map(|mark| format!("{} in its {}", quoted(&mark.value), mark.part.title()))
        .take(BESIDES)
        .collect();
    let others = if others.is_empty() { String::new() } else { format!(", with the foreign {}", others.join(" and ")) };
    let names = mail.names.as_ref().map_or_else(String::new, |mark| format!(", with {} in its {}", quoted(&mark.value), mark.part.title()));
    format!(": the newest from {}{names}{others}, subject {}", quoted(&mail.from), quoted(&mail.subject))
}

/// Whom a mail names that is neither we nor known of the provider that it may have come through.
fn others<'m>(state: &'m State, mail: &'m Stranger) -> impl Iterator<Item = &'m Mark> {
    let through = match &mail.claim {
        Claim::Provider(provider) => std::slice::from_ref(provider),
        Claim::Honeytoken(_) | Claim::OurDomain | Claim::Nothing | Claim::Allowed => &mail.via[..],
    };
    mail.marks.iter().filter(move |mark| !state.is_of(through, mark))
}

/// Whether who stands in a part writes, is answered, or gets the mail.
const fn is_written_to(part: Part) -> bool {
    matches!(part, Part::From | Part::Sender | Part::ReplyTo | Part::Header | Part::List | Part::Address)
}

/// Whether it was by our account that a mail in another name was known.
const fn is_by_account(mail: &Stranger) -> bool {
    mail.nameless && !mail.account.is_empty()
}

/// The address that was written to, where it is known.
fn bait(unexpected: &Unexpected) -> String {
    let to = unexpected.mails.iter().rev().find_map(|(_, mail)| mail.to.as_deref());
    to.map_or_else(|| "an address".to_owned(), quoted)
}

/// Who writes, and every power of ten: a hundred are told once more, and not a hundred times.
fn named(state: &State, unexpected: &Unexpected) -> Vec<String> {
    let mut named: Vec<String> = unexpected.mails.iter().map(|(_, mail)| format!("from {}", mail.from)).collect();
    if matches!(unexpected.culprit, Culprit::Provider(_)) {
        // Whom spam to a honeytoken names besides is shown, and no news.
        let through = unexpected.mails.iter().filter(|(_, mail)| !matches!(mail.claim, Claim::Honeytoken(_)));
        let others = through.flat_map(|(_, mail)| others(state, mail).filter(|mark| is_written_to(mark.part)).take(BESIDES));
        named.extend(others.map(|mark| format!("names {}", party(&mark.value))));
    }
    named.sort();
    named.dedup();
    named.extend((1..=unexpected.count.checked_ilog10().unwrap_or(0)).map(|power| format!("{} mails", 10_u64.pow(power))));
    named.extend(unexpected.leak.then(|| "leak".to_owned()));
    named
}

fn shown(state: &State, inbox: &Name, mail: &Stranger) -> Value {
    json!({
        "inbox": inbox.as_str(),
        "from": mail.from,
        "names": mail.names,
        "foreign": others(state, mail).collect::<Vec<_>>(),
        "account": mail.account.first(),
        "subject": mail.subject,
        "cut": mail.cut,
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
