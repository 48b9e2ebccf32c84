//! What the API answers and takes, as its own types: the core may rename what it has, and nothing here changes by that.
//!
//! Instants are RFC 3339; durations are numbers with their unit in the name. Fields may be added to answers; none goes or changes its
//! meaning within `v1`.

mod canary;
mod days;
mod dns;
mod event;
mod identity;
mod incident;
mod party;
mod past;
mod people;
mod provider;
mod route;
mod status;
mod timeline;
mod word;
mod words;

pub(in crate::edge::show) use canary::{Canaries, Canary};
pub(in crate::edge::show) use days::LastDays;
pub(in crate::edge::show) use dns::{Accepted, Dns};
pub(in crate::edge::show) use event::{Event, Events, Happened, Judged, Numbered, What};
pub(super) use identity::VALUE;
pub(in crate::edge::show) use identity::{Anew, Identities, Right};
pub(in crate::edge::show) use incident::{Incident, Incidents};
pub(in crate::edge::show) use party::{Accounts, Heartbeats, Inboxes, Sinks, Streams};
pub(in crate::edge::show) use past::{History, Past, Plotted, Points, WholeCanary};
pub(super) use people::{BY, DRILL_LASTS, LASTS, SEEN, TEXT};
pub(in crate::edge::show) use people::{
    Drill, DrillBegun, DrillEnded, Drilling, Ended, Maintained, Named, Said, Silence, Silences, Tried, Trying, Wished,
};
pub(in crate::edge::show) use provider::{Provider, Providers};
pub(in crate::edge::show) use route::{Route, Routes};
pub(in crate::edge::show) use status::{Configuration, Status};
pub(in crate::edge::show) use timeline::Timeline;
pub(in crate::edge::show) use word::{Name, Time};
pub(in crate::edge::show) use words::{Kind, Severity, Verdict};
