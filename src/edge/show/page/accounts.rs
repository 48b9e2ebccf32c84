//! What providers say of their accounts: a part of the status page.

use maud::{Markup, html};

use super::{foreign, time};
use crate::model::Standing;
use crate::watchdog::{AccountView, View};

/// Bytes of what a provider says, or of why it does not.
const SAID: usize = 240;

/// The accounts that are asked about; nothing if there are none.
pub(super) fn accounts(view: &View) -> Markup {
    html! {
        @if !view.accounts.is_empty() {
            h2 { "Accounts" }
            div.wide { table {
                thead { tr { th { "provider" } th { "says" } th { "last read" } } }
                tbody {
                    @for (provider, account) in &view.accounts {
                        tr {
                            th scope="row" { (provider) }
                            td { (says(account)) }
                            td {
                                @if let Some(at) = account.read_at { (time(at, view.at)) } @else { span.dim { "never" } }
                                @if let Some(unread) = &account.unread {
                                    br;
                                    span class="v unknown" { "? unknown" } " since " (time(unread.since, view.at)) ", " (unread.class) ": "
                                    (foreign(&unread.why, SAID))
                                }
                            }
                        }
                    }
                }
            } }
        }
    }
}

fn says(account: &AccountView) -> Markup {
    let (class, sign) = if account.standing == Some(Standing::Stopped) { ("v stopped", "✕ ") } else { ("v degraded", "▲ ") };
    html! {
        @if account.signs.is_empty() { span.dim { "nothing yet" } }
        ul { @for said in &account.signs {
            li {
                @if account.worries.contains(said) { span class=(class) { (sign) "warns" } " " }
                (foreign(&said.to_string(), SAID))
            }
        } }
    }
}
