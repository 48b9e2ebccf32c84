//! What a ledger keeps of one incident: the rows as they stand, for people to be told of.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;

use super::past::refused;
use super::{LedgerError, Past, sql, tables};
use crate::model::dossier::{Dossier, Failed, Header, Said, Sight, Told, Trace};
use crate::model::{At, IncidentId, Kind, Name, Span};
use crate::watchdog::{Event, Fact};

/// Canaries that failed and are listed; all are counted.
const CANARIES: usize = 500;
/// Changes of sight, findings of providers, notices and words of people: the first so many of each.
const ROWS: i64 = 500;

/// Before the incident was opened its canaries may have been missing for as long as this.
const BEFORE: Span = Span::from_secs(24 * 3600);
/// The header of a mail that came late may be written down for so long after the end.
const AFTER: Span = Span::from_secs(3600);
/// Mails that were the first to have something foreign, or to fail a check, and are shown: the first so many.
const SHOWN: usize = 32;
/// The state, among those that are counted, of what has arrived and lies in Junk.
const IN_JUNK: &str = "in junk";
/// Headers: the first so many.
const HEADERS: i64 = 60;
/// The version of the schema that has what people say, and the one that has headers.
const WITH_PEOPLE: usize = 2;
const WITH_HEADERS: usize = 4;
/// And the one that has what was found in mails.
const WITH_MAILS: usize = 5;

impl Past {
    /// All that is kept of `incident` up to `now`; `None` if it never was, or is not kept any more.
    ///
    /// # Errors
    /// [`LedgerError`].
    pub fn dossier(&self, incident: IncidentId, now: At) -> Result<Option<Dossier>, LedgerError> {
        let mut dossier = Dossier::default();
        let found = self.read(&mut dossier, tables::number(incident.0), now).map_err(|e| refused(self.file(), e))?;
        self.unchanged()?;
        Ok(found.then_some(dossier))
    }

    fn read(&self, dossier: &mut Dossier, incident: i64, now: At) -> rusqlite::Result<bool> {
        let ends = self.rows(sql::INCIDENT_ENDS, [incident], |row| Ok((at(row, 0)?, at_or_none(row, 1)?)))?;
        let Some((opened_at, resolved_at)) = ends.into_iter().next() else { return Ok(false) };
        (dossier.opened_at, dossier.resolved_at) = (opened_at, resolved_at);
        dossier.notices = self.rows(sql::NOTICES_OF, params![incident, ROWS], told)?;
        for (notice, sink, outcome, since) in
            self.rows(sql::DELIVERIES_OF, [incident], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, at(row, 3)?)))?
        {
            let of = |told: &&mut Told| tables::number(told.notice.notice.0) == notice;
            dossier.notices.iter_mut().filter(of).for_each(|told| told.sinks.push((String::clone(&sink), String::clone(&outcome), since)));
        }
        if self.version() >= WITH_PEOPLE {
            let said = |row: &Row<'_>| Ok(Said { at: at(row, 0)?, who: row.get(1)?, said: row.get(2)?, note: row.get(3)? });
            dossier.words = self.rows(sql::PEOPLE_OF, params![incident, ROWS], said)?;
        }
        let (from, to) = (first_bad(dossier).unwrap_or(opened_at).min(opened_at).max(opened_at.minus(BEFORE)), resolved_at.unwrap_or(now));
        let span = params![from.as_ms(), to.as_ms(), ROWS];
        let sight = |row: &Row<'_>| Ok(Sight { at: at(row, 0)?, inbox: row.get(1)?, what: row.get(2)?, why: row.get(3)? });
        dossier.sight = self.rows(sql::SIGHT_BETWEEN, span, sight)?;
        dossier.starts = self.rows(sql::STARTS_BETWEEN, span, |row| Ok((at(row, 0)?, row.get(1)?)))?;
        self.canaries(dossier, from, to)?;
        self.first_mails(dossier)?;
        if self.version() >= WITH_HEADERS {
            // The last that arrived before are written down with the notice, the first after it with its end.
            let statement = if self.version() >= WITH_MAILS { sql::HEADERS_BETWEEN } else { sql::BARE_HEADERS_BETWEEN };
            dossier.headers = self.rows(statement, params![from.as_ms(), to.plus(AFTER).as_ms(), HEADERS], header)?;
        }
        for trace in self.rows(sql::TRACED_SINCE, span, trace)?.into_iter().flatten() {
            dossier.traces.push(trace);
        }
        let most = usize::try_from(ROWS).unwrap_or(usize::MAX);
        dossier.cut |= [dossier.notices.len(), dossier.words.len(), dossier.sight.len(), dossier.traces.len()].iter().any(|n| *n >= most);
        Ok(true)
    }

    /// Counts all that was sent in the span, and lists what did not simply arrive.
    fn canaries(&self, dossier: &mut Dossier, from: At, to: At) -> rusqlite::Result<()> {
        let (connection, since) = (self.connection(), first_bad(dossier).unwrap_or(from));
        let mut statement = connection.prepare(sql::CANARIES_BETWEEN)?;
        let mut rows = statement.query([from.as_ms(), to.as_ms()])?;
        while let Some(row) = rows.next()? {
            let canary = failed(row)?;
            let tally = dossier.routes.entry(canary.route.clone()).or_default();
            tally.sent += 1;
            let in_junk = canary.placement.as_deref() == Some("junk");
            *tally.states.entry(if in_junk { IN_JUNK.to_owned() } else { canary.state.clone() }).or_default() += 1;
            if canary.state == "arrived" && !in_junk {
                continue;
            }
            if canary.state != "in flight" || (canary.sent_at >= since && has_stopped(&dossier.notices, &canary.route)) {
                tally.first_bad = tally.first_bad.or(Some(canary.sent_at));
            }
            if dossier.canaries.len() < CANARIES {
                dossier.canaries.push(if canary.arrived_at.is_some() { self.with_its_mail(canary)? } else { canary });
            } else {
                dossier.cut = true;
            }
        }
        for (route, tally) in &mut dossier.routes {
            let [provider, stream, inbox] = route;
            let before = tally.first_bad.unwrap_or(to).as_ms();
            let mut good = connection.prepare_cached(sql::LAST_GOOD)?;
            tally.last_good = good.query_row(params![before, provider, stream, inbox], |row| at(row, 0)).optional()?;
        }
        Ok(())
    }

    /// The mails that the notices name as the first with something in it, and those that came last when a check began to fail.
    fn first_mails(&self, dossier: &mut Dossier) -> rusqlite::Result<()> {
        let evidence = |told: &Told, key: &str| told.notice.evidence.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
        let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
        let mut found: BTreeMap<String, Failed> = BTreeMap::new();
        for told in &dossier.notices {
            for id in evidence(told, "values").iter().filter_map(|value| text(value, "first_canary")) {
                if found.len() < SHOWN && !found.contains_key(&id) {
                    found.extend(self.rows(sql::CANARY_IN_SHORT, [&id], failed)?.into_iter().map(|canary| (id.clone(), canary)));
                }
            }
            for check in evidence(told, "checks") {
                let route = text(&check, "route").unwrap_or_default();
                let since = text(&check, "since").as_deref().and_then(At::from_rfc3339);
                let names: Vec<&str> = route.split('/').collect();
                let ([provider, stream, inbox], Some(since)) = (names.as_slice(), since) else { continue };
                if found.len() < SHOWN {
                    let values = params![since.as_ms(), since.minus(BEFORE).as_ms(), provider, stream, inbox];
                    found.extend(self.rows(sql::SEEN_BEFORE, values, failed)?.into_iter().map(|canary| (canary.canary.clone(), canary)));
                }
            }
        }
        for canary in found.into_values() {
            dossier.first_mails.push(self.with_its_mail(canary)?);
        }
        dossier.first_mails.sort_by_key(|canary| canary.sent_at);
        Ok(())
    }

    /// What is kept of the mail of a canary that came.
    fn with_its_mail(&self, canary: Failed) -> rusqlite::Result<Failed> {
        let (hops, cut) = (self.hops_of(&canary.canary, canary.sent_at)?, self.is_cut(&canary.canary)?);
        Ok(Failed { hops, cut, ..canary })
    }

    pub(super) fn rows<T>(
        &self,
        statement: &str,
        values: impl rusqlite::Params,
        each: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<Vec<T>> {
        self.connection().prepare(statement)?.query_map(values, each)?.collect()
    }
}

/// Whether a route is of a culprit of which nothing arrives: what is on its way there has failed before its deadline says so.
fn has_stopped(notices: &[Told], route: &[String; 3]) -> bool {
    let [provider, stream, inbox] = route.each_ref().map(String::as_str);
    let is = |part: Option<&Name>, name: &str| part.is_none_or(|part| part.as_str() == name);
    notices.last().is_some_and(|told| {
        let (p, s, i) = told.notice.culprit.parts();
        matches!(told.notice.kind, Kind::Stopped | Kind::Refused) && is(p, provider) && is(s, stream) && is(i, inbox)
    })
}

/// Since when canaries were missing, as the notices say.
fn first_bad(dossier: &Dossier) -> Option<At> {
    dossier.notices.iter().filter_map(|told| At::from_rfc3339(told.notice.evidence.get("since")?.as_str()?)).min()
}

pub(super) fn at(row: &Row<'_>, column: usize) -> rusqlite::Result<At> {
    row.get(column).map(At::from_ms)
}

pub(super) fn at_or_none(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<At>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(At::from_ms))
}

fn told(row: &Row<'_>) -> rusqlite::Result<Told> {
    let body: String = row.get(1)?;
    let notice =
        serde_json::from_str(&body).map_err(|e| rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, e.into()))?;
    Ok(Told { at: at(row, 0)?, notice, sinks: Vec::new() })
}

fn failed(row: &Row<'_>) -> rusqlite::Result<Failed> {
    Ok(Failed {
        canary: row.get(0)?,
        route: [row.get(1)?, row.get(2)?, row.get(3)?],
        sent_at: at(row, 4)?,
        state: row.get(5)?,
        outcome: row.get(6)?,
        class: row.get(7)?,
        reply: row.get(8)?,
        message_id: row.get(9)?,
        answered_at: at_or_none(row, 10)?,
        arrived_at: at_or_none(row, 11)?,
        placement: row.get(12)?,
        lost_at: at_or_none(row, 13)?,
        hops: Vec::new(),
        cut: false,
    })
}

fn header(row: &Row<'_>) -> rusqlite::Result<Header> {
    Ok(Header {
        canary: row.get(0)?,
        route: [row.get(1)?, row.get(2)?, row.get(3)?],
        sent_at: at(row, 4)?,
        arrived_at: at_or_none(row, 5)?,
        state: row.get(6)?,
        placement: row.get(7)?,
        text: row.get(8)?,
        // What another version has written is passed over.
        mail: row.get::<_, Option<String>>(9)?.and_then(|mail| serde_json::from_str(&mail).ok()),
    })
}

/// A record of another version is passed over: it is one of many voices.
pub(super) fn trace(row: &Row<'_>) -> rusqlite::Result<Option<Trace>> {
    let body: String = row.get(1)?;
    Ok(match serde_json::from_str(&body) {
        Ok(Fact::Happened(Event::Traced { canary, fate, words })) => {
            Some(Trace { at: at(row, 0)?, canary: canary.to_string(), fate: fate.as_str().to_owned(), words })
        }
        Ok(_) | Err(_) => None,
    })
}
