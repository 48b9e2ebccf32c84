//! The proof of an incident in words: what each piece is called, its unit, and only what the kind means. For pages and terminals alike.
//!
//! What is not known here is shown under its own key, whoever wrote it.

use std::fmt;

use serde_json::{Map, Value};

use crate::model::{At, CanaryId, Kind, certain, grouped, quoted};

/// Pieces of a list that are told.
const LISTED: usize = 60;
/// More nats than this are more than a million.
const MILLION: f64 = 13.8;
/// Numbers from here on, under a key that tells of time, are milliseconds since 1970 (2001 and later).
const FIRST_MS: i64 = 1_000_000_000_000;

/// What a piece says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A sentence of ours, in which others may have had a word.
    Words(String),
    /// What others wrote, as they wrote it.
    Quoted(String),
    /// An instant.
    Instant(At),
    /// A canary, and when it was sent.
    Canary(Option<CanaryId>, Option<At>),
    /// One thing below the other.
    List(Vec<String>),
    /// Things with properties of their own: each property with its name.
    Rows(Vec<Vec<(String, Self)>>),
}

/// On one line.
impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) | Self::Quoted(words) => f.write_str(words),
            Self::Instant(at) => f.write_str(&at.second()),
            Self::Canary(id, sent) => {
                let parts = [id.map(|id| format!("canary {id}")), sent.map(|at| format!("sent {}", at.second()))];
                f.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
            }
            Self::List(all) => f.write_str(&all.join(", ")),
            Self::Rows(all) => {
                let row =
                    |row: &Vec<(String, Self)>| row.iter().map(|(name, said)| format!("{name} {said}")).collect::<Vec<_>>().join(", ");
                f.write_str(&all.iter().map(row).collect::<Vec<_>>().join("; "))
            }
        }
    }
}

/// One piece of the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is called.
    pub name: String,
    /// What it says.
    pub said: Said,
}

/// What is known of the pieces, in the order in which they are told.
const NAMES: &[(&str, &str)] = &[
    ("next_step", "Next step"),
    ("caution", "Caution"),
    ("since", "Since"),
    ("first_bad", "First bad"),
    ("last_good", "Last good"),
    ("certainty", "Blame is certain to"),
    ("certain_by", "Blame is certain by"),
    ("rivals", "Or else"),
    ("cannot_be_told_apart", "Cannot be told from"),
    ("not_arrived", "Not arrived"),
    ("missing", "Missing"),
    ("share_in_junk", "In junk"),
    ("filters", "At each inbox"),
    ("times_slower", "Takes"),
    ("usual", "Usually"),
    ("slow_leg", "Where it waits"),
    ("nats", "Odds"),
    ("others", "Beside it"),
    ("class", "Class"),
    ("why", "Why"),
    ("reply", "The provider answered"),
    ("provider_says", "The provider says"),
    ("mismatch", "Came instead"),
    ("suppressed_by", "Suppressed by"),
    ("open_too", "Open too"),
    ("standby", "Stand-by"),
    ("sink", "Sink"),
    ("refused", "Notices refused"),
    ("only_of", "Of these incidents alone"),
    ("takes", "It takes"),
    ("expires", "Ends"),
    ("signs", "Signs"),
    ("levels", "How grave each is"),
    ("read_at", "Asked"),
    ("at_the_same_time", "At the same time"),
    ("values", "Foreign values"),
    ("recurring", "In recurring mail"),
    ("checks", "Checks"),
    ("changes", "Changes"),
    ("mails", "Mails"),
    ("last", "The last"),
    ("leak", "Address given to"),
    ("newest", "The newest"),
    ("alarm_at", "Suspected since"),
    ("routes_missing", "Routes that miss mail"),
    ("routes", "Routes"),
    ("streams", "Streams"),
    ("inboxes", "Inboxes"),
    ("servers", "Servers"),
    ("unreadable", "Each of them"),
    ("kept_back", "Kept back by"),
    ("goes_on_from", "Goes on from incident"),
    ("escalation", "Escalated"),
    ("drill", "Drill"),
];

/// What stands in another piece, or says when the proof was written down.
const FOLDED: [&str; 9] =
    ["at", "called_late", "of", "how_many", "share_lost", "routes_count", "routes_missing_count", "held_for", "quiet"];

/// The pieces of `evidence` but those `without` these keys, in the order in which they are told.
#[must_use]
pub fn facts(kind: Kind, evidence: &Value, without: &[&str]) -> Vec<Fact> {
    let Value::Object(map) = evidence else {
        return said("", evidence).map(|said| Fact { name: "Evidence".to_owned(), said }).into_iter().collect();
    };
    let is_wanted = |key: &str| !(without.contains(&key) || FOLDED.contains(&key));
    let known = NAMES.iter().filter_map(|(key, name)| Some((*key, (*name).to_owned(), map.get(*key)?)));
    let named = |key: &str| NAMES.iter().any(|(known, _)| *known == key);
    let others = map.iter().filter(|(key, _)| !named(key)).map(|(key, value)| (key.as_str(), spaced(key), value));
    let all = known.chain(others).filter(|(key, ..)| is_wanted(key));
    all.filter_map(|(key, name, value)| Some(Fact { name, said: meant(kind, key, value, map)? })).collect()
}

/// A key as a name.
fn spaced(key: &str) -> String {
    let words = key.replace('_', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What a piece means in an incident of this kind; nothing if it means nothing there.
fn meant(kind: Kind, key: &str, value: &Value, all: &Map<String, Value>) -> Option<Said> {
    let words = |text: String| Some(Said::Words(text));
    let share = |value: &Value| value.as_f64().map(|share| format!("{:.0} %", share * 100.0));
    match key {
        "not_arrived" => {
            let count = value.as_u64().filter(|count| *count > 0 && matches!(kind, Kind::Stopped | Kind::Refused))?;
            words(format!("{} that were sent since the last one arrived", canaries(count)))
        }
        "missing" => {
            let (missing, of) = (value.as_u64()?, all.get("of").and_then(Value::as_u64)?);
            let lost = all.get("share_lost").and_then(share).map_or_else(String::new, |share| format!(" ({share})"));
            (kind == Kind::Loss && missing > 0).then(|| Said::Words(format!("{} of the last {}{lost}", grouped(missing), canaries(of))))
        }
        "usual" => value.as_str().filter(|_| kind == Kind::Slow).and_then(|usual| words(format!("95 % take no longer than {usual}"))),
        "times_slower" => value.as_f64().and_then(|times| words(format!("about {times} times as long as usual"))),
        "share_in_junk" => share(value).and_then(|share| words(format!("{share} of the newest that arrived"))),
        "nats" => value.as_f64().and_then(|nats| words(odds(nats))),
        "certainty" => value.as_f64().and_then(|sure| words(certain(sure))),
        "standby" => words("yes: nothing in use is touched".to_owned()),
        "mails" | "refused" => value.as_u64().and_then(|count| words(grouped(count))),
        "routes" => routes(value, all, "routes_count"),
        "routes_missing" => routes(value, all, "routes_missing_count"),
        "slow_leg" => leg(value),
        "filters" => filters(value),
        "first_bad" | "last_good" => value.as_object().map(canary),
        _ => said(key, value),
    }
}

fn canaries(count: u64) -> String {
    if count == 1 { "1 canary".to_owned() } else { format!("{} canaries", grouped(count)) }
}

/// The evidence of a failure, in nats, as odds.
fn odds(nats: f64) -> String {
    let times = nats.clamp(0.0, MILLION).exp();
    let figures = 10.0_f64.powi(times.log10().floor() as i32);
    let about = grouped(((times / figures).round() * figures) as u64);
    if nats > MILLION {
        "more than a million times likelier than health".to_owned()
    } else {
        format!("about {about} times likelier than health")
    }
}

/// Those that are listed, and how many more there are.
fn routes(value: &Value, all: &Map<String, Value>, counted: &str) -> Option<Said> {
    let mut named: Vec<String> = value.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let count = all.get(counted).and_then(Value::as_u64).unwrap_or(named.len() as u64);
    let more = count.saturating_sub(named.len() as u64);
    named.extend((more > 0).then(|| format!("and {} more", grouped(more))));
    (!named.is_empty()).then_some(Said::List(named))
}

/// On which leg mail waits.
fn leg(value: &Value) -> Option<Said> {
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    let secs = |key: &str| value.get(key).and_then(Value::as_f64).map(|secs| format!("{secs:.0}s"));
    let Some(name) = text("leg") else { return said("", value) };
    let times = match (secs("seconds"), secs("usual_seconds")) {
        (Some(now), Some(usual)) => format!(", {now} where {usual} are usual"),
        (Some(now), None) => format!(", {now}"),
        _ => String::new(),
    };
    let between = match (text("at"), text("next")) {
        (Some(at), Some(next)) => format!(", between {at} and {next}"),
        (Some(at), None) => format!(", at {at}"),
        _ => String::new(),
    };
    Some(Said::Words(format!("{}{times}{between}", name.replace('_', " "))))
}

/// How much of the mail lies in Junk at each inbox, since when, how it was before, and what the receiver's filter wrote.
fn filters(value: &Value) -> Option<Said> {
    let inbox = |row: &Value| {
        let text = |key: &str| row.get(key).and_then(Value::as_str);
        let of = |junk: &str, all: &str| {
            let (junk, all) = (row.get(junk)?.as_u64()?, row.get(all)?.as_u64().filter(|all| *all > 0)?);
            Some(format!("{} of {}", grouped(junk), grouped(all)))
        };
        let wrote = |key: &str| {
            let all = row.get(key)?.as_array()?.iter().filter_map(Value::as_str);
            Some(all.take(LISTED).map(quoted).collect::<Vec<_>>().join(", ")).filter(|all| !all.is_empty())
        };
        let words = |name: &str, text: Option<String>| text.map(|text| (name.to_owned(), Said::Words(text)));
        let now = of("in_junk", "of");
        let before = if now.is_some() { "before that" } else { "in Junk" };
        let since = text("since").and_then(At::from_rfc3339).map(|at| ("since".to_owned(), Said::Instant(at)));
        let pieces = [
            words("inbox", text("inbox").map(str::to_owned)),
            words("in Junk", now),
            since,
            words(before, of("in_junk_before", "of_before")),
            words("its filter wrote of the newest there", wrote("says")),
            words("of the newest that is not in Junk", wrote("said_before")),
        ];
        pieces.into_iter().flatten().collect::<Vec<_>>()
    };
    let rows: Vec<_> = value.as_array()?.iter().take(LISTED).map(inbox).filter(|row| row.len() > 1).collect();
    (!rows.is_empty()).then_some(Said::Rows(rows))
}

fn canary(found: &Map<String, Value>) -> Said {
    let text = |key: &str| found.get(key).and_then(Value::as_str);
    Said::Canary(text("canary").and_then(|id| id.parse().ok()), text("sent_at").and_then(At::from_rfc3339))
}

/// A value of which nothing more is known; nothing if it says nothing.
fn said(key: &str, value: &Value) -> Option<Said> {
    let tells_time =
        ["at", "since", "until", "from", "to", "last", "expires"].iter().any(|word| key == *word || key.ends_with(&format!("_{word}")));
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => {
            let instant = At::from_rfc3339(text).filter(|_| tells_time);
            Some(
                instant.map_or_else(
                    || if text.contains('\n') { Said::Quoted(text.clone()) } else { Said::Words(text.clone()) },
                    Said::Instant,
                ),
            )
        }
        Value::Number(number) => match number.as_i64().filter(|ms| tells_time && *ms >= FIRST_MS) {
            Some(ms) => Some(Said::Instant(At::from_ms(ms))),
            None => Some(Said::Words(number.to_string())),
        },
        Value::Bool(yes) => Some(Said::Words(if *yes { "yes" } else { "no" }.to_owned())),
        Value::Array(all) if all.is_empty() => None,
        Value::Array(all) if all.iter().all(Value::is_object) => Some(Said::Rows(all.iter().take(LISTED).map(row).collect())),
        Value::Array(all) => Some(Said::List(all.iter().take(LISTED).map(plain).collect())),
        Value::Object(all) if all.is_empty() => None,
        Value::Object(_) => Some(Said::Rows(vec![row(value)])),
    }
}

/// One of a list of things, with its properties. What lies deeper is written as it is.
fn row(value: &Value) -> Vec<(String, Said)> {
    let property = |(key, value): (&String, &Value)| {
        let said = match value {
            Value::Array(all) if all.is_empty() => None,
            Value::Array(all) if all.iter().all(Value::is_object) => {
                Some(Said::Words(Said::Rows(all.iter().take(LISTED).map(row).collect()).to_string()))
            }
            Value::Array(all) => Some(Said::Words(all.iter().map(plain).collect::<Vec<_>>().join(", "))),
            Value::Object(all) if all.is_empty() => None,
            Value::Object(_) => Some(Said::Quoted(value.to_string())),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => said(key, value),
        };
        Some((key.replace('_', " "), said?))
    };
    value.as_object().into_iter().flatten().take(LISTED).filter_map(property).collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(kind: Kind, evidence: &Value) -> Vec<(String, Said)> {
        facts(kind, evidence, &["next_step"]).into_iter().map(|fact| (fact.name, fact.said)).collect()
    }

    fn words(name: &str, text: &str) -> (String, Said) {
        (name.to_owned(), Said::Words(text.to_owned()))
    }

    #[test]
    fn only_what_the_kind_means_is_told_and_in_words() {
        let proof = json!({
            "at": "2022-08-08T19:30:00.000Z", "not_arrived": 176, "missing": 0, "of": 60, "usual": "9s", "nats": 41.2, "certainty": 0.998,
            "share_lost": 0.13, "held_for": "1m10s", "routes": ["a/s/i"], "routes_count": 9, "rivals": [], "mismatch": null, "next_step": "look",
        });
        let stopped = [
            words("Blame is certain to", "99.8 %"),
            words("Not arrived", "176 canaries that were sent since the last one arrived"),
            words("Odds", "more than a million times likelier than health"),
            ("Routes".to_owned(), Said::List(vec!["a/s/i".to_owned(), "and 8 more".to_owned()])),
        ];
        assert_eq!(told(Kind::Stopped, &proof), stopped);
        let loss = told(Kind::Loss, &json!({ "not_arrived": 3, "missing": 8, "of": 60, "share_lost": 0.13, "nats": 6.9 }));
        assert_eq!(loss, [words("Missing", "8 of the last 60 canaries (13 %)"), words("Odds", "about 1,000 times likelier than health")]);
        let leg = json!({ "leg": "transit", "seconds": 41.2, "usual_seconds": 2.0, "at": "a.example", "next": "b.example" });
        let slow = told(Kind::Slow, &json!({ "times_slower": 6.5, "usual": "9s", "slow_leg": leg }));
        assert_eq!(
            slow,
            [
                words("Takes", "about 6.5 times as long as usual"),
                words("Usually", "95 % take no longer than 9s"),
                words("Where it waits", "transit, 41s where 2s are usual, between a.example and b.example"),
            ]
        );
    }

    #[test]
    fn what_filters_wrote_is_told_by_inbox() {
        let since = "2022-08-08T19:30:00.000Z";
        let proof = json!({ "filters": [
            { "inbox": "one", "in_junk": 17, "of": 20, "since": since, "in_junk_before": 0, "of_before": 1030,
              "says": ["X-Spam-Status: Yes, score 7.2 of 5.0", "X-Odd: a`b"], "said_before": ["X-Spam-Status: No"] },
            { "inbox": "two", "in_junk": 0, "of": 0, "since": null, "in_junk_before": 1, "of_before": 30, "says": [], "said_before": [] },
            { "inbox": "three", "in_junk": 0, "of": 0, "since": null, "in_junk_before": null, "of_before": null, "says": [], "said_before": [] },
        ] });
        let told = told(Kind::Junked, &proof);
        let [(name, said)] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(name, "At each inbox");
        assert_eq!(
            said.to_string(),
            "inbox one, in Junk 17 of 20, since 2022-08-08 19:30:00 UTC, before that 0 of 1,030, its filter wrote of the newest there \
             `X-Spam-Status: Yes, score 7.2 of 5.0`, `X-Odd: a'b`, of the newest that is not in Junk `X-Spam-Status: No`; \
             inbox two, in Junk 1 of 30"
        );
    }

    #[test]
    fn whatever_else_it_holds_is_told_under_its_own_name() {
        let list = json!({ "values": [{ "part": "reply_to", "new": "evil@x.example", "old": [], "since": "2022-08-08T19:30:00Z" }], "sent_at": 1_659_987_000_000_i64, "odd_thing": true });
        let at = At::from_rfc3339("2022-08-08T19:30:00Z").unwrap();
        let row = vec![words("new", "evil@x.example"), words("part", "reply_to"), ("since".to_owned(), Said::Instant(at))];
        assert_eq!(
            told(Kind::Identity, &list),
            [("Foreign values".to_owned(), Said::Rows(vec![row])), words("Odd thing", "yes"), ("Sent at".to_owned(), Said::Instant(at))]
        );
        assert_eq!(told(Kind::Blind, &json!("a\nb")), [("Evidence".to_owned(), Said::Quoted("a\nb".to_owned()))]);
    }
}
