//! `[provider.NAME.KIND]`: SMTP here, the user's own application beside, the kinds with an HTTP API by their declarations.

use super::super::complaint::{Fault, listed, meant, quoted};
use super::super::text::Section;
use super::super::{Mailbox, Proof, Provider, ProviderKind, SecretRef, SmtpLogin, SmtpSettings, Wire};
use super::budget::{budget, duty};
use super::field::{BY_TOKEN, oauth};
use super::wire::{server, wire};
use super::{Read, trigger};
use crate::model::{Name, is_for_everybody};

/// Reads one provider.
pub(super) fn read(kind: &str, section: &Section<'_>) -> Option<Provider> {
    let from = section.get::<Mailbox>("from");
    if let Some(from) = from.as_ref().filter(|from| is_for_everybody(from.domain())) {
        let what = format!(
            "anybody may have a mailbox at `{}`: only this address counts as yours, and that domain's records are not watched",
            from.domain()
        );
        section.warn("from", what, "a domain of your own tells mail in your name from others' mail");
    }
    let dkim_selectors = section.maybe::<Vec<String>>("dkim_selectors");
    let (budget, duty) = (budget(section), duty(section));
    let wire = wire(section);
    let kind = match kind {
        "smtp" => smtp(section, wire.as_ref()).map(ProviderKind::Smtp),
        "http-trigger" => trigger::read(section).map(ProviderKind::HttpTrigger),
        api => ProviderKind::read_api(api, section),
    };
    let dkim_selectors = dkim_selectors?.unwrap_or_default();
    Some(Provider { from: from?, dkim_selectors, budget: budget?, duty: duty?, kind: kind?, wire: wire? })
}

pub(super) fn smtp(section: &Section<'_>, wire: Option<&Wire>) -> Option<SmtpSettings> {
    let server = server(section, wire, [587, 465, 25]);
    let username = section.maybe::<String>("username");
    let password = section.maybe::<SecretRef>("password");
    let hello = section.maybe("hello");
    let oauth = oauth(section);
    let by_token = BY_TOKEN.into_iter().find(|key| section.has(key));
    match (section.has("username"), section.has("password"), by_token.is_some()) {
        (true, false, false) => {
            section.refuse("username", Fault::hinted("there is a user name and no password", "write `password` too, or leave both out"));
        }
        (false, true, _) => {
            section.refuse("password", Fault::hinted("there is a password and no user name", "write `username` too, or leave both out"));
        }
        (false, false, true) => {
            section.refuse(
                by_token.unwrap_or("access_token"),
                Fault::hinted("there is a token and no user name", "write `username` too, often the address"),
            );
        }
        (true, true, true) => section.warn("password", "is not used: there is a token", "leave one of the two out"),
        (true, true, false) | (true, false, true) | (false, false, false) => {}
    }
    let (server, username, password, oauth) = (server?, username?, password?, oauth?);
    let proof = oauth.map(Proof::OAuth).or(password.map(Proof::Password));
    let login = username.zip(proof).map(|(user, proof)| SmtpLogin { user, proof });
    Some(SmtpSettings { host: server.host, port: server.port, tls: server.tls, login, hello: hello? })
}

/// Refuses templates of streams that are not there.
pub(super) fn templates_of_streams(providers: &Read<'_, Provider>, streams: &[Name]) {
    for (name, section) in &providers.sections {
        let Some(templates) = providers.parts.get(name).and_then(|provider| provider.kind.templates()) else { continue };
        let names = || streams.iter().map(Name::as_str);
        for stream in templates.by_stream.keys().filter(|key| *key != "*" && !names().any(|name| name == key.as_str())) {
            let near = meant(stream, names()).map(|near| format!("did you mean `{near}`?"));
            let hint = near.unwrap_or_else(|| format!("the streams are {}, and \"*\" is all of them", listed(names())));
            section.refuse("templates", Fault::hinted(format!("there is no stream {}", quoted(stream)), hint));
        }
    }
}
