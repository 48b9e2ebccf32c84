//! Mail that nobody sent: in our name through a provider of ours, from a domain of ours, or to an address that one provider alone knows.

use serde_json::{Value, json};

use super::{Trouble, row};
use crate::model::{At, Claim, Culprit, Kind, Name, Severity, Stranger};
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
    let newest = unexpected.mails.last();
    let inboxes: std::collections::BTreeSet<&str> = unexpected.mails.iter().map(|(inbox, _)| inbox.as_str()).collect();
    let inboxes = row(inboxes.into_iter(), SAID);
    let about = newest.map_or_else(String::new, |(_, mail)| format!("the newest from `{}`, subject `{}`", mail.from, mail.subject));
    let count = if unexpected.count == 1 { "1 mail".to_owned() } else { format!("{} mails", grouped(unexpected.count)) };
    let whose = subject(&unexpected.culprit);
    let (what, next) = match &unexpected.culprit {
        Culprit::Provider(_) if unexpected.leak => (
            format!("{count} from somebody else to {} that only {whose} knows (in {inboxes})", bait(unexpected)),
            format!("the list at {whose} has leaked or is used by others: tell its security team, and see who could export it"),
        ),
        Culprit::Provider(_) => (
            format!("{count} in our name came through {whose} that no canary accounts for (in {inboxes})"),
            format!("find out what sent it: a test, or somebody else with the account at {whose} or with your reset form"),
        ),
        Culprit::Inbox(_) | Culprit::Stream(..) | Culprit::Route(..) | Culprit::Watcher {} => (
            format!("{count} to {whose} in our name that no canary accounts for"),
            "find out what sent it: a test, or somebody else in your name; DMARC says what receivers do with it".to_owned(),
        ),
    };
    let allow = newest.map_or_else(String::new, |_| ". What may come can be allowed in the configuration".to_owned());
    Trouble {
        kind: Kind::UnexpectedMail,
        severity: Severity::Warn,
        culprit: unexpected.culprit.clone(),
        named: named(unexpected),
        summary: format!("{what}: {about}; since {}. Next: {next}{allow}", unexpected.since.minute()),
        evidence: json!({
            "since": unexpected.since.rfc3339(),
            "last": unexpected.last.rfc3339(),
            "mails": unexpected.count,
            "leak": unexpected.leak,
            "newest": unexpected.mails.iter().rev().map(|(inbox, mail)| shown(inbox, mail)).collect::<Vec<_>>(),
            "next_step": next,
        }),
    }
}

/// The address that was written to, where it is known.
fn bait(unexpected: &Unexpected) -> String {
    let to = unexpected.mails.iter().rev().find_map(|(_, mail)| mail.to.as_deref());
    to.map_or_else(|| "an address".to_owned(), |to| format!("`{to}`"))
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
