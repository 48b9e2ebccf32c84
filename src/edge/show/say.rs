//! `/incidents/ID/say`: people say something of an incident on a page, without a script.
//!
//! What counts is the token that they type, or that they are a user who may. A page elsewhere knows no token; it could make a browser send
//! a user's password, so that a form must come from us, by what the browser says of that, and carry a ticket that only we can make, for this
//! incident and this hour.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use ring::hmac;
use tokio::sync::Semaphore;
use url::form_urlencoded;

use super::api::{Counter, order};
use super::gate::{signed, user};
use super::page;
use super::page::Form;
use super::problem::Problem;
use super::router::{Silent, headers, html, policy, view};
use crate::config::span;
use crate::edge::post::receive;
use crate::model::{At, IncidentId, Span, Which};
use crate::watchdog::{Event, IncidentView, View};

/// How long a silence may be wished here.
pub(super) const LASTS: [&str; 4] = ["1h", "4h", "1d", "7d"];
/// Bytes of a form.
const BODY: usize = 16 * 1024;
/// Forms that are read together.
const AT_ONCE: usize = 4;
/// A form that lies open for longer is sent again.
const TICKET: Span = Span::from_secs(3600);
/// Characters of a name and of a text.
const BY: usize = 100;
const NOTE: usize = 500;

/// Makes and knows tickets. They are of this life of the process alone.
#[derive(Clone, Debug)]
pub struct Tickets(Arc<hmac::Key>);

impl Tickets {
    /// With a key that nobody knows.
    ///
    /// # Errors
    /// The operating system gives no random numbers.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut key = [0_u8; 32];
        getrandom::fill(&mut key)?;
        Ok(Self(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, &key))))
    }

    fn of(&self, incident: IncidentId, now: At) -> String {
        let until = now.plus(TICKET).as_ms();
        let tag = hmac::sign(&self.0, format!("{incident} {until}").as_bytes());
        format!("{until}.{}", data_encoding::HEXLOWER.encode(tag.as_ref()))
    }

    fn is(&self, ticket: &str, incident: IncidentId, now: At) -> bool {
        let Some((until, tag)) = ticket.split_once('.') else { return false };
        let (Ok(until), Ok(tag)) = (until.parse::<i64>(), data_encoding::HEXLOWER.decode(tag.as_bytes())) else { return false };
        let made = hmac::verify(&self.0, format!("{incident} {until}").as_bytes(), &tag).is_ok();
        made && At::from_ms(until) > now
    }
}

#[derive(Clone)]
struct Clerk {
    counter: Counter,
    tickets: Tickets,
    places: Arc<Semaphore>,
}

/// The path of the form.
pub fn say(counter: Counter, tickets: Tickets) -> Router {
    let clerk = Clerk { counter, tickets, places: Arc::new(Semaphore::new(AT_ONCE)) };
    let path = Router::new().route("/incidents/{id}/say", get(ask).post(said));
    path.layer(from_fn_with_state(policy("'self'"), headers)).with_state(clerk)
}

async fn ask(State(clerk): State<Clerk>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    match clerk.found(&id).await {
        Ok((view, incident)) => html(StatusCode::OK, page::form(&view, &incident, &clerk.form(&parts, &incident))),
        Err(answer) => answer,
    }
}

async fn said(State(clerk): State<Clerk>, Path(id): Path<String>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let head = parts.clone();
    let (view, incident) = match clerk.found(&id).await {
        Ok(found) => found,
        Err(answer) => return answer,
    };
    let mut given = BTreeMap::new();
    let outcome = async {
        is_form(&head.headers)?;
        let received = receive(Request::from_parts(parts, body), BODY, &clerk.places).await;
        let body = received.map_err(|(_, status)| Problem::new(status, "the form cannot be read").unread())?.into_body();
        given = form_urlencoded::parse(&body).into_owned().collect();
        clerk.take(&head, &incident, &given).await
    };
    match outcome.await {
        // Relative, so that it holds behind a proxy under whatever path.
        Ok(()) => (StatusCode::SEE_OTHER, [(LOCATION, format!("../{}", incident.incident))]).into_response(),
        Err(problem) => {
            let text = |key: &str| given.get(key).cloned().unwrap_or_default();
            let form =
                Form { wrong: Some(problem.detail().to_owned()), by: text("by"), note: text("note"), ..clerk.form(&head, &incident) };
            html(problem.status(), page::form(&view, &incident, &form))
        }
    }
}

impl Clerk {
    /// The state, and the incident of this number, if it is open.
    async fn found(&self, id: &str) -> Result<(View, IncidentView), Response> {
        let view = view(&self.counter.ask).await.map_err(Silent::into_response)?;
        let found = id.parse().ok().map(IncidentId).and_then(|id| view.incidents.iter().find(|i| i.incident == id)).cloned();
        match found.filter(|incident| incident.resolved_at.is_none()) {
            Some(incident) => Ok((view, incident)),
            None => {
                Err(html(StatusCode::NOT_FOUND, page::missing(Some("../../"), "No such open incident", "It never was, or it is over.")))
            }
        }
    }

    fn form(&self, parts: &Parts, incident: &IncidentView) -> Form {
        let (user, shut) = match self.counter.gate.may_say(parts) {
            Ok(user) => (user, None),
            Err(problem) => (None, Some(problem.detail().to_owned())),
        };
        Form { ticket: self.tickets.of(incident.incident, (self.counter.now)()), user, shut, ..Form::default() }
    }

    /// Lets what was said happen.
    async fn take(&self, parts: &Parts, incident: &IncidentView, given: &BTreeMap<String, String>) -> Result<(), Problem> {
        let text = |key: &str| given.get(key).map_or("", |text| text.trim());
        let now = (self.counter.now)();
        self.counter.gate.may_send(parts, text("token"))?;
        if !self.tickets.is(text("ticket"), incident.incident, now) {
            return Err(Problem::new(StatusCode::FORBIDDEN, "the form was open for too long: say it again"));
        }
        let unfit = |why: &str| Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, why));
        let (by, note) = (signed(text("by"), user(parts)), text("note").to_owned());
        if by.is_empty() || text("by").chars().count() > BY || note.chars().count() > NOTE {
            return unfit("say who you are, in 100 characters at most, and what about it, in 500 at most");
        }
        let (id, said) = (incident.incident, Some(note.clone()).filter(|note| !note.is_empty()));
        let event = match text("what") {
            "ack" => Event::Acknowledged { incident: id, by, note: said, said_at: None, via: None },
            "close" => Event::Closed { incident: id, by, note: said },
            "silence" if note.is_empty() => return unfit("a silence needs a reason"),
            "silence" => {
                let Some(lasts) = span(text("lasts")).filter(|_| LASTS.contains(&text("lasts"))) else { return unfit("say how long") };
                let (provider, stream, inbox) = incident.culprit.parts();
                let which =
                    Which { provider: provider.cloned(), stream: stream.cloned(), inbox: inbox.cloned(), kind: Some(incident.kind) };
                Event::Silenced { which, from: None, until: now.plus(lasts), by, reason: note }
            }
            _ => return unfit("say what it is"),
        };
        order(&self.counter.orders, event).await.map(drop)
    }
}

fn is_form(headers: &HeaderMap) -> Result<(), Problem> {
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    if said.is_some_and(|said| said.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")) {
        Ok(())
    } else {
        Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this is no form"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_of_one_incident_and_one_hour() {
        let (tickets, now) = (Tickets::new().unwrap(), At::from_ms(1_659_987_000_000));
        let ticket = tickets.of(IncidentId(7), now);
        assert!(tickets.is(&ticket, IncidentId(7), now.plus(Span::from_secs(3599))));
        assert!(!tickets.is(&ticket, IncidentId(8), now) && !tickets.is(&ticket, IncidentId(7), now.plus(TICKET)));
        assert!(!Tickets::new().unwrap().is(&ticket, IncidentId(7), now), "another life's");
        for odd in ["", ".", "9999999999999.", "9999999999999.00", "x.y", &ticket.replace('.', "0.")] {
            assert!(!tickets.is(odd, IncidentId(7), now), "{odd}");
        }
    }
}
