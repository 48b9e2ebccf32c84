//! The metrics of the configuration that runs.

use super::catalogue::{Family, family};
use super::names;
use super::samples::Shape;

/// All of them, in the order of the page.
pub(super) static CONFIGURATION: [Family; 2] = [
    family(
        names::CONFIG_LAST_RELOAD_SUCCESSFUL,
        Shape::Gauge,
        &[],
        "0 or 1",
        "0 while the newest configuration was refused and an older one goes on; the log and the status page say why.",
        |from, to| to.flag(&[], from.view.configuration.refused.is_none()),
    ),
    family(
        names::CONFIG_LAST_RELOAD_SUCCESS_TIMESTAMP_SECONDS,
        Shape::Gauge,
        &[],
        "seconds since 1970",
        "When the configuration that runs was taken over.",
        |from, to| to.instant(&[], from.view.configuration.at),
    ),
];
