//! The text of a web configuration, as it is written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::WebConfigError;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    pub(super) tls_server_config: Option<Tls>,
    pub(super) http_server_config: Option<Http>,
    pub(super) basic_auth_users: Option<BTreeMap<String, String>>,
}

/// `tls_server_config`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) cert_file: Option<String>,
    pub(super) key_file: Option<String>,
    pub(super) client_ca_file: Option<String>,
    pub(super) client_auth_type: Option<String>,
    pub(super) min_version: Option<String>,
    pub(super) max_version: Option<String>,
}

/// `http_server_config`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    pub(super) headers: Option<BTreeMap<String, String>>,
}

/// Keys that exporters have, and why they are not here.
const ABSENT: &[(&str, &str)] = &[
    ("cipher_suites", "TLS is rustls's, which has sound ones only: leave it out"),
    ("prefer_server_cipher_suites", "TLS is rustls's, which prefers its own: leave it out"),
    ("curve_preferences", "TLS is rustls's, which has sound ones only: leave it out"),
    ("client_allowed_sans", "every certificate of `client_ca_file` is taken: use an authority of its own for those who may"),
    ("cert", "write the certificate into a file, and name it as `cert_file`"),
    ("key", "write the key into a file, and name it as `key_file`"),
    ("client_ca", "write the authority into a file, and name it as `client_ca_file`"),
    ("http2", "mailcanary speaks HTTP/1.1: leave it out"),
    ("rate_limit", "what mailcanary serves at once is bounded already: leave it out"),
];

/// Mistakes that are looked for in one file.
const MISTAKES: usize = 20;

/// Reads it, and says which keys there are not: they are left out. An empty file is one that asks for nothing.
///
/// # Errors
/// It cannot be read as such a file.
pub(super) fn read(text: &str) -> Result<(Text, Vec<WebConfigError>), Vec<WebConfigError>> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut errors = Vec::new();
    loop {
        if lines.iter().all(|line| matches!(line.trim(), "" | "---") || line.trim_start().starts_with('#')) {
            return Ok((Text::default(), errors));
        }
        match serde_saphyr::from_str::<Text>(&lines.join("\n")) {
            Ok(read) => return Ok((read, errors)),
            Err(error) => {
                let line = error.location().and_then(|at| usize::try_from(at.line()).ok()?.checked_sub(1));
                let (error, unknown) = told(&error);
                errors.push(error);
                // A key that there is not is taken out with all below it, and the rest is looked at.
                let Some(line) = line.filter(|_| unknown && errors.len() < MISTAKES) else { return Err(errors) };
                if !blank(&mut lines, line) {
                    return Err(errors);
                }
            }
        }
    }
}

/// Takes a key out, and what stands further in below it: lines keep their numbers. Whether there was one.
fn blank(lines: &mut [String], at: usize) -> bool {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let Some(own) = lines.get(at).filter(|line| !line.trim().is_empty()).map(|line| depth(line)) else { return false };
    let below = lines.iter().skip(at + 1).take_while(|line| line.trim().is_empty() || depth(line) > own).count();
    lines.iter_mut().skip(at).take(below + 1).for_each(String::clear);
    true
}

/// What is wrong, in our words, and whether it is a key that there is not.
fn told(error: &serde_saphyr::Error) -> (WebConfigError, bool) {
    let place = error.location().map_or_else(String::new, |at| format!("line {}, column {}: ", at.line(), at.column()));
    let said = error.without_snippet().to_string();
    // What is said of values could hold one of them: a password where its hash belongs.
    let words = said.split_once("unknown field").map_or_else(String::new, |(_, rest)| rest.to_owned());
    let unknown = words.split('`').nth(1);
    let what = match unknown {
        Some(key) => format!("{place}there is no key `{}`", key.escape_debug()),
        None if said.contains("duplicate") => format!("{place}a key stands there twice"),
        None => format!("{place}it is not written as it should be"),
    };
    let absent = unknown.and_then(|key| ABSENT.iter().find(|(name, _)| *name == key));
    let hint = absent.map_or("docs/api.md shows the whole file with all its keys", |(_, why)| why);
    (WebConfigError::new(what, hint), unknown.is_some())
}
