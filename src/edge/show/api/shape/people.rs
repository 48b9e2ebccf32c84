//! What people want, and what has become of it: silences, maintenance, drills.

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::word::time;
use super::{Kind, Name, Time};
use crate::model;
use crate::watchdog::{DrillView, DrilledView, MaintenanceView, Rang, View};

/// Characters of a person's name, and of what they say. The ledger keeps 100 and 500 bytes of them.
pub(in crate::edge::show::api) const BY: usize = 100;
pub(in crate::edge::show::api) const TEXT: usize = 500;
/// At least one character that is seen: no space, no control character.
pub(in crate::edge::show::api) const SEEN: &str = r"[^\u0000-\u0020\u007F-\u00A0\u1680\u2000-\u200F\u2028-\u202F\u205F-\u206F\u3000\uFEFF]";
/// A duration of a silence: days, hours, minutes, seconds, from long to short.
pub(in crate::edge::show::api) const LASTS: &str = "^(?:(?:[1-9]|[1-8][0-9])d(?:(?:1?[0-9]|2[0-3])h)?|90d|[1-9][0-9]{0,2}h(?:[1-5]?[0-9]m)?|[1-9][0-9]{0,3}m(?:[1-5]?[0-9]s)?|[1-9][0-9]{0,5}s)$";
/// A duration of a drill, of half an hour at most.
pub(in crate::edge::show::api) const DRILL_LASTS: &str = "^(?:(?:[1-9]|[12][0-9]|30)m|(?:[1-9]|[1-9][0-9]{1,2}|1[0-7][0-9]{2}|1800)s)$";

/// Who says something, and what.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge::show) struct Said {
    /// Who says so.
    #[schemars(length(min = 1, max = BY), regex(pattern = SEEN), example = &"ann")]
    pub(in crate::edge::show) by: String,
    /// What about it.
    #[serde(default)]
    #[schemars(length(max = TEXT), example = &"on it")]
    pub(in crate::edge::show) note: Option<String>,
}

/// Who says so.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge::show) struct Named {
    /// Who says so.
    #[schemars(length(min = 1, max = BY), regex(pattern = SEEN), example = &"ann")]
    pub(in crate::edge::show) by: String,
}

/// A silence that somebody wants. Exactly one of `lasts` and `until` says when it ends.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("oneOf" = [{ "required": ["lasts"] }, { "required": ["until"] }]))]
pub(in crate::edge::show) struct Wished {
    /// Which incidents; left out: all.
    #[serde(default, deserialize_with = "object")]
    pub(in crate::edge::show) which: Wanted,
    /// When it begins; left out: now.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(in crate::edge::show) from: Option<String>,
    /// How long it lasts.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", regex(pattern = LASTS), example = &"2h")]
    pub(in crate::edge::show) lasts: Option<String>,
    /// When it ends.
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub(in crate::edge::show) until: Option<String>,
    /// Who wants it.
    #[schemars(length(min = 1, max = BY), regex(pattern = SEEN), example = &"ann")]
    pub(in crate::edge::show) by: String,
    /// Why.
    #[schemars(length(min = 1, max = TEXT), regex(pattern = SEEN), example = &"they move house")]
    pub(in crate::edge::show) reason: String,
}

/// An object, and no list of its fields in their order.
fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Wanted, D::Error> {
    let fields = serde_json::Map::deserialize(deserializer)?;
    Wanted::deserialize(serde_json::Value::Object(fields)).map_err(D::Error::custom)
}

/// What is there, and not null.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

/// Which incidents are meant: all that is given must fit. Nothing given fits every incident.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(in crate::edge::show) struct Wanted {
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inbox: Option<Name>,
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<Kind>,
}

/// A drill that somebody wants.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge::show) struct Drilling {
    /// Whose canaries are withheld.
    pub(in crate::edge::show) provider: Name,
    /// For how long at most.
    #[schemars(regex(pattern = DRILL_LASTS), example = &"10m")]
    pub(in crate::edge::show) lasts: String,
    /// Who wants it.
    #[schemars(length(min = 1, max = BY), regex(pattern = SEEN), example = &"ann")]
    pub(in crate::edge::show) by: String,
}

/// A sink that somebody has mended.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::edge::show) struct Trying {
    /// Which.
    pub(in crate::edge::show) sink: Name,
    /// Who says so.
    #[schemars(length(min = 1, max = BY), regex(pattern = SEEN), example = &"ann")]
    pub(in crate::edge::show) by: String,
}

/// Whether a sink is tried.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Tried {
    sink: Name,
    /// It is known to refuse what it is told, or some of it, and is tried now: how that ends shows in its incident. Otherwise there is nothing
    /// to try.
    tried: bool,
}

impl Tried {
    pub(in crate::edge::show) fn new(sink: model::Name, view: &View) -> Self {
        Self { tried: view.refusing.contains(&sink), sink: Name::from(&sink) }
    }
}

/// What is silenced, and when maintenance comes back.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Silences {
    as_of: Time,
    /// Those that have not ended, in the order in which they were asked for; 200 at most.
    silences: Vec<Silence>,
    /// That of the configuration.
    maintenance: Vec<Maintenance>,
}

/// From when until when which incidents are not told of.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Silence {
    /// Its number.
    pub(in crate::edge::show) silence: u64,
    which: Wanted,
    from: Time,
    until: Time,
    by: String,
    reason: String,
}

/// Maintenance that comes back every week.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Maintained {
    as_of: Time,
    maintenance: Vec<Maintenance>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Maintenance {
    name: Name,
    /// What it is about, for people.
    which: String,
    /// When, for people.
    every: String,
    /// It goes on, until then.
    now_until: Option<Time>,
    /// It does not go on, and begins then.
    next: Option<Time>,
    by: String,
    reason: String,
    /// From then on it is over.
    until: Option<Time>,
}

/// A silence that was ended.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Ended {
    /// Its number.
    pub(in crate::edge::show) ended: u64,
}

/// The drill that goes on, and the last one that is over.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct Drill {
    as_of: Time,
    drill: Option<Drilled>,
    last: Option<LastDrill>,
}

/// The drill that begins.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct DrillBegun {
    drill: Option<Drilled>,
}

/// The drill that was ended.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::edge::show) struct DrillEnded {
    last: Option<LastDrill>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Drilled {
    provider: Name,
    from: Time,
    /// At the latest.
    until: Time,
    by: String,
    /// The incident whose page is written. No sink need have taken it yet.
    incident: Option<u64>,
    /// From its beginning until the first sink took the page; null: none has yet.
    paged_after_seconds: Option<f64>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LastDrill {
    provider: Name,
    /// When it ended.
    at: Time,
    /// From its beginning until the first sink took the page; null: none did, and the drill has failed.
    paged_after_seconds: Option<f64>,
    /// From its beginning until the page was written; null: it was not.
    written_after_seconds: Option<f64>,
    /// What each sink did that the page was handed to.
    sinks: Vec<DrilledSink>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct DrilledSink {
    sink: Name,
    outcome: DrillOutcome,
    /// From the beginning of the drill until it took the page; null: it did not.
    after_seconds: Option<f64>,
}

/// What a sink did with the page of a drill. `silent`: it had not taken it when the drill was over.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DrillOutcome {
    Taken,
    Refused,
    Silent,
}

impl Silences {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        let silences = view.silences.iter().map(Silence::from).collect();
        Self { as_of: view.at.into(), silences, maintenance: Maintenance::all(view) }
    }
}

impl Maintained {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        Self { as_of: view.at.into(), maintenance: Maintenance::all(view) }
    }
}

impl Maintenance {
    fn all(view: &View) -> Vec<Self> {
        let of = |window: &MaintenanceView| Self {
            name: (&window.name).into(),
            which: window.which.clone(),
            every: window.every.clone(),
            now_until: time(window.now_until),
            next: time(window.next),
            by: window.by.clone(),
            reason: window.reason.clone(),
            until: time(window.until),
        };
        view.maintenance.iter().map(of).collect()
    }
}

impl From<&model::Silence> for Silence {
    fn from(silence: &model::Silence) -> Self {
        Self {
            silence: silence.silence,
            which: (&silence.which).into(),
            from: silence.from.into(),
            until: silence.until.into(),
            by: silence.by.clone(),
            reason: silence.reason.clone(),
        }
    }
}

impl From<&model::Which> for Wanted {
    fn from(which: &model::Which) -> Self {
        let name = |name: &Option<model::Name>| name.as_ref().map(Name::from);
        Self { provider: name(&which.provider), stream: name(&which.stream), inbox: name(&which.inbox), kind: which.kind.map(Kind::from) }
    }
}

impl From<Wanted> for model::Which {
    fn from(wanted: Wanted) -> Self {
        let name = |name: Option<Name>| name.map(Name::into_inner);
        Self {
            provider: name(wanted.provider),
            stream: name(wanted.stream),
            inbox: name(wanted.inbox),
            kind: wanted.kind.map(model::Kind::from),
        }
    }
}

impl Drill {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        Self { as_of: view.at.into(), drill: view.drill.as_ref().map(Drilled::from), last: view.drilled.as_ref().map(LastDrill::from) }
    }
}

impl DrillBegun {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        Self { drill: view.drill.as_ref().map(Drilled::from) }
    }
}

impl DrillEnded {
    pub(in crate::edge::show) fn new(view: &View) -> Self {
        Self { last: view.drilled.as_ref().map(LastDrill::from) }
    }
}

impl From<&DrillView> for Drilled {
    fn from(drill: &DrillView) -> Self {
        Self {
            provider: (&drill.provider).into(),
            from: drill.from.into(),
            until: drill.until.into(),
            by: drill.by.clone(),
            incident: drill.incident.map(|incident| incident.0),
            paged_after_seconds: drill.paged_after.map(model::Span::as_secs_f64),
        }
    }
}

impl From<&DrilledView> for LastDrill {
    fn from(drilled: &DrilledView) -> Self {
        Self {
            provider: (&drilled.provider).into(),
            at: drilled.at.into(),
            paged_after_seconds: drilled.paged_after.map(model::Span::as_secs_f64),
            written_after_seconds: drilled.written_after.map(model::Span::as_secs_f64),
            sinks: drilled.sinks.iter().map(DrilledSink::from).collect(),
        }
    }
}

impl From<(&model::Name, &Rang)> for DrilledSink {
    fn from((sink, rang): (&model::Name, &Rang)) -> Self {
        let (outcome, after) = match rang {
            Rang::Taken(after) => (DrillOutcome::Taken, Some(after.as_secs_f64())),
            Rang::Refused => (DrillOutcome::Refused, None),
            Rang::Silent => (DrillOutcome::Silent, None),
        };
        Self { sink: sink.into(), outcome, after_seconds: after }
    }
}
