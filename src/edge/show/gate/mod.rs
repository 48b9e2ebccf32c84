//! Who is let in: by which name mailcanary may be asked, who may read, and who may change something.
//!
//! On a loopback address everybody on this host may read, as long as they ask by a name that is this host's (a page elsewhere could
//! otherwise read by a name of its own that it points here). Beyond loopback reading needs the token, a user or a client's certificate,
//! unless the configuration says that it is open. Changing something needs the token, or a user who is named for that; a browser sends
//! a user's password by itself, so that such a request must come from our own pages.

mod host;
mod origin;
mod signed;
mod users;
mod web;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;

use self::host::Hosts;
pub(super) use self::signed::{signed, user};
use self::users::Porter;
pub use self::web::Web;
use super::problem::Problem;
use crate::config::{Http, Secret, WebConfig};
use crate::edge::post::proof::Password;

/// What is said to whoever does not say who they are.
const BEARER: &str = "Bearer";
const BASIC: &str = "Basic realm=\"mailcanary\", charset=\"UTF-8\"";

/// Who is let in. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Gate(Option<Arc<Rules>>);

/// The rules of the HTTP port.
#[derive(Debug)]
struct Rules {
    token: Option<Password>,
    web: Option<Web>,
    porter: Porter,
    writers: BTreeSet<String>,
    hosts: Hosts,
    /// Whoever gets here may read, whatever users there are.
    open: bool,
    loopback: bool,
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

/// Whether who asks may say something by a form.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pen(pub(super) bool);

impl Gate {
    /// That of the control socket: whoever may open it may do everything.
    #[must_use]
    pub const fn socket() -> Self {
        Self(None)
    }

    /// That of the HTTP port, which listens on `address`.
    #[must_use]
    pub fn of(http: &Http, address: IpAddr, token: Option<&Secret>, web: Option<Web>) -> Self {
        let token = token.map(|token| Password::new(token.expose().trim().as_bytes()));
        let loopback = address.to_canonical().is_loopback();
        let (hosts, writers) = (Hosts::new(http, loopback), http.writers.iter().cloned().collect());
        Self(Some(Arc::new(Rules { token, web, porter: Porter::new(), writers, hosts, open: http.open, loopback })))
    }

    /// The same paths, with this gate before them.
    pub fn before(self, router: Router) -> Router {
        router.layer(from_fn_with_state(self, pass))
    }

    /// Whether somebody may say something by a form: who it is, if that is known, or nobody who types the token.
    pub(super) fn may_say(&self, parts: &Parts) -> Result<Option<String>, Problem> {
        let Some(rules) = &self.0 else { return Ok(None) };
        match parts.extensions.get::<Who>().unwrap_or(&Who::Anybody) {
            Who::User(name) if rules.writers.contains(name) => Ok(Some(name.clone())),
            who if rules.has_pen(who) => Ok(None),
            Who::User(_) | Who::Token | Who::Anybody => {
                let why = "nothing can be said here: that needs `[http] token`, or a user of `[http] writers`. On its host there are \
                    `mailcanary incident ack`, `mailcanary incident close` and `mailcanary silence`";
                Err(Problem::new(StatusCode::FORBIDDEN, why))
            }
        }
    }

    /// Whether who sends a form with this token in it may say something.
    pub(super) fn may_send(&self, parts: &Parts, typed: &str) -> Result<(), Problem> {
        let known = self.may_say(parts)?;
        let Some(rules) = &self.0 else { return Ok(()) };
        origin::is_ours(parts, rules.hosts.public())?;
        let is_token = rules.token.as_ref().is_some_and(|token| token.is(typed.as_bytes()));
        if known.is_some() || is_token {
            Ok(())
        } else {
            Err(Problem::new(StatusCode::FORBIDDEN, "that is not the token of `[http] token`"))
        }
    }

    /// Whether who sends this may change something.
    pub(super) fn may_change(&self, parts: &Parts) -> Result<(), Problem> {
        let Some(rules) = &self.0 else { return Ok(()) };
        match parts.extensions.get::<Who>().unwrap_or(&Who::Anybody) {
            Who::Token => Ok(()),
            Who::User(name) if rules.writers.contains(name) => origin::is_ours(parts, rules.hosts.public()),
            Who::User(_) => {
                Err(Problem::new(StatusCode::FORBIDDEN, "this user may read only: `[http] writers` names those who may do more"))
            }
            Who::Anybody if rules.token.is_none() && rules.writers.is_empty() => {
                let why = "nothing can be changed here: set `[http] token`, or use `mailcanary reload`, `mailcanary incident` and \
                    `mailcanary silence` on its host";
                Err(Problem::new(StatusCode::FORBIDDEN, why))
            }
            Who::Anybody => Err(rules.stranger(rules.wanted())),
        }
    }
}

impl Rules {
    /// Whether this one may say something by a form, if only by typing the token.
    fn has_pen(&self, who: &Who) -> bool {
        self.token.is_some() || matches!(who, Who::User(name) if self.writers.contains(name))
    }

    /// Who asks by these credentials, if they may read.
    async fn let_in(&self, given: Option<HeaderValue>) -> Result<Who, Problem> {
        let web = self.web.as_ref().map(Web::current);
        let who = self.who(given.as_ref(), web.as_deref()).await?;
        self.may_read(&who, web.as_deref()).map(|()| who)
    }

    /// Who sends these headers; of credentials that nothing here is compared with nothing follows.
    async fn who(&self, given: Option<&HeaderValue>, web: Option<&WebConfig>) -> Result<Who, Problem> {
        let given = given.and_then(|value| value.to_str().ok()).and_then(|value| value.split_once(' '));
        let Some((scheme, given)) = given else { return Ok(Who::Anybody) };
        if let Some(web) = web.filter(|web| !web.users.is_empty() && scheme.eq_ignore_ascii_case("basic")) {
            return self.user(given.trim(), web).await;
        }
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

    /// Which user that is.
    async fn user(&self, given: &str, web: &WebConfig) -> Result<Who, Problem> {
        let wrong = || self.stranger("that is no user of `[http] web_config`, or not their password");
        let login = BASE64.decode(given.as_bytes()).ok().and_then(|login| String::from_utf8(login).ok());
        let login = login.ok_or_else(wrong)?;
        let (name, password) = login.split_once(':').ok_or_else(wrong)?;
        let known = web.users.get(name);
        // Of somebody who is no user the password is compared with another's: that takes as long.
        let hash = known.or_else(|| web.users.values().next()).map_or("", String::as_str);
        let is = self.porter.is(hash, name, password).await?;
        if is && known.is_some() { Ok(Who::User(name.to_owned())) } else { Err(wrong()) }
    }

    fn has_users(&self) -> bool {
        self.web.as_ref().is_some_and(|web| !web.current().users.is_empty())
    }

    /// What is said to whoever could be let in, and has not said who they are.
    fn wanted(&self) -> &'static str {
        match (self.token.is_some(), self.has_users()) {
            (true, false) => "send the token of `[http] token` as `Authorization: Bearer`",
            (false, _) => "log in as a user of `[http] web_config`",
            (true, true) => "log in as a user of `[http] web_config`, or send the token of `[http] token` as `Authorization: Bearer`",
        }
    }

    fn stranger(&self, detail: &str) -> Problem {
        let ways = [(self.has_users(), BASIC), (self.token.is_some(), BEARER)];
        Problem::stranger(detail, ways.into_iter().filter(|(is, _)| *is).map(|(_, way)| way))
    }

    fn may_read(&self, who: &Who, web: Option<&WebConfig>) -> Result<(), Problem> {
        let has_users = web.is_some_and(|web| !web.users.is_empty());
        let knows_clients = web.is_some_and(|web| web.knows_clients);
        match who {
            Who::Token | Who::User(_) => Ok(()),
            Who::Anybody if self.open || (!has_users && (self.loopback || knows_clients)) => Ok(()),
            Who::Anybody if self.token.is_none() && !has_users => {
                let why = "nothing can be read here: set `[http] token` or `[http] web_config`, or `[http] open = true` behind a firewall";
                Err(Problem::new(StatusCode::FORBIDDEN, why))
            }
            Who::Anybody => Err(self.stranger(self.wanted())),
        }
    }
}

async fn pass(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let Some(rules) = &gate.0 else { return next.run(request).await };
    let path = request.uri().path();
    // Whoever balances loads asks by whatever name, and learns nothing but that.
    let is_health = matches!(path, "/-/healthy" | "/-/ready");
    let as_json = path.starts_with("/api") || path == "/-/reload";
    let given = request.headers().get(AUTHORIZATION).cloned();
    let let_in = match rules.hosts.check(&request) {
        Ok(()) => rules.let_in(given).await,
        Err(problem) => Err(problem),
    };
    let mut response = match let_in {
        Ok(who) => {
            request.extensions_mut().insert(Pen(rules.has_pen(&who)));
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Err(_) if is_health => next.run(request).await.status().into_response(),
        Err(problem) if as_json => problem.into_response(),
        Err(problem) => problem.into_text(),
    };
    let web = rules.web.as_ref().map(Web::current);
    for (name, value) in web.iter().flat_map(|web| &web.headers) {
        response.headers_mut().insert(name, value.clone());
    }
    response
}
