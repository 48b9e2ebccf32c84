//! Who is let in: by which name mailcanary may be asked, who may read, and who may change something.
//!
//! On a loopback address everybody on this host may read, as long as they ask by a name that is this host's (a page elsewhere could
//! otherwise read by a name of its own that it points here). Beyond loopback reading needs the token, a user or a client's certificate,
//! unless the configuration says that it is open. Changing something needs the token, or a user who is named for that; a browser sends
//! a user's password by itself, so that such a request must come from our own pages.

mod host;
mod origin;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};

use self::host::Hosts;
use super::problem::Problem;
use crate::config::{Http, Secret};
use crate::edge::post::proof::Password;

/// What is said to whoever does not say who they are.
const BEARER: &str = "Bearer";

/// Who is let in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate(Option<Arc<Rules>>);

/// The rules of the HTTP port.
#[derive(Debug)]
struct Rules {
    token: Option<Password>,
    writers: BTreeSet<String>,
    hosts: Hosts,
    /// Whoever gets here may read.
    open: bool,
}

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    /// Somebody.
    Anybody,
    /// Who has the token.
    Token,
    /// A user of the web configuration.
    User(String),
}

impl Gate {
    /// That of the control socket: whoever may open it may do everything.
    #[must_use]
    pub const fn socket() -> Self {
        Self(None)
    }

    /// That of the HTTP port, which listens on `address`.
    #[must_use]
    pub fn of(http: &Http, address: IpAddr, token: Option<&Secret>) -> Self {
        let token = token.map(|token| Password::new(token.expose().trim().as_bytes()));
        let hosts = Hosts::new(http, address.to_canonical().is_loopback());
        let open = http.open || address.to_canonical().is_loopback();
        Self(Some(Arc::new(Rules { token, writers: http.writers.iter().cloned().collect(), hosts, open })))
    }

    /// The same paths, with this gate before them.
    pub fn before(self, router: Router) -> Router {
        router.layer(from_fn_with_state(self, pass))
    }

    /// Whether who sends this may change something.
    pub(super) fn may_change(&self, parts: &Parts) -> Result<(), Problem> {
        let Some(rules) = &self.0 else { return Ok(()) };
        match parts.extensions.get::<Who>().unwrap_or(&Who::Anybody) {
            Who::Token => Ok(()),
            Who::User(name) if rules.writers.contains(name) => origin::is_ours(parts, rules.hosts.public()),
            Who::User(_) => Err(Problem::new(StatusCode::FORBIDDEN, "this user may read only: `[http] writers` names those who may do more")),
            Who::Anybody if rules.token.is_none() && rules.writers.is_empty() => {
                let why = "nothing can be changed here: set `[http] token`, or use `mailcanary incident` and `mailcanary silence` on its host";
                Err(Problem::new(StatusCode::FORBIDDEN, why))
            }
            Who::Anybody => Err(rules.stranger("send the token of `[http] token` as `Authorization: Bearer`")),
        }
    }
}

impl Rules {
    /// Who asks, if they may read.
    fn let_in(&self, request: &Request) -> Result<Who, Problem> {
        self.hosts.check(request)?;
        let who = self.who(request.headers())?;
        self.may_read(&who).map(|()| who)
    }

    /// Who sends these headers; of credentials that nothing here is compared with nothing follows.
    fn who(&self, headers: &HeaderMap) -> Result<Who, Problem> {
        let given = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|value| value.split_once(' '));
        let Some((scheme, given)) = given else { return Ok(Who::Anybody) };
        match &self.token {
            Some(token) if scheme.eq_ignore_ascii_case("bearer") => {
                if token.is(given.trim().as_bytes()) {
                    Ok(Who::Token)
                } else {
                    Err(self.stranger("that is not the token of `[http] token`"))
                }
            }
            _ => Ok(Who::Anybody),
        }
    }

    fn stranger(&self, detail: &str) -> Problem {
        Problem::stranger(detail, self.token.iter().map(|_| BEARER))
    }

    fn may_read(&self, who: &Who) -> Result<(), Problem> {
        match who {
            Who::Token | Who::User(_) => Ok(()),
            Who::Anybody if self.open => Ok(()),
            Who::Anybody if self.token.is_none() => {
                let why = "nothing can be read here: set `[http] token` or `[http] web_config`, or `[http] open = true` behind a firewall";
                Err(Problem::new(StatusCode::FORBIDDEN, why))
            }
            Who::Anybody => Err(self.stranger("send the token of `[http] token` as `Authorization: Bearer`")),
        }
    }
}

async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let Some(rules) = &gate.0 else { return next.run(request).await };
    let path = request.uri().path();
    // Whoever balances loads asks by whatever name, and learns nothing but that.
    let is_health = matches!(path, "/-/healthy" | "/-/ready");
    let as_json = path.starts_with("/api") || path == "/-/reload";
    match rules.let_in(&request) {
        Ok(who) => {
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Err(_) if is_health => next.run(request).await.status().into_response(),
        Err(problem) if as_json => problem.into_response(),
        Err(problem) => problem.as_text(),
    }
}
