//! `incident` and `silence`: for the person on call. They talk to the running daemon; `incident evidence` reads the ledger.

mod args;
mod daemon;
mod drill;
mod evidence;
mod identity;
mod sheet;
mod table;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use reqwest::Method;
use serde_json::{Value, json};

pub(super) use args::{Dns, Drill, Identity, Incident, Silence};
use args::{Place, Said, Wished};
pub(super) use daemon::{UNREACHED, ask};

use super::out::Out;
use super::terminal::{Look, Paper, fold};
use super::{FAILED, WRONG, daemon_folder};
use crate::model::At;

/// `mailcanary incident`.
pub(super) fn execute(command: &Incident) -> ExitCode {
    match command {
        Incident::List(place) => list(place),
        Incident::Show(one) => tell(&one.place, Method::GET, &format!("/api/v1/incidents/{}", one.id), None, shown),
        Incident::Ack(said) => say(said, "ack"),
        Incident::Close(said) => say(said, "close"),
        Incident::Evidence(wished) => evidence::execute(wished),
    }
}

/// `mailcanary drill`.
pub(super) fn drill(command: &Drill) -> ExitCode {
    drill::execute(command)
}

/// `mailcanary identity`.
pub(super) fn identity(command: &Identity) -> ExitCode {
    identity::execute(command)
}

/// `mailcanary dns`.
pub(super) fn dns(command: &Dns) -> ExitCode {
    match command {
        Dns::List(place) => tell(place, Method::GET, "/api/v1/dns", None, |answer| fit(&table::dns(answer))),
        Dns::Approve(accepted) => {
            let list = accepted.list.as_ref().map_or_else(String::new, |list| format!(" {list}"));
            let subject = format!("{} {}{list}", accepted.topic, accepted.name);
            let body = json!({ "subject": subject, "by": accepted.who.by });
            tell(&accepted.place, Method::POST, "/api/v1/dns/approve", Some(&body), |_| format!("what stands there is right: {subject}"))
        }
    }
}

/// `mailcanary silence`.
pub(super) fn silence(command: &Silence) -> ExitCode {
    match command {
        Silence::Add(wished) => {
            let mut err = Out::stderr();
            let Some(folder) = daemon_folder(&wished.place.config, &mut err) else { return ExitCode::from(WRONG) };
            let (code, why) = match unknown(&folder, wished) {
                Ok(None) => {
                    let text = |answer: &Value| fit(&table::silenced(answer));
                    return tell_at(&folder, wished.place.json, Method::POST, "/api/v1/silences", Some(&wish(wished)), text);
                }
                Ok(Some(why)) => (WRONG, why),
                Err(why) => (FAILED, why),
            };
            err.line(format_args!("error: {why}"));
            ExitCode::from(code)
        }
        Silence::List(place) => tell(place, Method::GET, "/api/v1/silences", None, |answer| fit(&table::silences(answer))),
        Silence::End(ended) => {
            let (path, body) = (format!("/api/v1/silences/{}", ended.number), json!({ "by": ended.who.by }));
            tell(&ended.place, Method::DELETE, &path, Some(&body), |_| format!("silence {} has ended", ended.number))
        }
    }
}

/// Every incident that the daemon lists, page by page.
fn list(place: &Place) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    let Some(folder) = daemon_folder(&place.config, &mut err) else { return ExitCode::from(WRONG) };
    match all_incidents(&folder) {
        Ok(answer) if place.json => out.line(&answer),
        Ok(answer) => {
            let now = answer.get("as_of").and_then(Value::as_str).and_then(At::from_rfc3339);
            out.line(sheet::incidents(&answer, now, Paper::stdout(Look::default())));
        }
        Err(why) => {
            err.line(format_args!("error: {why}"));
            return ExitCode::from(FAILED);
        }
    }
    out.finish(0)
}

/// One incident, in lines that fit.
fn shown(answer: &Value) -> String {
    // An answer about one incident does not say the time; the daemon's host is this one.
    sheet::incident(answer, Some(crate::run::clock()()), Paper::stdout(Look::default()))
}

/// Lines that are no wider than the terminal.
fn fit(text: &str) -> String {
    fold(text, Paper::stdout(Look::default()).width).join("\n")
}

/// Those that are open, then those that ended lately, in the shape of one page.
fn all_incidents(folder: &Path) -> Result<Value, String> {
    let (mut all, mut next, mut as_of) = (Vec::new(), None::<String>, Value::Null);
    loop {
        let cursor = next.map_or_else(String::new, |next| format!("&cursor={next}"));
        let mut page = ask(folder, Method::GET, &format!("/api/v1/incidents?limit=1000{cursor}"), None)?;
        if let Some(Value::Array(more)) = page.get_mut("incidents").map(Value::take) {
            all.extend(more);
        }
        as_of = page.get("as_of").cloned().filter(|_| as_of.is_null()).unwrap_or(as_of);
        next = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if next.is_none() {
            // The sort is stable: the newest stay first.
            all.sort_by_key(|incident| !incident.get("resolved_at").is_none_or(Value::is_null));
            return Ok(json!({ "as_of": as_of, "incidents": all, "next": null }));
        }
    }
}

fn say(said: &Said, what: &str) -> ExitCode {
    let path = format!("/api/v1/incidents/{}/{what}", said.one.id);
    let body = json!({ "by": said.who.by, "note": said.note });
    tell(&said.one.place, Method::POST, &path, Some(&body), shown)
}

/// What a silence names that the daemon does not have: it would silence nothing, and nobody would notice.
fn unknown(folder: &Path, wished: &Wished) -> Result<Option<String>, String> {
    let given = [("provider", &wished.provider), ("stream", &wished.stream), ("inbox", &wished.inbox)];
    for (what, name) in given.into_iter().filter_map(|(what, name)| Some((what, name.as_ref()?))) {
        let plural = if what == "inbox" { "inboxes".to_owned() } else { format!("{what}s") };
        let answer = ask(folder, Method::GET, &format!("/api/v1/{plural}"), None)?;
        let all = answer.get(&plural).and_then(Value::as_array).into_iter().flatten();
        let known: BTreeSet<&str> = all.filter_map(|one| one.get("name")?.as_str()).collect();
        if !known.contains(name.as_str()) {
            let known: Vec<&str> = known.into_iter().collect();
            return Ok(Some(format!("there is no {what} `{}`\n  hint: there are {}", name.escape_debug(), known.join(", "))));
        }
    }
    Ok(None)
}

fn wish(wished: &Wished) -> Value {
    let given = [("provider", &wished.provider), ("stream", &wished.stream), ("inbox", &wished.inbox), ("kind", &wished.kind)];
    let which: serde_json::Map<String, Value> =
        given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?)))).collect();
    let mut body = json!({ "which": which, "by": wished.who.by, "reason": wished.reason });
    if let Value::Object(body) = &mut body {
        let times = [("from", &wished.from), ("until", &wished.until), ("lasts", &wished.lasts)];
        body.extend(times.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?)))));
    }
    body
}

/// Asks the daemon, and prints its answer as JSON or as `text` has it, in lines that fit.
fn tell(place: &Place, method: Method, path: &str, body: Option<&Value>, text: impl Fn(&Value) -> String) -> ExitCode {
    let Some(folder) = daemon_folder(&place.config, &mut Out::stderr()) else { return ExitCode::from(WRONG) };
    tell_at(&folder, place.json, method, path, body, text)
}

/// The same of the daemon whose ledger is in `folder`.
fn tell_at(folder: &Path, json: bool, method: Method, path: &str, body: Option<&Value>, text: impl Fn(&Value) -> String) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    match ask(folder, method, path, body) {
        Ok(answer) if json => out.line(&answer),
        Ok(answer) => out.line(text(&answer)),
        Err(why) => {
            err.line(format_args!("error: {why}"));
            return ExitCode::from(FAILED);
        }
    }
    out.finish(0)
}
