//! Whom `top` asks, and how.

use std::path::Path;
use std::time::Duration;

use reqwest::StatusCode;
use tokio::time::timeout;
use url::Url;

use super::super::args::Top as Arguments;
use super::super::daemon_folder;
use super::super::out::{Out, chain};
use crate::config::{Secret, SecretRef, Wire};
use crate::edge::dial::{Dialer, through};
use crate::edge::show::{TOP, Top};
use crate::run::control::SOCKET;

/// A daemon that lives answers within this.
const PATIENCE: Duration = Duration::from_secs(6);
/// Bytes of an answer that are read.
const ANSWER: usize = 16 * 1024 * 1024;

/// What to see to where the daemon of a configuration does not answer.
const HERE: &str = "\n  hint: is `mailcanary run` running, and may you open its ledger's folder (sudo)?";

/// A daemon.
pub(super) struct Source {
    client: reqwest::Client,
    url: String,
    proof: Proof,
    /// Where it is, for people.
    place: String,
    /// It is that of a configuration on this host.
    is_here: bool,
}

/// What is shown to be let in.
enum Proof {
    None,
    Token(Secret),
    User(Secret),
}

impl Source {
    /// The daemon that the arguments mean; prints why there can be none.
    pub(super) fn of(args: &Arguments, err: &mut Out) -> Option<Self> {
        let made = match (&args.url, &args.config) {
            (Some(url), _) => Self::far(args, url),
            (None, Some(config)) => {
                let socket = daemon_folder(config, err)?.join(SOCKET);
                let place = format!("the control socket `{}`", socket.display().to_string().escape_debug());
                let client = through(&socket).map_err(|error| chain(&error));
                client.map(|client| Self { client, url: format!("http://localhost{TOP}"), proof: Proof::None, place, is_here: true })
            }
            (None, None) => Err("neither a configuration nor a URL is given".to_owned()),
        };
        made.inspect_err(|why| err.line(format_args!("error: {why}"))).ok()
    }

    fn far(args: &Arguments, url: &Url) -> Result<Self, String> {
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || !url.username().is_empty() || url.password().is_some() {
            return Err("--url is the address of a status page, as https://canary.example, without a password in it".to_owned());
        }
        let proof = match (&args.token_file, &args.user_file) {
            (Some(file), _) => Proof::Token(secret(file)?),
            (None, Some(file)) => Proof::User(secret(file)?),
            (None, None) => Proof::None,
        };
        let local = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if url.scheme() == "http" && !local && !matches!(proof, Proof::None) {
            return Err("no secret is sent over http:// to another host: use https://".to_owned());
        }
        let wire = Wire { ca_file: args.ca_file.clone(), ..Wire::default() };
        let client = Dialer::new(&wire).and_then(|dialer| dialer.http()).map_err(|error| chain(&error))?;
        let base = url.as_str().trim_end_matches('/');
        Ok(Self { client, url: format!("{base}{TOP}"), proof, place: format!("`{base}`"), is_here: false })
    }

    /// What else to see to where nothing is seen.
    pub(super) const fn hint(&self) -> &'static str {
        if self.is_here { HERE } else { "" }
    }

    /// What is seen now, or why nothing is.
    pub(super) async fn ask(&self) -> Result<Top, String> {
        let asked = timeout(PATIENCE, self.answer()).await;
        asked.unwrap_or_else(|_| Err(format!("no answer from {} within {} s", self.place, PATIENCE.as_secs())))
    }

    async fn answer(&self) -> Result<Top, String> {
        let mut request = self.client.get(&self.url);
        match &self.proof {
            Proof::None => {}
            Proof::Token(token) => request = request.bearer_auth(token.expose()),
            Proof::User(user) => {
                let (name, password) = user.expose().split_once(':').unwrap_or((user.expose(), ""));
                request = request.basic_auth(name, Some(password));
            }
        }
        let lost = |error: reqwest::Error| {
            let causes = std::iter::successors(std::error::Error::source(&error), |cause| cause.source());
            let why = causes.last().map_or_else(|| "the connection failed".to_owned(), ToString::to_string);
            let hint = if self.is_here { "" } else { hint(&why) };
            format!("nobody answers at {}: {why}{hint}", self.place)
        };
        let mut response = request.send().await.map_err(lost)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::SERVICE_UNAVAILABLE => return Err(format!("the daemon at {} is there, and its loop does not answer", self.place)),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                return Err(format!("{} answers {status}: give --token-file or --user-file", self.place));
            }
            StatusCode::BAD_REQUEST if self.url.starts_with("http://") => {
                return Err(format!("{} answers {}: if it speaks TLS, ask by https://", self.place, response.status()));
            }
            StatusCode::MISDIRECTED_REQUEST => {
                return Err(format!("{} does not know itself by this name: add it to `hosts` under [http]", self.place));
            }
            StatusCode::NOT_FOUND => {
                return Err(format!("there is no mailcanary at {}, or another version: give the address of its status page", self.place));
            }
            status => return Err(format!("{} answers {status}: no mailcanary, or another version", self.place)),
        }
        let mut text = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            text.extend_from_slice(&chunk);
            if text.len() > ANSWER {
                return Err(format!("the answer from {} is too long", self.place));
            }
        }
        serde_json::from_slice(&text).map_err(|error| format!("{} says what this version does not understand: {error}", self.place))
    }
}

/// What to do about a connection that failed for this reason, where that can be told.
fn hint(why: &str) -> &'static str {
    let why = why.to_ascii_lowercase();
    let holds = |words: &[&str]| words.iter().any(|word| why.contains(word));
    if holds(&["certificate", "unknownissuer"]) {
        "; give the authority that signed it as --ca-file, and the name that stands in it"
    } else if holds(&["invalidcontenttype", "corrupt message"]) {
        "; it does not speak TLS: ask by http://"
    } else if holds(&["refused"]) {
        "; is the daemon running, and is this the address of `listen` under [http]?"
    } else if holds(&["dns", "lookup", "resolve", "not known"]) {
        "; is the name right?"
    } else {
        ""
    }
}

fn secret(file: &Path) -> Result<Secret, String> {
    let resolved = SecretRef::File(file.to_owned()).resolve();
    resolved.map(|found| found.secret).map_err(|error| format!("`{}`: {}", file.display().to_string().escape_debug(), chain(&error)))
}
