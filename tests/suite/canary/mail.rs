//! What mails say of themselves: real-looking ones with what is read in them beside each, and such as nobody should send.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use mailcanary::canary::{Head, Known, Ours, examine};
use mailcanary::config::Settings;
use mailcanary::model::{At, Claim, Examination, Name, Part, Placement};

fn look(message: &[u8], domain: &str) -> Examination {
    let known = Known { sent_at: At::from_rfc3339("2022-08-08T19:30:00Z"), sent: None, inbox_domain: domain, own: &[], cut: false };
    examine(message, &Head::read(message), &known)
}

fn told(mail: &Examination) -> String {
    let mut out = String::new();
    for hop in &mail.hops {
        let at = hop.at.map_or_else(|| "-".to_owned(), At::rfc3339);
        let took = hop.took.map_or_else(|| "-".to_owned(), |took| took.to_string());
        writeln!(out, "hop   {at} {took:>5}  `{}` from `{}`", hop.by, hop.from).unwrap();
    }
    for check in &mail.checks {
        writeln!(out, "check {} {} ({})", check.method.as_str(), check.finding.as_str(), check.why).unwrap();
    }
    for words in &mail.filter {
        writeln!(out, "said  {words}").unwrap();
    }
    for mark in &mail.marks {
        writeln!(out, "mark  {:<14} {}", mark.part.as_str(), mark.value).unwrap();
    }
    out
}

/// Every `.eml`, held against the `.txt` beside it. `BLESS=1` writes those anew.
#[test]
fn each_mail_is_read_as_it_should_be() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/canary/mails");
    let mut mails: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    mails.retain(|path| path.extension().is_some_and(|e| e == "eml"));
    mails.sort();
    assert!(mails.len() >= 6);
    let mut wrong = Vec::new();
    for path in mails {
        let domain = if path.to_string_lossy().contains("gmail") { "gmail.com" } else { "example.org" };
        let told = told(&look(&std::fs::read(&path).unwrap(), domain));
        let beside = path.with_extension("txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&beside, &told).unwrap();
        }
        if std::fs::read_to_string(&beside).unwrap_or_default() != told {
            wrong.push(format!("{}:\n{told}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Bounded, safe to show, and never a panic. What takes far too long the runner ends.
fn is_sound(what: &str, message: &[u8]) -> Examination {
    let mail = look(message, "example.org");
    assert!(mail.marks.len() <= 160 && mail.hops.len() <= 32 && mail.checks.len() <= 16, "{what}");
    let texts = mail.marks.iter().map(|m| &m.value).chain(mail.hops.iter().flat_map(|h| [&h.by, &h.from]));
    for text in texts {
        assert!(text.len() <= 253 && text.chars().all(|c| c.is_ascii_graphic() || c.is_alphanumeric()), "{what}: {text:?}");
    }
    assert!(mail.filter.len() <= 8 && mail.filter.iter().all(|words| words.chars().count() <= 200 && !words.chars().any(char::is_control)));
    assert!(mail.checks.iter().all(|c| c.why.chars().count() <= 200 && !c.why.chars().any(char::is_control)), "{what}");
    mail
}

#[test]
fn nothing_that_a_mail_can_be_takes_long_or_much() {
    is_sound("filters without an end", format!("X-Spam-Status: Yes, score={}\r\n\r\n", "tests=required=(,".repeat(500_000)).as_bytes());
    let line = "Received: from a.example (a.example [192.0.2.1]) by b.example; Mon, 8 Aug 2022 19:30:00 +0000\r\n";
    let many = is_sound("a million of Received", format!("{}\r\nx", line.repeat(1_000_000)).as_bytes());
    assert_eq!(many.hops.len(), 32);
    is_sound("a header of 10 MiB", format!("Received: {}\r\n\r\n", "x (".repeat(10 << 20)).as_bytes());
    is_sound("fields without an end", "From: a@b.example,\r\n ".repeat(200_000).as_bytes());
    is_sound("addresses without an end", format!("From: {}\r\n\r\n", "<a@b.example>,".repeat(500_000)).as_bytes());
    is_sound("checks without an end", format!("{line}Authentication-Results: {}\r\n\r\n", "x;dkim=pass;((".repeat(500_000)).as_bytes());
    let nested: String = (0..1000).map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n")).collect();
    is_sound("parts a thousand deep", nested.as_bytes());
    is_sound("messages a thousand deep", "Content-Type: message/rfc822\r\n\r\n".repeat(1000).as_bytes());
    for (what, text) in [("http", "http"), ("http://", "http://"), ("@", "a@"), ("<", "<a href=\"//"), ("quotes", "=\"//\"")] {
        let page = format!("From: a@b.example\r\nContent-Type: text/html\r\n\r\n{}", text.repeat(100_000));
        is_sound(what, page.as_bytes());
    }
    is_sound("nulls", &vec![0; 1 << 20]);
    is_sound("every byte", &(0..=255_u8).cycle().take(1 << 20).collect::<Vec<_>>());
    is_sound("nothing", b"");
}

#[test]
fn character_sets_that_are_none_or_broken_are_read_all_the_same() {
    let bodies: [&[u8]; 6] =
        [b"+ADw-script+AD4-", b"\xff\xfe<\0a\0", b"\x1b$B\xff\x1b(B", b"\x81\x30\x81", b"=FF=F=\r\n==", b"\xf0\x9f\x98"];
    let sets = ["utf-7", "utf-16", "utf-16be", "utf-32", "iso-2022-jp", "gb18030", "x-user-defined", "\"", "\"utf-8\0\"", "none", ""];
    for set in sets {
        for coding in ["8bit", "base64", "quoted-printable", "x-uuencode", "\0"] {
            for body in bodies {
                let head = format!(
                    "From: =?{set}?B?////?= <a@b.example>\r\nSubject: =?{set}?Q?=FF=1B[2J?= =?{set}?X?x?= =?{set}?B?\r\nContent-Type: text/html; charset={set}\r\n\
                     Content-Transfer-Encoding: {coding}\r\n\r\n"
                );
                is_sound(&format!("{set} {coding}"), &[head.as_bytes(), body].concat());
            }
        }
    }
}

#[test]
fn a_mail_that_is_cut_or_broken_anywhere_is_read_all_the_same() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/canary/mails");
    for name in ["gmail_of_sendgrid", "microsoft_365", "yahoo_courier_odd"] {
        let whole = std::fs::read(folder.join(name).with_extension("eml")).unwrap();
        for at in (0..whole.len()).step_by(7) {
            is_sound(name, &whole[..at]);
            let mut broken = whole.clone();
            broken[at] = [0, b'(', b'"', b';', b'<', 0xff, b'\n'][at % 7];
            is_sound(name, &broken);
        }
    }
}

#[test]
fn marks_do_not_vary_from_mail_to_mail() {
    let mail = |token: &str, n: u32| {
        format!(
            "Received: from o{n}.sendgrid.net (o{n}.sendgrid.net [167.89.1.{n}]) by mx.example.org; Mon, 8 Aug 2022 19:30:00 +0000\r\n\
             Return-Path: <bounce-{token}@em.example.com>\r\nFrom: x+{token}@example.com\r\nMessage-ID: <{token}@host-{n}.example.com>\r\n\
             List-Unsubscribe: <https://x.example.com/{token}>\r\n\r\nhttps://example.com/{token} me+{token}@example.com"
        )
    };
    let marks = |text: String| look(text.as_bytes(), "example.org").marks;
    let one = marks(mail(&format!("mc-{}", "a2".repeat(18)), 7));
    assert_eq!(one, marks(mail(&format!("mc-{}", "b3".repeat(18)), 99)));
    let value = |part| one.iter().find(|m| m.part == part).map(|m| m.value.as_str());
    assert_eq!(value(Part::From), Some("x+mc-***@example.com"));
    assert_eq!((value(Part::Network), value(Part::MessageId)), (Some("sendgrid.net"), Some("example.com")));
}

/// Everything of the header that the mail of one inbox has, and what is said of it.
fn named(header: &str) -> Vec<(Part, String)> {
    let message = format!("From: no-reply@example.com\r\n{header}\r\n\r\n");
    let known =
        Known { sent_at: None, sent: None, inbox_domain: "inbox.example", own: &["Seed@inbox.example", "alias@inbox.example"], cut: false };
    let marks = examine(message.as_bytes(), &Head::read(message.as_bytes()), &known).marks;
    marks.into_iter().filter(|mark| matches!(mark.part, Part::Header | Part::List)).map(|mark| (mark.part, mark.value)).collect()
}

#[test]
fn whoever_else_the_header_names_is_marked_wherever_that_stands() {
    let token = format!("mc-{}", "a2".repeat(18));
    let own = format!(
        "To: \"The seed\" <seed+{token}@Inbox.example>, SEED@inbox.example\r\nCc: alias@inbox.example, alias+x@inbox.example\r\n\
         Delivered-To: somebody@else.example\r\nX-Original-To: a@else.example\r\nSender: x@other.example\r\nReply-To: y@third.example\r\n\
         List-Post: NO\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click"
    );
    assert!(named(&own).is_empty(), "its own addresses, and what its receiver adds: {:?}", named(&own));
    let foreign = |part, value: &str| vec![(part, value.to_owned())];
    let whole = foreign(Part::Header, "someone@arxxwalls.com");
    let domain = foreign(Part::Header, "arxxwalls.com");
    for field in ["To", "Cc", "CC", "Bcc", "Resent-To", "Resent-Cc"] {
        assert_eq!(named(&format!("{field}: seed@inbox.example,\r\n  Eve <Someone@arxxwalls.com>")), whole, "{field}");
    }
    for field in ["X-Report-Abuse-To", "X-Original-Sender", "X-Envelope-From", "X-Anything", "Feedback-ID"] {
        assert_eq!(named(&format!("{field}: 1:x@arxxwalls.com:y, seed+tag@inbox.example")), domain, "{field}");
    }
    for field in ["X-Original-Message-ID", "References", "ARC-Seal", "X-MS-Exchange-Authentication-Results", "X-Received", "X-Spam-Report"]
    {
        assert!(named(&format!("{field}: <x@arxxwalls.com>")).is_empty(), "{field}");
    }
    // A host on the way says to whom it hands the mail; what the receiver's own say is theirs.
    let received = |to: &str, of: &str| {
        format!(
            "Received: from out.sender.example (out.sender.example [192.0.2.1]) by mx.inbox.example for <{of}>; Mon, 8 Aug 2022 19:30:00 +0000\r\n\
             Received: from app.sender.example by out.sender.example for <{to}>; Mon, 8 Aug 2022 19:29:00 +0000"
        )
    };
    assert!(named(&received("seed+x@inbox.example", "other@inbox.example")).is_empty());
    assert_eq!(named(&received("Someone@arxxwalls.com", "seed@inbox.example")), whole);
    // Who has a mailbox with the same host is somebody else.
    assert_eq!(named("Cc: eve@inbox.example"), foreign(Part::Header, "eve@inbox.example"));
    for field in ["Errors-To", "Resent-From", "Resent-Sender", "Disposition-Notification-To", "Mail-Followup-To"] {
        assert_eq!(named(&format!("{field}: <x@arxxwalls.com>")), domain, "{field}");
    }
    for field in ["From", "Sender", "Reply-To"] {
        assert_eq!(named(&format!("{field}: \"Someone@arxxwalls.com\" <no-reply@example.com>")), domain, "{field}");
    }
    let list = foreign(Part::List, "arxxwalls.com");
    for field in ["List-Post", "List-Help", "list-owner", "List-Archive", "List-Subscribe", "List-Unsubscribe"] {
        for value in ["<mailto:x@arxxwalls.com?subject=y>", "<https://arxxwalls.com/y>", "mailto:x@arxxwalls.com"] {
            assert_eq!(named(&format!("{field}: {value}")), list, "{field}: {value}");
        }
    }
    // It is not hidden by others before it, nor does it come of more than is bounded.
    let many: String = (0..8).map(|n| format!("List-Help: <https://h{n}.example/>, <https://h{n}.example/x>\r\n")).collect();
    assert!(named(&format!("{many}List-Post: <mailto:x@arxxwalls.com>")).contains(&list[0]));
    let all: String =
        (0..5000).map(|n| format!("Cc: a{n}@b.example\r\nErrors-To: x@c{n}.example\r\nList-Help: <https://d{n}.example/>\r\n")).collect();
    assert_eq!(named(all.trim_end()).len(), 32);
}

/// The marks of one part in a mail with this body.
fn written(part: Part, body: &str) -> Vec<String> {
    let message = format!("From: no-reply@example.com\r\nContent-Type: text/html\r\n\r\n{body}");
    let known = Known { sent_at: None, sent: None, inbox_domain: "inbox.example", own: &["seed@inbox.example"], cut: false };
    let marks = examine(message.as_bytes(), &Head::read(message.as_bytes()), &known).marks;
    marks.into_iter().filter(|mark| mark.part == part).map(|mark| mark.value).collect()
}

#[test]
fn an_address_in_the_body_is_marked_whole_unless_it_is_made_for_one_mail() {
    let found = |body: &str| written(Part::Address, body);
    assert_eq!(
        found("Ask <a href=\"mailto:Help@Gmail.com\">help@gmail.com</a>, or attacker@gmail.com."),
        ["attacker@gmail.com", "help@gmail.com"]
    );
    assert!(found("Sent to Seed@inbox.example, seed+tag@inbox.example").is_empty(), "to whom it was is no news");
    assert_eq!(found("bounce+00417793@example.com u=1f3a9c0b7d@example.com"), ["example.com"]);
    let many: String = (0..200).map(|n| format!("{}{}@example.com ", char::from(b'a' + n % 26), char::from(b'a' + n / 26))).collect();
    assert_eq!(found(&many).len(), 32);
}

#[test]
fn the_host_of_a_message_id_is_its_organisation_s_or_masked() {
    for (id, value) in [
        ("x@mta-7.eu-2.sender.com", "sender.com"),
        ("x@ip-10-0-12-3", "ip-#"),
        ("x@ip-10-0-12-3.internal", "ip-#.internal"),
        ("x@worker7-a2", "worker#-a#"),
        ("x@a.mail.test", "mail.test"),
    ] {
        let message = format!("From: a@b.example\r\nMessage-ID: <{id}>\r\n\r\n");
        let marks = look(message.as_bytes(), "example.org").marks;
        let found: Vec<&str> = marks.iter().filter(|m| m.part == Part::MessageId).map(|m| m.value.as_str()).collect();
        assert_eq!(found, [value]);
    }
}

/// What became of a canary that was sent as `composed` says, and arrived as this.
fn changes(sent: &mailcanary::canary::Composed, subject: &str, parts: &[(&str, &str)]) -> Vec<String> {
    let mut mail = format!(
        "From: no-reply@example.com\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=cut\r\n\r\n"
    );
    for (kind, body) in parts {
        write!(mail, "--cut\r\nContent-Type: {kind}; charset=utf-8\r\n\r\n{}\r\n", body.replace('\n', "\r\n")).unwrap();
    }
    mail.push_str("--cut--\r\n");
    let known = Known { sent_at: None, sent: Some(sent), inbox_domain: "inbox.example", own: &[], cut: false };
    let found = examine(mail.as_bytes(), &Head::read(mail.as_bytes()), &known).marks;
    found.into_iter().filter(|m| m.part == Part::Content).map(|m| m.value).collect()
}

#[test]
fn what_was_changed_on_the_way_is_named_alike_each_time() {
    for id in 1..60 {
        let sent = super::composed("password-reset", id);
        let (text, html) = (sent.text.as_str(), sent.html.as_str());
        let of = |subject: &str, parts: &[(&str, &str)]| changes(&sent, subject, parts);
        let both = |text: &str, html: &str| of(&sent.subject, &[("text/plain", text), ("text/html", html)]);
        assert!(both(text, html).is_empty(), "{:?}", both(text, html));
        assert!(
            both(&text.replace("\n\n", "\n \n"), &html.replace("<p>", "<p class=x>")).is_empty(),
            "the space between words is no change"
        );
        let added = |words: &str| both(&format!("{text}\n{words}"), html);
        let footer = added("Sent by Acme, 1 Road");
        assert!(matches!(&footer[..], [value] if value.starts_with("text-added:") && value.len() == 19), "{footer:?}");
        assert_eq!(footer, added("Sent by Acme, 22 Road; https://acme.test/u/4711 Tue, 9 Aug 2022 <x@y.example>"), "what varies in it");
        assert_ne!(footer, added("Sent by Evil, 1 Road"), "another footer is news");
        assert_eq!(
            both(&text[..text.len() / 2], html),
            ["links-rewritten", "text-cut"]
                .iter()
                .filter(|w| **w != "links-rewritten" || !text[..text.len() / 2].contains("https://example.com"))
                .copied()
                .collect::<Vec<_>>()
        );
        let tracked = |t: &str| t.replace("https://example.com/", "https://track.acme.test/");
        assert_eq!(both(&tracked(text), &tracked(html)), ["links-rewritten"]);
        let pixel = html.replace("</body>", "<img src=\"https://track.acme.test/p.gif\"></body>");
        assert!(both(text, &pixel).is_empty(), "a picture is told of by its host");
        let page = both(text, &html.replace("</body>", "<p>Unsubscribe</p></body>"));
        assert!(matches!(&page[..], [value] if value.starts_with("html-added:")), "{page:?}");
        assert_eq!(both("Buy now", html), ["text-changed", "links-rewritten"].iter().rev().copied().collect::<Vec<_>>());
        assert_eq!(of("Re: something", &[("text/plain", text), ("text/html", html)]), ["subject-changed"]);
        assert_eq!(of(&sent.subject, &[("text/html", html)]), ["text-missing"]);
        assert_eq!(of(&sent.subject, &[("text/plain", text), ("text/html", html), ("application/pdf", "x")]), ["attachment-added"]);
    }
}

#[test]
fn of_a_mail_that_was_not_read_to_its_end_nothing_is_said_to_be_missing() {
    let sent = super::composed("password-reset", 7);
    let (text, html, long) = (sent.text.as_str(), sent.html.as_str(), "x".repeat(300_000));
    let head = format!("Subject: {}\r\nX-Pad: {long}\r\n\r\n{text}", sent.subject);
    let known = Known { sent_at: None, sent: Some(&sent), inbox_domain: "inbox.example", own: &[], cut: false };
    let found = examine(head.as_bytes(), &Head::read(head.as_bytes()), &known).marks;
    assert!(found.iter().all(|mark| mark.part != Part::Content), "{found:?}");
    let parts = [("application/pdf", "x"), ("application/zip", long.as_str()), ("text/plain", text), ("text/html", html)];
    assert_eq!(changes(&sent, &sent.subject, &parts), ["attachment-added"]);
}

const SETTINGS: &str = r#"
[watch]
domains = ["brand.example"]
[stream.reset]
[provider.chimp.mandrill]
from = "no-reply@example.com"
api_key = { env = "K" }
[provider.relay.smtp]
from = "no-reply@example.com"
host = "127.0.0.1"
tls = "none"
[inbox.seed.imap]
address = "seed@inbox.example"
host = "127.0.0.1"
tls = "none"
username = "u"
password = { env = "P" }
[inbox.bait.imap]
address = "bait@inbox.example"
honeytoken_of = "chimp"
host = "127.0.0.1"
tls = "none"
username = "b"
password = { env = "P" }
[[route]]
inbox = "seed"
[[route]]
inbox = "bait"
provider = "chimp"
[[honeytoken]]
address = "Ada@Inbox.example"
inbox = "seed"
provider = "chimp"
[[honeytoken]]
address = "bob@bücher.example"
inbox = "seed"
provider = "relay"
[[expected_mail]]
from = ["*@mailchimp.example", "billing@*"]
subject = "*welcome*"
inbox = "b*"
"#;

fn claim(ours: &Ours, settings: &Settings, inbox: &str, header: &str) -> Claim {
    let (name, at) = (Name::new(inbox).unwrap(), At::from_ms(0));
    ours.weigh(&name, &settings.inboxes[&name], header.as_bytes(), Placement::Inbox, at, None).claim
}

fn received(host: &str) -> String {
    format!("Received: from {host} ({host} [192.0.2.1]) by mx.inbox.example; Mon, 8 Aug 2022 19:30:00 +0000\r\n")
}

#[test]
fn mail_that_nobody_sent_is_weighed_by_whom_it_claims_to_be() {
    let (settings, mut ours) = super::ours(SETTINGS);
    let provider = |name: &str| Claim::Provider(Name::new(name).unwrap());
    let from = |from: &str| format!("{}From: {from}\r\nSubject: Hi\r\n", received("mx.spam.example"));
    for (mail, expected) in [
        (from("a@spam.example"), Claim::Nothing),
        (from("reset@example.com"), Claim::OurDomain),
        (from("x@login.Example.COM"), Claim::OurDomain),
        (from("x@brand.example"), Claim::OurDomain),
        (from("x@notexample.com"), Claim::Nothing),
        (from("x@example.com.evil.test"), Claim::Nothing),
        (format!("Return-Path: <x@b.example.com>\r\n{}", from("a@spam.example")), Claim::OurDomain),
        // It need not be the one sender.
        (format!("Sender: Example <x@example.com>\r\n{}", from("a@spam.example")), Claim::OurDomain),
        (format!("Reply-To: help@Login.example.com\r\n{}", from("a@spam.example")), Claim::OurDomain),
        (format!("Reply-To: help@notexample.com\r\n{}", from("a@spam.example")), Claim::Nothing),
        (from("a@spam.example, reset@example.com"), Claim::OurDomain),
        (from(&format!("{}reset@example.com", "a@spam.example, ".repeat(200))), Claim::OurDomain),
        (from("reset@exam\0ple.com"), Claim::OurDomain),
        (from("\0reset@example.com"), Claim::OurDomain),
        (from("\"x\u{1}\" <re\u{8}set@example.com\u{7f}>"), Claim::OurDomain),
        (from("\"reset@example.com\" <a@spam.example>"), Claim::OurDomain),
        (from("=?utf-8?Q?reset=40example=2Ecom?= <a@spam.example>"), Claim::OurDomain),
        (from("Staff: a@spam.example, reset@example.com;"), Claim::OurDomain),
        ("From: a@spam.example\r\nFrom: reset@example.com\r\n".to_owned(), Claim::OurDomain),
        (format!("{}From: reset@example.com\r\n", received("mail7.mandrillapp.com")), provider("chimp")),
        (format!("{}From: a@spam.example\r\n", received("mail7.mandrillapp.com")), Claim::Nothing),
        (from("a@mailchimp.example").replace("Hi", "You are Welcome here"), Claim::Nothing),
        (String::new(), Claim::Nothing),
    ] {
        assert_eq!(claim(&ours, &settings, "seed", &mail), expected, "{mail}");
    }
    // What a provider's canaries had tells its mail from others', where only one of them has it.
    let canary = format!("{}From: no-reply@example.com\r\nReturn-Path: <b@bounce.example.com>\r\n\r\nx", received("out.relay.example"));
    let marks = look(canary.as_bytes(), "inbox.example").marks;
    ours.learn(&Name::new("relay").unwrap(), &marks);
    let reset = format!("{}From: reset@example.com\r\n", received("other.relay.example"));
    assert_eq!(claim(&ours, &settings, "seed", &reset), provider("relay"));
    ours.learn(&Name::new("chimp").unwrap(), &marks);
    assert_eq!(claim(&ours, &settings, "seed", &reset), Claim::OurDomain, "both send from there");
}

/// Whom it names besides is wanted where it may be told.
#[test]
fn mail_to_a_honeytoken_and_through_an_account_says_whom_it_names() {
    let (settings, ours) = super::ours(SETTINGS);
    let names = |inbox: &str, header: &str| {
        let (name, at) = (Name::new(inbox).unwrap(), At::from_ms(0));
        let mail = ours.weigh(&name, &settings.inboxes[&name], header.as_bytes(), Placement::Inbox, at, None);
        let answered = mail.marks.iter().any(|mark| mark.part == Part::ReplyTo && mark.value == "spy@arxxwalls.com");
        (mail.claim, answered)
    };
    let from = |host: &str| format!("{}From: a@spam.example\r\nReply-To: spy@arxxwalls.com\r\n", received(host));
    let (spam, service) = (from("mx.spam.example"), from("mail7.mandrillapp.com"));
    let leak = (Claim::Honeytoken(Name::new("chimp").unwrap()), true);
    assert_eq!(names("bait", &spam), leak);
    assert_eq!(names("seed", &format!("{spam}To: ada@inbox.example\r\n")), leak);
    assert_eq!(names("seed", &format!("{service}X-MC-User: 5f0c\r\n")), (Claim::Nothing, true));
    assert_eq!(names("seed", &spam), (Claim::Nothing, false));
}

#[test]
fn an_expected_name_passes_to_a_honeytoken_only_where_it_is_proven() {
    let (settings, mut ours) = super::ours(SETTINGS);
    let provider = |name: &str| Claim::Provider(Name::new(name).unwrap());
    let honeytoken = Claim::Honeytoken(Name::new("chimp").unwrap());
    let from = |from: &str| format!("{}From: {from}\r\nSubject: Hi\r\n", received("mx.spam.example"));
    let proven = |results: &str| {
        let mail = from("a@mailchimp.example").replace("Hi", "You are Welcome here");
        format!("Authentication-Results: mx.inbox.example; {results}\r\n{mail}")
    };
    let below = from("a@mailchimp.example").replace("From:", "Authentication-Results: mx.inbox.example; dmarc=pass\r\nFrom:");
    let below = below.replace("Hi", "You are Welcome here");
    for (mail, expected) in [
        (from("a@spam.example"), honeytoken.clone()),
        // Anybody can write an expected name: it has to be proven.
        (from("a@mailchimp.example").replace("Hi", "You are Welcome here"), honeytoken.clone()),
        (proven("dmarc=pass header.from=mailchimp.example"), Claim::Allowed),
        (proven("dkim=pass header.i=@mail.mailchimp.example"), Claim::Allowed),
        (proven("dkim=pass header.i=@spam.example"), honeytoken.clone()),
        (proven("dkim=pass (good) header.d=MailChimp.example header.s=k1"), Claim::Allowed),
        // Of what the receiver writes the sender chooses the selector, the name before the `@` and who is helped by a comment.
        (proven("dkim=pass header.d=spam.example header.s=mailchimp.example"), honeytoken.clone()),
        (proven("dkim=pass (header.d=mailchimp.example) header.i=mailchimp.example@spam.example"), honeytoken.clone()),
        (proven("dkim=pass header.i=\"a header.d=mailchimp.example\"@spam.example"), honeytoken.clone()),
        (proven("dkim=pass header.i=a header.d=mailchimp.example @spam.example header.d=spam.example"), honeytoken.clone()),
        (proven("dmarc=pass header.from=spam.example"), honeytoken.clone()),
        (proven("dmarc=pass action=none"), Claim::Allowed),
        (proven("dkim=pass header.d=mandrillapp.com"), Claim::Allowed),
        (format!("Return-Path: <b@mandrillapp.com>\r\n{}", proven("spf=pass")), honeytoken.clone()),
        (format!("{}DKIM-Signature: v=1; d=mandrillapp.com; s=k; b=x\r\n", proven("spf=pass")), honeytoken.clone()),
        (below.clone(), honeytoken.clone()),
        (proven("dmarc=fail header.from=mailchimp.example; spf=pass"), honeytoken.clone()),
        (
            from("a@mailchimp.example").replace("Hi", "You are Welcome here").replace("mx.spam.example", "mail7.mandrillapp.com"),
            Claim::Allowed,
        ),
        (from("a@mailchimp.example"), honeytoken.clone()),
        (from("a@mailchimp.example, b@spam.example").replace("Hi", "You are Welcome here"), honeytoken.clone()),
        (from("no-reply@example.com"), honeytoken.clone()),
        (format!("{}From: no-reply@example.com\r\n", received("mail7.mandrillapp.com")), provider("chimp")),
    ] {
        assert_eq!(claim(&ours, &settings, "bait", &mail), expected, "{mail}");
    }
    // Below the receiver's own line anybody may write, unless the receiver is known to write there.
    let checked = look(below.as_bytes(), "inbox.example").checks;
    ours.learn_receiver(&Name::new("bait").unwrap(), &checked);
    assert_eq!(claim(&ours, &settings, "bait", &below), Claim::Allowed);
}

#[test]
fn who_is_told_of_is_the_name_that_is_ours() {
    let (settings, ours) = super::ours(SETTINGS);
    let name = Name::new("seed").unwrap();
    let told = |header: &str| {
        let told = ours.weigh(&name, &settings.inboxes[&name], header.as_bytes(), Placement::Inbox, At::from_ms(0), None);
        (told.from, told.names.map(|mark| (mark.part, mark.value)))
    };
    let named = |part, value: &str| Some((part, value.to_owned()));
    for (header, from, names) in [
        ("From: a@spam.example, Reset@example.com\r\nReply-To: x@example.com\r\n", "reset@example.com", None),
        ("From: a@spam.example\r\nReply-To: X@example.com\r\n", "a@spam.example", named(Part::ReplyTo, "x@example.com")),
        ("From: a@spam.example\r\nSender: b@spam.example, c@example.com\r\n", "a@spam.example", named(Part::Sender, "c@example.com")),
        ("From: \"reset@example.com\" <a@spam.example>\r\n", "a@spam.example", named(Part::From, "example.com")),
        ("From: a@spam.example\r\n", "a@spam.example", None),
        ("Reply-To: x@example.com\r\n", "", named(Part::ReplyTo, "x@example.com")),
    ] {
        assert_eq!(told(header), (from.to_owned(), names), "{header}");
    }
}

#[test]
fn an_address_that_one_list_alone_has_names_that_provider_wherever_it_stands() {
    let (settings, ours) = super::ours(SETTINGS);
    let provider = |name: &str| Name::new(name).unwrap();
    let (name, at) = (provider("seed"), At::from_ms(0));
    let weigh = |header: &str| ours.weigh(&name, &settings.inboxes[&name], header.as_bytes(), Placement::Inbox, at, None);
    let received = "Received: from mx.spam.example (mx.spam.example [192.0.2.1]) by mx.inbox.example";
    for field in [
        "Delivered-To: ada@inbox.example",
        "X-Original-To: <ADA@inbox.example>",
        "Envelope-To: ada@inbox.example",
        "To: \"Ada, of the list\" <ada@INBOX.example>",
        "Cc: x@else.example, ada@inbox.example",
        "To: ada+news@inbox.example",
        "Original-Recipient: rfc822;ada@inbox.example",
        &format!("{received} for <ada@inbox.example>; Mon, 8 Aug 2022 19:30:00 +0000"),
        &format!("To: {}ada@inbox.example", "x@else.example, ".repeat(100)),
    ] {
        let told = weigh(&format!("{field}\r\nFrom: a@spam.example\r\n"));
        assert_eq!((told.claim, told.to.as_deref()), (Claim::Honeytoken(provider("chimp")), Some("ada@inbox.example")), "{field}");
    }
    let told = weigh("To: bob@xn--bcher-kva.example\r\nFrom: a@spam.example\r\n");
    assert_eq!(told.claim, Claim::Honeytoken(provider("relay")));
    // Through the provider itself and in our name it is what its list is for, but nobody sent it.
    let own =
        "Received: from mail7.mandrillapp.com (mail7.mandrillapp.com [192.0.2.1]) by mx.inbox.example; Mon, 8 Aug 2022 19:30:00 +0000\r\n";
    let told = weigh(&format!("{own}To: ada@inbox.example\r\nFrom: no-reply@example.com\r\n"));
    assert_eq!((told.claim, told.to.is_some()), (Claim::Provider(provider("chimp")), true));
    for other in [
        "To: eve@inbox.example",
        "To: ada@inbox.example.evil.test",
        "Subject: ada@inbox.example",
        "X-To: ada@inbox.example",
        "To: ad+a@inbox.example",
    ] {
        assert_eq!(weigh(&format!("{other}\r\nFrom: a@spam.example\r\n")).claim, Claim::Nothing, "{other}");
    }
    let bait = provider("bait");
    let elsewhere = ours.weigh(&bait, &settings.inboxes[&bait], b"To: bob@xn--bcher-kva.example\r\n", Placement::Inbox, at, None);
    assert_eq!((elsewhere.claim, elsewhere.to), (Claim::Honeytoken(provider("chimp")), None), "of another inbox");
}

#[test]
fn a_signature_that_the_receiver_refuses_is_nobodys() {
    let (settings, ours) = super::ours(SETTINGS);
    let mail = |result: &str| {
        format!(
            "Authentication-Results: mx.inbox.example; dkim={result} header.d=example.com\r\nReceived: from a.spam.example (a.spam.example [192.0.2.1]) by \
             mx.inbox.example; Mon, 8 Aug 2022 19:30:00 +0000\r\nDKIM-Signature: v=1; d=example.com; s=x; b=\r\nFrom: a@spam.example\r\n"
        )
    };
    assert_eq!(claim(&ours, &settings, "seed", &mail("pass")), Claim::OurDomain);
    assert_eq!(claim(&ours, &settings, "seed", &mail("fail")), Claim::Nothing);
}

#[test]
fn what_is_kept_of_a_stranger_is_safe_to_show() {
    let (settings, ours) = super::ours(SETTINGS);
    let name = Name::new("seed").unwrap();
    let header = format!("From: \"x\" <a\u{202e}\u{7}@EXAMPLE.com>\r\nSubject: =?utf-8?B?4oCuG1sySmV2aWw=?= <b> {}\r\n", "x".repeat(5000));
    let at = At::from_ms(5);
    let told = ours.weigh(&name, &settings.inboxes[&name], header.as_bytes(), Placement::Junk, at, None);
    assert_eq!(
        (told.from.as_str(), told.claim, told.placement, told.arrived_at),
        ("a?@example.com", Claim::OurDomain, Placement::Junk, at)
    );
    assert!(told.subject.chars().count() == 200 && told.subject.starts_with("? [2Jevil <b> x"), "{}", told.subject);
}
