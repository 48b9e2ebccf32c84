//! Headers, as those of a canary and as those of mail that nobody sent.
#![no_main]

mod sound;

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use mailcanary::canary::{Head, Known, Ours, examine};
use mailcanary::model::{At, Placement};

use sound::{WORLD, name};

fuzz_target!(|data: &[u8]| {
    let (settings, seed) = (&*WORLD, name("seed"));
    let head = Head::read(data);
    let mail = examine(data, &head, &Known { sent_at: Some(At::from_ms(1_660_000_000_000)), sent: None, inbox_domain: "inbox.example", own: &[], cut: false });
    sound::assert_sound(&mail);
    let _envelope = head.envelope();
    let mut ours = Ours::new(Arc::clone(settings));
    settings.providers.keys().for_each(|provider| ours.learn(provider, &mail.marks));
    let told = ours.weigh(&seed, &settings.inboxes[&seed], data, Placement::Inbox, At::from_ms(0), None);
    assert!(told.subject.chars().count() <= 200 && !told.subject.chars().any(char::is_control), "{:?}", told.subject);
    assert!(told.from.len() <= 253 && told.from.chars().all(|c| c.is_ascii_graphic() || c.is_alphanumeric()), "{:?}", told.from);
});
