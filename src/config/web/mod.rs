//! `[http] web_config`: TLS and users in a file of their own, in the form that Prometheus's exporters have, so that one file and one habit
//! serve both.
//!
//! YAML is read by serde-saphyr: maintained, without unsafe code, and bounded against documents that unfold. Keys of exporters that mean
//! nothing here are refused with the reason; so nobody believes in a protection that is not there.

mod text;
mod tls;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use rustls::ServerConfig;

use self::text::Text;
use super::complaint::quoted;
use super::load::{LoadError, content};

/// Beyond this each log-in takes seconds.
const COSTLIEST: u32 = 15;
/// Headers that may be set on every answer: those of exporters.
const HEADERS: [HeaderName; 5] = [
    http::header::CONTENT_SECURITY_POLICY,
    http::header::STRICT_TRANSPORT_SECURITY,
    http::header::X_CONTENT_TYPE_OPTIONS,
    http::header::X_FRAME_OPTIONS,
    http::header::X_XSS_PROTECTION,
];

/// What the file says, ready for use.
#[derive(Clone, Debug)]
pub struct WebConfig {
    /// How TLS is spoken; absent: in the clear.
    pub tls: Option<Arc<ServerConfig>>,
    /// Whoever is connected has shown a certificate.
    pub knows_clients: bool,
    /// Users, and the bcrypt hashes of their passwords; without any there is no log-in.
    pub users: BTreeMap<String, String>,
    /// What every answer carries.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// Every file that it rests on, itself first.
    pub files: Vec<PathBuf>,
}

/// Why it cannot be used, in words, and what to do. Holds no password and no hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct WebConfigError {
    what: String,
    /// What to do.
    pub hint: String,
}

impl WebConfigError {
    fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), hint: hint.into() }
    }

    /// With the file, and the line of what it is about where that is found.
    fn placed(mut self, path: &Path, text: &str) -> Self {
        let line = if self.what.starts_with("line ") { None } else { line_of(text, &self.what) };
        let line = line.map_or_else(String::new, |line| format!("line {line}: "));
        self.what = format!("{}: {line}{}", quoted(&path.display().to_string()), self.what);
        self
    }
}

/// The line that begins with the last part of the key that a complaint begins with.
fn line_of(text: &str, what: &str) -> Option<usize> {
    let key: String = what.split(": ").next()?.split(' ').next()?.to_owned();
    let last = key.rsplit_once(".`").map_or_else(|| key.rsplit('.').next().unwrap_or_default(), |(_, name)| name).trim_matches('`');
    let is_it = |line: &str| {
        let (name, _) = line.trim_start().split_once(':').unwrap_or_default();
        name.trim_matches(['\'', '"']) == last
    };
    text.lines().position(is_it).map(|line| line + 1)
}

/// All of them as one text, where there is one place for it.
#[must_use]
pub fn in_one(errors: &[WebConfigError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Reads the file at `path`, and the certificates and keys that it names.
///
/// # Errors
/// Everything that is wrong, with the file and the line.
pub fn web_config(path: &Path) -> Result<WebConfig, Vec<WebConfigError>> {
    let unread = |error: LoadError| {
        let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
        WebConfigError::new(format!("{} cannot be read: {why}", quoted(&path.display().to_string())), "let mailcanary's user read it")
    };
    let bytes = content(path).map_err(|error| vec![unread(error)])?;
    let no_text = |_not_utf8| vec![WebConfigError::new("it is not UTF-8 text", "write it as YAML").placed(path, "")];
    let text = String::from_utf8(bytes).map_err(no_text)?;
    let placed = |errors: Vec<WebConfigError>| errors.into_iter().map(|error| error.placed(path, &text)).collect::<Vec<_>>();
    let (Text { tls_server_config, http_server_config, basic_auth_users }, mut errors) = text::read(&text).map_err(placed)?;
    let users = basic_auth_users.unwrap_or_default();
    errors.extend(users.iter().filter_map(|(name, hash)| user(name, hash).err()));
    let headers = http_server_config.and_then(|http| http.headers).unwrap_or_default();
    let mut carried = Vec::new();
    for (name, value) in &headers {
        match header(name, value) {
            Ok(header) => carried.push(header),
            Err(error) => errors.push(error),
        }
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut files = vec![path.to_owned()];
    let tls = match tls_server_config.map(|tls| tls::server(&tls, folder, &mut files)).transpose() {
        Ok(tls) => tls,
        Err(unfit) => {
            errors.extend(unfit);
            None
        }
    };
    if !errors.is_empty() {
        return Err(placed(errors));
    }
    let knows_clients = tls.as_ref().is_some_and(|(_, knows)| *knows);
    Ok(WebConfig { tls: tls.map(|(config, _)| config), knows_clients, users, headers: carried, files })
}

fn user(name: &str, hash: &str) -> Result<(), WebConfigError> {
    let hint = "make it with `htpasswd -nBC 10 USER`, and write what stands behind the colon";
    let key = format!("basic_auth_users.{}", quoted(name));
    if name.is_empty() || name.contains(':') || name.chars().any(char::is_control) {
        return Err(WebConfigError::new(format!("{key} is no user's name"), "a name has no colon and no control characters"));
    }
    let parts = hash.parse::<bcrypt::HashParts>();
    let parts = parts.map_err(|_unreadable| WebConfigError::new(format!("{key}: this is no bcrypt hash (not shown)"), hint))?;
    if parts.get_cost() > COSTLIEST {
        let what = format!("{key}: a cost of {} makes each log-in take seconds", parts.get_cost());
        return Err(WebConfigError::new(what, hint));
    }
    Ok(())
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), WebConfigError> {
    let key = format!("http_server_config.headers.{}", quoted(name));
    let known = HEADERS.into_iter().find(|known| name.eq_ignore_ascii_case(known.as_str()));
    let names: Vec<&str> = HEADERS.iter().map(HeaderName::as_str).collect();
    let name = known.ok_or_else(|| WebConfigError::new(format!("{key} cannot be set here"), format!("there are {}", names.join(", "))))?;
    let value =
        value.parse().map_err(|_unfit| WebConfigError::new(format!("{key}: this is no header's value"), "write one line of text"))?;
    Ok((name, value))
}

#[cfg(test)]
mod tests;
