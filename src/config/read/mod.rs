//! From tables of text to settings: one file a part, and what holds between parts here.

mod blocklist;
mod budget;
mod drill;
mod field;
mod heartbeat;
mod honeytoken;
mod hook;
mod inbox;
mod mail;
mod maintenance;
mod provider;
mod public;
mod route;
mod signs;
mod sink;
mod takes;
mod trigger;
mod wire;

pub(super) use budget::fit;
pub(super) use field::{Field, base_url};
pub use route::matches;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::complaint::Fault;
use super::keys;
use super::text::{Root, Section};
use super::{Http, LedgerSettings, Settings, Stream, Watch};
use crate::model::{Name, Severity, Span};

/// What a reader made of its tables, with the tables for those who look again.
pub(super) struct Read<'t, T> {
    /// What was understood.
    pub(super) parts: BTreeMap<Name, T>,
    /// Every table, by the name it has.
    pub(super) sections: Vec<(Name, Section<'t>)>,
    /// Every name that stands in the text, even if its table is wrong.
    pub(super) names: Vec<Name>,
}

/// Everything that was read.
pub(super) struct Whole<'t> {
    /// The top of the text.
    pub(super) root: Root<'t>,
    /// `None` if there was any complaint that leaves a hole.
    pub(super) settings: Option<Settings>,
    /// `[http]`.
    pub(super) http: Section<'t>,
    /// Tables of streams.
    pub(super) streams: Vec<(Name, Section<'t>)>,
    /// Tables of providers.
    pub(super) providers: Vec<(Name, Section<'t>)>,
    /// Tables of inboxes.
    pub(super) inboxes: Vec<(Name, Section<'t>)>,
    /// Tables of sinks.
    pub(super) sinks: Vec<(Name, Section<'t>)>,
}

/// Reads every table, whatever is wrong with others.
pub(super) fn whole<'t>(root: Root<'t>, host_name: &str) -> Option<Whole<'t>> {
    let watch_table = root.single(keys::table("watch")?);
    let (http_table, public_table) = (root.single(keys::table("http")?), root.single(keys::table("public")?));
    let ledger_table = root.single(keys::table("ledger")?);
    let watch = watch(&watch_table, host_name);
    let http = http(&http_table, host_name);
    let ledger = ledger(&ledger_table);
    let streams = streams(&root)?;
    let mut providers = kinds(&root, "provider", provider::read);
    let mut inboxes = kinds(&root, "inbox", inbox::read);
    let names = takes::Names { providers: &providers.names, streams: &streams.names, inboxes: &inboxes.names };
    let sinks = kinds(&root, "sink", |kind, section| sink::read(kind, section, &names));
    let heartbeats = kinds(&root, "heartbeat", heartbeat::read);
    let maintenance = maintenance::windows(&root, &names);
    inbox::no_address_twice(&inboxes);
    provider::templates_of_streams(&providers, &streams.names);
    trigger::of_streams(&mut providers, &streams.names);
    for (group, example) in [
        ("stream", "write [stream.password-reset], for instance: every key of it has a default"),
        ("provider", "write [provider.NAME.smtp] with `from` and `host`; `mailcanary print reference-config` shows all"),
        ("inbox", "write [inbox.NAME.imap] with `address`, `host`, `username` and `password`"),
    ] {
        if root.is_silent_on(group) {
            root.lacking(group, Fault::hinted("there is none: nothing could be watched", example));
        }
    }
    if let Some(http) = &http {
        hook::signed_by_address(&providers, http.as_ref());
    }
    let public = public::read(&public_table, &streams.names, http.as_ref().and_then(Option::as_ref));
    let routes = route::routes(&root, &providers.names, &streams.names, &inboxes.names);
    let routes = routes.and_then(|routes| trigger::narrowed(&root, &providers, routes));
    mail::honeytokens(&inboxes, &providers.names, routes.as_deref().unwrap_or_default());
    let honeytokens = honeytoken::tokens(&root, &providers.names, &mut inboxes);
    let expected_mail = mail::expected(&root, &inboxes.names);
    let (name_server, blocklists) = (mail::dns(&root), blocklist::blocklists(&root));
    trigger::places_for_tokens(&providers, &inboxes, routes.as_deref().unwrap_or_default());
    if let Some(ledger) = &ledger {
        keep_covers_deadlines(&ledger_table, ledger, &streams.parts);
    }
    let drills = drill::drills(&root, &providers.names, routes.as_deref());
    let settings = (|| {
        Some(Settings {
            watch: watch?,
            streams: streams.parts,
            providers: providers.parts,
            inboxes: inboxes.parts,
            sinks: sinks.parts,
            heartbeats: heartbeats.parts,
            maintenance: maintenance?,
            drills: drills?,
            routes: routes?,
            expected_mail: expected_mail?,
            honeytokens: honeytokens?,
            name_server: name_server.as_ref()?.0.clone(),
            records: name_server?.1,
            blocklists: blocklists?,
            http: http?,
            public: public?,
            ledger: ledger?,
        })
    })();
    let (streams, providers, inboxes, sinks) = (streams.sections, providers.sections, inboxes.sections, sinks.sections);
    Some(Whole { root, settings, http: http_table, streams, providers, inboxes, sinks })
}

fn watch(section: &Section<'_>, host_name: &str) -> Option<Watch> {
    let instance = section.maybe::<String>("instance");
    let every = section.get("every");
    let confirmations = section.get("confirmations");
    let false_pages_per_year = section.get("false_pages");
    let blind_after = section.get("blind_after");
    let cut_off_after = section.get("cut_off_after");
    let remind_after = section.get("remind_after");
    let runbooks = section.maybe("runbooks");
    let (hold, domains) = (held(section), mail::domains(section));
    let (hold_at_least, hold_at_most) = hold?;
    Some(Watch {
        instance: instance?.unwrap_or_else(|| label(host_name)),
        every: every?,
        confirmations: confirmations?,
        false_pages_per_year: false_pages_per_year?,
        blind_after: blind_after?,
        cut_off_after: cut_off_after?,
        remind_after: remind_after?,
        hold_at_least,
        hold_at_most,
        runbooks: runbooks?,
        domains: domains?,
    })
}

/// How long a page waits, at least and at most.
fn held(section: &Section<'_>) -> Option<(Span, Span)> {
    let (at_least, at_most) = (section.get::<Span>("hold_at_least"), section.get::<Span>("hold_at_most"));
    let (at_least, at_most) = (at_least?, at_most?);
    if at_least > at_most {
        let what = format!("{at_least} is longer than `hold_at_most`, which is {at_most}");
        section.refuse("hold_at_least", Fault::hinted(what, "lower it, or raise `hold_at_most`"));
        return None;
    }
    Some((at_least, at_most))
}

/// A host's name as the label that `instance` has to be.
fn label(host_name: &str) -> String {
    let plain: String = host_name.chars().filter(|c| c.is_ascii_graphic() && *c != '/').take(253).collect();
    if plain.is_empty() { "mailcanary".to_owned() } else { plain }
}

fn streams<'t>(root: &Root<'t>) -> Option<Read<'t, Stream>> {
    let table = keys::table("stream.NAME")?;
    let mut read = Read { parts: BTreeMap::new(), sections: Vec::new(), names: Vec::new() };
    for named in root.named("stream") {
        let name = named.name.clone();
        let section = named.section(table);
        let subject = section.maybe::<String>("subject");
        let (deadline, severity) = (section.get("deadline"), section.get::<&'static str>("severity"));
        let severity = severity.and_then(|word| Severity::ALL.into_iter().find(|s| s.as_str() == word));
        let Some(name) = name else { continue };
        read.names.push(name.clone());
        if let (Some(subject), Some(deadline), Some(severity)) = (subject, deadline, severity) {
            let subject = subject.unwrap_or_else(|| in_words(&name));
            read.parts.insert(name.clone(), Stream { subject, deadline, severity });
        }
        read.sections.push((name, section));
    }
    Some(read)
}

/// `password-reset` as `Password reset`.
fn in_words(name: &Name) -> String {
    let mut chars = name.as_str().chars().map(|c| if matches!(c, '-' | '_' | '.') { ' ' } else { c });
    chars.next().map(|c| c.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>().trim_end().to_owned()
}

/// The parts of a group whose tables have kinds.
fn kinds<'t, T>(root: &Root<'t>, group: &'static str, read_one: impl Fn(&str, &Section<'t>) -> Option<T>) -> Read<'t, T> {
    let mut read = Read { parts: BTreeMap::new(), sections: Vec::new(), names: Vec::new() };
    for named in root.named(group) {
        let name = named.name.clone();
        read.names.extend(name.clone());
        let Some((table, section)) = named.kind(group) else { continue };
        let part = read_one(table.last(), &section);
        let Some(name) = name else { continue };
        if let (Entry::Vacant(entry), Some(part)) = (read.parts.entry(name.clone()), part) {
            entry.insert(part);
        }
        read.sections.push((name, section));
    }
    read
}

fn http(section: &Section<'_>, host_name: &str) -> Option<Option<Http>> {
    let listen = section.get::<Option<std::net::SocketAddr>>("listen");
    let (public_url, token) = (section.maybe("public_url"), section.maybe("token"));
    let (open, hosts) = (section.get("open"), section.maybe("hosts"));
    let (web_config, writers) = (section.maybe("web_config"), section.maybe::<Vec<String>>("writers"));
    if web_config == Some(None) && section.has("writers") {
        let hint = "name the file with their passwords as `web_config`, or leave this out";
        section.refuse("writers", Fault::hinted("there are no users", hint));
    }
    let (public_url, token, open, web_config) = (public_url?, token?, open?, web_config?);
    let (hosts, writers) = (hosts?.unwrap_or_default(), writers?.unwrap_or_default());
    let host_name = host_name.to_owned();
    Some(listen?.map(|listen| Http { listen, public_url, token, open, hosts, web_config, writers, host_name, tls: false }))
}

fn ledger(section: &Section<'_>) -> Option<LedgerSettings> {
    let path = section.get("path");
    let keep = section.get::<Span>("keep");
    let keep_failures = section.get::<Span>("keep_failures");
    let (keep, keep_failures) = (keep?, keep_failures?);
    if keep_failures < keep {
        let key = if section.has("keep_failures") { "keep_failures" } else { "keep" };
        let fault = Fault::hinted(
            format!("failures (`{keep_failures}`) would be forgotten before successes (`{keep}`)"),
            "write a `keep_failures` that is no shorter than `keep`",
        );
        section.refuse(key, fault);
        return None;
    }
    Some(LedgerSettings { path: path?, keep, keep_failures })
}

fn keep_covers_deadlines(section: &Section<'_>, ledger: &LedgerSettings, streams: &BTreeMap<Name, Stream>) {
    if let Some((name, longest)) = streams.iter().map(|(n, s)| (n, s.deadline)).max_by_key(|(_, d)| *d)
        && longest > ledger.keep
    {
        let what = format!("`{}` is shorter than the deadline of stream `{name}`, `{longest}`", ledger.keep);
        section.refuse("keep", Fault::hinted(what, "keep canaries for at least as long as they are waited for"));
    }
}
