//! Sinks at work, and notices for them.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use mailcanary::config::{self, Secret, SecretRef, SinkKind, Wire, Wording};
use mailcanary::edge::notify::{Ended, Handed, Origin, Outgoing, Pace, Sink, work};
use mailcanary::model::{At, Change, Culprit, IncidentId, Kind, Name, Notice, NoticeId, Now, Severity, Span};
use mailcanary::watchdog::{Delivery, IncidentView};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::alertmanager::PATIENCE;

/// The present: real servers keep real time.
pub fn present() -> At {
    At::from_ms(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap())
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

/// A sink of the name `sink`.
pub fn sink(kind: SinkKind, wording: Wording, secrets: &dyn Fn(&SecretRef) -> Option<Secret>, folder: Option<&Path>) -> Sink {
    let settings = config::Sink { takes: config::Takes::default(), try_at: None, kind, wire: Wire::default(), wording };
    let origin = Origin {
        instance: "test.example".to_owned(),
        installation: "1".to_owned(),
        public_url: Some("http://canary.example".to_owned()),
        own_url: None,
        runbooks: None,
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    Sink::new(&name("sink"), &settings, secrets, &origin, folder).unwrap()
}

/// A notice.
pub fn out(id: u64, incident: u64, change: Change) -> Outgoing {
    let notice = Notice {
        notice: NoticeId(id),
        incident: IncidentId(incident),
        change,
        kind: Kind::Stopped,
        severity: Severity::Page,
        culprit: Culprit::Provider(name("mailchimp")),
        summary: "mailchimp: none of 9 canaries arrived <in any inbox>".to_owned(),
        evidence: json!({"sent": 9, "arrived": 0, "reply": "250 queued \u{1b}[31m \"as\" ä"}),
    };
    Outgoing { notice: notice.into(), opened_at: present().minus(Span::from_secs(60)), at: present(), perhaps_told: false }
}

/// Quick, for tests: the rules are the same.
pub fn pace() -> Pace {
    Pace { first: Span::from_ms(200), cap: Span::from_ms(400), doubt: Span::from_ms(10), resend: Span::from_secs(1), ..Pace::default() }
}

/// A sink's worker, as the loop has it.
pub struct Worker {
    notices: mpsc::Sender<Handed>,
    done: mpsc::Receiver<Ended>,
    task: tokio::task::JoinHandle<()>,
}

impl Worker {
    pub fn start(sink: Sink, seen: Vec<IncidentView>) -> Self {
        let (notices, inbound) = mpsc::channel(8);
        let (outbound, done) = mpsc::channel(1);
        let now: Now = Arc::new(present);
        Self { notices, done, task: tokio::spawn(work(sink, inbound, outbound, (now(), now), seen, pace())) }
    }

    pub async fn send(&self, out: Outgoing) {
        self.notices.send(Handed::Notice(Box::new(out))).await.unwrap();
    }

    /// The next that ended; it is written down at once.
    pub async fn ended(&mut self) -> (u64, Delivery) {
        let Ended { notice, sink, outcome, why } = timeout(PATIENCE, self.done.recv()).await.expect("nothing ended").unwrap();
        assert_eq!(sink, name("sink"));
        assert!(outcome != Delivery::Refused || why.is_some(), "a refusal has its reason");
        // A worker that has ended wants to know nothing.
        let _ = self.notices.send(Handed::Written(notice)).await;
        (notice.0, outcome)
    }

    pub async fn close(self) {
        drop(self.notices);
        timeout(PATIENCE, self.task).await.expect("the worker does not end").unwrap();
    }
}
