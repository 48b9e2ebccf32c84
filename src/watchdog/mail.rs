//! What the mail itself says, as incidents: a foreign identity, a check that does not hold any more, mail that nobody sent. One for each kind
//! and culprit; told again when there is something new in it, and resolved when it is gone. What the DNS says is told in the same way.

mod both;
mod broken;
mod foreign;
mod places;
mod recurring;
mod unexpected;
mod zones;

use serde_json::Value;

use super::incident::Move;
use super::outbox::Incident;
use super::plan::Plan;
use super::state::State;
use crate::model::{At, Change, Culprit, Kind, Severity, Span, quoted};

/// The evidence's list of all that an incident is about, by which it is known whether there is more.
const NAMED: &str = "named";
/// The first of them where two incidents meet.
const TOGETHER: &str = "both";
/// The evidence's word for what to do.
const NEXT: &str = "next_step";
/// Of that so much is told.
const NAMED_AT_MOST: usize = 64;

/// A third foreign value of a part is told so long after the last notice, a fourth after four times as long, and so on up to a day.
const MORE_AFTER: Span = Span::from_secs(600);
const MORE_AT_MOST: Span = Span::from_secs(86_400);

/// Something that mail shows now.
struct Trouble {
    kind: Kind,
    severity: Severity,
    culprit: Culprit,
    /// All that it is about, each in a few words; something new here is told.
    named: Vec<String>,
    summary: String,
    /// An object.
    evidence: Value,
}

impl Trouble {
    /// One more piece of its evidence.
    fn add(&mut self, key: &str, value: impl Into<Value>) {
        if let Some(fields) = self.evidence.as_object_mut() {
            fields.insert(key.to_owned(), value.into());
        }
    }
}

/// What changes by what mail says.
pub(super) fn moves(plan: &Plan, state: &State, now: At) -> Vec<Move> {
    let open: Vec<&Incident> = state.open().filter(|i| i.shown.kind.is_of_mail() || i.shown.kind.is_of_dns()).collect();
    let mut troubles = foreign::troubles(plan, state);
    recurring::join(plan, state, &mut troubles);
    troubles.extend(broken::troubles(plan, state));
    troubles.extend(unexpected::troubles(plan, state, now));
    both::raise(state, &open, &mut troubles);
    troubles.extend(zones::troubles(plan, state, now));
    let mut moves: Vec<Move> = Vec::new();
    for trouble in &troubles {
        let is_it = |i: &Incident| i.shown.kind == trouble.kind && i.shown.culprit == trouble.culprit;
        match open.iter().find(|i| is_it(i)) {
            Some(known) if more(&known.shown.last.evidence, trouble) && is_due(known, trouble, now) => {
                moves.push(tell(plan, trouble, Some(known)))
            }
            None if !is_dismissed(state, trouble) => moves.push(tell(plan, trouble, None)),
            Some(_) | None => {}
        }
    }
    let shown = |i: &Incident| troubles.iter().any(|t| t.kind == i.shown.kind && t.culprit == i.shown.culprit);
    let over = open.into_iter().filter(|i| i.shown.closed.is_none() && plan.knows(&i.shown.culprit) && !shown(i));
    moves.extend(over.map(|i| {
        let is_other = |t: &Trouble| matches!(t.culprit, Culprit::Inbox(_)) != matches!(i.shown.culprit, Culprit::Inbox(_));
        let is_it = |t: &Trouble| t.kind == i.shown.kind && t.kind == Kind::Identity && is_other(t) && shares(&i.shown.last.evidence, t);
        let elsewhere = troubles.iter().any(is_it);
        Move::end(i, if elsewhere { MOVED.to_owned() } else { over_words(i.shown.kind, &i.shown.last.evidence) })
    }));
    moves
}

/// What is said of a foreign identity that turns out to be another's.
const MOVED: &str =
    "what is foreign in it is told of as another's by now: it stands in mail of several providers at one inbox alone, or not any more";

/// What this evidence names.
fn told(evidence: &Value) -> Vec<&str> {
    evidence.get(NAMED).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether something that this evidence names is in a trouble.
fn shares(evidence: &Value, trouble: &Trouble) -> bool {
    let told = told(evidence);
    trouble.named.iter().any(|word| told.contains(&word.as_str()))
}

/// Whether what is new in an open incident is told now. Of a foreign identity a first value of a part, and a second one, are at once; where more and
/// more come, they wait for longer each time.
fn is_due(known: &Incident, trouble: &Trouble, now: At) -> bool {
    if trouble.kind != Kind::Identity {
        return true;
    }
    let told = told(&known.shown.last.evidence);
    let part = |word: &str| word.split(':').next().unwrap_or_default().to_owned();
    let new = trouble.named.iter().filter(|word| !told.contains(&word.as_str()));
    let before = new.map(|word| told.iter().filter(|before| part(before) == part(word)).count()).min().unwrap_or(0);
    let waits = before.checked_sub(2).map(|times| MORE_AFTER.scaled(4_u64.pow(u32::try_from(times.min(4)).unwrap_or(4)), 1));
    waits.is_none_or(|waits| now.since(known.told_last_at()) >= waits.min(MORE_AT_MOST))
}

fn over_words(kind: Kind, evidence: &Value) -> String {
    match kind {
        Kind::Dns if evidence.get("changes").is_none() => "a name server answers again",
        Kind::Identity => "nothing foreign stands in its mail any more, or what did was approved or is usual by now",
        Kind::Authentication => "its mail passes the checks again",
        Kind::UnexpectedMail => "no more such mail came for a day",
        Kind::Dns => "the records stand as they stood before, or what stands there now is taken for right",
        Kind::Listed => "no list has it any more, or no mail comes from there",
        Kind::Stopped | Kind::Loss | Kind::Slow | Kind::Junked | Kind::Refused | Kind::Blind | Kind::CutOff | Kind::EarlySign => {
            "it is over"
        }
    }
    .to_owned()
}

/// Whether there is anything that this evidence does not name.
fn more(evidence: &Value, trouble: &Trouble) -> bool {
    let told = told(evidence);
    let is_new = |word: &String| !told.contains(&word.as_str()) && (told.len() < NAMED_AT_MOST || word == TOGETHER);
    trouble.named.iter().take(NAMED_AT_MOST).any(is_new)
}

/// Whether a person has closed the last incident of this, and there has been nothing new since.
fn is_dismissed(state: &State, trouble: &Trouble) -> bool {
    let mine = state.incidents.values().filter(|i| i.shown.kind == trouble.kind && i.shown.culprit == trouble.culprit);
    let last = mine.max_by_key(|i| i.shown.opened_at);
    last.is_some_and(|i| i.shown.closed.is_some() && !more(&i.shown.last.evidence, trouble))
}

fn tell(plan: &Plan, trouble: &Trouble, open: Option<&Incident>) -> Move {
    let mut evidence = trouble.evidence.clone();
    if let Some(fields) = evidence.as_object_mut() {
        // What was told stays named, so that what comes and goes is not told each time.
        let before = open.and_then(|i| i.shown.last.evidence.get(NAMED)?.as_array().cloned()).unwrap_or_default();
        let mut named = before;
        for word in &trouble.named {
            let word = Value::from(word.as_str());
            if (named.len() < NAMED_AT_MOST || word == TOGETHER) && !named.contains(&word) {
                named.push(word);
            }
        }
        fields.insert(NAMED.to_owned(), Value::from(named));
    }
    let severity = trouble.severity.min(plan.loudest(&trouble.culprit, &[]));
    Move {
        incident: open.map(|i| i.shown.incident),
        change: if open.is_some() { Change::Updated } else { Change::Opened },
        kind: trouble.kind,
        severity: open.map_or(severity, |i| i.shown.severity.max(severity)),
        culprit: trouble.culprit.clone(),
        summary: trouble.summary.clone(),
        evidence,
        only: None,
    }
}

/// Names in a row: `` `a`, `b` and 3 more``.
fn row<'n>(names: impl Iterator<Item = &'n str>, most: usize) -> String {
    let all: Vec<&str> = names.collect();
    let shown: Vec<String> = all.iter().take(most).map(|name| quoted(name)).collect();
    let more = all.len().saturating_sub(most);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn that_two_incidents_meet_is_told_whatever_else_is_named_and_once() {
        let words = |many: usize| (0..many).map(|n| format!("link: {n}.example")).collect::<Vec<_>>();
        let told = serde_json::json!({ NAMED: words(NAMED_AT_MOST) });
        let mut trouble = Trouble {
            kind: Kind::Identity,
            severity: Severity::Page,
            culprit: Culprit::Watcher {},
            named: words(2 * NAMED_AT_MOST),
            summary: String::new(),
            evidence: serde_json::json!({}),
        };
        assert!(!more(&told, &trouble));
        trouble.named.insert(0, TOGETHER.to_owned());
        assert!(more(&told, &trouble));
        let both: Vec<String> = words(NAMED_AT_MOST).into_iter().chain([TOGETHER.to_owned()]).collect();
        assert!(!more(&serde_json::json!({ NAMED: both }), &trouble));
    }
}
