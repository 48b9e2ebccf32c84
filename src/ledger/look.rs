//! What people ask of the past, looked up: each question bounded in rows.

use rusqlite::{Row, params};
use serde::de::DeserializeOwned;

use super::dossier::{at, at_or_none, trace};
use super::past::refused;
use super::{LedgerError, Past, sql, tables};
use crate::model::past::{Became, Failure, POINTS, Point, Sighting, Sought, Wanted, Way, outcome};
use crate::model::{At, CanaryId, Culprit, Hop, IncidentId, Kind, Name, Placement, Route, Span};

/// Canaries of one page of a list, and incidents.
const PAGE: u32 = 500;
/// Further sightings of one canary.
const SIGHTINGS: u32 = 50;
/// A provider says what became of a canary within this.
const TOLD_WITHIN: Span = Span::from_secs(7 * 24 * 3600);
/// The version of the schema that has hops.
const WITH_HOPS: usize = 6;
/// The one that has what filters wrote.
const WITH_FILTER: usize = 7;
/// The one that has which mails were not read to their end.
const WITH_CUT: usize = 8;
/// Findings of providers that are looked through for those about one canary.
const FINDINGS: u32 = 2000;

impl Past {
    /// The canaries of one route that were sent in this time, newest first, at most 45,000.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn points(&self, route: &Route, from: At, to: At) -> Result<Vec<Point>, LedgerError> {
        let Route { provider, stream, inbox } = route;
        let values = params![from.as_ms(), to.as_ms(), provider.as_str(), stream.as_str(), inbox.as_str(), POINTS];
        let found = self.rows(sql::POINTS, values, point).map_err(|e| refused(self.file(), e))?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Canaries as they are `wanted`, newest first, at most 500.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn canaries_like(&self, wanted: &Wanted) -> Result<Vec<Way>, LedgerError> {
        let Wanted { provider, stream, inbox, became, from, to, after, most } = wanted;
        let text = |name: &Option<Name>| name.as_ref().map(|name| name.as_str().to_owned());
        let (at, id) = after.map_or((to.as_ms(), String::new()), |(at, canary)| (at.as_ms(), canary.to_string()));
        let became = became.map(Became::as_str);
        let values = params![from.as_ms(), to.as_ms(), text(provider), text(stream), text(inbox), became, at, id, (*most).min(PAGE)];
        let found = self.rows(sql::CANARIES_LIKE, values, way).map_err(|e| refused(self.file(), e))?;
        Ok(found.into_iter().flatten().collect())
    }

    /// One canary, with its further sightings and what its provider said of it; `None` if it is not kept.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn way(&self, canary: CanaryId) -> Result<Option<Way>, LedgerError> {
        self.one_way(&canary.to_string()).map_err(|e| refused(self.file(), e))
    }

    fn one_way(&self, canary: &str) -> rusqlite::Result<Option<Way>> {
        let found = self.rows(sql::CANARY, [canary], way)?;
        let Some(mut way) = found.into_iter().flatten().next() else { return Ok(None) };
        way.sightings = self.rows(sql::SIGHTINGS_OF, params![canary, SIGHTINGS], sighting)?;
        let span = params![way.sent_at.as_ms(), way.sent_at.plus(TOLD_WITHIN).as_ms(), FINDINGS];
        let traces = self.rows(sql::TRACED_SINCE, span, trace)?;
        way.hops = self.hops_of(canary, way.sent_at)?;
        way.cut = self.is_cut(canary)?;
        way.filter = self.list_of(WITH_FILTER, sql::FILTER_OF, canary)?;
        way.traces = traces.into_iter().flatten().filter(|trace| trace.canary == canary).collect();
        Ok(Some(way))
    }

    /// By which hosts the mail of a canary came; none in a ledger of an older version.
    pub(super) fn hops_of(&self, canary: &str, sent_at: At) -> rusqlite::Result<Vec<Hop>> {
        let mut hops: Vec<Hop> = self.list_of(WITH_HOPS, sql::HOPS_OF, canary)?;
        Hop::time(&mut hops, Some(sent_at));
        Ok(hops)
    }

    /// Whether the mail of a canary was not read to its end; in a ledger of an older version that is not known.
    pub(super) fn is_cut(&self, canary: &str) -> rusqlite::Result<bool> {
        if self.version() < WITH_CUT {
            return Ok(false);
        }
        let found = self.rows(sql::CUT_OF, [canary], |row| row.get::<_, Option<bool>>(0))?;
        Ok(found.into_iter().flatten().next().unwrap_or(false))
    }

    /// A list that is kept beside a canary as JSON; an empty one in a ledger of a version before `since`.
    fn list_of<T: DeserializeOwned>(&self, since: usize, query: &str, canary: &str) -> rusqlite::Result<Vec<T>> {
        if self.version() < since {
            return Ok(Vec::new());
        }
        let found = self.rows(query, [canary], |row| row.get::<_, Option<String>>(0))?;
        // What another version has written is passed over.
        let read = |text: String| serde_json::from_str(&text).ok();
        Ok(found.into_iter().flatten().find_map(read).unwrap_or_default())
    }

    /// The incidents that are sought, the newest first; at most 500.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn failures(&self, sought: &Sought) -> Result<Vec<Failure>, LedgerError> {
        let Sought { before, kind, open, party, most } = sought;
        let before = before.map_or(i64::MAX, |id| tables::number(id.0));
        let values = params![before, (*most).min(PAGE), kind.map(Kind::as_str), open, party.as_ref().map(Name::as_str)];
        let found = self.rows(sql::INCIDENTS_BEFORE, values, failure).map_err(|e| refused(self.file(), e))?;
        Ok(found.into_iter().flatten().collect())
    }

    /// When mailcanary did not run or slept for at least `least`: from the last canary before until it was there again, the newest first; at
    /// most 500. Of what is older than canaries are kept nothing is known.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn pauses(&self, least: Span) -> Result<Vec<[At; 2]>, LedgerError> {
        let values = params![i64::try_from(least.as_ms()).unwrap_or(i64::MAX), PAGE];
        self.rows(sql::PAUSES, values, |row| Ok([at(row, 0)?, at(row, 1)?])).map_err(|e| refused(self.file(), e))
    }
}

/// What one of our words stands for; a word of another version for nothing.
fn read<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

fn maybe<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    Ok(row.get::<_, Option<String>>(column)?.and_then(|word| read(&word)))
}

fn point(row: &Row<'_>) -> rusqlite::Result<Option<Point>> {
    let (id, state): (String, String) = (row.get(0)?, row.get(2)?);
    let sent_at = at(row, 1)?;
    let latency = at_or_none(row, 4)?.map(|arrived| arrived.since(sent_at));
    let placement: Option<Placement> = maybe(row, 3)?;
    let known = id.parse::<CanaryId>().ok().zip(Became::from_word(&state));
    Ok(known.map(|(canary, became)| Point { canary, sent_at, became, latency, placement }))
}

fn way(row: &Row<'_>) -> rusqlite::Result<Option<Way>> {
    let text = |column| row.get::<_, String>(column);
    let name = |column| Ok::<_, rusqlite::Error>(Name::new(&text(column)?).ok());
    let span = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(|ms| Span::from_ms(ms.unsigned_abs())));
    let (Some(provider), Some(stream), Some(inbox)) = (name(1)?, name(2)?, name(3)?) else { return Ok(None) };
    let (Ok(canary), Some(reason), Some(became)) = (text(0)?.parse(), read(&text(4)?), Became::from_word(&text(6)?)) else {
        return Ok(None);
    };
    let class = maybe(row, 8)?;
    Ok(Some(Way {
        canary,
        route: Route { provider, stream, inbox },
        reason,
        sent_at: at(row, 5)?,
        became,
        outcome: row.get::<_, Option<String>>(7)?.and_then(|word| outcome(&word, class)),
        reply: row.get(9)?,
        message_id: row.get(10)?,
        answered_at: at_or_none(row, 11)?,
        legs: [span(12)?, span(13)?, span(14)?, span(15)?],
        arrived_at: at_or_none(row, 16)?,
        seen_at: at_or_none(row, 17)?,
        placement: maybe(row, 18)?,
        copy: row.get(19)?,
        lost_at: at_or_none(row, 20)?,
        forgotten_at: at_or_none(row, 21)?,
        hops: Vec::new(),
        filter: Vec::new(),
        cut: false,
        sightings: Vec::new(),
        traces: Vec::new(),
    }))
}

fn sighting(row: &Row<'_>) -> rusqlite::Result<Sighting> {
    Ok(Sighting { what: row.get(0)?, inbox: row.get(1)?, placement: row.get(2)?, arrived_at: at_or_none(row, 3)?, seen_at: at(row, 4)? })
}

fn failure(row: &Row<'_>) -> rusqlite::Result<Option<Failure>> {
    let id: i64 = row.get(0)?;
    let (kind, severity, culprit): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let (Some(kind), Some(severity), Some(culprit)) = (read(&kind), read(&severity), Culprit::from_text(&culprit)) else {
        return Ok(None);
    };
    let opened_at = at(row, 4)?;
    let since = row.get::<_, Option<String>>(8)?.and_then(|text| At::from_rfc3339(&text));
    Ok(Some(Failure {
        incident: IncidentId(id.unsigned_abs()),
        kind,
        severity,
        culprit,
        since: since.map_or(opened_at, |since| since.min(opened_at)),
        opened_at,
        updated_at: at(row, 5)?,
        resolved_at: at_or_none(row, 6)?,
        summary: row.get(7)?,
    }))
}
