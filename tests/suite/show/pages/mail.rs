//! What is known of the mail of each provider, as a page, and what else is asked of it.

use mailcanary::model::Method;
use mailcanary::watchdog::CheckView;

use super::made::{INBOXES, STREAMS, now, world};
use super::*;

/// What a provider's mail of one stream looks like in these worlds; in an outage somebody else's address stands in it, and a check fails.
fn identity(provider: &str, stream: &str, outage: bool) -> IdentityView {
    let ago = |minutes: u64| now().minus(Span::from_secs(minutes * 60));
    let mark = |part, value: &str| MarkView {
        mark: Mark { part, value: value.to_owned() },
        since: ago(26 * 60 - 3),
        last: ago(12),
        foreign: false,
        approved: false,
        told: part == Part::From,
        mails: if part == Part::Network { 1 } else { 36 },
        canaries: None,
        inboxes: Vec::new(),
        not_in: Vec::new(),
        words: None,
    };
    let mut marks = vec![
        mark(Part::From, "no-reply@example.com"),
        MarkView { approved: true, ..mark(Part::ReplyTo, "help@example.com") },
        mark(Part::ReturnPath, "bounces.example.com"),
        mark(Part::DkimDomain, "example.com"),
        mark(Part::DkimDomain, "mandrillapp.com"),
        mark(Part::DkimSelector, "k1._domainkey.example.com"),
        mark(Part::DkimSelector, &format!("{}._domainkey.mandrillapp.com", "s".repeat(60))),
        mark(Part::List, "mailchimpapp.net"),
        mark(Part::Address, "example.com"),
        mark(Part::Link, "example.com"),
        mark(Part::Link, "click.mailchimp.example"),
        mark(Part::Content, "links-rewritten"),
    ];
    marks.extend((0..40).map(|n| MarkView { last: ago(20 + n), ..mark(Part::Network, &format!("192.0.{n}.0/24")) }));
    marks.extend((0..64).map(|n| MarkView { last: ago(20 + n), ..mark(Part::MessageId, &format!("host-{n}.mandrillapp.com")) }));
    if outage {
        let foreign = |part, value: &str, canaries| MarkView {
            since: ago(25 * 60),
            foreign: true,
            canaries: Some((canaries, CanaryId::from_bits(0x1_0000_0011), name("gmail-1"))),
            inboxes: vec![name("gmail-1")],
            not_in: vec![name("own-1")],
            words: (canaries > 1).then(|| "Autumn <sale>".to_owned()),
            ..mark(part, value)
        };
        marks.push(foreign(Part::ReplyTo, "someone@arxxwalls.com", 1441));
        marks.push(foreign(Part::Link, "it's-a-reset.arxxwalls.com", 1));
    }
    let checks = checks(outage);
    let hosts = (1..6).map(|n| (format!("198.2.137.{n}").parse().unwrap(), ago(n))).collect();
    let varying = [Part::MessageId].into();
    IdentityView {
        provider: name(provider),
        stream: name(stream),
        known: true,
        seen: 10,
        written: 36,
        at: ago(1),
        marks,
        varying,
        hosts,
        checks,
    }
}

/// How its checks stand: in an outage a signature fails, and one receiver never says what it finds.
fn checks(outage: bool) -> Vec<CheckView> {
    let ago = |minutes: u64| now().minus(Span::from_secs(minutes * 60));
    let check = |inbox: &str, method, by_receiver| CheckView {
        inbox: name(inbox),
        method,
        by_receiver,
        sound: true,
        passed: 10,
        failing_since: None,
        broken_since: None,
        why: String::new(),
    };
    let methods = [Method::Spf, Method::Dkim, Method::Dmarc];
    let mut checks: Vec<CheckView> =
        INBOXES.iter().flat_map(|inbox| methods.into_iter().flat_map(|m| [false, true].map(|by| check(inbox, m, by)))).collect();
    let never = CheckView {
        sound: false,
        passed: 0,
        why: "the chain of those who passed it on: no key".to_owned(),
        ..check("own-1", Method::Arc, false)
    };
    checks.push(never);
    checks.push(CheckView { sound: false, passed: 2, ..check("own-1", Method::Arc, true) });
    checks.retain(|check| !(check.by_receiver && check.inbox.as_str() == "fastmail-1"));
    for check in checks.iter_mut().filter(|check| outage && check.method == Method::Dkim && check.inbox.as_str() != "own-1") {
        let broken = check.inbox.as_str() == "gmail-1";
        (check.sound, check.failing_since, check.broken_since) = (false, Some(ago(9)), broken.then(|| ago(9)));
        check.why = "the signature of example.com (selector k1): there is no key".to_owned();
    }
    checks
}

/// Of one provider all is known, another is still being learnt, and of the third nothing was looked at.
pub fn identities(outage: bool) -> Vec<IdentityView> {
    let mut all: Vec<IdentityView> = STREAMS.iter().map(|stream| identity("mailchimp", stream, outage)).collect();
    let mut learning = identity("postmark", STREAMS[0], false);
    (learning.known, learning.seen, learning.written) = (false, 1, 1);
    learning.varying.clear();
    learning.marks.iter_mut().for_each(|mark| mark.mails = 1);
    learning.marks.retain(|mark| !matches!(mark.mark.part, Part::Network | Part::MessageId));
    learning.checks.retain(|check| check.inbox.as_str() == "own-1");
    all.push(learning);
    all
}

/// What a page says, without its style and scripts.
async fn said(shown: &Shown, path: &str) -> String {
    let (code, page) = shown.get(path).await;
    assert_eq!(code, 200, "{path}");
    page.split_once("</style>").unwrap().1.split_once("<script>").unwrap().0.to_owned()
}

#[tokio::test]
async fn what_is_known_of_mail_stands_on_its_providers_page_and_whole_on_its_own() {
    let shown = Shown::start(world(true)).await;
    let page = said(&shown, "/providers/mailchimp").await;
    for fact in ["What its mail says", "no-reply@example.com", "2 values", "DKIM fails", "gmail-1", "href=\"../providers/mailchimp/mail\""]
    {
        assert!(page.contains(fact), "{fact} is not in\n{page}");
    }
    let page = said(&shown, "/providers/mailchimp/mail").await;
    for fact in [
        "Stream password-reset",
        "someone@arxxwalls.com",
        "in 1441 mails, the first <a href=\"../../canaries/0000000100000011\">",
        "mailcanary identity approve -c '/srv/mail watch/canary.toml' mailchimp password-reset reply_to -- <bdi>'someone@arxxwalls.com'</bdi>",
        // Nobody is handed a command that ends its own quotation.
        "mailchimp password-reset link -- <bdi>VALUE</bdi>",
        "an approval",
        "the configuration",
        "36 of 36 mails",
        "1 of 36 mails",
        "differs from mail to mail: 63 others",
        "and 34 more that were seen longer ago",
        "the signature of example.com (selector k1): there is no key",
        "has never passed",
        "passed 2 of 3 times",
        "by the receiver",
        "198.2.137.5",
        "k1._domainkey.example.com",
        "href=\"../../dns\"",
    ] {
        assert!(page.contains(fact), "{fact} is not in\n{page}");
    }
    let page = said(&shown, "/providers/postmark/mail").await;
    assert!(page.contains("learnt from 1 canary so far") && !page.contains("arxxwalls"), "{page}");
    let page = said(&shown, "/providers/relay/mail").await;
    assert!(page.contains("No mail of it was looked at yet"), "{page}");
    assert_eq!(shown.get("/providers/nobody/mail").await.0, 404);

    // Whoever is told of it finds the way.
    let foreign = incident(21, Kind::Identity, Culprit::Provider(name("mailchimp")), "its mail carries something foreign", json!({}));
    shown.change(|view| view.incidents.push(foreign));
    assert!(said(&shown, "/incidents/21").await.contains("<a href=\"../providers/mailchimp/mail\">what is known of its mail</a>"));

    // Of many streams those stand open in which there is something to see.
    shown.change(|view| {
        let usual = view.identities[0].clone();
        view.identities = (0..50).map(|n| IdentityView { stream: name(&format!("stream-{n}")), ..usual.clone() }).collect();
        for identity in &mut view.identities[1..] {
            identity.marks.retain(|mark| !mark.foreign);
            identity.checks.retain(|check| check.sound);
        }
    });
    let page = said(&shown, "/providers/mailchimp/mail").await;
    assert_eq!((page.matches("<h2 id=\"s-").count(), page.matches("<details").count()), (1, 49));
    assert!(page.len() < 1_500_000, "{}", page.len());
}

#[tokio::test]
async fn a_mail_that_was_not_read_to_its_end_says_so() {
    let shown = Shown::with(world(true), Past { outage: true }.archive()).await;
    for (path, cut) in [("0000000100000011", true), ("0000000100000010", false)] {
        assert_eq!(said(&shown, &format!("/canaries/{path}")).await.contains("was not read to its end"), cut, "{path}");
        let (code, way) = shown.get(&format!("/api/v1/canaries/{path}/way")).await;
        assert!(code == 200 && way.contains(&format!("\"cut\":{cut}")), "{way}");
    }
}
