//! `[provider.NAME.KIND]`: one function a transport.

use super::super::complaint::Fault;
use super::super::text::Section;
use super::super::{MandrillSettings, Provider, ProviderKind, SecretRef, SmtpSettings, Wire};
use super::budget::{budget, duty};
use super::wire::{clear_only_on_loopback, server, wire};

/// Reads one provider.
pub(super) fn read(kind: &str, section: &Section<'_>) -> Option<Provider> {
    let from = section.get("from");
    let dkim_selectors = section.maybe::<Vec<String>>("dkim_selectors");
    let (budget, duty) = (budget(section), duty(section));
    let wire = wire(section);
    let kind = match kind {
        "mandrill" => mandrill(section).map(ProviderKind::Mandrill),
        _ => smtp(section, wire.as_ref()).map(ProviderKind::Smtp),
    };
    let dkim_selectors = dkim_selectors?.unwrap_or_default();
    Some(Provider { from: from?, dkim_selectors, budget: budget?, duty: duty?, kind: kind?, wire: wire? })
}

fn mandrill(section: &Section<'_>) -> Option<MandrillSettings> {
    let api_key = section.get("api_key");
    let base_url = section.get::<String>("base_url");
    let subaccount = section.maybe("subaccount");
    if let Some(url) = &base_url {
        clear_only_on_loopback(section, "base_url", url);
    }
    Some(MandrillSettings { api_key: api_key?, base_url: base_url?, subaccount: subaccount? })
}

fn smtp(section: &Section<'_>, wire: Option<&Wire>) -> Option<SmtpSettings> {
    let server = server(section, wire, [587, 465, 25]);
    let username = section.maybe::<String>("username");
    let password = section.maybe::<SecretRef>("password");
    let hello = section.maybe("hello");
    match (section.has("username"), section.has("password")) {
        (true, false) => {
            section.refuse("username", Fault::hinted("there is a user name and no password", "write `password` too, or leave both out"))
        }
        (false, true) => {
            section.refuse("password", Fault::hinted("there is a password and no user name", "write `username` too, or leave both out"))
        }
        (true, true) | (false, false) => {}
    }
    let (server, login) = (server?, username?.zip(password?));
    Some(SmtpSettings { host: server.host, port: server.port, tls: server.tls, login, hello: hello? })
}
