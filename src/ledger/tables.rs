//! The operator's tables: what each record changes in them.
//!
//! They follow the records and decide nothing: a fact about a canary or incident that is not there changes nothing.

use rusqlite::{Connection, Params, Result, ToSql, params};

use super::sql;
use crate::model::{At, Change, Class, Leg, Name, Notice, Outcome, Reason};
use crate::watchdog::{Event, Fact, Record};

/// The word in the column `records.kind`.
pub(super) const fn kind(fact: &Fact) -> &'static str {
    match fact {
        Fact::Began { .. } => "began",
        Fact::Passed {} => "passed",
        Fact::Slept {} => "slept",
        Fact::Sent { .. } => "sent",
        Fact::Asked { .. } => "asked",
        Fact::Polled { .. } => "polled",
        Fact::Lost { .. } => "lost",
        Fact::Forgotten { .. } => "forgotten",
        Fact::Alarmed { .. } => "alarmed",
        Fact::Sorted { .. } => "sorted",
        Fact::Calmed { .. } => "calmed",
        Fact::DrillOver {} => "drill_over",
        Fact::Tried { .. } => "tried",
        Fact::Told { .. } => "told",
        Fact::Happened(event) => match event {
            Event::Started { .. } => "started",
            Event::Woke {} => "woke",
            Event::Answered { .. } => "answered",
            Event::Traced { .. } => "traced",
            Event::Signs { .. } => "signs",
            Event::NoSigns { .. } => "no_signs",
            Event::Sighted { .. } => "sighted",
            Event::Mismatched { .. } => "mismatched",
            Event::Examined { .. } => "examined",
            Event::Travelled { .. } => "travelled",
            Event::Strange { .. } => "strange",
            Event::Approved { .. } => "approved",
            Event::Unlearnt { .. } => "unlearnt",
            Event::LookedUp { .. } => "looked_up",
            Event::Accepted { .. } => "accepted",
            Event::Stale { .. } => "stale",
            Event::Forged { .. } => "forged",
            Event::Blind { .. } => "blind",
            Event::Sight { .. } => "sight",
            Event::CutOff {} => "cut_off",
            Event::Connected {} => "connected",
            Event::Read { .. } => "read",
            Event::ClockJumped { .. } => "clock_jumped",
            Event::Noticed { .. } => "noticed",
            Event::SinksRenewed { .. } => "sinks_renewed",
            Event::Orphaned { .. } => "orphaned",
            Event::Acknowledged { .. } => "acknowledged",
            Event::Unacknowledged { .. } => "unacknowledged",
            Event::Closed { .. } => "closed",
            Event::Silenced { .. } => "silenced",
            Event::Unsilenced { .. } => "unsilenced",
            Event::DrillBegan { .. } => "drill_began",
            Event::DrillStopped { .. } => "drill_stopped",
        },
    }
}

/// Brings the tables up to `record`.
pub(super) fn keep(tables: &Connection, record: &Record) -> Result<()> {
    let at = record.at;
    match &record.fact {
        Fact::Began { .. }
        | Fact::Passed {}
        | Fact::Asked { .. }
        | Fact::Polled { .. }
        | Fact::Alarmed { .. }
        | Fact::Sorted { .. }
        | Fact::Calmed { .. }
        | Fact::Tried { .. } => Ok(()),
        Fact::DrillOver {} => person(tables, at, "", ("drill over", None, None), None),
        Fact::Slept {} => sight(tables, at, None, "slept", None, None),
        Fact::Sent { canary, provider, stream, inbox, reason } => {
            let reason = match reason {
                Reason::Routine => "routine",
                Reason::Confirmation => "confirmation",
            };
            let (provider, stream, inbox) = (provider.as_str(), stream.as_str(), inbox.as_str());
            run(tables, sql::SENT, params![canary.to_string(), provider, stream, inbox, reason, at.as_ms()])
        }
        Fact::Happened(event) => happened(tables, at, event),
        Fact::Lost { canary } => run(tables, sql::LOST, params![canary.to_string(), at.as_ms()]),
        Fact::Forgotten { canary } => run(tables, sql::FORGOTTEN, params![canary.to_string(), at.as_ms()]),
        Fact::Told { notice, sinks, late, .. } => told(tables, at, notice, sinks, *late),
    }
}

fn happened(tables: &Connection, at: At, event: &Event) -> Result<()> {
    match event {
        Event::Started { .. }
        | Event::Woke {}
        | Event::Read { .. }
        | Event::Examined { .. }
        | Event::Travelled { .. }
        | Event::LookedUp { .. }
        | Event::Traced { .. }
        | Event::SinksRenewed { .. }
        | Event::Signs { .. }
        | Event::NoSigns { .. } => Ok(()),
        Event::Answered { canary, outcome, reply, message_id, legs, .. } => {
            let class = match outcome {
                Outcome::Refused(class) => Some(class.as_str()),
                Outcome::Accepted | Outcome::Unknown => None,
            };
            let leg = |leg| legs.iter().find(|(l, _)| *l == leg).map(|(_, span)| number(span.as_ms()));
            let legs = (leg(Leg::Connect), leg(Leg::Tls), leg(Leg::Auth), leg(Leg::Data));
            let canary = canary.to_string();
            run(
                tables,
                sql::ANSWERED,
                params![canary, at.as_ms(), outcome.as_str(), class, reply, message_id, legs.0, legs.1, legs.2, legs.3],
            )
        }
        Event::Sighted { inbox, canary, placement, arrived_at, seen_at, copy } => {
            let seen_at = seen_at.unwrap_or(at);
            sighted(tables, params![canary.to_string(), inbox.as_str(), arrived_at.as_ms(), seen_at.as_ms(), placement.as_str(), copy])
        }
        Event::Mismatched { inbox, canary, .. } => run(tables, sql::MISMATCHED, params![canary.to_string(), inbox.as_str(), at.as_ms()]),
        Event::Stale { inbox } => run(tables, sql::STRANGE, params!["stale", inbox.as_str(), at.as_ms()]),
        Event::Strange { inbox, .. } => run(tables, sql::STRANGE, params!["unexpected", inbox.as_str(), at.as_ms()]),
        Event::Approved { provider, stream, mark, by } => {
            let what = format!("{provider}/{stream}: {} {}", mark.part.title(), mark.value);
            person(tables, at, by, ("approved", None, None), Some(&what))
        }
        Event::Unlearnt { provider, stream, mark, by } => {
            let what = mark.as_ref().map_or_else(|| "all of it".to_owned(), |mark| format!("{} {}", mark.part.title(), mark.value));
            person(tables, at, by, ("forgotten", None, None), Some(&format!("{provider}/{stream}: {what}")))
        }
        Event::Accepted { subject, by } => person(tables, at, by, ("approved", None, None), Some(&subject.to_string())),
        Event::Forged { inbox } => run(tables, sql::STRANGE, params!["forged", inbox.as_str(), at.as_ms()]),
        Event::Blind { inbox, class, why } => sight(tables, at, Some(inbox), "blind", *class, why.as_deref()),
        Event::Sight { inbox } => sight(tables, at, Some(inbox), "sight", None, None),
        Event::CutOff {} => sight(tables, at, None, "cut off", None, None),
        Event::Connected {} => sight(tables, at, None, "connected", None, None),
        Event::ClockJumped { by_ms } => sight(tables, at, None, "clock jumped", None, Some(&format!("by {by_ms} ms"))),
        Event::Noticed { notice, sink, outcome, .. } => {
            run(tables, sql::DELIVERY, params![number(notice.0), sink.as_str(), outcome.as_str(), at.as_ms()])
        }
        Event::Orphaned { canary } => run(tables, sql::ORPHANED, params![canary.to_string(), at.as_ms()]),
        Event::Acknowledged { incident, by, note, .. } => {
            person(tables, at, by, ("acknowledged", Some(number(incident.0)), None), note.as_deref())
        }
        Event::Unacknowledged { incident, by, .. } => person(tables, at, by, ("unacknowledged", Some(number(incident.0)), None), None),
        Event::Closed { incident, by, note } => person(tables, at, by, ("closed", Some(number(incident.0)), None), note.as_deref()),
        Event::Silenced { which, from, until, by, reason } => {
            let silence = serde_json::json!({ "which": which, "from": from.unwrap_or(at), "until": until });
            person(tables, at, by, ("silenced", None, Some(silence.to_string())), Some(reason))
        }
        Event::DrillBegan { provider, by, .. } => person(tables, at, by, ("drill began", None, None), Some(provider.as_str())),
        Event::DrillStopped { by } => person(tables, at, by, ("drill stopped", None, None), None),
        Event::Unsilenced { silence, by } => person(tables, at, by, ("unsilenced", None, Some(silence.to_string())), None),
    }
}

/// The first sighting in a canary's own inbox is its arrival; any other is kept beside it.
fn sighted(tables: &Connection, values: &[&dyn ToSql]) -> Result<()> {
    match tables.prepare_cached(sql::ARRIVED)?.execute(values)? {
        0 => run(tables, sql::COPY, values),
        _ => Ok(()),
    }
}

/// What is known of an inbox's sight, or of the watcher's own.
fn sight(tables: &Connection, at: At, inbox: Option<&Name>, what: &str, class: Option<Class>, why: Option<&str>) -> Result<()> {
    run(tables, sql::SIGHT, params![at.as_ms(), inbox.map(Name::as_str), what, class.map(Class::as_str), why])
}

/// What a person said: the word for it, of which incident, and of which silence.
fn person(tables: &Connection, at: At, by: &str, said: (&str, Option<i64>, Option<String>), note: Option<&str>) -> Result<()> {
    run(tables, sql::PERSON, params![at.as_ms(), by, said.0, said.1, said.2, note])
}

/// A notice, and what has become of its incident by it, unless that has not moved.
fn told(tables: &Connection, at: At, notice: &Notice, sinks: &[Name], late: bool) -> Result<()> {
    let (id, incident, at) = (number(notice.notice.0), number(notice.incident.0), at.as_ms());
    let (kind, severity, change) = (notice.kind.as_str(), notice.severity.as_str(), notice.change.as_str());
    let (culprit, summary, evidence) = (notice.culprit.to_string(), &notice.summary, notice.evidence.to_string());
    let resolved = notice.change == Change::Resolved;
    if !late {
        run(tables, sql::INCIDENT, params![incident, kind, severity, culprit, at, resolved, summary, evidence])?;
    }
    let body = serde_json::to_string(notice).map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    run(tables, sql::NOTICE, params![id, incident, change, severity, at, summary, body])?;
    for sink in sinks {
        run(tables, sql::DELIVERY, params![id, sink.as_str(), "pending", at])?;
    }
    Ok(())
}

fn run(tables: &Connection, statement: &str, values: impl Params) -> Result<()> {
    tables.prepare_cached(statement)?.execute(values).map(|_| ())
}

/// A number as `SQLite` keeps it: up to 2⁶³ − 1.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
