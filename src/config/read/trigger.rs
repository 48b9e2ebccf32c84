//! `[provider.NAME.http-trigger]`, and how it goes together with streams, inboxes and routes.

use super::super::complaint::{Fault, meant, quoted};
use super::super::text::{Root, Section};
use super::super::trigger::{PLACEHOLDERS, placeholders};
use super::super::{Header, Inbox, Look, Payload, Provider, ProviderKind, TriggerSettings};
use super::wire::clear_only_on_loopback;
use super::{Read, route};
use crate::config::fill;
use crate::model::{Name, Route};

/// Reads its own keys; `stream` comes later, by [`of_streams`].
pub(super) fn read(section: &Section<'_>) -> Option<TriggerSettings> {
    let method = section.get::<&'static str>("method");
    let url = section.get::<String>("url");
    let headers = section.maybe("headers");
    let form = section.maybe("form");
    let body = section.maybe::<String>("body");
    let expect = section.get("expect");
    let failure_texts = section.maybe("failure_texts");
    let subject = section.maybe("mail_subject");
    let text = section.maybe("mail_text");
    let link_host = section.maybe("mail_link_host");
    if let Some(url) = &url {
        clear_only_on_loopback(section, "url", &fill(url, |_| Some("x".to_owned())));
    }
    if section.has("form") && section.has("body") {
        section.warn("body", "is not used: there is a form", "leave one of the two out");
    }
    if let (Some("GET"), Some(key)) = (method, ["form", "body"].into_iter().find(|key| section.has(key))) {
        section
            .refuse(key, Fault::hinted("a GET request carries nothing", "write its fields into `url` behind a `?`, or another `method`"));
    }
    // What could be read is looked at, whatever else is wrong.
    let (fields, lines, values) = (form.clone().flatten(), body.clone().flatten(), headers.clone().flatten());
    let draft = TriggerSettings {
        method: method.unwrap_or_default(),
        url: url.clone().unwrap_or_default(),
        headers: values.unwrap_or_default(),
        payload: fields.map(Payload::Form).or(lines.map(Payload::Text)).unwrap_or_default(),
        expect: Vec::new(),
        failure_texts: Vec::new(),
        mail: Look::default(),
        streams: Vec::new(),
    };
    if headers.is_some() {
        json_is_json(section, &draft);
    }
    let whole = placeholders_are_known(section, &draft) && url.is_some() && headers.is_some() && form.is_some() && body.is_some();
    if whole && !draft.says("address") {
        let hint = "write `{address}` where your users write their address: in `form`, `body` or `url`";
        section.refuse("url", Fault::hinted("the request does not say whom the mail is for", hint));
    }
    let mail = Look { subject: subject?, text: text?, link_host: link_host? };
    let (expect, failure_texts) = (expect?, failure_texts?.unwrap_or_default());
    (url.is_some() && method.is_some() && headers.is_some() && form.is_some() && body.is_some()).then_some(TriggerSettings {
        expect,
        failure_texts,
        mail,
        ..draft
    })
}

fn json_is_json(section: &Section<'_>, settings: &TriggerSettings) {
    let Payload::Text(text) = &settings.payload else { return };
    let filled = fill(text, |name| PLACEHOLDERS.contains(&name).then(|| "x".to_owned()));
    if let (None, Err(why)) = (settings.headers.get("content-type"), serde_json::from_str::<serde::de::IgnoredAny>(&filled)) {
        let hint = "mend it, or say what it is: headers = { Content-Type = \"…\" }; placeholders stand in quotes";
        section.refuse("body", Fault::hinted(format!("this is not JSON: {why}"), hint));
    }
}

/// Refuses what is nearly a placeholder; whether there was nothing of the kind.
fn placeholders_are_known(section: &Section<'_>, settings: &TriggerSettings) -> bool {
    let of = |key: &'static str, texts: Vec<&str>| {
        let mut known = true;
        for name in texts.into_iter().flat_map(placeholders).filter(|name| !PLACEHOLDERS.contains(name)) {
            if let Some(near) = meant(name, PLACEHOLDERS) {
                let what = format!("there is no placeholder {}", quoted(&format!("{{{name}}}")));
                section.refuse(key, Fault::hinted(what, format!("did you mean `{{{near}}}`?")));
                known = false;
            }
        }
        known
    };
    let texts = settings.headers.values().filter_map(|h| if let Header::Text(text) = h { Some(text.as_str()) } else { None });
    let payload = match &settings.payload {
        Payload::Nothing => true,
        Payload::Form(fields) => of("form", fields.values().map(String::as_str).collect()),
        Payload::Text(text) => of("body", vec![text]),
    };
    of("url", vec![&settings.url]) & of("headers", texts.collect()) & payload
}

/// Every one there is, with its table.
fn all<'r, 't>(providers: &'r Read<'t, Provider>) -> impl Iterator<Item = (&'r Name, &'r Section<'t>, &'r TriggerSettings)> {
    providers.sections.iter().filter_map(|(name, section)| {
        let ProviderKind::HttpTrigger(settings) = &providers.parts.get(name)?.kind else { return None };
        Some((name, section, settings))
    })
}

/// Finds out which streams each one's request makes mail of.
pub(super) fn of_streams(providers: &mut Read<'_, Provider>, streams: &[Name]) {
    for (name, section) in providers.sections.iter().filter(|(_, section)| section.path.ends_with(".http-trigger")) {
        let chosen = route::select(section, "stream", streams).unwrap_or_default();
        if let Some(ProviderKind::HttpTrigger(settings)) = providers.parts.get_mut(name).map(|p| &mut p.kind) {
            settings.streams = chosen;
        }
    }
}

/// `routes` without those that no request makes mail for. `None` means that a complaint was made.
pub(super) fn narrowed(root: &Root<'_>, providers: &Read<'_, Provider>, mut routes: Vec<Route>) -> Option<Vec<Route>> {
    for (name, _, settings) in all(providers) {
        routes.retain(|route| route.provider != *name || settings.streams.contains(&route.stream));
    }
    if routes.is_empty() && all(providers).all(|(.., settings)| !settings.streams.is_empty()) {
        let hint = "name a stream in it that a provider's `stream` names too";
        root.lacking("route", Fault::hinted("no [[route]] has a stream that its provider makes mail of", hint));
    }
    (!routes.is_empty()).then_some(routes)
}

/// Refuses what could never be told from other mail: no token in the request, and none in the address.
pub(super) fn places_for_tokens(providers: &Read<'_, Provider>, inboxes: &Read<'_, Inbox>, routes: &[Route]) {
    for (name, section, _) in all(providers).filter(|(.., settings)| !settings.says("token")) {
        let bare = |route: &&Route| route.provider == *name && inboxes.parts.get(&route.inbox).is_some_and(|i| !i.plus_address);
        if let Some(route) = routes.iter().find(bare) {
            let what = format!("nothing in its mail to inbox `{}` would tell one canary from another", route.inbox);
            let hint = "set `plus_address = true` for the inbox, or write `{token}` into a field that the mail shows, as a name";
            section.refuse(payload_key(section), Fault::hinted(what, hint));
        }
    }
}

fn payload_key(section: &Section<'_>) -> &'static str {
    ["form", "body"].into_iter().find(|key| section.has(key)).unwrap_or("url")
}
