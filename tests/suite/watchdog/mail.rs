//! What mail says: who it is from, whether its checks hold, and what nobody sent.

use mailcanary::canary::{Head, Known, Ours, examine};
use mailcanary::model::{
    Change, Check, Claim, Culprit, Examination, Finding, Kind, Mark, Method, Notice, Part, Placement, Severity, Span, Stranger,
};
use mailcanary::watchdog::{Event, Watchdog};

use serde_json::Value;

use super::world::{Fate, World, name, settings};

const DAY: Span = Span::from_secs(86_400);

fn mark(part: Part, value: &str) -> Mark {
    Mark { part, value: value.to_owned() }
}

/// The mail of a healthy canary.
fn usual() -> Vec<Mark> {
    vec![
        mark(Part::From, "no-reply@example.com"),
        mark(Part::ReturnPath, "bounces.mailchimp.example"),
        mark(Part::DkimDomain, "example.com"),
        mark(Part::DkimSelector, "k1._domainkey.example.com"),
        mark(Part::Network, "mcsv.example"),
        mark(Part::Link, "example.com"),
    ]
}

fn checks(dkim: Finding) -> Vec<Check> {
    let check = |method, finding| Check { method, finding, by_receiver: false, why: "example.com: the key does not fit".to_owned() };
    vec![check(Method::Dkim, dkim), check(Method::Spf, Finding::Pass)]
}

/// A world in which every canary that arrives is looked at.
struct Mail {
    w: World,
    looked_at: usize,
}

impl Mail {
    fn new(providers: usize, inboxes: usize) -> Self {
        Self { w: World::new(settings(providers, 1, inboxes, Span::from_secs(60))), looked_at: 0 }
    }

    /// So many rounds, in which canaries say this.
    fn rounds(&mut self, rounds: u64, says: impl Fn(&str, &str, u64) -> Examination) {
        for _ in 0..rounds {
            self.w.run(Span::from_secs(60));
            let new: Vec<_> = self.w.sent[self.looked_at..].to_vec();
            self.looked_at = self.w.sent.len();
            for (_, canary, route) in new {
                let mail = says(route.provider.as_str(), route.inbox.as_str(), canary.bits());
                self.w.feed(Event::Examined { inbox: route.inbox.clone(), canary, mail });
            }
        }
    }

    fn well(&mut self, rounds: u64) {
        self.rounds(rounds, |_, _, _| Examination { marks: usual(), checks: checks(Finding::Pass), ..Examination::default() });
    }

    fn is_quiet(&self) {
        let told: Vec<&str> = self.w.notices.iter().map(|(_, n)| n.summary.as_str()).take(3).collect();
        assert!(told.is_empty(), "{told:#?}");
    }

    fn of(&self, kind: Kind) -> Vec<&Notice> {
        self.w.notices.iter().map(|(_, n)| n).filter(|n| n.kind == kind).collect()
    }
}

fn with(more: Mark) -> Examination {
    let mut marks = usual();
    marks.push(more);
    Examination { marks, checks: checks(Finding::Pass), ..Examination::default() }
}

#[test]
fn a_foreign_address_is_told_of_at_once_with_old_and_new_and_is_over_when_it_is_gone() {
    let mut mail = Mail::new(2, 2);
    mail.well(12);
    mail.is_quiet();
    let foreign = "support@arxxwalls.example";
    mail.rounds(
        1,
        |provider, _, _| if provider == "p0" { with(mark(Part::ReplyTo, foreign)) } else { with(mark(Part::Link, "example.com")) },
    );
    let told = mail.of(Kind::Identity);
    let [opened] = told[..] else { panic!("{told:?}") };
    assert_eq!((opened.change, opened.severity, &opened.culprit), (Change::Opened, Severity::Warn, &Culprit::Provider(name("p0"))));
    assert!(opened.summary.contains("Reply-To `support@arxxwalls.example` where none stood before"), "{}", opened.summary);
    assert_eq!(opened.evidence["values"][0]["new"], foreign);
    assert_eq!(opened.evidence["values"][0]["part"], "reply_to");
    let next = opened.evidence["next_step"].as_str().unwrap();
    assert!(
        next.contains("identity approve -c FILE p0") && !opened.summary.contains("identity approve"),
        "it has a place of its own: {next}"
    );
    // It goes on, and another value comes: one incident.
    mail.rounds(
        5,
        |provider, _, _| if provider == "p0" { with(mark(Part::ReplyTo, foreign)) } else { with(mark(Part::Link, "example.com")) },
    );
    assert_eq!(mail.of(Kind::Identity).len(), 1);
    mail.rounds(
        3,
        |provider, _, _| if provider == "p0" { with(mark(Part::Link, "evil.example")) } else { with(mark(Part::Link, "example.com")) },
    );
    let told = mail.of(Kind::Identity);
    assert!(
        matches!(told[..], [_, second] if second.change == Change::Updated && second.summary.contains("link `evil.example` where `example.com` stood")),
        "{told:?}"
    );
    mail.well(12);
    assert_eq!(mail.of(Kind::Identity).last().map(|n| n.change), Some(Change::Resolved));
    assert!(mail.w.notices.iter().all(|(_, n)| n.kind == Kind::Identity));
}

/// The report of 8 August does not say in which field it stood.
#[test]
fn a_foreign_address_is_told_of_wherever_in_the_header_it_stands() {
    let seen = |lines: &str| {
        let message = format!(
            "Delivered-To: seed@example.net\r\nReceived: from out.mcsv.example (out.mcsv.example [192.0.2.1]) by mx.example.net; Mon, 8 Aug 2022 19:30:00 +0000\r\n\
             {lines}\r\nList-Help: <https://mailchimp.example/help>\r\nErrors-To: bounces@mailchimp.example\r\n\r\nx"
        );
        let known = Known { sent_at: None, sent: None, inbox_domain: "example.net", own: &["seed@example.net"], cut: false };
        Examination { hops: Vec::new(), ..examine(message.as_bytes(), &Head::read(message.as_bytes()), &known) }
    };
    let (from, to) = ("From: no-reply@example.com", "To: seed@example.net, list@example.com");
    for (lines, words) in [
        (format!("{from}\r\n{to}\r\nCc: x@arxxwalls.com"), "address in the header `x@arxxwalls.com` where"),
        (format!("{from}\r\n{to}, X <x@arxxwalls.com>"), "address in the header `x@arxxwalls.com` where"),
        (format!("From: \"x@arxxwalls.com\" <no-reply@example.com>\r\n{to}"), "address in the header `arxxwalls.com` where"),
        (format!("{from}\r\n{to}\r\nErrors-To: x@arxxwalls.com"), "address in the header `arxxwalls.com` where"),
        (format!("{from}\r\n{to}\r\nResent-From: x@arxxwalls.com"), "address in the header `arxxwalls.com` where"),
        (format!("{from}\r\n{to}\r\nX-Report-Abuse-To: <x@arxxwalls.com>"), "address in the header `arxxwalls.com` where"),
        (
            format!(
                "Received: from a.mcsv.example by out.mcsv.example for <spy@arxxwalls.com>; Mon, 8 Aug 2022 19:29:00 +0000\r\n{from}\r\n{to}"
            ),
            "address in the header `spy@arxxwalls.com` where",
        ),
        (format!("{from}\r\n{to}\r\nList-Post: <mailto:x@arxxwalls.com>"), "List header `arxxwalls.com` where `mailchimp.example` stood"),
    ] {
        let mut mail = Mail::new(1, 1);
        mail.rounds(12, |_, _, _| seen(&format!("{from}\r\n{to}")));
        mail.is_quiet();
        mail.rounds(3, |_, _, _| seen(&lines));
        let told = mail.of(Kind::Identity);
        assert!(matches!(told[..], [n, ..] if n.summary.contains(words)), "{lines}: {told:?}");
    }
}

/// Every text in a value.
fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|one| texts(one, out)),
        Value::Object(all) => all.iter().for_each(|(key, one)| {
            out.push(key.clone());
            texts(one, out);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn what_a_hostile_mail_says_of_itself_is_harmless_by_the_time_that_somebody_is_told() {
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J<script>alert(1)</script>\u{202e}moc.elpmaxe\u{200b}\u{0}";
    let message = format!(
        "Received: from {evil} ({evil} [192.0.2.1]) by mx.{evil}.example; Mon, 8 Aug 2022 19:30:00 +0000\r\n\
         Return-Path: <x@{evil}.example>\r\nFrom: \"{evil}\" <no-reply@example.com>\r\nReply-To: help@\u{430}\u{440}\u{440}\u{4cf}\u{435}.com\r\n\
         Sender: {evil}@x.example\r\nSubject: =?utf-8?B?G1syShtdMDtvd25lZAc=?= {evil}\r\nDKIM-Signature: v=1; d={evil}.example; s={evil}; b=\r\n\
         DKIM-Signature: v=1; d=evil.example; s=k; b=\r\nMessage-ID: <{evil}@{evil}.example>\r\nList-Unsubscribe: <https://{evil}.example/>\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n<a href=\"https://{evil}.example/\">x</a> <a href=\"https://b\u{fc}cher.example/\">y</a>"
    );
    let head = Head::read(message.as_bytes());
    let mut mail = Mail::new(1, 1);
    mail.well(12);
    let known = Known { sent_at: Some(mail.w.now), sent: None, inbox_domain: "example.net", own: &[], cut: false };
    let found = examine(message.as_bytes(), &head, &known);
    mail.rounds(3, |_, _, _| found.clone());
    let settings = std::sync::Arc::new(mail.w.settings.clone());
    let (seed, ours) = (name("i0"), Ours::new(std::sync::Arc::clone(&settings)));
    let told = ours.weigh(&seed, &settings.inboxes[&seed], message.as_bytes(), Placement::Inbox, mail.w.now, Some(evil.to_owned()));
    mail.w.feed(Event::Strange { inbox: seed, mail: told });
    let kinds: Vec<Kind> = mail.w.notices.iter().map(|(_, n)| n.kind).collect();
    assert!(kinds.contains(&Kind::Identity) && kinds.contains(&Kind::UnexpectedMail), "{kinds:?}");
    let mut all = Vec::new();
    for (_, notice) in &mail.w.notices {
        all.push(notice.summary.clone());
        texts(&notice.evidence, &mut all);
    }
    assert!(all.iter().any(|text| text.contains("help@xn--")), "a name that looks like another is told by its letters");
    for text in all {
        assert!(!text.chars().any(|c| c.is_control() || mailcanary::model::hides(c)), "{text:?}");
    }
}

#[test]
fn what_each_provider_s_mail_has_is_known_after_a_restart() {
    let mut mail = Mail::new(2, 1);
    mail.well(12);
    let replayed = Watchdog::replay(&mail.w.settings, None, &mail.w.records).unwrap();
    for provider in ["p0", "p1"] {
        let known: Vec<Mark> = replayed.marks().filter(|(name, _)| name.as_str() == provider).map(|(_, mark)| mark).collect();
        assert!(usual().iter().all(|mark| known.contains(mark)), "{known:?}");
    }
    assert_eq!(replayed.receivers().count(), 0);
    let by_receiver = || checks(Finding::Pass).into_iter().map(|check| Check { by_receiver: true, ..check }).collect();
    mail.rounds(1, |_, _, _| Examination { marks: usual(), checks: by_receiver(), ..Examination::default() });
    let replayed = Watchdog::replay(&mail.w.settings, None, &mail.w.records).unwrap();
    assert!(replayed.receivers().all(|inbox| inbox.as_str() == "i0") && replayed.receivers().count() > 0, "who writes what it finds");
}

#[test]
fn the_configured_sender_is_known_at_once() {
    let mut mail = Mail::new(1, 1);
    mail.rounds(1, |_, _, _| Examination { marks: vec![mark(Part::From, "someone@else.example")], ..Examination::default() });
    let told = mail.of(Kind::Identity);
    assert!(matches!(told[..], [n] if n.summary.contains("From `someone@else.example`")), "{told:?}");
}

#[test]
fn rotation_pools_new_inboxes_and_what_varies_make_no_noise() {
    let mut mail = Mail::new(1, 2);
    mail.rounds(40, |_, inbox, n| {
        let mut marks = usual();
        // A selector a week, a pool of addresses, a message id on a host of its own each time, and a receiver that rewrites links.
        marks.push(mark(Part::DkimSelector, &format!("k{}._domainkey.example.com", n / 5)));
        marks.push(mark(Part::Network, &format!("192.0.{}.0/24", n % 50)));
        marks.push(mark(Part::MessageId, &format!("host-{n}.example.net")));
        marks.push(mark(Part::Link, if inbox == "i0" { "example.com" } else { "safelinks.example" }));
        Examination { marks, checks: checks(Finding::Pass), ..Examination::default() }
    });
    mail.is_quiet();
}

#[test]
fn a_person_approves_a_value_or_closes_the_incident() {
    let mut mail = Mail::new(1, 1);
    mail.well(12);
    let new = mark(Part::ReplyTo, "help@example.com");
    mail.rounds(2, |_, _, _| with(mark(Part::ReplyTo, "help@example.com")));
    assert_eq!(mail.of(Kind::Identity).len(), 1);
    mail.w.feed(Event::Approved { provider: name("p0"), stream: name("s0"), mark: new, by: "ann".to_owned() });
    assert_eq!(mail.of(Kind::Identity).last().map(|n| n.change), Some(Change::Resolved));
    mail.rounds(5, |_, _, _| with(mark(Part::ReplyTo, "help@example.com")));
    assert_eq!(mail.of(Kind::Identity).len(), 2);
    // Closed by hand it stays closed while there is nothing new.
    mail.rounds(2, |_, _, _| with(mark(Part::Link, "other.example")));
    let incident = mail.of(Kind::Identity).last().unwrap().incident;
    mail.w.feed(Event::Closed { incident, by: "ann".to_owned(), note: None });
    mail.rounds(5, |_, _, _| with(mark(Part::Link, "other.example")));
    assert_eq!(mail.of(Kind::Identity).last().map(|n| (n.incident, n.change)), Some((incident, Change::Resolved)));
    mail.rounds(3, |_, _, _| with(mark(Part::Link, "third.example")));
    assert_eq!(mail.of(Kind::Identity).last().map(|n| n.change), Some(Change::Opened));
}

#[test]
fn a_signature_that_held_and_does_not_warns_within_minutes() {
    let mut mail = Mail::new(2, 2);
    mail.well(12);
    let fails = |who: &'static str, place: &'static str| {
        move |provider: &str, inbox: &str, _| {
            let is = (who.is_empty() || provider == who) && (place.is_empty() || inbox == place);
            Examination { marks: usual(), checks: checks(if is { Finding::Fail } else { Finding::Pass }), ..Examination::default() }
        }
    };
    // Once is chance, and a name server that does not answer is ours.
    mail.rounds(1, fails("p0", ""));
    mail.rounds(3, |_, _, _| Examination { marks: usual(), checks: checks(Finding::Unsure), ..Examination::default() });
    mail.well(2);
    mail.is_quiet();
    mail.rounds(2, fails("p0", ""));
    let told = mail.of(Kind::Authentication);
    assert!(
        matches!(told[..], [n, ..] if n.culprit == Culprit::Provider(name("p0")) && n.severity == Severity::Warn && n.summary.contains("DKIM")),
        "{told:?}"
    );
    mail.well(4);
    assert_eq!(mail.of(Kind::Authentication).last().map(|n| n.change), Some(Change::Resolved));
    // An inbox at which all fail is to blame itself.
    mail.rounds(3, fails("", "i1"));
    let last = mail.of(Kind::Authentication).last().map(|n| (n.change, n.culprit.clone()));
    assert_eq!(last, Some((Change::Opened, Culprit::Inbox(name("i1")))));
}

/// Two hosts take turns, and one of them signs with an old key.
#[test]
fn a_signature_that_fails_in_every_second_mail_is_told_of() {
    let mut mail = Mail::new(1, 1);
    mail.well(12);
    let turns = |n: u64| if n.is_multiple_of(2) { Finding::Fail } else { Finding::Pass };
    mail.rounds(4, |_, _, n| Examination { marks: usual(), checks: checks(turns(n)), ..Examination::default() });
    let told = mail.of(Kind::Authentication);
    assert!(matches!(told[..], [n] if n.summary.contains("DKIM") && n.summary.contains(", 2 of 3 mails; it passed before")), "{told:?}");
    mail.rounds(20, |_, _, n| Examination { marks: usual(), checks: checks(turns(n)), ..Examination::default() });
    assert_eq!(mail.of(Kind::Authentication).len(), 1, "it goes on: {:?}", mail.of(Kind::Authentication));
    mail.well(4);
    assert_eq!(mail.of(Kind::Authentication).last().map(|n| n.change), Some(Change::Resolved));
    // One that goes astray in a long row is none.
    mail.rounds(40, |_, _, n| {
        let finding = if n.is_multiple_of(15) { Finding::Fail } else { Finding::Pass };
        Examination { marks: usual(), checks: checks(finding), ..Examination::default() }
    });
    assert_eq!(mail.of(Kind::Authentication).len(), 2);
}

#[test]
fn a_check_that_held_at_one_inbox_alone_is_no_fault_of_that_inbox() {
    let mut mail = Mail::new(2, 2);
    let all = |dkim: Finding, spf: Finding| {
        let of = |(method, finding)| Check { method, ..checks(finding).remove(0) };
        [(Method::Dkim, dkim), (Method::Spf, spf)].into_iter().map(of).collect::<Vec<_>>()
    };
    let says = |spf: fn(&str) -> Finding| {
        move |_: &str, inbox: &str, _| Examination { marks: usual(), checks: all(Finding::Pass, spf(inbox)), ..Examination::default() }
    };
    // The second inbox does not show by which address it was reached.
    mail.rounds(12, says(|inbox| if inbox == "i1" { Finding::Unsure } else { Finding::Pass }));
    mail.rounds(3, says(|inbox| if inbox == "i1" { Finding::Unsure } else { Finding::Fail }));
    let told = mail.of(Kind::Authentication);
    assert!(told.iter().all(|n| matches!(n.culprit, Culprit::Provider(_)) && !n.summary.contains("i1")), "{told:#?}");
    assert!(!told.is_empty());
}

#[test]
fn what_never_held_is_no_change() {
    let mut mail = Mail::new(1, 1);
    mail.rounds(20, |_, _, _| Examination { marks: usual(), checks: checks(Finding::None), ..Examination::default() });
    mail.is_quiet();
}

fn stranger(mail: &Mail, claim: Claim, from: &str, n: u64) -> Event {
    let mail = Stranger {
        nameless: false,
        cut: false,
        from: from.to_owned(),
        names: None,
        subject: "Reset your password".to_owned(),
        placement: Placement::Inbox,
        arrived_at: mail.w.now,
        to: matches!(claim, Claim::Honeytoken(_)).then(|| "bait@example.net".to_owned()),
        claim,
        copy: Some(format!("INBOX/1/{n}")),
        rule: None,
        via: Vec::new(),
        marks: Vec::new(),
        ours: Vec::new(),
        account: Vec::new(),
    };
    Event::Strange { inbox: name("i0"), mail }
}

#[test]
fn mail_that_nobody_sent_is_told_once_and_spam_is_quiet() {
    let mut mail = Mail::new(1, 1);
    mail.well(3);
    for n in 0..50 {
        let spam = stranger(&mail, if n % 2 == 0 { Claim::Nothing } else { Claim::Allowed }, "spam@else.example", n);
        mail.w.feed(spam);
    }
    assert!(mail.w.notices.is_empty());
    for n in 100..109 {
        let reset = stranger(&mail, Claim::Provider(name("p0")), "no-reply@example.com", n);
        mail.w.feed(reset.clone());
        mail.w.feed(reset);
    }
    let told = mail.of(Kind::UnexpectedMail);
    assert!(
        matches!(told[..], [n] if n.culprit == Culprit::Provider(name("p0")) && n.summary.contains("no-reply@example.com") && n.summary.contains("Reset your password")),
        "{told:?}"
    );
    // A breach is another matter, and says so.
    let leak = stranger(&mail, Claim::Honeytoken(name("p0")), "casino@else.example", 200);
    mail.w.feed(leak);
    let last = mail.of(Kind::UnexpectedMail).last().copied().cloned().unwrap();
    assert_eq!(last.change, Change::Updated);
    for words in [
        "9 mails in our name came through provider `p0` that no canary accounts for (in `i0`): the newest from `no-reply@example.com`",
        "; and 1 mail from somebody else to `bait@example.net` that only provider `p0` knows (in `i0`): the newest from `casino@else.example`",
        "or with your reset form; and the list at provider `p0` has leaked",
    ] {
        let next = last.evidence["next_step"].as_str().unwrap();
        assert!(format!("{} {next}", last.summary).contains(words), "{words}: {} {next}", last.summary);
    }
    assert_eq!((&last.evidence["mails"], &last.evidence["leaked"]), (&10.into(), &1.into()));
    mail.w.run(DAY);
    mail.w.run(Span::from_secs(120));
    assert_eq!(mail.of(Kind::UnexpectedMail).last().map(|n| n.change), Some(Change::Resolved));
}

#[test]
fn mail_in_other_names_through_our_own_relay_is_told_as_what_it_is() {
    let mut mail = Mail::new(1, 1);
    mail.well(3);
    let through = Claim::Provider(name("p0"));
    let Event::Strange { inbox, mail: mut told } = stranger(&mail, through.clone(), "eve@evil.example", 1) else { unreachable!() };
    told.nameless = true;
    mail.w.feed(Event::Strange { inbox, mail: told });
    let last = mail.of(Kind::UnexpectedMail).last().copied().cloned().unwrap();
    assert!(last.summary.contains("1 mail in other names came through provider `p0`, which is ours alone (in `i0`)"), "{}", last.summary);
    assert!(last.evidence["next_step"].as_str().unwrap().contains("an open relay"), "{}", last.evidence);
    let named = stranger(&mail, through, "no-reply@example.com", 2);
    mail.w.feed(named);
    let last = mail.of(Kind::UnexpectedMail).last().copied().cloned().unwrap();
    assert!(last.summary.contains("2 mails, some of them in our name, came through provider `p0`"), "{}", last.summary);
}

#[test]
fn what_is_quoted_of_foreign_mail_ends_no_quotation() {
    let mut mail = Mail::new(1, 1);
    mail.well(11);
    let Event::Strange { inbox, mail: mut told } = stranger(&mail, Claim::OurDomain, "a`b@example.com", 1) else { unreachable!() };
    told.subject = "x` [click](https://evil.example) **now** `y".to_owned();
    told.names = Some(mark(Part::ReplyTo, "help`@example.com"));
    mail.w.feed(Event::Strange { inbox, mail: told });
    let summary = mail.of(Kind::UnexpectedMail).last().unwrap().summary.clone();
    let quoted = "from `a'b@example.com`, with `help'@example.com` in its Reply-To, subject `x' [click](https://evil.example) **now** 'y`";
    assert!(summary.contains(quoted), "{summary}");
    // Nor is it offered to be copied into a shell.
    mail.rounds(1, |_, _, _| with(mark(Part::From, "a';reboot;'@else.example")));
    let told = mail.of(Kind::Identity).last().unwrap().to_owned();
    let (summary, next) = (&told.summary, told.evidence["next_step"].as_str().unwrap());
    assert!(next.contains(" from -- VALUE`") && summary.contains("From `a';reboot;'@else.example`"), "{summary} {next}");
}

#[test]
fn a_restart_forgets_nothing_of_it() {
    let mut mail = Mail::new(2, 2);
    mail.well(11);
    let way = "b.example relay.example";
    mail.rounds(3, |_, _, _| Examination { way: Some(way.to_owned()), ..with(mark(Part::ReplyTo, "a@b.example")) });
    let unknown = Event::Approved { provider: name("p9"), stream: name("s0"), mark: mark(Part::From, "x@y.example"), by: String::new() };
    assert!(mail.w.dog.step(mail.w.now, unknown).is_err());
    let checkpoint = mail.w.dog.checkpoint().unwrap();
    let replayed = Watchdog::replay(&mail.w.settings, None, &mail.w.records).unwrap();
    assert_eq!(replayed.checkpoint().unwrap(), checkpoint);
    let resumed = Watchdog::replay(&mail.w.settings, Some(&checkpoint), []).unwrap();
    assert_eq!(resumed.checkpoint().unwrap(), checkpoint);
    assert_eq!(resumed.ways().map(|(provider, way)| (provider.as_str(), way)).collect::<Vec<_>>(), [("p0", way), ("p1", way)]);
}

#[test]
fn junk_is_told_with_what_the_filter_wrote_and_with_how_much_of_it_there_is_where() {
    let mut settings = settings(2, 1, 2, Span::from_secs(60));
    settings.watch.remind_after = Span::from_secs(3600);
    let mut mail = Mail { w: World::new(settings), looked_at: 0 };
    let wrote = |_: &str, inbox: &str, junk: bool| {
        let scl = if junk { "SCL 5, CAT SPM (spam)" } else { "SCL 1" };
        let filter = if inbox == "i1" {
            vec![format!("X-Forefront-Antispam-Report: {scl}"), "X-Microsoft-Antispam: BCL 7`".to_owned()]
        } else {
            Vec::new()
        };
        Examination { marks: usual(), checks: checks(Finding::Pass), filter, ..Examination::default() }
    };
    mail.rounds(30, move |p, i, _| wrote(p, i, false));
    let now = mail.w.now;
    mail.w.from(now, |r, _| r.provider.as_str() == "p0", Fate::Arrives(Span::from_secs(3), Placement::Junk));
    mail.rounds(20, move |p, i, _| wrote(p, i, p == "p0"));
    let told = mail.of(Kind::Junked).last().copied().cloned().unwrap();
    for words in ["at `i1` (0 of ", " before) since ", "; the filter at `i1` wrote `X-Forefront-Antispam-Report: SCL 5, CAT SPM (spam)`"] {
        assert!(told.summary.contains(words), "{words}: {}", told.summary);
    }
    let of = |notice: &Notice| notice.evidence["filters"].as_array().unwrap().iter().find(|row| row["inbox"] == "i1").unwrap().clone();
    let row = of(&told);
    assert_eq!(row["in_junk_before"], 0, "{row}");
    assert_eq!(row["in_junk"], row["of"], "all of it: {row}");
    assert_eq!(row["says"].as_array().unwrap().len(), 2);
    assert_eq!(row["said_before"][0], "X-Forefront-Antispam-Report: SCL 1");
    // It is as fresh as the reminder, which still knows how it was before.
    mail.rounds(90, move |p, i, n| {
        let mut mail = wrote(p, i, p == "p0");
        if n % 2 == 0 {
            mail.filter.retain(|words| !words.contains("BCL"));
        }
        mail
    });
    let reminded = mail.of(Kind::Junked).into_iter().rfind(|n| n.change == Change::Reminder).cloned().unwrap();
    let (row, before) = (of(&reminded), row);
    assert!(row["of"].as_u64() > before["of"].as_u64() && row["in_junk_before"] == 0, "{row}");
    assert!(reminded.summary.contains("; the filter at `i1` wrote `X-Forefront"), "{}", reminded.summary);
    let replayed = Watchdog::replay(&mail.w.settings, None, &mail.w.records).unwrap();
    assert_eq!(replayed.checkpoint().unwrap(), mail.w.dog.checkpoint().unwrap());
}

#[test]
fn a_stop_after_a_foreign_address_says_so_and_what_to_ask() {
    let mut mail = Mail::new(2, 2);
    mail.well(90);
    let foreign = |provider: &str| {
        if provider == "p0" { with(mark(Part::ReplyTo, "a@arxxwalls.example")) } else { with(mark(Part::Link, "example.com")) }
    };
    mail.rounds(3, |provider, _, _| foreign(provider));
    let sign = mail.of(Kind::Identity)[0].incident;
    mail.w.from(mail.w.now, |r, _| r.provider.as_str() == "p0", Fate::Swallowed);
    mail.w.run(Span::from_secs(300));
    let told = mail.of(Kind::Stopped);
    let step = told[0].evidence["next_step"].as_str().unwrap();
    assert!(step.contains(&format!("somebody else may be in it (incident {sign}); revoke its keys")), "{step}");
    let open = told[0].evidence["open_too"][0].as_str().unwrap();
    assert!(open.starts_with(&format!("incident {sign}, identity since 2023-11-")) && open.contains("arxxwalls"), "{open}");
    // Of another provider it says nothing.
    mail.w.from(
        mail.w.now,
        |r, _| r.provider.as_str() == "p1" && r.inbox.as_str() == "i0",
        Fate::Refused(mailcanary::model::Class::Suspended),
    );
    mail.w.run(Span::from_secs(120));
    let other = mail.of(Kind::Refused).into_iter().find(|n| n.culprit == Culprit::Provider(name("p1")));
    assert!(other.is_some_and(|n| n.evidence["open_too"].is_null()), "{other:#?}: {:#?}", mail.of(Kind::Refused));
}
