//! Where a server has everything, and what it bears: the session resource (RFC 8620, 2).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use reqwest::header::LOCATION;
use serde::Deserialize;
use serde_json::Value;
use url::Host;

use super::super::trouble::Trouble;
use super::wire::{self, Wire};
use crate::config::JmapSettings;
use crate::model::Class;

/// The core of JMAP.
pub(super) const CORE: &str = "urn:ietf:params:jmap:core";
/// JMAP for mail.
pub(super) const MAIL: &str = "urn:ietf:params:jmap:mail";
/// A session of somebody who sees a thousand accounts has some hundred KiB.
const DOCUMENT_MAX: usize = 1024 * 1024;
/// More redirects than these lead nowhere.
const REDIRECTS: usize = 4;
/// RFC 3986, 2.3: what needs no escape in a URL.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What is asked for at once, whatever a server bears.
const GET_MOST: usize = 50;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    #[serde(default)]
    capabilities: BTreeMap<String, Value>,
    #[serde(default)]
    accounts: BTreeMap<String, Account>,
    #[serde(default)]
    primary_accounts: BTreeMap<String, String>,
    api_url: String,
    download_url: String,
    event_source_url: Option<String>,
    state: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    #[serde(default)]
    name: String,
    #[serde(default)]
    account_capabilities: BTreeMap<String, Value>,
}

/// What is known of a server and our account there.
#[derive(Debug)]
pub(super) struct Session {
    /// Whose mail is read.
    pub(super) account: String,
    /// Where methods are called.
    pub(super) api: Url,
    /// Where it was found: what is relative is relative to that.
    at: Url,
    download: String,
    event_source: Option<String>,
    /// Messages that may be asked for at once.
    pub(super) get_most: usize,
    /// Calls that one request may have.
    pub(super) calls_most: usize,
    /// The server's word for this session.
    state: Option<String>,
    /// What it said last.
    said: Mutex<Option<String>>,
}

impl Session {
    /// Asks the server for it.
    pub(super) async fn discover(wire: &Wire, settings: &JmapSettings) -> Result<Self, Trouble> {
        const WHAT: &str = "the JMAP session";
        let mut at = resource(&settings.url)?;
        for _ in 0..REDIRECTS {
            let response = wire.fetch(WHAT, &at, "application/json").await?;
            if !response.status().is_redirection() {
                if !response.status().is_success() {
                    return Err(wire::refusal(WHAT, response).await);
                }
                let bytes = wire::whole(WHAT, response, DOCUMENT_MAX).await?;
                let document = serde_json::from_slice(&bytes).or(Err(Trouble::Garbled { what: WHAT }))?;
                return Self::of(document, at, settings.account.as_deref());
            }
            let location = response.headers().get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| at.join(to).ok());
            let Some(to) = location else { return Err(Trouble::Garbled { what: WHAT }) };
            if !is_of_same_site(&at, &to) {
                return Err(Trouble::Unfit {
                    class: Class::Policy,
                    why: "the JMAP session is said to be at another site, and what we log in with is not shown there: write its address as `url`",
                });
            }
            at = to;
        }
        Err(Trouble::Unfit { class: Class::Permanent, why: "the JMAP session is not to be found: one redirect leads to another" })
    }

    fn of(document: Document, at: Url, wanted: Option<&str>) -> Result<Self, Trouble> {
        let account = account(&document, wanted)?;
        let api = within(&at, &document.api_url)?;
        let core = document.capabilities.get(CORE);
        let limit = |name: &str| {
            let limit = core.and_then(|core| core.get(name)).and_then(Value::as_u64).filter(|limit| *limit > 0);
            limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
        };
        Ok(Self {
            account,
            api,
            at,
            download: document.download_url,
            event_source: document.event_source_url.filter(|url| !url.is_empty()),
            get_most: limit("maxObjectsInGet").min(limit("maxObjectsInSet")).min(GET_MOST),
            calls_most: limit("maxCallsInRequest"),
            said: Mutex::new(document.state.clone()),
            state: document.state,
        })
    }

    /// Where the message `blob` is.
    pub(super) fn message(&self, blob: &str) -> Result<Url, Trouble> {
        let variables = [("accountId", self.account.as_str()), ("blobId", blob), ("type", "message/rfc822"), ("name", "message.eml")];
        within(&self.at, &filled(&self.download, &variables))
    }

    /// Where the server says what changes, if it does: what is asked for is `types`, a sign of life every `ping_secs`.
    pub(super) fn events(&self, ping_secs: u64) -> Option<Result<Url, Trouble>> {
        let ping = ping_secs.to_string();
        let variables = [("types", "Email"), ("closeafter", "no"), ("ping", ping.as_str())];
        self.event_source.as_ref().map(|template| within(&self.at, &filled(template, &variables)))
    }

    /// Takes note of the state that an answer was made in.
    pub(super) fn note(&self, state: Option<String>) {
        if state.is_some() {
            *self.said.lock().unwrap_or_else(PoisonError::into_inner) = state;
        }
    }

    /// Whether the server has another session for us now.
    pub(super) fn is_stale(&self) -> bool {
        self.state.is_some() && *self.said.lock().unwrap_or_else(PoisonError::into_inner) != self.state
    }
}

/// The session resource of what is configured: a server without a path has it where all of them have it (RFC 8620, 2.2).
fn resource(url: &str) -> Result<Url, Trouble> {
    let unfit = Trouble::Unfit { class: Class::Permanent, why: "`url` is no address" };
    let mut url = Url::parse(url).or(Err(unfit))?;
    if url.path() == "/" || url.path().is_empty() {
        url.set_path("/.well-known/jmap");
    }
    Ok(url)
}

/// Whether what was meant for the one may be shown to the other, as well protected.
fn is_of_same_site(one: &Url, other: &Url) -> bool {
    let domain = |url: &Url| match url.host() {
        // A number has no registered part.
        Some(Host::Domain(name)) => psl::domain_str(name).unwrap_or(name).to_owned(),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) | None => url.host_str().unwrap_or_default().to_owned(),
    };
    let protected = other.scheme() == "https" || (one.scheme() == "http" && other.scheme() == "http" && one.host() == other.host());
    protected && domain(one) == domain(other)
}

/// An address that the session names. It may be anywhere, for the server was known by its certificate; but not in the clear.
fn within(at: &Url, named: &str) -> Result<Url, Trouble> {
    let url = at.join(named).or(Err(Trouble::Garbled { what: "the JMAP session" }))?;
    if url.scheme() == "https" || (at.scheme() == "http" && url.scheme() == "http" && url.host() == at.host()) {
        return Ok(url);
    }
    Err(Trouble::Unfit { class: Class::Tls, why: "the JMAP session names an address without TLS, or of no kind that is known" })
}

/// A URI template of level 1 (RFC 6570), filled.
fn filled(template: &str, variables: &[(&str, &str)]) -> String {
    let mut rest = template;
    let mut out = String::new();
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else { break };
        let value = variables.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
        out.extend(utf8_percent_encode(value, ESCAPED));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Whose mail is read: who is wanted by id or name, or the log-in's own, or the only one.
fn account(document: &Document, wanted: Option<&str>) -> Result<String, Trouble> {
    let has_mail = |account: &Account| account.account_capabilities.contains_key(MAIL);
    if let Some(wanted) = wanted {
        let named = document.accounts.iter().find(|(id, account)| *id == wanted || account.name.eq_ignore_ascii_case(wanted));
        return named.map(|(id, _)| id.clone()).ok_or(Trouble::Unfit {
            class: Class::Auth,
            why: "the log-in does not see the `account`: give it the right to read that one's mail, or leave `account` out",
        });
    }
    let mut with_mail = document.accounts.iter().filter(|(_, account)| has_mail(account)).map(|(id, _)| id);
    let only = with_mail.next().filter(|_| with_mail.next().is_none());
    document.primary_accounts.get(MAIL).or(only).cloned().ok_or(Trouble::Unfit {
        class: Class::Auth,
        why: "the log-in has no account with mail: give the token the right to read mail, or write which `account`",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(json: &str, at: &str, wanted: Option<&str>) -> Result<Session, Trouble> {
        Session::of(serde_json::from_str(json).unwrap(), Url::parse(at).unwrap(), wanted)
    }

    const FULL: &str = r#"{"capabilities":{"urn:ietf:params:jmap:core":{"maxObjectsInGet":7,"maxCallsInRequest":1}},
        "accounts":{"u1":{"name":"a@example.com","accountCapabilities":{"urn:ietf:params:jmap:mail":{}}},"u2":{"name":"Shared"}},
        "primaryAccounts":{"urn:ietf:params:jmap:mail":"u1"},"apiUrl":"/api/","state":"s",
        "downloadUrl":"https://content.example/d/{accountId}/{blobId}/{name}?type={type}{odd}",
        "eventSourceUrl":"/events/?types={types}&closeafter={closeafter}&ping={ping}"}"#;

    #[test]
    fn a_session_says_where_everything_is() {
        let session = session(FULL, "https://api.example.com/jmap/session", None).unwrap();
        assert_eq!((session.account.as_str(), session.get_most, session.calls_most), ("u1", 7, 1));
        assert_eq!(session.api.as_str(), "https://api.example.com/api/");
        let message = session.message("G1/..?x#").unwrap();
        assert_eq!(message.as_str(), "https://content.example/d/u1/G1%2F..%3Fx%23/message.eml?type=message%2Frfc822");
        let events = session.events(30).unwrap().unwrap();
        assert_eq!(events.as_str(), "https://api.example.com/events/?types=Email&closeafter=no&ping=30");
        assert!(!session.is_stale());
        session.note(None);
        assert!(!session.is_stale());
        session.note(Some("t".to_owned()));
        assert!(session.is_stale());
    }

    #[test]
    fn another_account_may_be_wanted() {
        let at = "https://api.example.com/";
        assert_eq!(session(FULL, at, Some("shared")).unwrap().account, "u2");
        assert_eq!(session(FULL, at, Some("u2")).unwrap().account, "u2");
        assert_eq!(session(FULL, at, Some("nobody")).unwrap_err().class(), Class::Auth);
        let none = FULL.replace("primaryAccounts", "x").replace(r#""urn:ietf:params:jmap:mail":{}"#, "");
        assert_eq!(session(&none, at, None).unwrap_err().class(), Class::Auth);
    }

    #[test]
    fn nothing_is_told_in_the_clear_or_to_strangers() {
        let clear = FULL.replace("/api/", "http://api.example.com/");
        assert_eq!(session(&clear, "https://api.example.com/", None).unwrap_err().class(), Class::Tls);
        let odd = FULL.replace("/api/", "file:///etc/passwd");
        assert_eq!(session(&odd, "https://api.example.com/", None).unwrap_err().class(), Class::Tls);
        assert!(session(FULL, "http://127.0.0.1:8080/", None).is_ok());
        let url = |text: &str| Url::parse(text).unwrap();
        let same = |a: &str, b: &str| is_of_same_site(&url(a), &url(b));
        assert!(same("https://example.co.uk/", "https://jmap.example.co.uk/session"));
        assert!(!same("https://example.co.uk/", "https://evil.co.uk/"));
        assert!(!same("https://example.com/", "http://example.com/"));
        assert!(!same("https://10.0.0.1/", "https://127.0.0.1/"));
        assert!(same("http://127.0.0.1:1/", "http://127.0.0.1:2/") && !same("http://127.0.0.1:1/", "http://127.0.0.2:1/"));
    }

    #[test]
    fn a_server_has_its_session_where_all_have_it() {
        assert_eq!(resource("https://jmap.example.net").unwrap().as_str(), "https://jmap.example.net/.well-known/jmap");
        assert_eq!(resource("https://api.fastmail.com/jmap/session").unwrap().as_str(), "https://api.fastmail.com/jmap/session");
    }
}
