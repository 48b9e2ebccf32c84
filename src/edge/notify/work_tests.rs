//! A sink's worker: how many notices it tells at the same time, and in which order.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use futures::future::BoxFuture;

use super::super::{Rate, nasty};
use super::*;
use crate::model::{Change, Span};

/// What has been told.
#[derive(Debug, Default)]
struct Told {
    flying: usize,
    most: usize,
    /// By incident: when each began, and when it ended.
    steps: BTreeMap<IncidentId, Vec<(NoticeId, bool)>>,
}

/// A receiver that takes a while.
#[derive(Debug)]
struct Slow {
    rate: Rate,
    told: Arc<Mutex<Told>>,
}

impl Slow {
    fn note(&self, out: &Outgoing, ended: bool) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.flying = if ended { told.flying - 1 } else { told.flying + 1 };
        told.most = told.most.max(told.flying);
        told.steps.entry(out.notice.incident).or_default().push((out.notice.notice, ended));
    }
}

impl Channel for Slow {
    fn tell<'a>(&'a self, out: &'a Outgoing, _now: At) -> BoxFuture<'a, Attempt> {
        Box::pin(async move {
            self.note(out, false);
            sleep_until(Instant::now() + Duration::from_millis(100)).await;
            self.note(out, true);
            Attempt::Delivered
        })
    }

    fn rate(&self) -> Rate {
        self.rate
    }
}

/// Tells two notices of each of so many incidents.
#[expect(clippy::disallowed_methods, reason = "this test owns the worker")]
async fn tell_all(rate: Rate, incidents: u64) -> Told {
    let told = Arc::new(Mutex::new(Told::default()));
    let channel = Slow { rate, told: told.clone() };
    let sink = Sink { name: Name::new("slow").unwrap(), way: Way::Notices(Box::new(channel)), folder: None };
    let began = Instant::now();
    let now: Now = Arc::new(move || nasty::opened().at.plus(Span::from_ms(began.elapsed().as_millis().try_into().unwrap())));
    let (notices, taken) = mpsc::channel(4096);
    let (done, mut ended) = mpsc::channel(16);
    let working = tokio::spawn(work(sink, taken, done, (now(), now), Vec::new(), Pace::default()));
    for (call, change) in [(0, Change::Opened), (1, Change::Updated)] {
        for incident in 1..=incidents {
            let mut out = nasty::out(change, "slow");
            let notice = Arc::make_mut(&mut out.notice);
            (notice.notice, notice.incident) = (NoticeId(call * incidents + incident), IncidentId(incident));
            notices.send(Handed::Notice(Box::new(out))).await.unwrap();
        }
    }
    for _ in 0..2 * incidents {
        let one = ended.recv().await.unwrap();
        assert_eq!(one.outcome, Delivery::Delivered);
        notices.send(Handed::Written(one.notice)).await.unwrap();
    }
    drop(notices);
    working.await.unwrap();
    Arc::into_inner(told).unwrap().into_inner().unwrap()
}

#[tokio::test]
async fn a_sink_without_a_rate_is_told_many_at_a_time_and_each_incident_in_order() {
    for (rate, incidents, lanes) in [(Rate::NONE, 160, 64), (Rate { burst: 100, every: Span::from_ms(1) }, 6, 4)] {
        let told = tell_all(rate, incidents).await;
        assert_eq!(told.most, lanes, "{rate:?}");
        for (incident, steps) in told.steps {
            let [first, second] = [incident.0, incidents + incident.0].map(NoticeId);
            assert_eq!(steps, [(first, false), (first, true), (second, false), (second, true)], "{incident}");
        }
    }
}
