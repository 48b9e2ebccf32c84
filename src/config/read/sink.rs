//! `[sink.NAME.KIND]`: one function a kind.

use super::super::text::Section;
use super::super::{Sink, SinkKind};
use super::wire::{clear_only_on_loopback, wire};
use crate::model::Severity;

/// Reads one sink.
pub(super) fn read(kind: &str, section: &Section<'_>) -> Option<Sink> {
    let words = section.get::<Vec<&'static str>>("severities");
    let wire = wire(section);
    let kind = match kind {
        "alertmanager" => alertmanager(section),
        _ => webhook(section),
    };
    let words = words?;
    let severities = Severity::ALL.into_iter().filter(|s| words.contains(&s.as_str())).collect();
    Some(Sink { severities, kind: kind?, wire: wire? })
}

fn alertmanager(section: &Section<'_>) -> Option<SinkKind> {
    let urls = section.get::<Vec<String>>("urls")?;
    urls.iter().for_each(|url| clear_only_on_loopback(section, "urls", url));
    Some(SinkKind::Alertmanager { urls })
}

fn webhook(section: &Section<'_>) -> Option<SinkKind> {
    let url = section.get::<String>("url");
    let secret = section.maybe("secret");
    if let Some(url) = &url {
        clear_only_on_loopback(section, "url", url);
    }
    Some(SinkKind::Webhook { url: url?, secret: secret? })
}
