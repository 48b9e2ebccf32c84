//! Bodies: MIME, encodings and character sets, held against what was sent.
#![no_main]

mod sound;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mailcanary::canary::{Composed, Head, Key, Known, compose};
use mailcanary::canary::examine;
use mailcanary::config;
use mailcanary::model::{At, CanaryId, Name, Part};

const SETTINGS: &str = r#"
[stream.password-reset]
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
"#;

static SENT: LazyLock<Composed> = LazyLock::new(|| {
    let settings = config::parse(SETTINGS, "host").expect("they are right").settings;
    let name = |text| Name::new(text).expect("a name");
    let (stream, from) = (name("password-reset"), &settings.providers[&name("relay")].from);
    let (key, id, at) = (Key::new([7; 32]), CanaryId::from_bits(5), At::from_ms(1_660_000_000_000));
    compose(&key, id, at, &stream, &settings.streams[&stream], from, &settings.inboxes[&name("seed")])
});

fuzz_target!(|data: &[u8]| {
    let known = Known { sent_at: None, sent: Some(&SENT), inbox_domain: "inbox.example" };
    for message in [data.to_vec(), [b"Content-Type: text/html; charset=utf-7\r\nSubject: x\r\n\r\n", data].concat()] {
        let mail = examine(&message, &Head::read(&message), &known);
        sound::assert_sound(&mail);
        let words = mail.marks.iter().filter(|mark| mark.part == Part::Content).count();
        assert!(words <= 16, "{words}");
    }
});
