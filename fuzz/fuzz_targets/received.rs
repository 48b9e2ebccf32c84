//! `Received` lines: each line of the input is one.
#![no_main]

mod sound;

use libfuzzer_sys::fuzz_target;
use mailcanary::canary::{Head, Known, examine};
use mailcanary::model::At;

fuzz_target!(|data: &[u8]| {
    let mut message = Vec::with_capacity(2 * data.len());
    for line in data.split(|byte| *byte == b'\n') {
        message.extend_from_slice(b"Received: ");
        message.extend_from_slice(line);
        message.extend_from_slice(b"\r\n");
    }
    let known = Known { sent_at: Some(At::from_ms(1_660_000_000_000)), sent: None, inbox_domain: "example.org", own: &[], cut: false };
    sound::assert_sound(&examine(&message, &Head::read(&message), &known));
});
