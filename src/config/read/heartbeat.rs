//! `[heartbeat.NAME.KIND]`.

use super::super::text::Section;
use super::super::{Heartbeat, HeartbeatKind};
use super::wire::{clear_only_on_loopback, wire};

/// Reads one heartbeat.
pub(super) fn read(kind: &str, section: &Section<'_>) -> Option<Heartbeat> {
    let (every, wire) = (section.get("every"), wire(section));
    let kind = HeartbeatKind::read(kind, section);
    if let Some(url) = section.peek::<String>("base_url") {
        clear_only_on_loopback(section, "base_url", &url);
    }
    if let Some(HeartbeatKind::Alertmanager(settings)) = &kind {
        settings.urls.iter().for_each(|url| clear_only_on_loopback(section, "urls", url));
    }
    Some(Heartbeat { every: every?, kind: kind?, wire: wire? })
}
