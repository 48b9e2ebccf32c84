//! Mail that may come, by what its receiver says of it; and whose an address is at a domain that is everybody's.

use mailcanary::canary::Head;
use mailcanary::model::{At, Claim, Name, Part, Placement, Stranger};

const SETTINGS: &str = r#"
[watch]
domains = ["brand.example"]
[stream.reset]
[provider.chimp.mandrill]
from = "no-reply@example.com"
api_key = { env = "K" }
[provider.own.smtp]
from = "Me.Myself@gmail.com"
host = "127.0.0.1"
tls = "none"
[inbox.seed.imap]
address = "seed@inbox.example"
host = "127.0.0.1"
tls = "none"
username = "u"
password = { env = "P" }
[[expected_mail]]
from = ["*@example.com", "*@partner.example", "anybody@*"]
subject = "Monthly usage*"
"#;

fn weigh(mail: &str) -> Stranger {
    let ((settings, ours), seed) = (super::ours(SETTINGS), Name::new("seed").unwrap());
    ours.weigh(&seed, &settings.inboxes[&seed], mail.as_bytes(), Placement::Inbox, At::from_ms(0), None)
}

fn mail(results: &str, host: &str, from: &str, more: &str) -> String {
    let results = if results.is_empty() { String::new() } else { format!("Authentication-Results: mx.inbox.example; {results}\r\n") };
    format!(
        "{results}Received: from {host} ({host} [192.0.2.1]) by mx.inbox.example; Mon, 8 Aug 2022 19:30:00 +0000\r\nFrom: Us <{from}>\r\n\
         To: seed@inbox.example\r\nSubject: Monthly usage report\r\n{more}\r\nhttps://evil.example/ spy@arxxwalls.com seed@inbox.example\r\n"
    )
}

#[test]
fn an_expected_name_of_ours_counts_unless_the_receiver_says_that_it_is_not_ours() {
    for (results, from, expected, held) in [
        ("", "billing@example.com", Claim::Allowed, true),
        ("dkim=pass header.d=example.com; dmarc=pass header.from=example.com", "billing@example.com", Claim::Allowed, true),
        ("dkim=none; spf=none", "billing@example.com", Claim::Allowed, true),
        ("spf=temperror; dmarc=temperror", "billing@example.com", Claim::Allowed, true),
        ("dkim=pass header.d=example.com; spf=fail smtp.mailfrom=x.example", "billing@example.com", Claim::Allowed, true),
        (
            "dkim=none; spf=fail smtp.mailfrom=evil.ru; dmarc=fail (p=REJECT) header.from=example.com",
            "billing@example.com",
            Claim::OurDomain,
            false,
        ),
        ("dkim=none; spf=softfail smtp.mailfrom=evil.ru", "billing@example.com", Claim::OurDomain, false),
        ("dmarc=fail header.from=sub.example.com", "x@example.com", Claim::OurDomain, false),
        // Of others' names what the receiver says teaches nothing, and is held against nothing.
        ("dmarc=fail header.from=partner.example", "a@partner.example", Claim::Allowed, false),
        ("", "a@partner.example", Claim::Allowed, true),
    ] {
        let told = weigh(&mail(results, "mx.spam.example", from, ""));
        assert_eq!((&told.claim, told.rule.is_some()), (&expected, held), "{results} {from}");
    }
}

#[test]
fn what_a_mail_names_besides_us_is_told_of_what_may_come_and_of_what_is_in_our_name() {
    let values = |told: &Stranger| told.marks.iter().map(|mark| (mark.part, mark.value.clone())).collect::<Vec<_>>();
    let more = "Reply-To: spy@arxxwalls.com, help@example.com\r\nCc: x@brand.example, eve@gmail.com\r\n";
    let told = weigh(&mail("", "mail7.mandrillapp.com", "billing@example.com", more));
    assert_eq!(told.rule.as_deref(), Some("from *@example.com, *@partner.example, anybody@*; subject monthly usage*"));
    assert_eq!(told.via, [Name::new("chimp").unwrap()]);
    let named = [
        (Part::ReplyTo, "spy@arxxwalls.com"),
        (Part::Header, "eve@gmail.com"),
        (Part::Address, "spy@arxxwalls.com"),
        (Part::Link, "evil.example"),
    ];
    assert_eq!(values(&told), named.map(|(part, value)| (part, value.to_owned())));
    // Whom the rule names is named by a person; whom it lets be anybody is not.
    assert!(values(&weigh(&mail("", "a.example", "a@partner.example", ""))).iter().all(|(part, _)| *part != Part::From));
    assert!(values(&weigh(&mail("", "a.example", "anybody@else.example", ""))).contains(&(Part::From, "anybody@else.example".to_owned())));
    let reset = mail("", "mail7.mandrillapp.com", "no-reply@example.com", more).replace("Monthly", "Weekly");
    let told = weigh(&reset);
    assert_eq!((told.claim.clone(), values(&told).len()), (Claim::Provider(Name::new("chimp").unwrap()), 4));
    let spam = weigh(&mail("", "mx.spam.example", "a@spam.example", more.split_once(", ").unwrap().0));
    assert!(spam.claim == Claim::Nothing && spam.marks.is_empty() && spam.account.is_empty(), "of ordinary spam nothing is kept");
}

#[test]
fn at_a_domain_that_is_everybodys_only_our_address_is_ours() {
    let claim = |from: &str| weigh(&mail("", "mail-sor-f41.google.com", from, "").replace("Monthly", "Cheap")).claim;
    assert_eq!(claim("joe1234@gmail.com"), Claim::Nothing);
    assert_eq!(claim("me.myself@gmail.com"), Claim::OurDomain);
    assert_eq!(claim("Me.Myself+x@Gmail.com"), Claim::OurDomain);
    assert_eq!(claim("x@brand.example"), Claim::OurDomain);
    let said = |text: &str| {
        let checked = mailcanary::config::parse(text, "host").unwrap_or_else(|all| panic!("{all:?}"));
        checked.warnings.iter().map(|w| format!("{w:?}")).collect::<Vec<_>>().join("\n")
    };
    let words = said(&SETTINGS.replace("brand.example", "brand.example\", \"yahoo.de"));
    assert!(words.contains("anybody may have a mailbox at `gmail.com`: only this address counts as yours"), "{words}");
    assert!(words.contains("anybody may have a mailbox at `yahoo.de`: it is not counted as yours"), "{words}");
    assert!(!words.contains("`example.com`") && !words.contains("`brand.example`"), "{words}");
}

/// Whose host handed a mail over is known behind a filter of the receiver's, too, whose hosts have public addresses: by the MX records of the inbox's
/// domain, by where the inbox is read, and by the name under which mail is checked.
#[test]
fn which_hosts_are_the_receiver_s_is_learnt_from_the_inbox() {
    let seed = Name::new("seed").unwrap();
    let seen = |settings: &str, mx: &str, checked: &str, hops: &str| {
        let (settings, mut ours) = super::ours(settings);
        ours.learn_exchangers("INBOX.example", mx);
        ours.learn_exchangers("else.example", "10 mx.esp.example.");
        let mail = format!("{checked}{hops}From: Us <billing@example.com>\r\n\r\nx");
        Head::read(mail.as_bytes()).at(&ours.receiver(&settings.inboxes[&seed])).envelope().map(|envelope| envelope.address.to_string())
    };
    let hop = |from: &str, address: &str, by: &str| {
        format!("Received: from {from} ({from} [{address}]) by {by} with ESMTPS; Mon, 8 Aug 2022 19:30:00 +0000\r\n")
    };
    let sent = hop("o1.esp.example", "198.51.100.7", "mx7.filter.example");
    let passed = hop("mx7.filter.example", "203.0.113.9", "box.post.example");
    let (far, near) = (Some("198.51.100.7".to_owned()), Some("203.0.113.9".to_owned()));
    let both = format!("{passed}{sent}");
    assert_eq!(seen(SETTINGS, "", "", &both), near, "nothing is known of whose they are");
    assert_eq!(seen(SETTINGS, "10 mx1.filter.example, 20 mx2.filter.example", "", &both), far);
    assert_eq!(seen(SETTINGS, "", "Authentication-Results: filter.example; dkim=pass\r\n", &both), far);
    let read = SETTINGS.replace("host = \"127.0.0.1\"\ntls = \"none\"\nusername", "host = \"imap.filter.example\"\nusername");
    assert_eq!(seen(&read, "", "", &both), far);
    // A filter on the receiver's own host.
    let filter = "Received: from mx7.filter.example ([203.0.113.9]) by localhost (mx7.filter.example [203.0.113.9]) (amavisd-new, port 10024) with ESMTP\r\n id 1;\
        Mon, 8 Aug 2022 19:30:00 +0000\r\n";
    assert_eq!(seen(SETTINGS, "", "", &format!("{filter}{sent}")), far);
    // What the other calls itself proves nothing, and our own hosts are no receiver's.
    let forged = "Received: from mx7.filter.example ([203.0.113.9]) by box.post.example with ESMTPS; Mon, 8 Aug 2022 19:30:00 +0000\r\n";
    assert_eq!(seen(SETTINGS, "10 mx1.filter.example", "", &format!("{forged}{sent}")), near);
    let own = [hop("mail.example.com", "203.0.113.9", "box.post.example"), sent].concat();
    assert_eq!(seen(SETTINGS, "10 mail.example.com", "", &own), near);
}
