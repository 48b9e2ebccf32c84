//! Worlds to look at: made, and the same at every run.

use mailcanary::edge::show::{Archive, Question};
use mailcanary::model::dossier::{Dossier, Failed, Said, Sight, Tally, Told, Trace};
use mailcanary::model::past::{Became, Failure, Point, Sighting, Wanted, Way};
use mailcanary::model::{Answer, Grade, Hop, Outcome, Reason, Side, Silence, Subject, Topic, Which};
use mailcanary::watchdog::{SubjectView, Word};

use super::*;

/// The outage begins so long before the view.
const OUTAGE: u64 = 22 * 60;
const DAY: u64 = 24 * 3600;
pub const PROVIDERS: [&str; 3] = ["mailchimp", "postmark", "relay"];
pub const STREAMS: [&str; 2] = ["password-reset", "sign-up"];
pub const INBOXES: [&str; 4] = ["gmail-1", "outlook-1", "fastmail-1", "own-1"];

/// The present of these worlds: so long after they began.
pub fn now() -> At {
    at(26 * 3600)
}

/// What the DNS says: a key that is gone, a listing, and what is in order.
pub fn subjects() -> Vec<SubjectView> {
    let one = |topic, of: &str, answer: Option<Answer>| SubjectView {
        subject: Subject::new(topic, of).unwrap(),
        answer,
        before: None,
        since: None,
        severity: None,
        at: Some(now()),
        unanswered: None,
        refused: false,
        changes: Vec::new(),
        providers: vec![name("mailchimp")],
        inboxes: Vec::new(),
        ours: true,
    };
    let key = Answer::new(Grade::Sound, &format!("v=DKIM1; k=rsa; p={}", "MIIBIjANBgkq".repeat(30)));
    let spf = Answer { lookups: Some(5), ..Answer::new(Grade::Sound, "v=spf1 include:_spf.example.net ip4:192.0.2.0/24 -all") };
    let gone = SubjectView {
        before: Some(key),
        since: Some(now().minus(Span::from_secs(400))),
        severity: Some(Severity::Page),
        ..one(Topic::Dkim, "k1._domainkey.example.com", Some(Answer::absent()))
    };
    let listed = SubjectView {
        subject: Subject::listed("192.0.2.7", &name("spamhaus")).unwrap(),
        before: Some(Answer::new(Grade::Sound, "")),
        since: Some(now().minus(Span::from_secs(900))),
        severity: Some(Severity::Warn),
        ..one(Topic::Listed, "x", Some(Answer::new(Grade::Broken, "127.0.0.2 SBL (spam source)").note("https://list.example/192.0.2.7")))
    };
    let silent = SubjectView {
        unanswered: Some((now(), "the name server did not answer in 8 s".to_owned())),
        ..one(Topic::Mx, "example.net", None)
    };
    vec![gone, listed, silent, one(Topic::Spf, "example.com", Some(spf))]
}

/// Something between 0 and 1 that looks like chance.
fn chance(seed: u64) -> f64 {
    let mixed = (seed ^ (seed >> 31)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    ((mixed ^ (mixed >> 32)) >> 11) as f64 / (1_u64 << 53) as f64
}

/// The canary of a route that was sent so many minutes ago.
fn point(number: u64, minutes: u64, ill: bool) -> Point {
    let sent_at = now().minus(Span::from_secs(minutes * 60 + number * 7 % 60));
    let draw = chance(number * 100_000 + minutes);
    let base = 1.2 + (number % 5) as f64;
    let slow = if (200..260).contains(&minutes) { 6.0 } else { 1.0 };
    let latency = Span::from_ms((base * slow * (0.6 + 3.0 * draw * draw * draw / (1.02 - draw)) * 1000.0) as u64);
    let came = |became, placement| Point {
        canary: CanaryId::from_bits(number << 32 | (now().as_ms() as u64 / 60_000 - minutes)),
        sent_at,
        became,
        latency: Some(latency),
        placement: Some(placement),
    };
    let gone = |became| Point { latency: None, placement: None, ..came(became, Placement::Inbox) };
    match (ill && minutes < OUTAGE / 60, minutes, draw) {
        (_, 0, _) => gone(Became::InFlight),
        (true, 15.., _) => gone(Became::Lost),
        (true, ..) => gone(Became::InFlight),
        (_, _, draw) if draw > 0.996 => gone(Became::Lost),
        (_, _, draw) if draw > 0.992 => Point { latency: Some(Span::from_secs(1300)), ..came(Became::Late, Placement::Inbox) },
        (_, _, draw) if draw > 0.986 => came(Became::Arrived, Placement::Junk),
        (_, 500..530, _) if number.is_multiple_of(3) => gone(Became::Refused),
        _ => came(Became::Arrived, Placement::Inbox),
    }
}

fn state(point: &Point) -> String {
    match (point.became, point.latency) {
        (Became::InFlight, _) => "accepted, in flight".to_owned(),
        (_, Some(latency)) => format!("arrived in {latency} ({})", point.placement.unwrap().as_str()),
        (became, None) => became.as_str().to_owned(),
    }
}

/// A world in which all is well, or a provider has stopped.
pub fn world(outage: bool) -> View {
    let mut view = fixture(0, 0, 0);
    view.began = now().minus(Span::from_secs(70 * DAY));
    (view.at, view.next) = (now(), Some((now().plus(Span::from_secs(4)), "canary down relay/sign-up/own-1".to_owned())));
    let mut number = 0;
    for provider in PROVIDERS {
        for stream in STREAMS {
            for inbox in INBOXES {
                number += 1;
                let ill = outage && provider == "mailchimp";
                let mut route = route_view(Route { provider: name(provider), stream: name(stream), inbox: name(inbox) }, number);
                let points: Vec<Point> = (0..50).map(|minutes| point(number, minutes, ill)).collect();
                route.recent = points
                    .iter()
                    .map(|p| CanaryView {
                        canary: p.canary,
                        sent_at: p.sent_at,
                        became: p.became,
                        latency: p.latency,
                        placement: p.placement,
                        state: state(p),
                    })
                    .collect();
                route.last_arrival =
                    points.iter().find_map(|p| Some(p.sent_at.plus(p.latency?))).map(|at| at.min(now().minus(Span::from_secs(2))));
                route.reason = "the newest canaries arrived; nearly all take no longer than 15s".to_owned();
                if ill {
                    (route.verdict, route.reason) = (Verdict::Stopped, format!("incident 7: {SUMMARY}"));
                    (route.own, route.incident) = (Own::Nothing, Some(IncidentId(7)));
                    route.own_reason = "nothing arrives since 2022-08-09T21:08:00Z: 22 canaries in a row are missing".to_owned();
                }
                view.routes.push(route);
            }
        }
    }
    view.routes.sort_by(|a, b| a.route.cmp(&b.route));
    let known = fixture(3, 2, 4);
    for (n, (provider, mut party)) in PROVIDERS.iter().zip(known.providers).enumerate() {
        party.name = name(provider);
        party.reason = "8 of 8 routes deliver".to_owned();
        party.traffic.last_arrival = Some(now().minus(Span::from_secs(7)));
        party.traffic.budget = (n == 2).then_some((3500, 1212));
        if outage && n == 0 {
            (party.verdict, party.reason) = (Verdict::Stopped, format!("incident 7: {SUMMARY}"));
            party.traffic.last_arrival = Some(now().minus(Span::from_secs(OUTAGE)));
        }
        for stream in STREAMS {
            view.streams.push((name(provider), PartyView { name: name(stream), ..party.clone() }));
        }
        view.providers.push(party);
    }
    for (text, inbox) in INBOXES.iter().zip(known.inboxes) {
        view.inboxes.push(InboxView { name: name(text), horizon: Some(now().minus(Span::from_secs(3))), ..inbox });
    }
    view.accounts = [(name("mailchimp"), AccountView { read_at: Some(now().minus(Span::from_secs(400))), ..account() })].into();
    view.dns.subjects = subjects();
    view.identities = mail::identities(outage);
    if outage {
        ail(&mut view);
    }
    view
}

const SUMMARY: &str = "provider `mailchimp` stopped: 176 canaries have not arrived in 4 inboxes, the oldest after 22m; 9 in 10 before took 9s; postmark, relay deliver to the same inboxes; a stop of provider `mailchimp` is more than a million times likelier than health";

fn proof() -> Value {
    json!({
        "at": now().rfc3339(), "since": now().minus(Span::from_secs(OUTAGE)).rfc3339(), "not_arrived": 176, "missing": 160, "of": 160, "usual": "9s",
        "first_bad": { "canary": "0000000100000010", "sent_at": now().minus(Span::from_secs(OUTAGE)).rfc3339(), "age": "22m" },
        "last_good": { "canary": "0000000100000011", "sent_at": now().minus(Span::from_secs(OUTAGE + 20)).rfc3339(), "age": "22m20s" },
        "certainty": 0.998, "nats": 41.2, "routes_count": 8, "inboxes": INBOXES, "held_for": "1m10s",
        "reply": "200 [{\"email\":\"seed@example.org\",\"status\":\"queued\",\"queued_reason\":\"other\",\"_id\":\"5b1a2c\"}]",
        "provider_says": [{ "canary": "0000000100000010", "sent_at": now().minus(Span::from_secs(OUTAGE)).rfc3339(), "fate": "stuck",
            "said_at": now().minus(Span::from_secs(900)).rfc3339(), "words": "state: queued; queued_reason: account suspended" }],
        "others": "postmark, relay deliver to the same inboxes", "routes": ["mailchimp/password-reset/gmail-1", "mailchimp/sign-up/gmail-1"],
        "next_step": "log in to mailchimp and look for a suspension notice; send transactional mail through postmark until it is lifted",
    })
}

fn ail(view: &mut View) {
    let mut stopped = incident(7, Kind::Stopped, Culprit::Provider(name("mailchimp")), SUMMARY, proof());
    stopped.opened_at = now().minus(Span::from_secs(20 * 60));
    stopped.acknowledged =
        Some(Word { at: now().minus(Span::from_secs(16 * 60)), by: "ada".to_owned(), note: Some("calling their support".to_owned()) });
    let blind = "inbox `fastmail-1` could not be read for 12m: \"connection refused\". Nothing is known of mail to it";
    let mut unread = incident(8, Kind::Blind, Culprit::Inbox(name("fastmail-1")), blind, json!({"why": "connection refused"}));
    (unread.severity, unread.opened_at) = (Severity::Warn, now().minus(Span::from_secs(7 * 60)));
    let mut over = incident(
        5,
        Kind::Loss,
        Culprit::Stream(name("relay"), name("sign-up")),
        "stream `sign-up` of provider `relay` delivers again",
        json!({}),
    );
    (over.opened_at, over.resolved_at, over.last.change) =
        (now().minus(Span::from_secs(9 * 3600)), Some(now().minus(Span::from_secs(8 * 3600))), Change::Resolved);
    view.incidents = vec![unread, stopped, over];
    for route in view.routes.iter_mut().filter(|route| route.route.inbox.as_str() == "fastmail-1") {
        (route.own, route.incident) = (Own::Unknown, None);
        (route.verdict, route.reason) =
            (Verdict::Unknown, "inbox `fastmail-1` cannot be read since 2022-08-09T21:12:00Z: connection refused".to_owned());
    }
    let inbox = view.inboxes.iter_mut().find(|inbox| inbox.name.as_str() == "fastmail-1").unwrap();
    (inbox.sight, inbox.verdict, inbox.reason) = (Some(false), Verdict::Unknown, "cannot be read since 12m: connection refused".to_owned());
    inbox.horizon = Some(now().minus(Span::from_secs(12 * 60)));
    view.silences = vec![Silence {
        silence: 3,
        which: Which { inbox: Some(name("fastmail-1")), ..Which::default() },
        from: now().minus(Span::from_secs(300)),
        until: now().plus(Span::from_secs(3600)),
        by: "grace".to_owned(),
        reason: "the host moves".to_owned(),
    }];
    view.notices_pending.insert(name("pager"), 2);
}

/// By which hosts a mail came: one of them says nothing, one has a clock that is behind, one a name that nobody should have.
fn hops(sent_at: At) -> Vec<Hop> {
    let hop = |by: &str, from: &str, address: Option<&str>, after: Option<u64>, side| Hop {
        by: by.to_owned(),
        from: from.to_owned(),
        address: address.map(|a| a.parse().unwrap()),
        at: after.map(|ms| sent_at.plus(Span::from_ms(ms))),
        took: None,
        behind: None,
        side: Some(side),
    };
    let mut hops = vec![
        hop("api.mailchimp.example", "192.0.2.9", Some("192.0.2.9"), Some(700), Side::Provider),
        hop("", "10.0.0.3", None, None, Side::Provider),
        hop(
            &format!("mail137-{}.mandrillapp.com", "long".repeat(40)),
            "pmta.mandrillapp.com",
            Some("10.0.0.4"),
            Some(1200),
            Side::Provider,
        ),
        hop("mx.google.com", "mail137-20.atl71.mandrillapp.com", Some("198.2.137.20"), Some(3400), Side::Receiver),
        hop("<script>alert(1)</script>\u{202e}", "2002:a05:6214:b", Some("2001:db8::7"), Some(300), Side::Receiver),
    ];
    Hop::time(&mut hops, Some(sent_at));
    hops
}

/// The same world's past.
pub struct Past {
    pub outage: bool,
}

impl Past {
    /// Answers what pages ask.
    pub fn archive(self) -> Archive {
        let (archive, mut asked) = Archive::new();
        tokio::spawn(async move {
            while let Some(question) = asked.recv().await {
                match question {
                    Question::Points(route, ends, end) => _ = end.send(Ok(self.points(&route, ends))),
                    Question::Canaries(Wanted { .. }, end) => _ = end.send(Ok(Vec::new())),
                    Question::Canary(canary, end) => _ = end.send(Ok(Some(self.way(canary)))),
                    Question::Incidents(sought, end) => {
                        _ = end.send(Ok(self.failures().into_iter().filter(|one| sought.fits(one)).collect()))
                    }
                    // A night in which the host was off.
                    Question::Pauses(_, end) => {
                        _ = end.send(Ok(vec![
                            [at(3600), at(3600 * 4 + 60)],
                            [now().minus(Span::from_secs(52 * DAY)), now().minus(Span::from_secs(49 * DAY))],
                        ]))
                    }
                    Question::Incident(id, end) => _ = end.send(Ok((id.0 == 7 && self.outage).then(|| self.dossier()))),
                }
            }
        });
        archive
    }

    fn points(&self, route: &Route, [from, to]: [At; 2]) -> Vec<Point> {
        let world = world(false);
        let number = 1 + world.routes.iter().position(|r| r.route == *route).unwrap_or(0) as u64;
        let minutes = to.since(from).as_ms() / 60_000;
        (0..minutes).map(|m| point(number, m, self.outage && route.provider.as_str() == "mailchimp")).collect()
    }

    fn way(&self, canary: CanaryId) -> Way {
        let sent_at = now().minus(Span::from_secs(1300));
        let gone = self.outage && canary.bits() & 0xff == 0x10;
        let after = |ms| sent_at.plus(Span::from_ms(ms));
        Way {
            canary,
            route: Route { provider: name("mailchimp"), stream: name("password-reset"), inbox: name("gmail-1") },
            reason: Reason::Routine,
            sent_at,
            became: if gone { Became::Lost } else { Became::Arrived },
            answered_at: Some(after(640)),
            outcome: Some(Outcome::Accepted),
            reply: Some("200 [{\"status\":\"queued\",\"_id\":\"5b1a2c\"}]".to_owned()),
            message_id: Some("5b1a2c".to_owned()),
            legs: [Some(Span::from_ms(48)), Some(Span::from_ms(96)), None, Some(Span::from_ms(451))],
            arrived_at: (!gone).then(|| after(4100)),
            seen_at: (!gone).then(|| after(4560)),
            placement: (!gone).then_some(Placement::Inbox),
            copy: (!gone).then(|| "INBOX/1659900000/4711".to_owned()),
            lost_at: gone.then(|| after(900_000)),
            forgotten_at: None,
            hops: if gone { Vec::new() } else { hops(sent_at) },
            cut: !gone,
            filter: if gone { Vec::new() } else { vec!["X-Spam-Status: No, score 1.2 of 5.0: <b>HTML</b>\u{202e}".to_owned()] },
            sightings: vec![Sighting {
                what: "duplicate".to_owned(),
                inbox: "gmail-1".to_owned(),
                placement: Some("junk".to_owned()),
                arrived_at: Some(after(9000)),
                seen_at: after(9100),
            }],
            traces: vec![Trace {
                at: after(400_000),
                canary: canary.to_string(),
                fate: "stuck".to_owned(),
                words: Some("state: queued".to_owned()),
            }],
        }
    }

    fn failures(&self) -> Vec<Failure> {
        let mut view = fixture(0, 0, 0);
        ail_incidents(&mut view, self.outage);
        let one = |i: IncidentView| Failure {
            since: i.since(),
            incident: i.incident,
            kind: i.kind,
            severity: i.severity,
            culprit: i.culprit,
            opened_at: i.opened_at,
            updated_at: i.opened_at,
            resolved_at: i.resolved_at,
            summary: i.last.summary,
        };
        view.incidents.into_iter().map(one).chain(old()).collect()
    }

    fn dossier(&self) -> Dossier {
        let told = |minutes: u64, number: u64, change, severity, sinks: &[(&str, &str)]| {
            let when = now().minus(Span::from_secs(minutes * 60));
            let mut notice = incident(7, Kind::Stopped, Culprit::Provider(name("mailchimp")), SUMMARY, proof()).last;
            (notice.notice, notice.change, notice.severity) = (NoticeId(number), change, severity);
            let sinks =
                sinks.iter().map(|(sink, outcome)| ((*sink).to_owned(), (*outcome).to_owned(), when.plus(Span::from_secs(2)))).collect();
            Told { at: when, notice, sinks }
        };
        let tally = |sent, arrived, lost| Tally {
            sent,
            states: [("arrived".to_owned(), arrived), ("lost".to_owned(), lost), ("in flight".to_owned(), sent - arrived - lost)].into(),
            last_good: Some(now().minus(Span::from_secs(OUTAGE + 20))),
            first_bad: (lost > 0).then(|| now().minus(Span::from_secs(OUTAGE))),
        };
        let routes =
            PROVIDERS.iter().flat_map(|p| STREAMS.iter().flat_map(move |s| INBOXES.iter().map(move |i| [*p, *s, *i].map(str::to_owned))));
        Dossier {
            opened_at: now().minus(Span::from_secs(20 * 60)),
            notices: vec![
                told(20, 11, Change::Opened, Severity::Warn, &[("hook", "delivered")]),
                told(19, 12, Change::Updated, Severity::Page, &[("hook", "delivered"), ("pager", "delivered"), ("chat", "refused")]),
                told(4, 13, Change::Reminder, Severity::Page, &[("pager", "pending")]),
            ],
            words: vec![Said {
                at: now().minus(Span::from_secs(16 * 60)),
                who: "ada".to_owned(),
                said: "acknowledged".to_owned(),
                note: Some("calling their support".to_owned()),
            }],
            sight: vec![Sight {
                at: now().minus(Span::from_secs(12 * 60)),
                inbox: Some("fastmail-1".to_owned()),
                what: "blind".to_owned(),
                why: Some("connection refused".to_owned()),
            }],
            routes: routes
                .map(|route| {
                    // What another lost before belongs to another incident.
                    let before = Tally { first_bad: Some(now().minus(Span::from_secs(OUTAGE + 300))), ..tally(22, 20, 1) };
                    let became = match route[0].as_str() {
                        "mailchimp" => tally(22, 0, 7),
                        "postmark" => before,
                        _ => tally(22, 21, 0),
                    };
                    (route, became)
                })
                .collect(),
            canaries: (0..7).map(failed).collect(),
            traces: vec![Trace {
                at: now().minus(Span::from_secs(900)),
                canary: "0000000100000010".to_owned(),
                fate: "stuck".to_owned(),
                words: Some("state: queued; queued_reason: account suspended".to_owned()),
            }],
            ..Dossier::default()
        }
    }
}

/// What went wrong in the months before, the newest first.
fn old() -> Vec<Failure> {
    let all = [
        (4, Kind::Slow, Severity::Warn, Culprit::Provider(name("postmark")), 6 * DAY, 3 * 3600),
        (3, Kind::Stopped, Severity::Page, Culprit::Provider(name("relay")), 19 * DAY, 47 * 60),
        (2, Kind::CutOff, Severity::Page, Culprit::Watcher {}, 33 * DAY, 30 * 3600),
        (1, Kind::Junked, Severity::Warn, Culprit::Inbox(name("outlook-1")), 41 * DAY, 40 * 3600),
    ];
    let one = |(number, kind, severity, culprit, ago, lasted)| {
        let since = now().minus(Span::from_secs(ago));
        let resolved_at = since.plus(Span::from_secs(lasted));
        let (incident, summary) = (IncidentId(number), "as it was told".to_owned());
        Failure {
            incident,
            kind,
            severity,
            culprit,
            since,
            opened_at: since,
            updated_at: resolved_at,
            resolved_at: Some(resolved_at),
            summary,
        }
    };
    all.map(one).into()
}

fn ail_incidents(view: &mut View, outage: bool) {
    if outage {
        let full = world(true);
        view.incidents = full.incidents;
    }
}

/// As many providers and inboxes as a large installation has, some of them in trouble.
pub fn large() -> View {
    let mut view = fixture(12, 2, 20);
    for (n, route) in view.routes.iter_mut().enumerate() {
        (route.verdict, route.reason) = match n % 97 {
            3 => (Verdict::Stopped, "all canaries are overdue".to_owned()),
            7 | 11 => (Verdict::Degraded, "3 canaries in a row are overdue".to_owned()),
            50 => (Verdict::Unknown, "no canary has arrived yet".to_owned()),
            _ => continue,
        };
    }
    view
}

/// More inboxes than a phone has room for, with names as long as people give them.
pub fn wide() -> View {
    let mut view = fixture(3, 2, 8);
    let long = |name: &Name| match name.as_str() {
        "provider-0" => "mailchimp",
        "provider-1" => "sendgrid-transactional",
        "provider-2" => "relay.mail.example.com",
        _ => "seed-of-the-team-at-a-large-host",
    };
    let named = |of: &Name| name(&format!("{}{}", long(of), of.as_str().strip_prefix("inbox").unwrap_or_default()));
    for route in &mut view.routes {
        (route.route.provider, route.route.inbox) = (named(&route.route.provider), named(&route.route.inbox));
    }
    view.inboxes.iter_mut().for_each(|inbox| inbox.name = named(&inbox.name));
    view.providers.iter_mut().for_each(|provider| provider.name = named(&provider.name));
    view.streams.iter_mut().for_each(|(provider, _)| *provider = named(provider));
    view
}

/// A night in which much fails at once: seven incidents, and most routes in trouble by them.
pub fn night() -> View {
    let mut view = fixture(6, 2, 6);
    let provider = |n: usize| Culprit::Provider(name(&format!("provider-{n}")));
    let all = [
        (Kind::Stopped, Severity::Page, provider(0)),
        (Kind::Refused, Severity::Page, provider(1)),
        (Kind::Loss, Severity::Page, provider(2)),
        (Kind::Slow, Severity::Warn, provider(3)),
        (Kind::Junked, Severity::Warn, Culprit::Inbox(name("inbox-1"))),
        (Kind::Blind, Severity::Warn, Culprit::Inbox(name("inbox-2"))),
        (Kind::Authentication, Severity::Warn, Culprit::Stream(name("provider-4"), name("stream-1"))),
    ];
    for (n, (kind, severity, culprit)) in (21..).zip(all) {
        let summary = format!("{culprit}: {}. {SUMMARY}", kind.as_str());
        for route in view.routes.iter_mut().filter(|r| r.verdict == Verdict::Delivering && kind != Kind::Authentication) {
            if culprit.covers(&route.route) {
                route.verdict = if severity == Severity::Page { Verdict::Stopped } else { Verdict::Degraded };
                route.reason = format!("incident {n}: {summary}");
                // Of a loss some routes know nothing.
                let own = if kind == Kind::Loss { Own::Missing } else { Own::Nothing };
                let spared = kind == Kind::Loss && route.route.inbox.as_str() != "inbox-3";
                (route.own, route.incident) = (if spared { Own::Delivering } else { own }, Some(IncidentId(n)));
            }
        }
        let mut one = incident(n, kind, culprit, &summary, proof());
        one.severity = severity;
        view.incidents.insert(0, one);
    }
    view
}

/// A canary that was lost.
fn failed(n: u64) -> Failed {
    Failed {
        hops: Vec::new(),
        cut: false,
        canary: format!("{:016x}", 0x1_0000_0010 + n),
        route: ["mailchimp", "sign-up", "gmail-1"].map(str::to_owned),
        sent_at: now().minus(Span::from_secs(OUTAGE - n * 60)),
        state: "lost".to_owned(),
        outcome: Some("accepted".to_owned()),
        class: None,
        reply: Some("200 queued".to_owned()),
        message_id: Some("5b1a2c".to_owned()),
        answered_at: None,
        arrived_at: None,
        placement: None,
        lost_at: None,
    }
}
