//! Tokens: nothing but our own is ours, our own is found whatever stands behind it, and none is left where none may be.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mailcanary::canary::{Found, Key, recognise, token, without_tokens};
use mailcanary::model::{At, CanaryId};

static KEY: LazyLock<Key> = LazyLock::new(|| Key::new([7; 32]));
/// With this one nothing is made here: what is made with the other the fuzzer sees, and writes down again.
static UNUSED: LazyLock<Key> = LazyLock::new(|| Key::new([8; 32]));
const ID: CanaryId = CanaryId::from_bits(7 << 32 | 5);

fuzz_target!(|data: &[u8]| {
    let found = recognise(&UNUSED, data, &|_, _| true);
    assert!(!matches!(found, Found::Ours { .. }), "nobody else can make one: {found:?}");
    let made = token(&KEY, ID, At::from_ms(1_660_000_000_000));
    let mut message = format!("Subject: Reset {made}\r\n\r\n").into_bytes();
    message.extend_from_slice(data);
    assert!(matches!(recognise(&KEY, &message, &|_, _| false), Found::Ours { canary, .. } if canary == ID), "it is found whatever follows");
    let mut quoting = format!("From: a@b.example\r\nSubject: x\r\n\r\n> {made}\r\n").into_bytes();
    quoting.extend_from_slice(data);
    assert!(!matches!(recognise(&KEY, &quoting, &|_, _| false), Found::Ours { .. }), "who only quotes has sent none");
    let text = String::from_utf8_lossy(data);
    let without = without_tokens(&format!("{text} {made} {text}"));
    assert!(!without.to_ascii_lowercase().contains(&made.to_ascii_lowercase()), "it is taken out");
});
