//! The bundle as JSON: what the ledger keeps, put in order.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::ledger::{Dossier, Failed, Header, Tally, Told};
use crate::model::{At, Change, Check, Culprit, Examination, Hop, Name, Route, Side, hides};

/// The bundle of incident `id`, as it is known at `now`.
pub(super) fn bundle(dossier: &Dossier, instance: &str, id: u64, now: At) -> Value {
    let last = dossier.notices.last().map(|told| &told.notice);
    // What is told of the end says how it is now; what failed stands in the notice before.
    let failing = dossier.notices.iter().rev().map(|told| &told.notice).find(|notice| notice.change != Change::Resolved).or(last);
    let culprits: Vec<&Culprit> = dossier.notices.iter().map(|told| &told.notice.culprit).collect();
    let since = |told: &Told| told.notice.evidence.get("since").and_then(Value::as_str).and_then(At::from_rfc3339);
    let began = dossier.notices.iter().filter_map(since).fold(dossier.opened_at, At::min);
    json!({
        "mailcanary": env!("CARGO_PKG_VERSION"),
        "instance": instance,
        "written_at": now.rfc3339(),
        "incident": id,
        "kind": last.map(|notice| notice.kind),
        "severity": dossier.notices.iter().map(|told| told.notice.severity).max(),
        "culprit": last.map(|notice| &notice.culprit),
        "began_at": began.rfc3339(),
        "opened_at": dossier.opened_at.rfc3339(),
        "resolved_at": dossier.resolved_at.map(At::rfc3339),
        "lasted": dossier.resolved_at.unwrap_or(now).since(began).to_string(),
        "summary": failing.map(|notice| &notice.summary),
        "evidence": failing.map(|notice| &notice.evidence),
        "routes": dossier.routes.iter().map(|(route, tally)| self::route(route, tally, covered(&culprits, route))).collect::<Vec<_>>(),
        "canaries": dossier.canaries.iter().map(|canary| self::canary(canary, dossier, covered(&culprits, &canary.route))).collect::<Vec<_>>(),
        "first_mails": dossier.first_mails.iter().map(|mail| canary(mail, dossier, covered(&culprits, &mail.route))).collect::<Vec<_>>(),
        "headers": dossier.headers.iter().map(|header| self::header(header, covered(&culprits, &header.route))).collect::<Vec<_>>(),
        "timeline": timeline(dossier, &culprits),
        "notices": dossier.notices.iter().map(told).collect::<Vec<_>>(),
    })
}

/// Says what is not in the bundle.
pub(super) fn leave_out(bundle: &mut Value, dossier: &Dossier, unknown: usize, redacted: bool) {
    let mut left = vec!["the tokens of canaries, by which others could be made to look as if they had arrived".to_owned()];
    left.push(
        "the headers of mails that arrived, but for those that came late or into Junk and the last before the beginning and the end"
            .to_owned(),
    );
    left.push("canaries that arrived and findings of providers that are older than `[ledger] keep`".to_owned());
    if unknown > 0 {
        left.push(format!("a search for those secrets of the configuration that cannot be read here ({unknown})"));
    }
    if redacted {
        left.push("what stands before the @ of addresses".to_owned());
    }
    if dossier.cut {
        left.push("whatever is beyond the first 500 of a list; all canaries are counted".to_owned());
    }
    if let Value::Object(bundle) = bundle {
        bundle.insert("left_out".to_owned(), json!(left));
    }
}

/// Its text. What is invisible, or turns the direction of writing around, is written as its number.
pub(super) fn text(bundle: &Value) -> String {
    let plain = serde_json::to_string_pretty(bundle).unwrap_or_default();
    let mut out = String::with_capacity(plain.len());
    for c in plain.chars() {
        if c != '\n' && (c.is_control() || hides(c)) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out.push('\n');
    out
}

/// Whether any of those who were blamed touches this route.
fn covered(culprits: &[&Culprit], route: &[String; 3]) -> bool {
    let [provider, stream, inbox] = route.each_ref().map(|name| Name::new(name).ok());
    let Some(((provider, stream), inbox)) = provider.zip(stream).zip(inbox) else { return false };
    let route = Route { provider, stream, inbox };
    culprits.iter().any(|culprit| culprit.covers(&route))
}

fn route(route: &[String; 3], tally: &Tally, covered: bool) -> Value {
    json!({
        "route": route.join("/"), "blamed": covered, "sent": tally.sent, "states": tally.states,
        "last_good": tally.last_good.map(At::rfc3339), "first_bad": tally.first_bad.map(At::rfc3339),
    })
}

fn canary(canary: &Failed, dossier: &Dossier, covered: bool) -> Value {
    let says: Vec<Value> = dossier
        .traces
        .iter()
        .filter(|trace| trace.canary == canary.canary)
        .map(|trace| json!({ "at": trace.at.rfc3339(), "fate": trace.fate, "words": trace.words }))
        .collect();
    json!({
        "canary": canary.canary, "route": canary.route.join("/"), "blamed": covered, "sent_at": canary.sent_at.rfc3339(),
        "state": canary.state, "outcome": canary.outcome, "class": canary.class, "answered_at": canary.answered_at.map(At::rfc3339),
        "reply": canary.reply, "message_id": canary.message_id, "lost_at": canary.lost_at.map(At::rfc3339),
        "arrived_at": canary.arrived_at.map(At::rfc3339), "placement": canary.placement, "provider_says": says,
        "hops": canary.hops.iter().map(hop).collect::<Vec<_>>(), "cut": canary.cut,
    })
}

fn header(header: &Header, covered: bool) -> Value {
    json!({
        "canary": header.canary, "route": header.route.join("/"), "blamed": covered, "sent_at": header.sent_at.rfc3339(),
        "arrived_at": header.arrived_at.map(At::rfc3339), "state": header.state, "placement": header.placement, "text": header.text,
        "mail": header.mail.as_ref().map(mail),
    })
}

/// One host of a mail's way: how long the mail lay before it had it, and whose it is.
fn hop(hop: &Hop) -> Value {
    json!({
        "at": hop.at.map(At::rfc3339), "took": hop.took.map(|took| took.to_string()), "by": hop.by, "from": hop.from,
        "address": hop.address.map(|address| address.to_string()), "behind": hop.behind.map(|behind| behind.to_string()),
        "side": hop.side.map(Side::as_str),
    })
}

/// What was found in a mail: by which hosts it came, whether it is what it says, and who it says it is from.
fn mail(mail: &Examination) -> Value {
    let check = |check: &Check| {
        let by = if check.by_receiver { "the receiver" } else { "mailcanary" };
        json!({ "method": check.method.as_str(), "finding": check.finding.as_str(), "by": by, "why": check.why })
    };
    json!({
        "hops": mail.hops.iter().map(hop).collect::<Vec<_>>(), "cut": mail.cut,
        "checks": mail.checks.iter().map(check).collect::<Vec<_>>(),
        "marks": mail.marks.iter().map(|mark| json!({ "part": mark.part.title(), "value": mark.value })).collect::<Vec<_>>(),
    })
}

fn told(told: &Told) -> Value {
    let sinks: Vec<Value> =
        told.sinks.iter().map(|(sink, outcome, at)| json!({ "sink": sink, "outcome": outcome, "since": at.rfc3339() })).collect();
    let mut all = json!({ "at": told.at.rfc3339(), "sinks": sinks });
    if let (Value::Object(all), Ok(Value::Object(notice))) = (&mut all, serde_json::to_value(&told.notice)) {
        all.extend(notice);
    }
    all
}

/// What happened, in order: when, what in our words, and what somebody else said.
fn timeline(dossier: &Dossier, culprits: &[&Culprit]) -> Vec<Value> {
    let mut all: Vec<(At, String, Option<&str>)> = Vec::new();
    // What fails beside it is of other incidents.
    let mine = dossier.routes.iter().filter(|(route, _)| covered(culprits, route));
    let bad = mine.filter_map(|(route, tally)| Some((tally.first_bad?, route)));
    all.extend(bad.map(|(at, route)| (at, format!("the first canary over {} that failed was sent", route.join("/")), None)));
    for told in &dossier.notices {
        let notice = &told.notice;
        let what = format!("notice {}: {}, {}, {}", notice.notice, notice.change.as_str(), notice.severity.as_str(), notice.culprit);
        all.push((told.at, what, Some(&notice.summary)));
    }
    for (at, version) in &dossier.starts {
        all.push((*at, "mailcanary was started, version".to_owned(), Some(version)));
    }
    for change in &dossier.sight {
        let whose = change.inbox.as_ref().map_or_else(|| "the watcher".to_owned(), |inbox| format!("inbox {inbox}"));
        all.push((change.at, format!("{whose}: {}", change.what), change.why.as_deref()));
    }
    for word in &dossier.words {
        all.push((word.at, word.said.clone(), Some(&word.who)));
        all.extend(word.note.as_deref().map(|note| (word.at, format!("{}, the note", word.said), Some(note))));
    }
    let others: BTreeSet<&str> =
        dossier.canaries.iter().filter(|canary| !covered(culprits, &canary.route)).map(|canary| canary.canary.as_str()).collect();
    for trace in dossier.traces.iter().filter(|trace| !others.contains(trace.canary.as_str())) {
        all.push((trace.at, format!("the provider on canary {}: {}", trace.canary, trace.fate), trace.words.as_deref()));
    }
    all.sort_by_key(|(at, ..)| *at);
    let one = |(at, what, words): (At, String, Option<&str>)| {
        let mut entry = Map::from_iter([("at".to_owned(), json!(at.rfc3339())), ("what".to_owned(), json!(what))]);
        entry.extend(words.map(|words| ("words".to_owned(), json!(words))));
        Value::Object(entry)
    };
    all.into_iter().map(one).collect()
}
