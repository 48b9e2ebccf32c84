//! The metrics of accounts at providers: what was said of them, how old that is, and how asking goes.

use super::catalogue::{Family, family};
use super::samples::{Samples, Shape};
use super::{Source, names};
use crate::model::{Sign, Standing};
use crate::watchdog::AccountView;

const PROVIDER: &[&str] = &["provider"];

/// All of them, in the order of the page.
pub(super) static ACCOUNTS: [Family; 8] = [
    family(
        names::ACCOUNT_STANDING,
        Shape::Gauge,
        &["provider", "standing"],
        "0 or 1",
        "1 for what the provider says of the account: good, warned (something is held against it), stopped (it says that it sends nothing), or unknown where it does not say. Providers that are asked.",
        |from, to| {
            for (name, account) in accounts(from) {
                Standing::ALL.iter().for_each(|s| to.flag(&[name, s.as_str()], account.standing == Some(*s)));
                to.flag(&[name, "unknown"], account.standing.is_none());
            }
        },
    ),
    family(
        names::ACCOUNT_QUOTA_LIMIT,
        Shape::Gauge,
        PROVIDER,
        "mails",
        "The quota of the account; for MailerSend in requests. Where the provider says so.",
        |from, to| each(from, to, |sign| if let Sign::Quota { limit, .. } = sign { *limit } else { None }),
    ),
    family(
        names::ACCOUNT_QUOTA_REMAINING,
        Shape::Gauge,
        PROVIDER,
        "mails",
        "What is left of the quota, or of credits. Where the provider says so.",
        |from, to| each(from, to, |sign| if let Sign::Quota { remaining, .. } = sign { Some(*remaining) } else { None }),
    ),
    family(
        names::ACCOUNT_BACKLOG,
        Shape::Gauge,
        PROVIDER,
        "mails",
        "Mails that the provider has taken and holds back. Where it says so.",
        |from, to| each(from, to, |sign| if let Sign::Backlog { waiting } = sign { Some(*waiting) } else { None }),
    ),
    family(
        names::ACCOUNT_REPUTATION,
        Shape::Gauge,
        PROVIDER,
        "of 100",
        "The reputation of the account. Where the provider says so.",
        |from, to| each(from, to, |sign| if let Sign::Reputation { percent } = sign { Some(*percent) } else { None }),
    ),
    family(
        names::ACCOUNT_READ_TIMESTAMP_SECONDS,
        Shape::Gauge,
        PROVIDER,
        "seconds since 1970",
        "When the provider last said how the account stands; 0 before the first time. Providers that are asked.",
        |from, to| accounts(from).for_each(|(name, account)| to.instant(&[name], account.read_at)),
    ),
    family(
        names::ACCOUNT_READABLE,
        Shape::Gauge,
        PROVIDER,
        "0 or 1",
        "1 if the provider said how the account stands when it was asked last, 0 if it did not or was never asked. Providers that are asked.",
        |from, to| accounts(from).for_each(|(name, account)| to.flag(&[name], account.unread.is_none() && account.read_at.is_some())),
    ),
    family(
        names::ACCOUNT_POLLS_TOTAL,
        Shape::Counter,
        &["provider", "outcome"],
        "questions",
        "Questions how the account stands that ended, by outcome: read, throttled (the provider had no time for them), or unread (anything else). Providers that are asked.",
        |from, to| {
            for (name, account) in accounts(from) {
                to.count(&[name, "read"], account.read);
                to.count(&[name, "throttled"], account.throttled);
                to.count(&[name, "unread"], account.not_read);
            }
        },
    ),
];

fn accounts<'a>(from: &Source<'a>) -> impl Iterator<Item = (&'a str, &'a AccountView)> {
    from.view.accounts.iter().map(|(name, account)| (name.as_str(), account))
}

/// The first figure that each provider gives; no sample where it gives none.
fn each(from: &Source<'_>, to: &mut Samples, figure: fn(&Sign) -> Option<u64>) {
    for (name, account) in accounts(from) {
        account.signs.iter().find_map(figure).into_iter().for_each(|count| to.count(&[name], count));
    }
}
