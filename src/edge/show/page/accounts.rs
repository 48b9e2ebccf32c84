//! What providers say of their accounts: a part of the status page.

use maud::{Markup, html};

use super::bits::badge;
use super::{foreign, prose, table, time};
use crate::model::{Name, Standing, Verdict};
use crate::watchdog::{AccountView, View};

/// Bytes of what a provider says, or of why it does not.
const SAID: usize = 240;

/// The accounts that are asked about; nothing if there are none.
pub(super) fn accounts(view: &View) -> Markup {
    of(view, |_| true)
}

/// Those of some providers.
pub(super) fn of(view: &View, which: impl Fn(&Name) -> bool) -> Markup {
    html! {
        @if view.accounts.keys().any(&which) {
            section aria-labelledby="accounts" { h2 #accounts { "Accounts" }
            (table("What providers say of their accounts", "stack", &["provider", "says", "last read"], &html! {
                    @for (provider, account) in view.accounts.iter().filter(|(provider, _)| which(provider)) {
                        tr {
                            th scope="row" { (provider) }
                            td.why data-k="says" { (says(account)) }
                            td data-k="last read" {
                                @if let Some(at) = account.read_at { (time(at, view.at)) } @else { span.dim { "never" } }
                                @if let Some(unread) = &account.unread {
                                    br;
                                    (badge(Verdict::Unknown, "unknown")) " since " (time(unread.since, view.at)) ", " (unread.class) ": "
                                    (foreign(&unread.why, SAID))
                                }
                            }
                        }
                    }
            }))
            }
        }
    }
}

fn says(account: &AccountView) -> Markup {
    let tone = if account.standing == Some(Standing::Stopped) { Verdict::Stopped } else { Verdict::Degraded };
    html! {
        @if account.signs.is_empty() { span.dim { "nothing yet" } }
        ul { @for said in &account.signs {
            li {
                @if account.worries.contains(said) { (badge(tone, "warns")) " " }
                (prose(&said.to_string(), SAID))
            }
        } }
    }
}
