//! `[heartbeat.NAME.KIND]`.

use super::super::text::Section;
use super::super::{Heartbeat, HeartbeatKind};
use super::wire::{clear_only_on_loopback, wire};

/// Reads one heartbeat.
pub(super) fn read(kind: &str, section: &Section<'_>) -> Option<Heartbeat> {
    let (every, wire) = (section.get("every"), wire(section));
    let kind = HeartbeatKind::read(kind, section);
    match &kind {
        Some(HeartbeatKind::Opsgenie(settings)) => clear_only_on_loopback(section, "base_url", &settings.base_url),
        Some(HeartbeatKind::Alertmanager(settings)) => settings.urls.iter().for_each(|url| clear_only_on_loopback(section, "urls", url)),
        Some(HeartbeatKind::Healthchecks(_) | HeartbeatKind::Kuma(_) | HeartbeatKind::OnCall(_)) | None => {}
    }
    Some(Heartbeat { every: every?, kind: kind?, wire: wire? })
}
