//! `drill`: one provider fails as seen by the watchdog, and how long it takes until a sink has the page is measured.

use std::process::ExitCode;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::super::out::Out;
use super::super::{FAILED, WRONG, daemon_folder};
use super::args::{Drill, Drilled};
use super::daemon;
use crate::model::Span;

/// Between two looks at a drill that goes on.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) fn execute(command: &Drill) -> ExitCode {
    match command {
        Drill::Provider(drilled) => begin(drilled),
        Drill::Stop(place) => {
            let body = json!({ "by": place.who.by });
            super::tell(&place.place, Method::DELETE, "/api/v1/drill", Some(&body), |_| "the drill has ended".to_owned())
        }
    }
}

fn begin(drilled: &Drilled) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    let Some(folder) = daemon_folder(&drilled.place.config, &mut err) else { return ExitCode::from(WRONG) };
    let body = json!({ "provider": drilled.provider, "lasts": drilled.lasts, "by": drilled.who.by });
    if let Err(why) = daemon::ask(&folder, Method::POST, "/api/v1/drill", Some(&body)) {
        err.line(format_args!("error: {why}"));
        return ExitCode::from(FAILED);
    }
    err.line(format_args!("the canaries of provider {} are withheld; the page will say that it is a drill", drilled.provider));
    let (mut written, mut paged) = (false, false);
    loop {
        match daemon::ask(&folder, Method::GET, "/api/v1/drill", None) {
            Ok(answer) => {
                let goes_on = answer.get("drill").filter(|drill| drill.is_object());
                let Some(drill) = goes_on else { return over(&answer, drilled.place.json, out) };
                if let Some(incident) = drill.get("incident").filter(|id| id.is_number() && !written) {
                    written = true;
                    err.line(format_args!("the page is written: incident {incident}; waiting until the sinks have taken it"));
                }
                if let Some(after) = span(drill, "paged_after_seconds").filter(|_| !paged) {
                    paged = true;
                    err.line(format_args!(
                        "paged: a sink took it {after} after the drill began; it is taken back half a minute after the last"
                    ));
                }
            }
            Err(why) => {
                err.line(format_args!("error: {why}\n  hint: the drill ends by itself"));
                return ExitCode::from(FAILED);
            }
        }
        if out.is_closed() {
            return out.finish(FAILED);
        }
        daemon::rest(LOOK_EVERY);
        out.text("");
    }
}

fn over(answer: &Value, json: bool, mut out: Out) -> ExitCode {
    let last = answer.get("last").cloned().unwrap_or_default();
    let (after, written) = (span(&last, "paged_after_seconds"), span(&last, "written_after_seconds"));
    match (after, written) {
        _ if json => out.line(&last),
        (Some(after), _) => out.line(format_args!("the drill is over: paged {after} after it began")),
        (None, Some(written)) => {
            out.line(format_args!("the drill has failed: the page was written {written} after it began, and no sink took it"));
        }
        (None, None) => out.line(
            "the drill has failed: no page was written, or for no sink: see `mailcanary incident list`, silences, and the cadence of the provider",
        ),
    }
    for sink in last.get("sinks").and_then(Value::as_array).into_iter().flatten().filter(|_| !json) {
        let text = |name: &str| sink.get(name).and_then(Value::as_str).unwrap_or_default();
        let outcome = match (text("outcome"), span(sink, "after_seconds")) {
            (_, Some(after)) => format!("took it after {after}"),
            ("refused", None) => "refused it".to_owned(),
            _ => "had not taken it when the drill was over".to_owned(),
        };
        out.line(format_args!("  {}: {outcome}", text("sink")));
    }
    out.finish(if after.is_some() { 0 } else { FAILED })
}

/// A duration in seconds, if there is one.
fn span(of: &Value, name: &str) -> Option<Span> {
    of.get(name).and_then(Value::as_f64).map(|secs| Span::from(Duration::from_secs_f64(secs)))
}
