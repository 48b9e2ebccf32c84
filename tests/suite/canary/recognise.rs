//! Recognition after everything that providers, gateways and readers do to a mail.

use data_encoding::BASE64;
use mailcanary::canary::{Found, Key, MAX_SCANNED, recognise, token};
use mailcanary::model::{At, CanaryId};

use super::{AT, KEY, Rng, composed};

const OURS: Found = Found::Ours { canary: CanaryId::from_bits(7), issued_at: AT };

/// Every sender is vouched for: what is tested is whether a token is found.
const ANYBODY: fn(CanaryId, &[String]) -> bool = |_, _| true;

fn ours() -> String {
    token(&KEY, CanaryId::from_bits(7), AT)
}

fn forged() -> String {
    token(&Key::new([1; 32]), CanaryId::from_bits(7), AT)
}

#[track_caller]
fn found(message: impl AsRef<[u8]>, expected: Found) {
    let message = message.as_ref();
    assert_eq!(recognise(&KEY, message, &ANYBODY), expected, "{}", String::from_utf8_lossy(message));
}

#[test]
fn any_one_place_is_enough() {
    let t = ours();
    let upper = t.to_ascii_uppercase();
    for place in [
        format!("X-Mailcanary: {t}\r\n\r\n"),
        format!("x-mAILCANARY:{upper}\r\n\r\n"),
        format!("Subject: Reset your password [{t}]\r\n\r\n"),
        format!("Subject: Fwd: [EXTERNAL] Reset [{upper}] (was: x)\r\n\r\n"),
        format!("Delivered-To: <seed+{t}@inbox.example>\r\n\r\n"),
        format!("X-Original-To: seed+{upper}@inbox.example\r\n\r\n"),
        format!("To: \"A, B\" <seed+{t}@inbox.example>, other@example.com\r\n\r\n"),
        format!("Received: from a by b for <seed+{t}@inbox.example>; Mon, 8 Aug 2022 19:30:00 +0000\r\n\r\n"),
        format!("Subject: x\r\n\r\nReference: {t}\r\n"),
        format!("Subject: x\n\nhttps://example.com/account/password/{t}?utm_source=x\n"),
        format!("Subject: x\r\n\r\nhttps://safelinks.example/?url=https%3A%2F%2Fexample.com%2F{}&data=5\r\n", t.replace('-', "%2D")),
        t.clone(),
        format!("no header at all\n\n\n{t}"),
    ] {
        found(place, OURS);
    }
}

#[test]
fn folds_at_any_position() {
    let t = ours();
    for name in ["X-Mailcanary", "Subject", "To"] {
        for at in 1..t.len() {
            for fold in ["\r\n ", "\r\n\t", "\n ", " \r\n  "] {
                let (head, tail) = t.split_at(at);
                found(format!("From: a@b.example\r\n{name}: Words [{head}{fold}{tail}]\r\nDate: x\r\n\r\nbody\r\n"), OURS);
            }
        }
    }
}

#[test]
fn encoded_words_split_at_any_position() {
    let subject = format!("Réinitialisation [{}]", ours());
    let q = |text: &str| {
        text.bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() {
                    (b as char).to_string()
                } else if b == b' ' {
                    "_".to_owned()
                } else {
                    format!("={b:02X}")
                }
            })
            .collect::<String>()
    };
    for at in (1..subject.len()).filter(|at| subject.is_char_boundary(*at)) {
        let (head, tail) = subject.split_at(at);
        for seam in ["\r\n ", " ", "\r\n\t"] {
            found(format!("Subject: =?utf-8?Q?{}?={seam}=?utf-8?Q?{}?=\r\n\r\n", q(head), q(tail)), OURS);
            found(format!("Subject: =?UTF-8?q?{}?={seam}=?utf-8?B?{}?=\r\n\r\n", q(head), BASE64.encode(tail.as_bytes())), OURS);
            found(format!("Subject: =?UTF-8?q?{}?={seam}=?utf-8?B?{}?=", q(head), BASE64.encode(tail.as_bytes())), OURS);
            let (b_head, b_tail) = (BASE64.encode(head.as_bytes()), BASE64.encode(tail.as_bytes()));
            found(format!("X-Any-Header: =?ISO-8859-1?b?{b_head}?={seam}=?utf-8?B?{b_tail}?=\r\n\r\n"), OURS);
        }
    }
}

#[test]
fn quoted_printable_bodies_with_a_soft_break_anywhere() {
    let t = ours();
    for at in 0..=t.len() {
        let (head, tail) = t.split_at(at);
        for line_break in ["=\r\n", "=\n", "= \t\r\n"] {
            let body = format!("Gr=C3=BC=C3=9Fe {}{line_break}{}\r\n", head.replace('-', "=2D"), tail.replace('-', "=2d"));
            found(format!("Subject: x\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{body}"), OURS);
            found(format!("Subject: x\r\n\r\n{body}"), OURS);
        }
    }
}

/// Base64 as bodies have it, in lines of 76 characters.
fn base64_lines(text: &str) -> String {
    BASE64.encode(text.as_bytes()).as_bytes().chunks(76).map(|line| format!("{}\r\n", String::from_utf8_lossy(line))).collect()
}

#[test]
fn base64_bodies_wherever_the_token_stands_in_them() {
    for before in 0..80 {
        let text = format!("{}{} and more", "x ".repeat(before), ours());
        let body = base64_lines(&text);
        found(format!("Subject: x\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}"), OURS);
        let part = "Content-Type: text/html\r\nContent-Transfer-Encoding: base64";
        found(format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{part}\r\n\r\n{body}\r\n--b--\r\n"), OURS);
    }
    found(format!("Subject: x\r\n\r\n{}", base64_lines(&format!("ends with {}", ours()))), OURS);
}

#[test]
fn html_alone_with_tags_entities_and_invisible_characters_in_the_token() {
    let t = ours();
    for at in 1..t.len() {
        let (head, tail) = t.split_at(at);
        for seam in ["<wbr>", "<span style=\"a\">", "</b>\r\n<i>", "\u{200b}", "\u{ad}", "<!-- x -->"] {
            found(format!("Content-Type: text/html\r\n\r\n<p>Reference: {head}{seam}{tail}</p>"), OURS);
        }
    }
    for dash in ["&#45;", "&#x2d;", "&#x2D;", "&#045;"] {
        found(format!("Content-Type: text/html\r\n\r\n<p>Reference: {}</p>", t.replace('-', dash)), OURS);
    }
    found(format!("Content-Type: text/html\r\n\r\n<p>x</p><a\r\nhref='https://t.example/c?u={t}'>y</a>"), OURS);
}

#[test]
fn forwarded_as_an_attachment() {
    let inner = format!("Subject: =?utf-8?B?{}?=\r\n\r\nbody\r\n", BASE64.encode(ours().as_bytes()));
    let head = "Subject: Fwd\r\nContent-Type: message/rfc822\r\n";
    found(format!("{head}Content-Transfer-Encoding: base64\r\n\r\n{}", base64_lines(&inner)), OURS);
    let twice = format!("Content-Transfer-Encoding: base64\r\n\r\n{}", base64_lines(&format!("x {}", ours())));
    found(format!("{head}Content-Transfer-Encoding: base64\r\n\r\n{}", base64_lines(&twice)), OURS);
}

#[test]
fn a_composed_canary_keeps_being_ours_when_most_of_it_is_lost() {
    let mail = composed("password-reset", 7);
    let footer = "\r\n--\r\nUnsubscribe: https://esp.example/u/abcdefghijklmnopqrstuvwxyz234567\r\n";
    found(format!("Message-ID: <x@esp.example>\r\nSubject: {}\r\n\r\nremoved by the gateway{footer}", mail.subject), OURS);
    found(format!("Subject: [SPAM] message\r\n\r\n{}{footer}", mail.text.replace('\n', "\r\n")), OURS);
    found(format!("Subject: x\r\nContent-Type: text/html\r\n\r\n{}<img src=\"https://o.example/p.gif\">", mail.html), OURS);
    let cut = &mail.text[..mail.text.find("mc-").unwrap() + 39];
    found(format!("Subject: x\r\n\r\n{cut}"), OURS);
    let headers: String = mail.headers.iter().map(|(name, value)| format!("{}: {value}\r\n", name.to_ascii_uppercase())).collect();
    found(format!("{headers}\r\n"), OURS);
}

#[test]
fn forged_ones_are_told_apart_and_never_hide_ours() {
    let f = forged();
    for place in [
        format!("Subject: Reset [{f}]\r\n\r\n"),
        format!("X-Mailcanary: {}\r\n\r\n", f.to_ascii_uppercase()),
        format!("Subject: =?utf-8?B?{}?=\r\n\r\n", BASE64.encode(format!("[{f}]").as_bytes())),
        format!("Subject: x\r\n\r\n{}", base64_lines(&format!("see {f} there"))),
        format!("To: seed+{f}@inbox.example\r\n\r\n"),
    ] {
        found(place, Found::Forged);
    }
    let (t, many) = (ours(), format!("X-Mailcanary: {f}\r\n").repeat(200));
    found(format!("{many}Subject: {t}\r\n\r\n"), OURS);
    found(format!("Subject: {t}\r\n{many}\r\n"), OURS);
    found(format!("{many}Subject: x\r\n\r\n{}", base64_lines(&format!("see {t} there"))), OURS);
    found(format!("Subject: x{f}{t}y\r\n\r\n"), OURS);
}

#[test]
fn ordinary_mail_is_nothing() {
    let t = ours();
    for place in [
        String::new(),
        "Subject: mc-donald\r\n\r\nmc-mc-mc-mc-mc-mc-mc-mc-mc-mc-mc-mc-mc-mc-mc-mc-mc-mc-mc-mc".to_owned(),
        format!("Subject: {}\r\n\r\n", &t[..38]),
        format!("Subject: {}\r\n\r\n", t.replace("mc-", "mx-")),
        format!("Subject: eyJhbGciOi.xmc-{}zz\r\n\r\n", "abcdefghij".repeat(5)),
    ] {
        found(place, Found::Nothing);
    }
}

/// A whole message with everything in it that has to be undone.
fn sample(id: u64) -> Vec<u8> {
    let mail = composed("password-reset", id);
    let mut message = format!(
        "To: =?utf-8?Q?J=C3=B6rg?= <{}>\r\nSubject: =?utf-8?B?{}?=\r\nContent-Type: multipart/alternative; boundary=\"b\"\r\n",
        mail.to,
        BASE64.encode(mail.subject.as_bytes())
    );
    for (name, value) in &mail.headers {
        message += &format!("{name}: {value}\r\n");
    }
    let html = mail.html.replace('=', "=3D").replace('-', "=\r\n=2D");
    message += &format!("\r\n--b\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n", base64_lines(&mail.text));
    message += &format!("--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n{html}\r\n--b--\r\n");
    message.into_bytes()
}

#[test]
fn mutations_never_panic_and_never_make_another_canary() {
    let mut random = Rng(2);
    for round in 0..4000 {
        let mut message = sample(7);
        for _ in 0..=random.below(40) {
            let at = random.below(message.len());
            if message.is_empty() {
                break;
            }
            match random.below(4) {
                0 => message[at] = random.next() as u8,
                1 => drop(message.splice(at..at, std::iter::repeat_n(random.next() as u8, random.below(20)))),
                2 => drop(message.drain(at..(at + random.below(50)).min(message.len()))),
                _ => message.truncate(at.max(1)),
            }
        }
        let what = recognise(&KEY, &message, &ANYBODY);
        assert!(matches!(what, OURS | Found::Forged | Found::Nothing), "round {round}: {what:?}");
    }
}

#[test]
fn a_token_with_any_changed_byte_does_not_verify() {
    let t = ours().into_bytes();
    let mut random = Rng(3);
    for _ in 0..20_000 {
        let mut changed = t.clone();
        let at = random.below(changed.len());
        changed[at] = random.next() as u8;
        if !changed.eq_ignore_ascii_case(&t) {
            let message = [&b"Subject: "[..], &changed[..], b"\r\n\r\n"].concat();
            assert!(!matches!(recognise(&KEY, &message, &ANYBODY), Found::Ours { .. }), "{}", String::from_utf8_lossy(&changed));
        }
    }
}

#[test]
fn random_bytes_are_harmless() {
    let mut random = Rng(4);
    let alphabet = b"mc-=?QB_<>&#;%2D \r\n\tabcXYZ234567+/:\xc3\xbc\x00";
    for _ in 0..3000 {
        let len = random.below(600);
        let message: Vec<u8> = (0..len).map(|_| alphabet[random.below(alphabet.len())]).collect();
        assert!(!matches!(recognise(&KEY, &message, &ANYBODY), Found::Ours { .. }));
    }
}

/// Inputs that make naive parsers quadratic or deep. Each has to be over within the slow-test limit of a debug build.
#[test]
fn hostile_sizes_are_bounded() {
    let size = 4 * MAX_SCANNED;
    let near_miss = format!("mc-{} ", "a".repeat(36));
    let nested = "Content-Type: message/rfc822\r\n\r\n";
    let multipart = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
    for unit in [
        "<",
        "=",
        "= ",
        "&",
        "&#",
        "%",
        "a",
        "\r\n",
        "\n ",
        "A",
        "mc-",
        "=?utf-8?Q?",
        "=?utf-8?B?YQ==?= ",
        ": ",
        &near_miss,
        nested,
        multipart,
    ] {
        let message = unit.repeat(size / unit.len());
        let what = recognise(&KEY, message.as_bytes(), &ANYBODY);
        assert!(!matches!(what, Found::Ours { .. }));
    }
    let mut late = vec![b' '; MAX_SCANNED];
    late.extend_from_slice(ours().as_bytes());
    found_quietly(&late, Found::Nothing);
    let mut within = vec![b' '; MAX_SCANNED - 39];
    within.extend_from_slice(ours().as_bytes());
    found_quietly(&within, OURS);
}

fn found_quietly(message: &[u8], expected: Found) {
    assert_eq!(recognise(&KEY, message, &ANYBODY), expected);
}

#[test]
fn the_time_of_issue_is_kept_to_the_second() {
    let at = At::from_ms(AT.as_ms() + 999);
    let message = format!("Subject: {}\r\n\r\n", token(&KEY, CanaryId::from_bits(7), at));
    found(message, OURS);
}

const FROM: &str = "no-reply@example.com";

/// What a mail is where canaries are from one sender alone.
#[track_caller]
fn weighed(message: &str, expected: Found) {
    let known = |_: CanaryId, from: &[String]| !from.is_empty() && from.iter().all(|address| address == FROM);
    assert_eq!(recognise(&KEY, message.as_bytes(), &known), expected, "{message}");
}

#[test]
fn mail_that_quotes_a_canary_is_no_canary() {
    let (t, mail) = (ours(), composed("password-reset", 7));
    let quoted: String = mail.text.lines().map(|line| format!("> {line}\r\n")).collect();
    let base64 = base64_lines(&mail.text);
    for (head, body) in [
        // qmail, and others that know no reports.
        ("From: MAILER-DAEMON@mx.example.net\r\nSubject: failure notice\r\n".to_owned(), quoted.clone()),
        (format!("From: MAILER-DAEMON@mx.example.net\r\nSubject: Undeliverable: Reset your password [{t}]\r\n"), quoted.clone()),
        // An answer, with and without its threads.
        (format!("From: ada@elsewhere.example\r\nSubject: Re: Reset [{t}]\r\nIn-Reply-To: <1@example.com>\r\n"), quoted.clone()),
        (format!("From: ada@elsewhere.example\r\nSubject: Reset [{t}]\r\nReferences:\r\n <1@example.com>\r\n"), quoted.clone()),
        (format!("From: ada@elsewhere.example\r\nSubject: [EXTERNAL] AW: Reset [{t}]\r\nThread-Topic: Reset [{t}]\r\n"), String::new()),
        // A machine's.
        (format!("From: {FROM}\r\nSubject: Reset [{t}]\r\nAuto-Submitted: auto-replied (vacation)\r\n"), quoted.clone()),
        (format!("From: {FROM}\r\nSubject: x\r\nX-Autoreply: yes\r\nX-Failed-Recipients: seed+{t}@inbox.example\r\n"), quoted.clone()),
        // Forwarded in its text, or as an attachment.
        ("From: ada@elsewhere.example\r\nSubject: see below\r\n".to_owned(), quoted.clone()),
        ("From: ada@elsewhere.example\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n".to_owned(), base64.clone()),
        // Somebody else's name beside the right one, or none at all.
        (format!("From: {FROM}, eve@elsewhere.example\r\nSubject: see below\r\n"), quoted.clone()),
        ("Subject: see below\r\n".to_owned(), base64),
        (format!("From: {FROM}\r\nSubject: x\r\nIn-Reply-To: <{t}@example.com>\r\n"), quoted),
    ] {
        weighed(&format!("{head}\r\n{body}"), Found::Nothing);
    }
    weighed(&format!("From: a@b.example\r\nSubject: x\r\n\r\n{t} and {}", forged()), Found::Nothing);
    weighed(&format!("From: a@b.example\r\nSubject: x\r\n\r\nsee {}", forged()), Found::Forged);
}

#[test]
fn a_canary_whose_sender_changed_is_still_one() {
    let (t, mail) = (ours(), composed("password-reset", 7));
    let foreign = "From: \"Example\" <no-reply@arxxwalls.com>\r\n";
    for head in [
        format!("{foreign}X-Mailcanary: {t}\r\nSubject: x\r\n"),
        format!("{foreign}Subject: [SPAM?] Reset your password [{t}]\r\n"),
        format!("{foreign}To: <seed+{t}@inbox.example>\r\nSubject: x\r\n"),
        format!("{foreign}Delivered-To: <seed+{t}@inbox.example>\r\nSubject: x\r\nReferences: <order-1@shop.example>\r\n"),
        format!("{foreign}X-Mailcanary: {t}\r\nSubject: x\r\nAuto-Submitted: auto-replied\r\n"),
        format!("{foreign}X-Mailgun-Variables: {{\"canary\": \"{t}\"}}\r\nSubject: x\r\n"),
        // Nothing but its words is left, and its sender is the one that it has always had.
        format!("From: Example <{}>\r\nSubject: something else\r\n", FROM.to_uppercase()),
        format!("From: {FROM}\r\nSubject: Re: your order [{t}]\r\n"),
        format!("From: {FROM}\r\nSubject: your order [{t}]\r\nReferences: <order-1@shop.example>\r\n"),
    ] {
        weighed(&format!("{head}\r\n{}", mail.text.replace('\n', "\r\n")), OURS);
    }
}
