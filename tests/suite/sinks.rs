//! Each kind of sink, against what takes its notices: services as documented, real programs, a real mail server, a real desktop.

mod chats;
mod command;
mod desktop;
mod email;
mod everywhere;
mod pagers;
mod replies;

use std::path::Path;
use std::sync::Arc;

use mailcanary::config::{Secret, SecretRef, SinkKind, Wording};
use mailcanary::edge::notify::{Attempt, Outgoing, Sink};
use mailcanary::model::{Change, Severity};
use mailcanary::watchdog::Delivery;

use crate::support::notices::{self, Worker, out, present};

/// Where a secret is said to be, in tests: the secret itself is the name.
fn at(secret: &str) -> SecretRef {
    SecretRef::Env(secret.to_owned())
}

fn sink_in(kind: SinkKind, folder: Option<&Path>) -> Sink {
    let secrets = |at: &SecretRef| if let SecretRef::Env(text) = at { Some(Secret::new(text.clone())) } else { None };
    notices::sink(kind, Wording::default(), &secrets, folder)
}

fn sink(kind: SinkKind) -> Sink {
    sink_in(kind, None)
}

async fn deliver(sink: &Sink, out: &Outgoing) -> Attempt {
    sink.deliver(out, present()).await
}

/// One incident from its beginning to its end, each notice delivered.
async fn live(worker: &mut Worker) {
    for (id, change) in [(1, Change::Opened), (2, Change::Updated), (3, Change::Reminder), (4, Change::Resolved)] {
        worker.send(out(id, 3, change)).await;
        assert_eq!(worker.ended().await, (id, Delivery::Delivered));
    }
}

/// A notice whose texts an attacker wrote.
fn nasty(change: Change) -> Outgoing {
    let mut out = out(9, 3, change);
    let text =
        "@everyone <!channel> <@U1> *b* [x](https://evil.example) <b>x</b> \u{1b}[31m\u{202e} -rf; $(reboot) \u{0}\r\nBcc: x@evil.example";
    Arc::make_mut(&mut out.notice).summary = text.to_owned();
    Arc::make_mut(&mut out.notice).evidence =
        serde_json::json!({ "reply": format!("a {text}"), "others": format!("b {text}"), "missing": 3, "of": 4 });
    out
}

/// A notice of an incident that has called again so often.
fn calling(id: u64, incident: u64, change: Change, calls: u64) -> Outgoing {
    let mut out = out(id, incident, change);
    Arc::make_mut(&mut out.notice).evidence["calls"] = calls.into();
    out
}

fn quiet(mut out: Outgoing, severity: Severity) -> Outgoing {
    Arc::make_mut(&mut out.notice).severity = severity;
    out
}
