//! The legs of the way: which one grew when mail is slow, whatever clocks say.

use mailcanary::model::way::Stretch;
use mailcanary::model::{At, CanaryId, Change, Examination, Hop, Kind, Notice, Placement, Route, Side, Span};
use mailcanary::watchdog::{Event, Fact};

use super::replay;
use super::world::{Fate, START, World, name, settings};

const SECOND: Span = Span::from_secs(1);
const USUAL: Span = Span::from_secs(4);
const SLOW: Span = Span::from_secs(80);

fn hop(by: &str, at: At, side: Side) -> Hop {
    let at = At::from_ms(at.as_ms() / 1000 * 1000);
    Hop { by: by.to_owned(), from: String::new(), address: None, at: Some(at), took: None, behind: None, side: Some(side) }
}

/// A world whose canaries are looked at when they have arrived; where slow ones wait, and by how much hosts of the receiver are ahead.
struct Ways {
    w: World,
    looked_at: usize,
    wait: Side,
    ahead: Span,
    waiting: Vec<(At, CanaryId, Route)>,
}

impl Ways {
    fn new(wait: Side, ahead: Span) -> Self {
        let mut w = World::new(settings(2, 1, 2, Span::from_secs(60)));
        let varies = |n: u64| Span::from_ms(n * 2_654_435_761 % 2000);
        w.rules.push(Box::new(move |_, _, n| Some(Fate::Arrives(Span::from_ms(USUAL.as_ms() - varies(n).as_ms()), Placement::Inbox))));
        Self { w, looked_at: 0, wait, ahead, waiting: Vec::new() }
    }

    fn run(&mut self, span: Span) {
        let end = self.w.now.plus(span);
        while self.w.now < end {
            self.w.run(SECOND.scaled(20, 1));
            let new = self.w.sent.get(self.looked_at..).unwrap_or_default().to_vec();
            self.looked_at = self.w.sent.len();
            self.waiting.extend(new);
            let view = self.w.dog.view(self.w.now);
            for (sent, canary, route) in std::mem::take(&mut self.waiting) {
                let shown = view.routes.iter().find(|r| r.route == route).and_then(|r| r.recent.iter().find(|c| c.canary == canary));
                match shown.and_then(|c| c.latency) {
                    None => self.waiting.push((sent, canary, route)),
                    Some(took) => {
                        let mail = Examination { hops: self.hops(sent, took, &route), ..Examination::default() };
                        self.w.feed(Event::Examined { inbox: route.inbox, canary, mail });
                    }
                }
            }
        }
    }

    /// Each of four hosts has it half a second after the one before; but for what waits.
    fn hops(&self, sent: At, took: Span, route: &Route) -> Vec<Hop> {
        let more = |side| if self.wait == side { Span::from_ms(took.as_ms().saturating_sub(USUAL.as_ms())) } else { Span::ZERO };
        let first = sent.plus(SECOND.scaled(1, 2));
        let last = first.plus(SECOND.scaled(1, 2)).plus(more(Side::Provider));
        let taken = last.plus(SECOND.scaled(1, 2)).plus(more(Side::Between));
        let ahead = |at: At| at.plus(self.ahead);
        let (provider, inbox) = (&route.provider, &route.inbox);
        let mut hops = vec![
            hop(&format!("in.{provider}.example"), first, Side::Provider),
            hop(&format!("out.{provider}.example"), last, Side::Provider),
            hop(&format!("mx.{inbox}.example"), ahead(taken), Side::Receiver),
            hop(&format!("store.{inbox}.example"), ahead(taken.plus(more(Side::Receiver))), Side::Receiver),
        ];
        Hop::time(&mut hops, Some(sent));
        hops
    }

    /// The mail of the first provider is slow, and what is told of it.
    fn slows(&mut self) -> Notice {
        self.run(SECOND.scaled(2400, 1));
        assert!(self.w.notices.is_empty(), "{:#?}", self.w.notices);
        self.w.from(self.w.now, |r, _| r.provider.as_str() == "p0", Fate::Arrives(SLOW, Placement::Inbox));
        self.run(SECOND.scaled(2400, 1));
        let mut slow = self.w.notices.iter().map(|(_, n)| n).filter(|n| n.kind == Kind::Slow && n.change != Change::Resolved);
        let slow = slow.rfind(|n| n.evidence.get("slow_leg").is_some()).cloned();
        slow.unwrap_or_else(|| panic!("{:#?}", self.w.notices.iter().map(|(_, n)| &n.summary).collect::<Vec<_>>()))
    }
}

#[test]
fn the_leg_and_the_host_where_slow_mail_waits_are_named() {
    for (wait, ahead, leg, words) in [
        (Side::Provider, Span::ZERO, "provider", "the mail waits at the provider (at `in.p0.example`, before `out.p0.example` had it)"),
        (
            Side::Between,
            Span::ZERO,
            "transit",
            "the mail waits between the provider's last host and the receiver's first (at `out.p0.example`, before `mx.i0.example` had it)",
        ),
        // The receiver's hosts are ten minutes ahead, always: that is no delay.
        (Side::Receiver, Span::from_secs(600), "receiver", "the mail waits at the receiver (at `mx."),
    ] {
        let mut ways = Ways::new(wait, ahead);
        let told = ways.slows();
        assert_eq!(told.evidence["slow_leg"]["leg"], leg, "{wait:?} {ahead}: {}", told.summary);
        let says = told.summary.replace("`mx.i1.example`", "`mx.i0.example`");
        assert!(says.contains(words) && says.contains("the other legs are as they were"), "{wait:?} {ahead}: {says}");
        let seconds = told.evidence["slow_leg"]["seconds"].as_f64().unwrap();
        let usual = told.evidence["slow_leg"]["usual_seconds"].as_f64().unwrap();
        assert!((70.0..82.0).contains(&seconds) && usual <= 3.0, "{wait:?} {ahead}: {seconds} {usual}");
        // Told as soon as it is known, and not again and again.
        let told = ways.w.notices.iter().filter(|(_, n)| n.kind == Kind::Slow && n.change == Change::Updated).count();
        assert!(told <= 2, "{told}");
        replay::holds(&ways.w);
    }
}

#[test]
fn legs_are_counted_by_provider_and_inbox_without_what_clocks_are_off_by() {
    let mut ways = Ways::new(Side::Between, Span::from_secs(90));
    ways.run(SECOND.scaled(3000, 1));
    let view = ways.w.dog.view(ways.w.now);
    assert_eq!(view.travels.len(), 4);
    let legs = &view.travels[&(name("p0"), name("i1"))];
    for (leg, counted) in Stretch::ALL.iter().zip(legs) {
        assert!((45..=51).contains(&counted.count()), "{leg:?}: {}", counted.count());
    }
    // Until it was known that those clocks are off, the first few seemed to have waited.
    let later: Vec<u64> = legs.iter().map(|l| l.buckets.iter().skip(9).sum()).collect();
    assert!(later.iter().all(|slow| *slow <= 10), "{later:?}");
}

#[test]
fn what_says_nothing_new_leaves_a_short_record_and_is_lived_again() {
    let mut w = World::new(settings(1, 1, 1, Span::from_secs(60)));
    w.run(SECOND.scaled(600, 1));
    let (sent, canary, route) = w.sent[3].clone();
    let before = w.dog.view(w.now).travels[&(name("p0"), name("i0"))].clone();
    let trail =
        mailcanary::model::way::Trail { left: Some(sent.plus(SECOND)), taken: Some(sent.plus(SECOND.scaled(2, 1))), stays: Vec::new() };
    for inbox in [route.inbox.clone(), route.inbox.clone()] {
        w.feed(Event::Travelled { inbox, canary, trail: trail.clone() });
    }
    let after = w.dog.view(w.now).travels[&(name("p0"), name("i0"))].clone();
    let more: Vec<u64> = before.iter().zip(&after).map(|(b, a)| a.count() - b.count()).collect();
    assert_eq!(more, [0, 1, 1, 1, 0], "once, and not what was known before");
    assert!(w.records.iter().any(|r| matches!(r.fact, Fact::Happened(Event::Travelled { .. }))));
    assert!(START < w.now);
    replay::holds(&w);
}
