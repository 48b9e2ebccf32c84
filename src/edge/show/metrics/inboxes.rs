//! The metrics of inboxes: whether they can be read, and how long that will go on.

use super::catalogue::{Family, family};
use super::names;
use super::samples::Shape;

/// All of them, in the order of the page.
pub(super) static INBOXES: [Family; 3] = [
    family(
        names::INBOX_SIGHT,
        Shape::Gauge,
        &["inbox"],
        "0 or 1",
        "1 if the inbox can be read, 0 if it is blind or was not tried yet.",
        |from, to| from.view.inboxes.iter().for_each(|i| to.flag(&[i.name.as_str()], i.sight == Some(true))),
    ),
    family(
        names::INBOX_HORIZON_TIMESTAMP_SECONDS,
        Shape::Gauge,
        &["inbox"],
        "seconds since 1970",
        "Up to when everything that lay in the inbox is known; 0 before the first reading.",
        |from, to| from.view.inboxes.iter().for_each(|i| to.instant(&[i.name.as_str()], i.horizon)),
    ),
    family(
        names::CREDENTIAL_EXPIRY_TIMESTAMP_SECONDS,
        Shape::Gauge,
        &["inbox"],
        "seconds since 1970",
        "When what the inbox is logged in to with ends, as `expires` says. Only where it is said.",
        |from, to| {
            let ends = from.view.inboxes.iter().filter_map(|i| Some((i.name.as_str(), i.expires?)));
            ends.for_each(|(name, at)| to.instant(&[name], Some(at)));
        },
    ),
];
