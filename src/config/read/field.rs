//! Fields of providers and sinks: how each type is read from its key, and which secrets it holds.

use super::super::complaint::{Fault, quoted};
use super::super::text::Section;
use super::super::{Mailbox, OAuth, SecretRef, SmtpSettings, Templates};
use super::provider::smtp;
use super::wire::clear_only_on_loopback;
use crate::model::Span;

/// The right to send by the Gmail API, and no more.
const GMAIL_SEND: &str = "https://www.googleapis.com/auth/gmail.send";
/// The right that Google wants of who logs in by SMTP.
const GOOGLE_MAIL: &str = "https://mail.google.com/";

/// What settings are made of.
pub(in crate::config) trait Field: Sized {
    /// Reads the key `name`, or the keys that belong to such a field. `None` means that a complaint was made.
    fn read(section: &Section<'_>, name: &'static str) -> Option<Self>;

    /// The secrets in it, by their keys.
    fn secrets(&self, _name: &'static str) -> Vec<(&'static str, &SecretRef)> {
        Vec::new()
    }

    /// The stored templates that it is.
    fn templates(&self) -> Option<&Templates> {
        None
    }
}

impl Field for String {
    fn read(section: &Section<'_>, name: &'static str) -> Option<Self> {
        section.get(name)
    }
}

impl Field for Option<String> {
    fn read(section: &Section<'_>, name: &'static str) -> Option<Self> {
        section.maybe(name)
    }
}

impl Field for bool {
    fn read(section: &Section<'_>, name: &'static str) -> Option<Self> {
        section.get(name)
    }
}

impl Field for Vec<String> {
    fn read(section: &Section<'_>, name: &'static str) -> Option<Self> {
        section.get(name)
    }
}

impl Field for Option<u32> {
    fn read(section: &Section<'_>, name: &'static str) -> Option<Self> {
        section.maybe(name)
    }
}

impl Field for Span {
    fn read(section: &Section<'_>, name: &'static str) -> Option<Self> {
        section.get(name)
    }
}

impl Field for Mailbox {
    fn read(section: &Section<'_>, name: &'static str) -> Option<Self> {
        section.get(name)
    }
}

impl Field for SmtpSettings {
    fn read(section: &Section<'_>, _name: &'static str) -> Option<Self> {
        smtp(section, None)
    }

    fn secrets(&self, _name: &'static str) -> Vec<(&'static str, &SecretRef)> {
        self.login.as_ref().map(|login| login.proof.secrets("password")).unwrap_or_default()
    }
}

impl Field for SecretRef {
    fn read(section: &Section<'_>, name: &'static str) -> Option<Self> {
        section.get(name)
    }

    fn secrets(&self, name: &'static str) -> Vec<(&'static str, &SecretRef)> {
        vec![(name, self)]
    }
}

impl Field for Option<SecretRef> {
    fn read(section: &Section<'_>, name: &'static str) -> Option<Self> {
        section.maybe(name)
    }

    fn secrets(&self, name: &'static str) -> Vec<(&'static str, &SecretRef)> {
        self.iter().map(|at| (name, at)).collect()
    }
}

impl Field for Templates {
    fn read(section: &Section<'_>, name: &'static str) -> Option<Self> {
        let by_stream = section.maybe(name);
        let variables = section.maybe("variables");
        if section.has("variables") && !section.has(name) {
            section.warn("variables", "nothing is filled with them: there are no `templates`", "write `templates` too, or leave them out");
        }
        let read = Self { by_stream: by_stream?.unwrap_or_default(), variables: variables?.unwrap_or_default() };
        let numbered = section.path.ends_with(".brevo") || section.path.ends_with(".mailjet");
        if let Some(text) = read.by_stream.values().find(|text| numbered && text.parse::<u64>().is_err()) {
            let what = format!("{} is not the number of a template", quoted(text));
            section.refuse(name, Fault::hinted(what, "write its number in quotes, as the provider's list of templates shows it"));
        }
        Some(read)
    }

    fn templates(&self) -> Option<&Templates> {
        Some(self)
    }
}

impl Field for OAuth {
    fn read(section: &Section<'_>, _name: &'static str) -> Option<Self> {
        let Some(oauth) = oauth(section)? else {
            let hint = "write `refresh_token`, `client_id` and `client_secret`, or `service_account`, or `access_token`";
            section.lacking("refresh_token", Fault::hinted("there is no token to log in with", hint));
            return None;
        };
        Some(oauth)
    }

    fn secrets(&self, _name: &'static str) -> Vec<(&'static str, &SecretRef)> {
        match self {
            Self::Token(at) => vec![("access_token", at)],
            Self::ServiceAccount { key, .. } => vec![("service_account", key)],
            Self::Client { client_secret, .. } => vec![("client_secret", client_secret)],
            Self::Refresh { client_secret, refresh_token, .. } => {
                let client_secret = client_secret.iter().map(|at| ("client_secret", at));
                std::iter::once(("refresh_token", refresh_token)).chain(client_secret).collect()
            }
        }
    }
}

/// Keys that say where access tokens come from, the first that is there before the others.
pub(super) const BY_TOKEN: [&str; 4] = ["service_account", "refresh_token", "scope", "access_token"];

/// `service_account`, or `refresh_token` with what belongs to it, or a client that logs in by itself, or `access_token`; nothing if none is
/// there.
pub(super) fn oauth(section: &Section<'_>) -> Option<Option<OAuth>> {
    let refresh_token = section.maybe::<SecretRef>("refresh_token");
    let client_id = section.maybe::<String>("client_id");
    let client_secret = section.maybe::<SecretRef>("client_secret");
    let token_url = section.get::<String>("token_url");
    let access_token = section.maybe::<SecretRef>("access_token");
    let service_account = section.maybe::<SecretRef>("service_account");
    let acts_for = section.maybe::<String>("acts_for");
    let scope = section.maybe::<String>("scope");
    if let Some(url) = &token_url {
        clear_only_on_loopback(section, "token_url", url);
    }
    fit_together(section);
    let (service_account, acts_for) = (service_account?, acts_for?);
    if let Some(key) = service_account {
        let scope = if section.path.ends_with(".gmail") { GMAIL_SEND } else { GOOGLE_MAIL };
        return Some(Some(OAuth::ServiceAccount { token_url: token_url?, key, acts_for, scope }));
    }
    let (refresh_token, client_id, client_secret) = (refresh_token?, client_id?, client_secret?);
    let (token_url, access_token, scope) = (token_url?, access_token?, scope?);
    Some(match (refresh_token, client_id, client_secret.clone().zip(scope)) {
        (Some(refresh_token), Some(client_id), _) => Some(OAuth::Refresh { token_url, client_id, client_secret, refresh_token }),
        (None, Some(client_id), Some((client_secret, scope))) => Some(OAuth::Client { token_url, client_id, client_secret, scope }),
        (Some(_), None, _) | (None, Some(_), None) | (None, None, Some(_)) => return None,
        (None, None, None) => access_token.map(OAuth::Token),
    })
}

/// Refuses keys that lack another, and warns of those that another makes idle.
fn fit_together(section: &Section<'_>) {
    let (by_itself, has) = (section.has("scope") && !section.has("refresh_token"), |key| section.has(key));
    match (has("refresh_token"), has("client_id")) {
        (true, false) => section.refuse("refresh_token", Fault::hinted("there is no `client_id` to it", "write the client's id too")),
        (false, true) if by_itself && !has("client_secret") => {
            section.refuse("scope", Fault::hinted("a client that logs in by itself has a secret", "write `client_secret` too"));
        }
        (false, true) if !by_itself => {
            let hint = "write its refresh token too, or the `scope` that it asks for by itself";
            section.refuse("client_id", Fault::hinted("there is a client and no `refresh_token`", hint));
        }
        (false, false) if by_itself => {
            section.refuse("scope", Fault::hinted("there is no client to it", "write `client_id` and `client_secret` too"));
        }
        (false, false) if has("client_secret") => {
            section.refuse("client_secret", Fault::hinted("there is no client to it", "write `client_id` and `refresh_token` too"));
        }
        (true, true) | (false, true | false) => {}
    }
    let used = BY_TOKEN.into_iter().find(|key| has(key)).unwrap_or_default();
    for idle in BY_TOKEN.into_iter().filter(|key| *key != used && has(key)) {
        section.warn(idle, format!("is not used: there is a `{used}`"), "leave one of the two out");
    }
    if !has("service_account") && has("acts_for") {
        section.refuse("acts_for", Fault::hinted("there is no `service_account` that could", "write its key file too, or leave this out"));
    }
}

/// `base_url`, or where the provider is in its region.
pub(in crate::config) fn base_url(section: &Section<'_>, kind: &str) -> Option<String> {
    let written = section.maybe::<String>("base_url");
    if let Some(Some(url)) = &written {
        clear_only_on_loopback(section, "base_url", url);
    }
    if let Some(url) = written? {
        return Some(url);
    }
    Some(match kind {
        "ses" => {
            let region = section.peek::<String>("region")?;
            let end = if region.starts_with("cn-") { ".cn" } else { "" };
            format!("https://email.{region}.amazonaws.com{end}")
        }
        _ => {
            let host = if kind == "mailgun" { "mailgun.net" } else { "sparkpost.com" };
            let eu = if section.get::<&'static str>("region")? == "eu" { ".eu" } else { "" };
            format!("https://api{eu}.{host}")
        }
    })
}
