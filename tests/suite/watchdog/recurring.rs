//! Mail that comes again and again, as it is read: what its first mails carry is known, and what is then new is told.

use std::sync::Arc;

use mailcanary::canary::Ours;
use mailcanary::config::{ExpectedMail, ProviderKind, Settings};
use mailcanary::model::{Added, Change, Culprit, Examination, Kind, Mark, Notice, Part, Placement, Severity, Span};
use mailcanary::watchdog::{Event, Watchdog};

use super::world::{World, name, settings};

const DAY: Span = Span::from_secs(86_400);
const RULE: &str = "Monthly usage report";

struct Desk {
    w: World,
    ours: Ours,
    copies: u64,
}

/// Two providers, of which the mail of the first comes from `mcsv.example`; a monthly report may come in our name.
fn desk() -> Desk {
    let mut settings = settings(2, 1, 2, Span::from_secs(60));
    settings.expected_mail =
        vec![ExpectedMail { from: vec!["*@example.com".to_owned()], subject: Some("monthly*".to_owned()), inbox: Vec::new() }];
    of(settings)
}

fn of(settings: Settings) -> Desk {
    let mut ours = Ours::new(Arc::new(settings.clone()));
    ours.learn(&name("p0"), &canary());
    let mut w = World::new(settings);
    w.run(Span::from_secs(600));
    Desk { w, ours, copies: 0 }
}

fn mark(part: Part, value: &str) -> Mark {
    Mark { part, value: value.to_owned() }
}

/// What a canary of the first provider has.
fn canary() -> Vec<Mark> {
    vec![mark(Part::From, "no-reply@example.com"), mark(Part::Network, "mcsv.example"), mark(Part::List, "list-manage.example")]
}

impl Desk {
    /// A mail comes, a day later: more lines of its header, and its text.
    fn comes(&mut self, inbox: &str, from: &str, subject: &str, (more, text): (&str, &str)) {
        self.w.run(Span::from_secs(300));
        self.copies += 1;
        let received = "Received: from out7.mcsv.example (out7.mcsv.example [192.0.2.1]) by mx.example.net; Mon, 8 Aug 2022 19:30:00 +0000";
        let message = format!(
            "{received}\r\nFrom: Example <{from}>\r\nTo: {inbox}@example.net\r\nSubject: {subject}\r\nMessage-ID: <{}@mcsv.example>\r\n{more}\r\n{text}\r\n",
            self.copies
        );
        let (name, copy) = (name(inbox), Some(self.copies.to_string()));
        let mail = self.ours.weigh(&name, &self.w.settings.inboxes[&name], message.as_bytes(), Placement::Inbox, self.w.now, copy);
        self.w.feed(Event::Strange { inbox: name, mail });
    }

    fn report(&mut self, more: &str, text: &str) {
        self.comes("i0", "billing@example.com", RULE, (more, text));
    }

    fn of(&self, kind: Kind) -> Vec<&Notice> {
        self.w.notices.iter().map(|(_, n)| n).filter(|n| n.kind == kind).collect()
    }

    /// What is more than a word about the first mail of a kind.
    fn warned(&self) -> Vec<&Notice> {
        self.of(Kind::Identity).into_iter().filter(|n| n.severity > Severity::Info).collect()
    }

    /// Canaries of the first provider are looked at.
    fn look_at(&mut self, rounds: u64, says: &Examination) {
        for _ in 0..rounds {
            let before = self.w.sent.len();
            self.w.run(Span::from_secs(60));
            let new: Vec<_> = self.w.sent[before..].to_vec();
            for (_, canary, route) in new {
                if route.provider == name("p0") {
                    self.w.feed(Event::Examined { inbox: route.inbox, canary, mail: says.clone() });
                }
            }
        }
    }

    /// What was written down gives the same state, and so does a checkpoint.
    fn outlives_a_restart(&self) {
        let checkpoint = self.w.dog.checkpoint().unwrap();
        assert_eq!(Watchdog::replay(&self.w.settings, None, &self.w.records).unwrap().checkpoint().unwrap(), checkpoint);
        assert_eq!(Watchdog::replay(&self.w.settings, Some(&checkpoint), []).unwrap().checkpoint().unwrap(), checkpoint);
    }
}

const SPY: &str = "Reply-To: spy@arxxwalls.com\r\n";

#[test]
fn a_foreign_address_on_the_second_recurring_mail_is_told_with_the_mail_and_ends_without_it() {
    let mut desk = desk();
    desk.report("Reply-To: help@example.com\r\n", "https://example.com/usage");
    assert!(desk.of(Kind::Identity).is_empty() && desk.of(Kind::UnexpectedMail).is_empty());
    desk.report(SPY, "https://example.com/usage");
    let told = desk.of(Kind::Identity);
    let [opened] = told[..] else { panic!("{told:#?}") };
    assert_eq!((opened.change, opened.severity, &opened.culprit), (Change::Opened, Severity::Warn, &Culprit::Provider(name("p0"))));
    for words in [
        "recurring mail through provider `p0` that is expected carries something foreign: Reply-To `spy@arxxwalls.com` where `help@example.com` stood",
        "the first from `billing@example.com`, subject `Monthly usage report`, in `i0`; since 2023-11-",
    ] {
        assert!(opened.summary.contains(words), "{words}: {}", opened.summary);
    }
    let row = &opened.evidence["recurring"][0];
    assert_eq!((&row["new"], &row["part"], &row["inbox"]), (&"spy@arxxwalls.com".into(), &"reply_to".into(), &"i0".into()), "{row}");
    assert!(opened.evidence["next_step"].as_str().unwrap().contains("revoke its keys"));
    desk.outlives_a_restart();
    for _ in 0..3 {
        assert_eq!(desk.of(Kind::Identity).len(), 1, "it is told once");
        desk.report("", "https://example.com/usage");
    }
    assert_eq!(desk.of(Kind::Identity).last().map(|n| n.change), Some(Change::Resolved));
    assert!(desk.of(Kind::UnexpectedMail).is_empty(), "what may come may come");
}

#[test]
fn wherever_in_a_recurring_mail_somebody_new_stands_he_is_told() {
    let usual = "Cc: team@partner.example\r\nList-Unsubscribe: <https://u1.list-manage.example/x>\r\n";
    for (more, text, what) in [
        ("Sender: spy@arxxwalls.com\r\n", "", "Sender `spy@arxxwalls.com`"),
        (
            "Cc: team@partner.example, spy@arxxwalls.com\r\n",
            "",
            "address in the header `spy@arxxwalls.com` where `team@partner.example` stood",
        ),
        ("List-Post: <mailto:spy@arxxwalls.com>\r\n", "", "List header `arxxwalls.com`"),
        ("X-Report: spy@arxxwalls.com\r\n", "", "address in the header `arxxwalls.com`"),
        ("Return-Path: <b@arxxwalls.com>\r\n", "", "Return-Path `arxxwalls.com`"),
        ("DKIM-Signature: v=1; d=arxxwalls.com; s=k; b=x\r\n", "", "DKIM domain `arxxwalls.com`"),
        ("", "Write to spy@arxxwalls.com", "address in the text `spy@arxxwalls.com`"),
        ("", "https://login.arxxwalls.com/x", "link `login.arxxwalls.com` where `partner.example` stood"),
        ("Reply-To: spy@gmail.com\r\n", "", "Reply-To `spy@gmail.com`"),
    ] {
        let mut desk = desk();
        for _ in 0..3 {
            desk.report(usual, "https://example.com/usage https://partner.example/ help@example.com");
        }
        assert!(desk.warned().is_empty());
        desk.report(&format!("{usual}{more}"), &format!("https://example.com/usage https://partner.example/ {text}"));
        let told = desk.warned();
        assert!(matches!(told[..], [n] if n.summary.contains(what)), "{what}: {told:#?}");
    }
}

#[test]
fn what_differs_from_mail_to_mail_is_no_news() {
    let mut desk = desk();
    for n in 0..12 {
        let more = format!(
            "Reply-To: reply+{n}x{n}@replies.esp.example\r\nReturn-Path: <b-{n}@u{n}.esp.example>\r\nList-Unsubscribe: <https://us{n}.list-manage.example/{n}>\r\n"
        );
        desk.report(&more, &format!("https://sponsor{n}.example/ and https://click{n}.esp.example/"));
    }
    let told: Vec<Change> = desk.w.notices.iter().map(|(_, n)| n.change).collect();
    assert_eq!(told, [Change::Opened, Change::Resolved], "who is answered in the first of them is told once: {:#?}", desk.w.notices);
    // Its links tell nothing; who is answered does.
    desk.report(SPY, "https://sponsor99.example/");
    assert!(matches!(desk.of(Kind::Identity)[..], [_, _, n] if n.summary.contains("spy@arxxwalls.com")));
    // Each inbox is learnt for itself: what its receiver makes of a mail is its own.
    desk.comes("i1", "billing@example.com", RULE, ("", "https://safelinks.example/"));
    assert_eq!(desk.of(Kind::Identity).len(), 3);
    desk.outlives_a_restart();
}

#[test]
fn what_the_canaries_of_the_provider_have_is_not_foreign_and_a_person_may_say_so() {
    let mut desk = desk();
    desk.look_at(12, &Examination { marks: canary(), ..Examination::default() });
    desk.report("", "");
    desk.report("List-Unsubscribe: <https://u9.list-manage.example/x>\r\nReply-To: x@list-manage.example\r\n", "");
    assert!(desk.of(Kind::Identity).is_empty());
    desk.report("Reply-To: desk@helpers.example\r\n", "");
    let next = desk.of(Kind::Identity)[0].evidence["next_step"].as_str().unwrap().to_owned();
    assert!(next.contains("mailcanary identity approve -c FILE p0 s0 reply_to -- 'desk@helpers.example'"), "{next}");
    let approved = mark(Part::ReplyTo, "desk@helpers.example");
    desk.w.feed(Event::Approved { provider: name("p0"), stream: name("s0"), mark: approved, by: "ada".to_owned() });
    assert_eq!(desk.of(Kind::Identity).last().map(|n| n.change), Some(Change::Resolved));
    desk.report("Reply-To: desk@helpers.example\r\n", "");
    assert_eq!(desk.of(Kind::Identity).len(), 2);
    // What is closed by hand stays closed.
    desk.report(SPY, "");
    let incident = desk.of(Kind::Identity).last().unwrap().incident;
    desk.w.feed(Event::Closed { incident, by: "ada".to_owned(), note: None });
    desk.report(SPY, "");
    assert_eq!(desk.of(Kind::Identity).last().map(|n| n.change), Some(Change::Resolved));
}

#[test]
fn what_nobody_expects_names_the_foreign_addresses_in_it() {
    let mut desk = desk();
    desk.comes("i0", "no-reply@example.com", "Reset your password", (&format!("{SPY}Cc: eve@arxxwalls.com\r\n"), "https://evil.example/"));
    let told = desk.of(Kind::UnexpectedMail);
    let [opened] = told[..] else { panic!("{told:#?}") };
    assert_eq!((&opened.culprit, opened.severity), (&Culprit::Provider(name("p0")), Severity::Warn));
    let words = "from `no-reply@example.com`, with the foreign `spy@arxxwalls.com` in its Reply-To and `eve@arxxwalls.com` in its address in the header";
    assert!(opened.summary.contains(words), "{}", opened.summary);
    let foreign = opened.evidence["newest"][0]["foreign"].to_string();
    assert!(foreign.contains("spy@arxxwalls.com") && foreign.contains("evil.example") && !foreign.contains("list-manage"), "{foreign}");
}

#[test]
fn a_foreign_address_and_mail_that_nobody_sent_page_together_and_once() {
    for foreign_first in [true, false] {
        let mut desk = desk();
        desk.report("", "");
        let reset = |desk: &mut Desk| desk.comes("i1", "no-reply@example.com", "Reset your password", ("", ""));
        if foreign_first {
            desk.report(SPY, "");
            reset(&mut desk);
        } else {
            reset(&mut desk);
            desk.report(SPY, "");
        }
        reset(&mut desk);
        let told: Vec<&Notice> = desk.w.notices.iter().map(|(_, n)| n).collect();
        let [first, second] = told[..] else { panic!("{told:#?}") };
        let later = if foreign_first { Kind::UnexpectedMail } else { Kind::Identity };
        assert_eq!((first.severity, second.severity, second.kind), (Severity::Warn, Severity::Page, later));
        assert!(second.summary.starts_with("somebody else may be in the account: "), "{}", second.summary);
        assert!(second.summary.contains(&format!("at the same time (incident {}: ", first.incident)), "{}", second.summary);
        assert!(second.evidence["next_step"].as_str().unwrap().starts_with("take the account at provider `p0` for taken: "));
        for fact in ["spy@arxxwalls.com", "Reset your password"] {
            assert!(second.summary.contains(fact), "{fact}: {}", second.summary);
        }
        desk.outlives_a_restart();
    }
}

#[test]
fn mail_in_another_name_through_our_own_account_is_told_by_what_our_canaries_share() {
    let mut settings = settings(2, 1, 2, Span::from_secs(60));
    let mandrill = super::world::asking(1, 1, 1).providers.into_values().next().unwrap();
    assert!(matches!(mandrill.kind, ProviderKind::Mandrill(_)));
    settings.providers.insert(name("p0"), mandrill);
    let mut desk = of(settings);
    let account = ["x-mc-user 5f0c", "feedback-id/1 30123456", "feedback-id/0 20220807", "list-id a.example"].map(str::to_owned).to_vec();
    desk.look_at(6, &Examination { marks: canary(), account: account.clone(), ..Examination::default() });
    let spam = |desk: &mut Desk, field: &str| desk.comes("i0", "usage@arxxwalls.com", "Monthly usage", (field, ""));
    spam(&mut desk, "X-MC-User: ffff\r\nFeedback-ID: x:99999999:us10:mc\r\n");
    spam(&mut desk, "Feedback-ID: x:30123456:us10:mc\r\n");
    assert!(desk.of(Kind::UnexpectedMail).is_empty(), "another customer's, or a piece that may be the day's");
    spam(&mut desk, "X-MC-User: 5F0C\r\n");
    let told = desk.of(Kind::UnexpectedMail);
    let [opened] = told[..] else { panic!("{told:#?}") };
    assert_eq!(opened.culprit, Culprit::Provider(name("p0")));
    assert!(opened.summary.contains("1 mail in other names or ours came through our account at provider `p0`"), "{}", opened.summary);
    assert!(
        opened.summary.contains("`usage@arxxwalls.com`") && opened.evidence["newest"][0]["account"] == "x-mc-user 5f0c",
        "{}",
        opened.evidence
    );
    // A piece that has been the same for a day is the account's; one that has not is not.
    desk.w.run(DAY);
    let next =
        Examination { marks: canary(), account: vec!["feedback-id/0 20220808".to_owned(), account[1].clone()], ..Examination::default() };
    desk.look_at(4, &next);
    let count = |desk: &Desk| desk.of(Kind::UnexpectedMail).iter().filter(|n| n.change == Change::Opened).count();
    spam(&mut desk, "Feedback-ID: 20220808:x:us10:mc\r\n");
    assert_eq!(count(&desk), 1);
    spam(&mut desk, "Feedback-ID: x:30123456:us10:mc\r\n");
    assert_eq!(count(&desk), 2);
    desk.outlives_a_restart();
    let counts = desk.w.dog.view(desk.w.now).strangers;
    assert_eq!(counts[&(name("i0"), "provider")], 2, "{counts:?}");
}

/// The footer of its canaries has other words, which is an `info`; and somebody is answered who never was.
#[test]
fn a_foreign_address_in_recurring_mail_warns_beside_a_changed_footer() {
    let footer = |value: &str, words: &str| {
        let added = Added { words: words.to_owned(), ..Added::default() };
        let marks = [canary(), vec![mark(Part::Content, value)]].concat();
        Examination { marks, added: [(value.to_owned(), added)].into(), ..Examination::default() }
    };
    let mut desk = desk();
    desk.look_at(12, &footer("html-added:4e1ccbaa", "Summer sale"));
    desk.report("", "");
    desk.look_at(3, &footer("html-added:71fa71bc", "Autumn sale"));
    let told = desk.of(Kind::Identity);
    assert!(matches!(told[..], [n] if n.severity == Severity::Info), "{told:#?}");
    desk.report(SPY, "");
    let told = desk.of(Kind::Identity);
    let [_, second] = told[..] else { panic!("{told:#?}") };
    assert_eq!((second.severity, second.change), (Severity::Warn, Change::Updated));
    assert!(second.summary.contains("spy@arxxwalls.com"), "{}", second.summary);
    assert!(second.evidence["next_step"].as_str().unwrap().starts_with("ask who changed it"), "{}", second.evidence);
    desk.outlives_a_restart();
}

#[test]
fn another_host_or_link_in_recurring_mail_and_mail_that_nobody_sent_are_no_page() {
    let mut desk = desk();
    for _ in 0..3 {
        desk.report("", "https://partner.example/");
    }
    desk.comes("i1", "no-reply@example.com", "Reset your password", ("", ""));
    desk.w.run(Span::from_secs(300));
    let message = "Received: from out7.mcsv.example (out7.mcsv.example [192.0.2.1]) by mx.example.net; Mon, 8 Aug 2022 19:30:00 +0000\r\n\
        From: Example <billing@example.com>\r\nTo: i0@example.net\r\nSubject: Monthly usage report\r\nMessage-ID: <1@other.test>\r\n\r\n";
    let inbox = name("i0");
    let copy = Some("other".to_owned());
    let mail = desk.ours.weigh(&inbox, &desk.w.settings.inboxes[&inbox], message.as_bytes(), Placement::Inbox, desk.w.now, copy);
    desk.w.feed(Event::Strange { inbox, mail });
    let told = desk.of(Kind::Identity);
    assert!(matches!(told[..], [n] if n.severity == Severity::Warn && n.summary.contains("Message-ID")), "{told:#?}");
    assert!(desk.w.notices.iter().all(|(_, n)| n.severity < Severity::Page));
}

#[test]
fn what_is_let_to_others_is_theirs_and_what_is_foreign_stays_so() {
    let mut desk = desk();
    for _ in 0..3 {
        desk.report("", "https://good.s3.amazonaws.com/a");
    }
    desk.report("", "https://evil.s3.amazonaws.com/a");
    assert!(matches!(desk.of(Kind::Identity)[..], [n] if n.summary.contains("evil.s3.amazonaws.com")), "{:#?}", desk.of(Kind::Identity));
    // Its links differ from mail to mail by then: what was foreign is no less so.
    for n in 0..4 {
        desk.report("", &format!("https://evil.s3.amazonaws.com/a https://sponsor{n}.example/"));
    }
    let told = desk.of(Kind::Identity);
    assert!(told.iter().all(|n| n.change != Change::Resolved), "{told:#?}");
    desk.outlives_a_restart();
}

/// What the canaries of the provider have is known, and stays so where they are learnt anew.
#[test]
fn what_is_known_of_the_provider_is_learnt_of_recurring_mail_too() {
    let mut desk = desk();
    desk.look_at(12, &Examination { marks: canary(), ..Examination::default() });
    for _ in 0..3 {
        desk.report("List-Unsubscribe: <https://u9.list-manage.example/x>\r\n", "");
    }
    desk.w.feed(Event::Unlearnt { provider: name("p0"), stream: name("s0"), mark: None, by: "ada".to_owned() });
    desk.report("List-Unsubscribe: <https://u9.list-manage.example/x>\r\n", "");
    assert!(desk.of(Kind::Identity).is_empty(), "{:#?}", desk.of(Kind::Identity));
    desk.report("Return-Path: <b@mcsv.net>\r\n", "");
    assert_eq!(desk.of(Kind::Identity).len(), 1);
    desk.report("Return-Path: <b@rsgsv.net>\r\n", "");
    assert_eq!(desk.of(Kind::Identity).len(), 1, "it is the same house");
}

#[test]
fn what_is_remembered_of_recurring_mail_is_bounded() {
    let mut settings = settings(1, 1, 2, Span::from_secs(60));
    settings.expected_mail =
        (0..300).map(|n| ExpectedMail { from: Vec::new(), subject: Some(format!("report {n}")), inbox: Vec::new() }).collect();
    let mut desk = of(settings);
    for n in 0..300 {
        let from = format!("x@example{n}.test");
        desk.comes("i0", &from, &format!("Report {n}"), (SPY, "hello"));
    }
    for n in 0..60 {
        let links: String = (0..60).map(|l| format!("https://l{l}.example{n}.test/ a{l}@m{l}.example{n}.test ")).collect();
        desk.comes(
            "i0",
            &format!("x@example{n}.test"),
            "Report 299",
            (&format!("Reply-To: r@r{n}.test\r\nCc: {}\r\n", links.replace(' ', ", ")), &links),
        );
    }
    let checkpoint = desk.w.dog.checkpoint().unwrap();
    assert!(checkpoint.len() < 1_000_000, "{}", checkpoint.len());
    desk.outlives_a_restart();
}

/// A rule whose very first mail is foreign already: nothing came before it, but who we are is known, and who the provider is.
#[test]
fn who_stands_in_the_first_mail_of_a_kind_is_told_once_if_nothing_says_who_he_is() {
    let usual =
        "List-Unsubscribe: <https://lists.example/x>\r\nReturn-Path: <b@bounces.example>\r\nDKIM-Signature: d=esp.example; s=k; b=x\r\n";
    let mut desk = desk();
    desk.report(&format!("{usual}{SPY}"), "https://social.example/us https://example.com/usage");
    let told = desk.of(Kind::Identity);
    let [opened] = told[..] else { panic!("{told:#?}") };
    assert_eq!((opened.change, opened.severity, &opened.culprit), (Change::Opened, Severity::Warn, &Culprit::Provider(name("p0"))));
    let words = "recurring mail through provider `p0` that is expected names somebody who is not known: Reply-To `spy@arxxwalls.com` in the first mail of its \
        kind that was seen, who is neither you nor the provider nor the receiver; the first from `billing@example.com`";
    assert!(opened.summary.contains(words), "{}", opened.summary);
    assert!(!opened.summary.contains("social.example") && !opened.summary.contains("esp.example"), "{}", opened.summary);
    assert!(
        opened.evidence["next_step"].as_str().unwrap().ends_with("What three such mails have had counts as usual"),
        "{}",
        opened.evidence
    );
    desk.outlives_a_restart();
    // In the same mail at another inbox it is no news; and what three have had is usual.
    desk.comes("i1", "billing@example.com", RULE, (SPY, ""));
    assert_eq!(desk.of(Kind::Identity).len(), 1);
    for _ in 0..4 {
        desk.report(SPY, "https://social.example/us");
    }
    let told: Vec<Change> = desk.of(Kind::Identity).iter().map(|n| n.change).collect();
    assert_eq!(told, [Change::Opened, Change::Resolved]);
    desk.outlives_a_restart();
}

#[test]
fn the_first_mail_of_a_kind_is_quiet_where_all_in_it_are_known_and_a_word_where_nobody_is_answered() {
    let known = [canary(), vec![mark(Part::Address, "desk@helpers.example")]].concat();
    for (more, text, severity) in [
        ("Reply-To: help@example.com\r\nCc: boss@example.net, i0@example.net\r\n", "help@example.com", None),
        ("Reply-To: x@helpers.example\r\n", "https://facebook.com/us", None),
        ("X-Report-Abuse: abuse@sender.example\r\n", "", None),
        ("Cc: team@partner.example\r\n", "", Some(Severity::Info)),
        ("", "Ask sales@partner.example", Some(Severity::Info)),
        ("Sender: spy@gmail.com\r\n", "", Some(Severity::Warn)),
    ] {
        let mut desk = desk();
        desk.look_at(12, &Examination { marks: known.clone(), ..Examination::default() });
        desk.report(more, text);
        let told: Vec<Severity> = desk.of(Kind::Identity).iter().map(|n| n.severity).collect();
        assert_eq!(told, severity.into_iter().collect::<Vec<_>>(), "{more}{text}");
        // A word is no sign of anything, a foreign author is.
        desk.comes("i1", "no-reply@example.com", "Reset your password", ("", ""));
        let paged = desk.w.notices.iter().any(|(_, n)| n.severity == Severity::Page);
        assert_eq!(paged, severity == Some(Severity::Warn), "{more}{text}");
    }
}
