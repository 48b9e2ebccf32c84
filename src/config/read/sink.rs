//! `[sink.NAME.KIND]`: what all kinds share, and what some of them demand.

use super::super::complaint::{Fault, quoted};
use super::super::template::{Template, Wording};
use super::super::text::Section;
use super::super::{CommandSettings, Sink, SinkKind, Wire};
use super::takes::{Names, takes, week};
use super::wire::{clear_only_on_loopback, wire};

/// What stands for a part of the notice in an argument of a command.
const PLACEHOLDERS: [&str; 7] = ["key", "change", "severity", "title", "text", "link", "runbook"];

/// Reads one sink.
pub(super) fn read(kind: &str, section: &Section<'_>, names: &Names<'_>) -> Option<Sink> {
    let zone = section.get("timezone");
    let (takes, try_at) = (takes(section, names, zone), week(section, "try_at", zone));
    let wire = if section.knows("ca_file") { wire(section) } else { Some(Wire::default()) };
    let wording = wording(section);
    let kind = SinkKind::read(kind, section);
    for key in ["url", "base_url"] {
        if let Some(url) = section.peek::<String>(key) {
            clear_only_on_loopback(section, key, &url);
        }
    }
    match &kind {
        Some(SinkKind::Alertmanager(settings)) => settings.urls.iter().for_each(|url| clear_only_on_loopback(section, "urls", url)),
        Some(SinkKind::Command(settings)) => command(section, settings),
        _ => {}
    }
    Some(Sink { takes: takes?, try_at: try_at?, kind: kind?, wire: wire?, wording: wording? })
}

fn wording(section: &Section<'_>) -> Option<Wording> {
    if !section.knows("title") {
        return Some(Wording::default());
    }
    let (title, text) = (template(section, "title"), template(section, "text"));
    Some(Wording { title: title?, text: text? })
}

fn template(section: &Section<'_>, key: &'static str) -> Option<Option<Template>> {
    let Some(source) = section.maybe::<String>(key)? else { return Some(None) };
    match Template::new(source) {
        Ok(template) => Some(Some(template)),
        Err(error) => {
            let hint = "it is tried with a sample notice; the reference configuration lists the names that it has";
            section.refuse(key, Fault::hinted(format!("of the template, {error}"), hint));
            None
        }
    }
}

fn command(section: &Section<'_>, settings: &CommandSettings) {
    if let Some(program) = settings.argv.first().filter(|program| !program.starts_with('/')) {
        let what = format!("{} is not a whole path", quoted(program));
        section.refuse("argv", Fault::hinted(what, "write where the program is, as \"/usr/local/bin/wake-me\"; no shell looks it up"));
    }
    let inside = |text: &str| -> Option<String> {
        let (_, rest) = text.split_once('{')?;
        let (name, _) = rest.split_once('}')?;
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        (plain && !PLACEHOLDERS.contains(&name)).then(|| name.to_owned())
    };
    if let Some(name) = settings.argv.iter().find_map(|argument| inside(argument)) {
        let all = PLACEHOLDERS.map(|name| format!("{{{name}}}")).join(", ");
        section.refuse("argv", Fault::hinted(format!("`{{{name}}}` is not filled in"), format!("what is filled in is {all}")));
    }
}
