//! The form by which somebody says something of an incident. It stands on a page of its own, which does not load itself again while
//! somebody writes, and it needs no script.

use maud::{Markup, html};

use super::{document, foreign, prose};
use crate::model::IncidentId;
use crate::watchdog::{IncidentView, View};

/// What stands in the form, and what became of it before.
#[derive(Debug, Default)]
pub(in crate::edge::show) struct Form {
    /// Proves that the form is ours.
    pub(in crate::edge::show) ticket: String,
    /// Whoever is logged in, and may say something.
    pub(in crate::edge::show) user: Option<String>,
    /// Why nobody may say anything here; nothing if somebody may.
    pub(in crate::edge::show) shut: Option<String>,
    /// What was wrong with what was said before.
    pub(in crate::edge::show) wrong: Option<String>,
    /// What was said before.
    pub(in crate::edge::show) by: String,
    pub(in crate::edge::show) note: String,
}

/// Where the form of an incident is, for who may say something; who may not is led to the commands.
pub(super) fn link(incident: &IncidentView, pen: bool) -> Markup {
    html! {
        @if incident.resolved_at.is_none() && !pen { p { "Acknowledge, close or silence it " a href="#take" { "on the host of mailcanary" } ": here that needs " code { "[http] token" } "." } }
        @if incident.resolved_at.is_none() && pen {
            p { a.act href=(format!("{}/say", incident.incident)) { "Acknowledge, close or silence" } }
        }
    }
}

/// The page with the form.
pub(in crate::edge::show) fn form(view: &View, incident: &IncidentView, form: &Form) -> Markup {
    let title = format!("Incident {}", incident.incident);
    let body = html! {
        h1 { (title) }
        p { (prose(incident.summary(), 600)) }
        @if let Some(wrong) = &form.wrong { p role="alert" { strong { (prose(wrong, 600)) } } }
        @if let Some(shut) = &form.shut { p { (prose(shut, 600)) } } @else { (fields(incident.incident, form)) }
        p { a href=(format!("../{}", incident.incident)) { "Back to the incident" } " · " a href="../../" { "Status of " (foreign(&view.instance, 200)) } }
    };
    document(Some("../../"), &title, &body)
}

fn fields(incident: IncidentId, form: &Form) -> Markup {
    html! {
        form method="post" action="say" autocomplete="off" {
            input type="hidden" name="ticket" value=(form.ticket);
            fieldset {
                legend { "What is to be said of incident " (incident) "?" }
                p { label { input type="radio" name="what" value="ack" checked; " I have seen it: remind nobody" } }
                p { label { input type="radio" name="what" value="close"; " It is over" } }
                p { label { input type="radio" name="what" value="silence"; " Tell nobody of the like for" } " "
                    select name="lasts" aria-label="How long" { @for lasts in super::super::say::LASTS { option value=(lasts) { (lasts) } } }
                }
            }
            @if let Some(user) = &form.user { p { "You are " strong { (foreign(user, 100)) } "." } }
            @else { p { label for="by" { "Who are you? " } input id="by" name="by" required maxlength="100" value=(form.by); } }
            p { label for="note" { "What about it? (a silence needs a reason) " } input id="note" name="note" maxlength="500" value=(form.note); }
            @if form.user.is_none() {
                p { label for="token" { "The token of [http] token " } input id="token" name="token" type="password" autocomplete="off" required; }
            }
            p { button type="submit" { "Say so" } }
        }
    }
}
