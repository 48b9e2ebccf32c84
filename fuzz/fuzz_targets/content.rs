//! Bodies: MIME, encodings and character sets, held against what was sent.
#![no_main]

mod sound;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mailcanary::canary::{Composed, Head, Key, Known, compose, examine};
use mailcanary::model::{At, CanaryId, Part};

use sound::{WORLD, name};

static SENT: LazyLock<Composed> = LazyLock::new(|| {
    let (stream, from) = (name("password-reset"), &WORLD.providers[&name("relay")].from);
    let (key, id, at) = (Key::new([7; 32]), CanaryId::from_bits(5), At::from_ms(1_660_000_000_000));
    compose(&key, id, at, &stream, &WORLD.streams[&stream], from, &WORLD.inboxes[&name("seed")])
});

fuzz_target!(|data: &[u8]| {
    let known = Known { sent_at: None, sent: Some(&SENT), inbox_domain: "inbox.example", own: &[], cut: false };
    for message in [data.to_vec(), [b"Content-Type: text/html; charset=utf-7\r\nSubject: x\r\n\r\n", data].concat()] {
        let mail = examine(&message, &Head::read(&message), &known);
        sound::assert_sound(&mail);
        let words = mail.marks.iter().filter(|mark| mark.part == Part::Content).count();
        assert!(words <= 16, "{words}");
    }
});
