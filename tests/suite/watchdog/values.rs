//! Values of one kind among others: whose addresses a text has, what was added to it; and what an earlier version called them.

use mailcanary::model::{Change, Examination, Kind, Mark, Part, Span};
use mailcanary::watchdog::{Event, Watchdog};
use serde_json::{Value, json};

use super::world::{World, name, settings};

fn mark(part: Part, value: &str) -> Mark {
    Mark { part, value: value.to_owned() }
}

/// A world of one route whose every canary is looked at.
struct Mail {
    w: World,
    looked_at: usize,
}

impl Mail {
    fn new() -> Self {
        Self { w: World::new(settings(1, 1, 1, Span::from_secs(60))), looked_at: 0 }
    }

    /// So many rounds, in which canaries say this besides who they are from.
    fn rounds(&mut self, rounds: u64, says: impl Fn(u64) -> Vec<Mark>) {
        for _ in 0..rounds {
            self.w.run(Span::from_secs(60));
            let new: Vec<_> = self.w.sent[self.looked_at..].to_vec();
            self.looked_at = self.w.sent.len();
            for (_, canary, route) in new {
                let marks = [vec![mark(Part::From, "no-reply@example.com")], says(canary.bits())].concat();
                self.w.feed(Event::Examined { inbox: route.inbox, canary, mail: Examination { marks, ..Examination::default() } });
            }
        }
    }

    fn told(&self) -> Vec<&str> {
        self.w
            .notices
            .iter()
            .filter(|(_, n)| n.kind == Kind::Identity && n.change != Change::Resolved)
            .map(|(_, n)| n.summary.as_str())
            .collect()
    }
}

#[test]
fn another_address_at_a_known_host_is_foreign() {
    let mut mail = Mail::new();
    mail.rounds(12, |_| vec![mark(Part::Address, "help@gmail.com")]);
    assert!(mail.told().is_empty(), "{:?}", mail.told());
    mail.rounds(1, |_| vec![mark(Part::Address, "attacker@gmail.com")]);
    assert!(
        matches!(mail.told()[..], [told] if told.contains("address in the text `attacker@gmail.com` where `help@gmail.com` stood")),
        "{:?}",
        mail.told()
    );
}

#[test]
fn addresses_that_differ_from_mail_to_mail_hide_no_others() {
    let mut mail = Mail::new();
    let usual = |n: u64| vec![mark(Part::Address, &format!("{n}@example.com")), mark(Part::Address, "help@gmail.com")];
    mail.rounds(60, usual);
    assert!(mail.told().is_empty(), "{:?}", mail.told());
    mail.rounds(1, |n| [usual(n), vec![mark(Part::Address, "attacker@gmail.com")]].concat());
    assert!(matches!(mail.told()[..], [told] if told.contains("`attacker@gmail.com`")), "{:?}", mail.told());
}

#[test]
fn another_footer_is_news_and_one_that_varies_or_is_approved_is_none() {
    let mut mail = Mail::new();
    mail.rounds(12, |_| vec![mark(Part::Content, "html-added:00000001")]);
    mail.rounds(2, |_| vec![mark(Part::Content, "html-added:00000002")]);
    assert!(matches!(mail.told()[..], [told] if told.contains("`html-added:00000002`")), "{:?}", mail.told());
    let right = Event::Approved { provider: name("p0"), stream: name("s0"), mark: mark(Part::Content, "html-added"), by: "ann".to_owned() };
    mail.w.feed(right);
    mail.rounds(30, |n| vec![mark(Part::Content, &format!("html-added:{:08x}", n / 3))]);
    assert_eq!(mail.told().len(), 1, "what is approved is whatever is added: {:?}", mail.told());
    let mut mail = Mail::new();
    mail.rounds(40, |n| vec![mark(Part::Content, &format!("text-added:{n:08x}")), mark(Part::Content, "html-added:00000001")]);
    assert!(mail.told().is_empty(), "{:?}", mail.told());
    mail.rounds(2, |n| vec![mark(Part::Content, &format!("text-added:{n:08x}")), mark(Part::Content, "html-added:00000002")]);
    assert_eq!(mail.told().len(), 1, "{:?}", mail.told());
}

#[test]
fn addresses_of_domains_that_differ_from_mail_to_mail_hide_none_at_a_known_one() {
    let mut mail = Mail::new();
    let usual = |n: u64| vec![mark(Part::Address, &format!("buyer@shop{n}.example")), mark(Part::Address, "help@gmail.com")];
    mail.rounds(150, usual);
    assert!(mail.told().is_empty(), "{:?}", mail.told());
    mail.rounds(1, |n| [usual(n), vec![mark(Part::Address, "attacker@gmail.com")]].concat());
    assert!(matches!(mail.told()[..], [told] if told.contains("`attacker@gmail.com`")), "{:?}", mail.told());
}

#[test]
fn what_has_become_known_is_foreign_no_more() {
    let usual = || vec![mark(Part::DkimDomain, "example.com"), mark(Part::Address, "help@gmail.com")];
    let more = |part, value: &str| [usual(), vec![mark(part, value)]].concat();
    for (foreign, approved) in [
        (mark(Part::Content, "html-added:00000002"), mark(Part::Content, "html-added")),
        (mark(Part::Address, "team@partner.example"), mark(Part::Address, "partner.example")),
        (mark(Part::DkimSelector, "k1._domainkey.partner.example"), mark(Part::DkimDomain, "partner.example")),
    ] {
        let mut mail = Mail::new();
        mail.rounds(12, |_| usual());
        mail.rounds(2, |_| more(foreign.part, &foreign.value));
        assert_eq!(mail.told().len(), 1, "{foreign:?}");
        mail.w.feed(Event::Approved { provider: name("p0"), stream: name("s0"), mark: approved, by: "ann".to_owned() });
        mail.rounds(3, |_| more(foreign.part, &foreign.value));
        let last = mail.w.notices.iter().map(|(_, n)| n).rfind(|n| n.kind == Kind::Identity).unwrap();
        assert_eq!((last.change, mail.told().len()), (Change::Resolved, 1), "{foreign:?}");
    }
}

#[test]
fn one_host_that_names_its_mail_otherwise_is_told_of_at_the_second() {
    let mut mail = Mail::new();
    mail.rounds(12, |_| vec![mark(Part::MessageId, "sender.com")]);
    mail.rounds(1, |_| vec![mark(Part::MessageId, "other.com")]);
    assert!(mail.told().is_empty(), "{:?}", mail.told());
    mail.rounds(1, |_| vec![mark(Part::MessageId, "other.com")]);
    assert_eq!(mail.told().len(), 1);
}

/// The checkpoint of a version that knew whose addresses a text has, that something was added, and the hosts of Message-ID.
fn earlier(checkpoint: &str) -> String {
    let mut state: Value = serde_json::from_str(checkpoint).unwrap();
    fn forget(value: &mut Value) {
        match value {
            Value::Object(all) => {
                if all.contains_key("parts") {
                    assert!(all.remove("taught").is_some());
                }
                all.values_mut().for_each(forget);
            }
            Value::Array(all) => all.iter_mut().for_each(forget),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    forget(&mut state);
    json!(state).to_string()
}

#[test]
fn what_an_earlier_version_knew_is_learnt_in_its_new_form_and_nothing_else_is() {
    let mut mail = Mail::new();
    let before = [
        mark(Part::Address, "gmail.com"),
        mark(Part::Content, "html-added"),
        mark(Part::MessageId, "mta-#.sender.com"),
        mark(Part::MessageId, "geopod-ismtpd-#-#"),
    ];
    mail.rounds(12, |_| before.to_vec());
    let checkpoint = earlier(&mail.w.dog.checkpoint().unwrap());
    mail.w.dog = Watchdog::replay(&mail.w.settings, Some(&checkpoint), []).unwrap();
    let now = [
        mark(Part::Address, "help@gmail.com"),
        mark(Part::Content, "html-added:00000001"),
        mark(Part::MessageId, "sender.com"),
        mark(Part::MessageId, "geopod-ismtpd-#"),
        mark(Part::Header, "sender.com"),
    ];
    mail.rounds(4, |_| now.to_vec());
    assert!(mail.told().is_empty(), "{:?}", mail.told());
    let foreign = || [now.to_vec(), vec![mark(Part::Address, "x@arxxwalls.com")]].concat();
    mail.rounds(1, |_| foreign());
    assert!(mail.told().is_empty(), "an earlier version did not see every address");
    mail.rounds(1, |_| foreign());
    assert_eq!(mail.told().len(), 1, "a host that never stood there is foreign all the same");
    mail.rounds(20, |_| now.to_vec());
    assert_eq!(mail.told().len(), 1, "{:?}", mail.told());
    mail.rounds(1, |_| [now.to_vec(), vec![mark(Part::Address, "attacker@gmail.com")]].concat());
    assert!(mail.told().last().unwrap().contains("`attacker@gmail.com`"), "{:?}", mail.told());
}
