//! What rotates by itself and hides nothing else; at which inboxes something foreign stands; and what a person says of it.

use mailcanary::canary::{Head, Known, examine, normal};
use mailcanary::model::{Added, Change, Culprit, Examination, Kind, Mark, Notice, Part, Severity, Span};
use mailcanary::watchdog::{Event, Watchdog};

use super::world::{World, name, settings};

fn mark(part: Part, value: &str) -> Mark {
    Mark { part, value: value.to_owned() }
}

/// A mail that says this besides who it is from.
fn mail(says: &[Mark]) -> Examination {
    Examination { marks: [&[mark(Part::From, "no-reply@example.com")], says].concat(), ..Examination::default() }
}

/// A world whose every canary is looked at.
struct Mail {
    w: World,
    looked_at: usize,
    /// Mails of each provider so far.
    count: u64,
}

impl Mail {
    fn new(providers: usize, inboxes: usize) -> Self {
        Self::every(providers, inboxes, Span::from_secs(60))
    }

    fn every(providers: usize, inboxes: usize, every: Span) -> Self {
        Self { w: World::new(settings(providers, 1, inboxes, every)), looked_at: 0, count: 0 }
    }

    /// So many rounds, in which mail says this, by provider, inbox and number.
    fn rounds(&mut self, rounds: u64, says: impl Fn(&str, &str, u64) -> Examination) {
        let every = self.w.settings.watch.every;
        for _ in 0..rounds {
            self.w.run(every);
            self.count += 1;
            let new: Vec<_> = self.w.sent[self.looked_at..].to_vec();
            self.looked_at = self.w.sent.len();
            for (_, canary, route) in new {
                let mail = says(route.provider.as_str(), route.inbox.as_str(), self.count);
                self.w.feed(Event::Examined { inbox: route.inbox.clone(), canary, mail });
            }
        }
    }

    /// The same of one provider and inbox, whose mail has one value.
    fn has(&mut self, rounds: u64, part: Part, value: impl Fn(u64) -> String) {
        self.rounds(rounds, |_, _, n| mail(&[mark(part, &value(n))]));
    }

    fn of_identity(&self) -> Vec<&Notice> {
        self.w.notices.iter().map(|(_, n)| n).filter(|n| n.kind == Kind::Identity).collect()
    }

    fn told(&self) -> Vec<&str> {
        self.of_identity().into_iter().filter(|n| n.change != Change::Resolved).map(|n| n.summary.as_str()).collect()
    }

    fn is_quiet(&self, what: &str) {
        assert!(self.w.notices.is_empty(), "{what}: {:#?}", self.told());
    }

    fn says(&mut self, event: Event) {
        self.w.feed(event);
    }

    fn approve(&mut self, part: Part, value: &str) {
        let mark = Mark { part, value: normal(part, value).unwrap() };
        self.says(Event::Approved { provider: name("p0"), stream: name("s0"), mark, by: "ann".to_owned() });
    }

    fn unlearn(&mut self, mark: Option<Mark>) {
        self.says(Event::Unlearnt { provider: name("p0"), stream: name("s0"), mark, by: "ann".to_owned() });
    }
}

/// A value, by the number of the mail that has it.
type Says = fn(u64) -> String;

#[test]
fn what_rotates_within_an_organisation_is_silent_and_hides_no_other() {
    let usual: [(Part, Says, &str); 6] = [
        (Part::ReplyTo, |n| format!("reply+{n:016x}@replies.esp.com"), "spy@arxxwalls.com"),
        (Part::Sender, |n| format!("t-{n}@out{}.esp.com", n % 3), "spy@arxxwalls.com"),
        (Part::Link, |n| format!("click{}.esp.com", n % 12), "evil-login.com"),
        (Part::List, |n| format!("list{n}.esp.com"), "arxxwalls.com"),
        (Part::ReturnPath, |n| format!("em{}.esp.com", 1000 + n / 8), "arxxwalls.com"),
        (Part::MessageId, |n| if n % 10 == 7 { "a.esp.com".to_owned() } else { "b.esp.com".to_owned() }, "evil.com"),
    ];
    for (part, rotates, foreign) in usual {
        let mut m = Mail::new(1, 1);
        m.has(60, part, rotates);
        m.is_quiet(&rotates(1));
        m.has(2, part, |_| foreign.to_owned());
        assert!(matches!(m.told()[..], [told] if told.contains(&format!("`{foreign}`"))), "{}: {:?}", rotates(1), m.told());
    }
    // Of an author that rotates it is said whose it was.
    let mut m = Mail::new(1, 1);
    m.has(20, Part::ReplyTo, |n| format!("reply+{n:016x}@replies.esp.com"));
    m.has(1, Part::ReplyTo, |_| "spy@arxxwalls.com".to_owned());
    assert!(m.told()[0].contains("Reply-To `spy@arxxwalls.com` where `*@replies.esp.com` stood"), "{:?}", m.told());
}

#[test]
fn one_customers_host_is_not_anothers() {
    let mut m = Mail::new(1, 1);
    m.has(12, Part::Link, |_| "ours.s3.amazonaws.com".to_owned());
    m.has(2, Part::Link, |_| "evil.s3.amazonaws.com".to_owned());
    assert!(matches!(m.told()[..], [told] if told.contains("`evil.s3.amazonaws.com`")), "{:?}", m.told());
}

#[test]
fn a_few_strays_while_it_is_learnt_hide_nothing_and_organisations_that_differ_in_each_mail_are_none() {
    for part in [Part::Link, Part::MessageId, Part::Address, Part::Header] {
        let mut m = Mail::new(1, 1);
        m.has(12, part, |n| if (2..=5).contains(&n) { format!("one{n}.com") } else { "example.com".to_owned() });
        m.has(2, part, |_| "evil.com".to_owned());
        assert!(matches!(m.told()[..], [told] if told.contains("`evil.com`")), "{part:?}: {:?}", m.told());
    }
    let mut m = Mail::new(1, 1);
    m.has(60, Part::Link, |n| format!("shop{n}.com"));
    m.is_quiet("a market's links");
    // Who is answered is told of all the same, and not once for each mail.
    let mut m = Mail::new(1, 1);
    m.has(130, Part::ReplyTo, |n| format!("buyer@shop{n}.com"));
    assert!((1..=6).contains(&m.told().len()), "{:#?}", m.told());
}

#[test]
fn siblings_and_hosts_of_the_same_provider_are_no_news() {
    let late = |n: u64, old: &str, new: &str| if n <= 20 { old.to_owned() } else { new.to_owned() };
    let mut m = Mail::new(1, 1);
    m.rounds(40, |_, _, n| {
        mail(&[
            mark(Part::Link, &late(n, "img-a.esp-cdn.com", &format!("img-{n}.esp-cdn.com"))),
            mark(Part::List, &late(n, "us10.list-manage.com", "us14.list-manage.com")),
            mark(Part::ReturnPath, &late(n, "amazonses.com", "eu-west-1.amazonses.com")),
            mark(Part::Header, &late(n, "mandrillapp.com", "mailchimp.com")),
            mark(Part::DkimDomain, &late(n, "mandrillapp.com", "mailchimpapp.net")),
            mark(Part::DkimSelector, &late(n, "k1._domainkey.mandrillapp.com", "k2._domainkey.mailchimpapp.net")),
            mark(Part::Network, &late(n, "198.2.132.0/24", "198.2.140.0/24")),
        ])
    });
    m.is_quiet("siblings");
}

#[test]
fn networks_that_take_turns_are_a_pool_and_a_move_is_told() {
    let shares: [(&str, Says); 3] = [
        ("half", |n| if n > 12 && n.is_multiple_of(2) { "205.201.131.0/24".to_owned() } else { "198.2.132.0/24".to_owned() }),
        ("a tenth", |n| if n > 12 && n % 10 == 7 { "mcsv.example".to_owned() } else { "esp.example".to_owned() }),
        ("without a name", |n| {
            if n > 12 && n.is_multiple_of(2) { format!("2a01:{}:f400::/48", 111 + n % 9) } else { "esp.example".to_owned() }
        }),
    ];
    for (what, network) in shares {
        let mut m = Mail::new(1, 1);
        m.has(80, Part::Network, network);
        m.is_quiet(what);
    }
    let mut m = Mail::new(1, 1);
    m.has(12, Part::Network, |_| "198.2.132.0/24".to_owned());
    m.has(2, Part::Network, |_| "45.9.148.0/24".to_owned());
    assert!(matches!(m.told()[..], [told] if told.contains("`45.9.148.0/24`")), "{:?}", m.told());
}

#[test]
fn what_comes_back_now_and_then_is_learnt_after_days_and_an_author_never_is() {
    let hour = Span::from_secs(3600);
    let now_and_then = |n: u64, usual: &str, other: &str| if n > 12 && n.is_multiple_of(14) { other.to_owned() } else { usual.to_owned() };
    let mut m = Mail::every(1, 1, hour);
    m.has(24 * 8, Part::ReturnPath, |n| now_and_then(n, "esp.com", "other.net"));
    let before = m.told().len();
    assert!(before <= 1, "{:?}", m.told());
    m.has(30, Part::ReturnPath, |_| "other.net".to_owned());
    assert_eq!(m.told().len(), before, "it is known by now");
    let mut m = Mail::every(1, 1, hour);
    m.has(24 * 8, Part::ReplyTo, |n| now_and_then(n, "help@esp.com", "spy@arxxwalls.com"));
    assert!(m.told().len() > 1, "{:?}", m.told());
}

#[test]
fn many_hosts_of_one_stranger_are_one_value_and_many_strangers_are_told_at_growing_intervals() {
    let mut m = Mail::new(1, 1);
    m.has(12, Part::Link, |_| "example.com".to_owned());
    m.has(40, Part::Link, |n| format!("img-{n}.evil-cdn.com"));
    assert_eq!(m.told().len(), 1, "{:#?}", m.told());
    m.has(1, Part::ReplyTo, |_| "spy@arxxwalls.com".to_owned());
    assert_eq!(m.told().len(), 2, "what rotates hides nothing else: {:#?}", m.told());
    let mut m = Mail::new(1, 1);
    m.has(12, Part::Link, |_| "example.com".to_owned());
    m.has(120, Part::Link, |n| format!("evil{}.com", n / 2));
    assert!((3..=6).contains(&m.told().len()), "{:#?}", m.told());
}

#[test]
fn what_every_provider_has_at_one_inbox_alone_is_that_inboxs() {
    let changed = |inbox: &str| {
        if inbox == "i1" { mail(&[mark(Part::Content, "subject-changed"), mark(Part::Link, "nam02.safelinks.example")]) } else { mail(&[]) }
    };
    let mut m = Mail::new(3, 2);
    m.rounds(12, |_, _, _| mail(&[]));
    m.is_quiet("before");
    m.rounds(6, |_, inbox, _| changed(inbox));
    let told = m.of_identity();
    let [opened] = told[..] else { panic!("{told:#?}") };
    assert_eq!((opened.change, &opened.culprit), (Change::Opened, &Culprit::Inbox(name("i1"))));
    assert!(opened.summary.contains("mail of every provider at inbox `i1` carries something foreign: "), "{}", opened.summary);
    assert!(opened.summary.contains(", not in `i0` since"), "{}", opened.summary);
    let next = opened.evidence["next_step"].as_str().unwrap();
    assert!(next.contains("ask who runs `i1`") && next.contains("--incident ID") && !next.contains("revoke"), "{next}");
    assert_eq!(opened.evidence["values"][0]["inboxes"], serde_json::json!(["i1"]));
    assert_eq!(opened.evidence["values"][0]["not_in"], serde_json::json!(["i0"]));
    m.rounds(12, |_, _, _| mail(&[]));
    assert_eq!(m.of_identity().last().map(|n| n.change), Some(Change::Resolved));
    // Where some receive no such treatment, those that do are named.
    m.rounds(6, |provider, inbox, _| if provider == "p2" { mail(&[]) } else { changed(inbox) });
    let last = m.of_identity().last().copied().unwrap();
    assert_eq!((last.change, &last.culprit), (Change::Opened, &Culprit::Inbox(name("i1"))));
    assert!(last.summary.contains("mail of providers `p0`, `p1` at inbox `i1` carries something foreign: "), "{}", last.summary);
    m.rounds(12, |_, _, _| mail(&[]));
    // One provider's mail alone has it: it is the provider's, and where it does not stand is said.
    m.rounds(3, |provider, inbox, _| if provider == "p0" { changed(inbox) } else { mail(&[]) });
    let last = m.of_identity().last().copied().unwrap();
    assert_eq!(last.culprit, Culprit::Provider(name("p0")));
    assert!(last.summary.contains("seen in `i1`, not in `i0` since"), "{}", last.summary);
    let replayed = Watchdog::replay(&m.w.settings, None, &m.w.records).unwrap();
    assert_eq!(replayed.checkpoint().unwrap(), m.w.dog.checkpoint().unwrap());
}

/// Mail that nobody looked at does not say that it has not what another has.
#[test]
fn an_inbox_is_not_blamed_while_mail_comes_to_no_other() {
    let mut m = Mail::new(2, 2);
    m.rounds(12, |_, _, _| mail(&[]));
    for _ in 0..4 {
        m.w.run(Span::from_secs(60));
        let new: Vec<_> = m.w.sent[m.looked_at..].to_vec();
        m.looked_at = m.w.sent.len();
        for (_, canary, route) in new.into_iter().filter(|(_, _, route)| route.inbox == name("i1")) {
            m.w.feed(Event::Examined { inbox: route.inbox, canary, mail: mail(&[mark(Part::ReplyTo, "spy@arxxwalls.com")]) });
        }
    }
    let told = m.of_identity();
    assert!(told.len() == 2 && told.iter().all(|n| matches!(n.culprit, Culprit::Provider(_))), "{told:#?}");
    // It does not stand where mail comes at last.
    m.rounds(2, |_, inbox, _| if inbox == "i1" { mail(&[mark(Part::ReplyTo, "spy@arxxwalls.com")]) } else { mail(&[]) });
    let last = m.of_identity().iter().rfind(|n| n.change == Change::Opened).map(|n| n.culprit.clone());
    assert_eq!(last, Some(Culprit::Inbox(name("i1"))));
}

#[test]
fn what_stands_at_one_of_many_inboxes_is_told_and_lasts() {
    let mut m = Mail::new(1, 14);
    m.rounds(12, |_, _, _| mail(&[]));
    m.rounds(8, |_, inbox, _| if inbox == "i3" { mail(&[mark(Part::Content, "links-rewritten")]) } else { mail(&[]) });
    assert!(
        matches!(m.of_identity()[..], [n] if n.summary.contains("seen in `i3`, not in `i0`, `i1`, `i10` and 10 more since")),
        "{:?}",
        m.told()
    );
    m.rounds(11, |_, _, _| mail(&[]));
    assert_eq!(m.of_identity().last().map(|n| n.change), Some(Change::Resolved));
}

#[test]
fn other_words_in_a_footer_are_shown_and_nobodys_account_is_said_to_be_taken() {
    let footer = |hash: &str, words: &str| {
        let value = format!("html-added:{hash}");
        let names = words.split(' ').filter(|word| word.ends_with(".com")).map(str::to_owned).collect();
        let added = [(value.clone(), Added { words: words.to_owned(), names })].into();
        Examination { added, ..mail(&[mark(Part::Content, &value)]) }
    };
    let mut m = Mail::new(1, 1);
    m.rounds(12, |_, _, _| footer("00000001", "Summer sale now on!"));
    m.rounds(3, |_, _, _| footer("00000002", "Autumn `sale` now on!"));
    let told = m.of_identity();
    let [opened] = told[..] else { panic!("{told:#?}") };
    assert_eq!(opened.severity, Severity::Info);
    let words = "content `html-added:00000002` (\"Autumn 'sale' now on!\") where `html-added:00000001: Summer sale now on!` stood";
    assert!(opened.summary.contains("has other words added to it: ") && opened.summary.contains(words), "{}", opened.summary);
    let next = opened.evidence["next_step"].as_str().unwrap();
    assert!(next.contains("read the words") && !next.contains("revoke"), "{next}");
    // With a link of somebody else's it is another matter.
    m.rounds(2, |_, _, _| {
        let mut mail = footer("00000002", "Autumn sale now on!");
        mail.marks.push(mark(Part::Link, "evil.com"));
        mail
    });
    let last = m.of_identity().last().copied().unwrap();
    assert_eq!((last.change, last.severity), (Change::Updated, Severity::Warn));
    assert!(last.evidence["next_step"].as_str().unwrap().contains("revoke its keys"), "{last:?}");
    // Nor is it words alone where they name somebody else; nor where nothing was added before.
    for (before, after) in [("By esp.com", "Go to evil.com now"), ("", "Write to us")] {
        let mut m = Mail::new(1, 1);
        m.rounds(12, |_, _, _| if before.is_empty() { mail(&[]) } else { footer("00000001", before) });
        m.rounds(3, |_, _, _| footer("00000002", after));
        assert!(matches!(m.of_identity()[..], [n] if n.severity == Severity::Warn && n.summary.contains(after)), "{:?}", m.told());
    }
    // Words that name somebody come after a slogan: that is told, too.
    let mut m = Mail::new(1, 1);
    m.rounds(12, |_, _, _| footer("00000001", "By esp.com"));
    m.rounds(3, |_, _, _| footer("00000002", "Sale at esp.com"));
    m.rounds(3, |_, _, _| footer("00000003", "Go to evil.com now"));
    assert!(
        matches!(m.of_identity()[..], [one, two] if one.severity == Severity::Info && two.severity == Severity::Warn),
        "{:#?}",
        m.told()
    );
    // Words that differ from mail to mail, or come and go, hide no name.
    for (each, turns) in [(1, "esp.com"), (12, "esp.com")] {
        let mut m = Mail::new(1, 1);
        m.rounds(170, |_, _, n| footer(&format!("{:08x}", n / each), &format!("Tip by {turns}")));
        let before = m.told().len();
        m.rounds(3, |_, _, n| footer(&format!("{:08x}", 7000 + n), "Go to evil.com now"));
        assert!(m.told().len() == before + 1 && m.told().last().unwrap().contains("evil.com"), "{each}: {:#?}", m.told());
    }
    // The same where only a name is another, which is no part of what a footer is known by.
    let mut m = Mail::new(1, 1);
    m.rounds(12, |_, _, _| footer("00000001", "Go to esp1.com"));
    m.rounds(3, |_, _, _| footer("00000001", "Go to evil1.com"));
    assert!(matches!(m.of_identity()[..], [n] if n.severity == Severity::Warn && n.summary.contains("evil1.com")), "{:#?}", m.told());
    // Tips of the day come and go: the fourth is no news.
    let mut m = Mail::new(1, 1);
    m.rounds(170, |_, _, n| footer(&format!("{:08x}", n / 12), "Tip of the day"));
    assert!(m.told().len() <= 3, "{:#?}", m.told());
    assert_eq!(m.of_identity().last().map(|n| n.change), Some(Change::Resolved));
}

#[test]
fn a_domain_and_a_network_stand_for_what_is_in_them() {
    for (part, usual, foreign, right) in [
        (Part::Link, "example.com", "img-a.esp-cdn.com", "*.github.com"),
        (Part::Link, "example.com", "img-a.esp-cdn.com", "*.esp-cdn.com"),
        (Part::ReturnPath, "example.com", "em1.esp.com", "esp.com"),
        (Part::Network, "198.2.132.0/24", "205.201.131.0/24", "205.201.0.0/16"),
        (Part::Header, "example.com", "ops@esp.com", "*@esp.com"),
    ] {
        let mut m = Mail::new(1, 1);
        m.has(12, part, |_| usual.to_owned());
        m.has(2, part, |_| foreign.to_owned());
        assert_eq!(m.told().len(), 1, "{part:?}");
        m.approve(part, right);
        let over = m.of_identity().last().map(|n| n.change) == Some(Change::Resolved);
        assert_eq!(over, !right.contains("github"), "{right}");
    }
}

#[test]
fn a_value_is_forgotten_and_a_move_is_learnt_anew() {
    let mut m = Mail::new(1, 1);
    let help = |value: &'static str| move |_: u64| value.to_owned();
    m.has(12, Part::ReplyTo, help("help@example.com"));
    m.approve(Part::ReplyTo, "new@example.com");
    m.has(12, Part::ReplyTo, help("new@example.com"));
    m.is_quiet("approved");
    m.unlearn(Some(mark(Part::ReplyTo, "new@example.com")));
    m.has(1, Part::ReplyTo, help("new@example.com"));
    assert!(matches!(m.told()[..], [told] if told.contains("`new@example.com` where `help@example.com` stood")), "{:?}", m.told());
    m.unlearn(None);
    assert_eq!(m.of_identity().last().map(|n| n.change), Some(Change::Resolved));
    m.has(12, Part::ReplyTo, help("moved@example.com"));
    assert_eq!(m.told().len(), 1, "{:?}", m.told());
    m.has(1, Part::ReplyTo, help("help@example.com"));
    assert!(m.told()[1].contains("`help@example.com` where `moved@example.com` stood"), "{:?}", m.told());
    let unknown = Event::Unlearnt { provider: name("p9"), stream: name("s0"), mark: None, by: String::new() };
    assert!(m.w.dog.step(m.w.now, unknown).is_err());
    let replayed = Watchdog::replay(&m.w.settings, None, &m.w.records).unwrap();
    assert_eq!(replayed.checkpoint().unwrap(), m.w.dog.checkpoint().unwrap());
}

#[test]
fn at_mailboxes_of_everybody_the_whole_address_counts() {
    let seen = |lines: &str| {
        let message = format!("From: no-reply@example.com\r\nTo: seed@example.net\r\n{lines}\r\n\r\nx");
        let known = Known { sent_at: None, sent: None, inbox_domain: "example.net", own: &["seed@example.net"], cut: false };
        examine(message.as_bytes(), &Head::read(message.as_bytes()), &known)
    };
    for field in ["Errors-To: ADDRESS", "X-Reply: Us <ADDRESS>", "List-Unsubscribe: <mailto:ADDRESS?subject=x>"] {
        let mut m = Mail::new(1, 1);
        m.rounds(12, |_, _, _| seen(&field.replace("ADDRESS", "ops@gmail.com")));
        m.rounds(3, |_, _, _| seen(&field.replace("ADDRESS", "spy@gmail.com")));
        assert!(matches!(m.told()[..], [told] if told.contains("`spy@gmail.com` where `ops@gmail.com` stood")), "{field}: {:?}", m.told());
        // One that is made for each mail is compared by its domain, as before.
        let mut m = Mail::new(1, 1);
        m.rounds(30, |_, _, n| seen(&field.replace("ADDRESS", &format!("ops+{}@gmail.com", 20_220_000 + n))));
        m.is_quiet(field);
    }
}
