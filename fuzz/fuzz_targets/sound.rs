//! What the targets have in common: an installation whose mail is read, and that what is taken from a mail is bounded and safe to show.
#![allow(dead_code, reason = "no target needs all of it")]

use std::sync::{Arc, LazyLock};

use mailcanary::config::{self, Settings};
use mailcanary::model::way::{Instants, STEP, Trail, skew};
use mailcanary::model::{Answer, Examination, Name};

const SETTINGS: &str = r#"
[watch]
domains = ["brand.example"]
[stream.password-reset]
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
[[honeytoken]]
address = "ada@inbox.example"
inbox = "seed"
provider = "chimp"
[[expected_mail]]
from = ["*@mailchimp.example", "billing@*"]
subject = "*welcome*"
"#;

/// The installation: stream `password-reset`, providers `chimp` and `relay`, inbox `seed`.
pub static WORLD: LazyLock<Arc<Settings>> =
    LazyLock::new(|| Arc::new(config::parse(SETTINGS, "host").expect("they are right").settings));

/// A name that is one.
pub fn name(text: &str) -> Name {
    Name::new(text).expect("a name")
}

/// Fails unless what is taken from a mail is bounded and safe to show.
pub fn assert_sound(mail: &Examination) {
    assert!(mail.marks.len() <= 64 && mail.hops.len() <= 32 && mail.checks.len() <= 16);
    let texts = mail.marks.iter().map(|m| &m.value).chain(mail.hops.iter().flat_map(|h| [&h.by, &h.from]));
    for text in texts {
        assert!(text.len() <= 253 && text.chars().all(|c| c.is_ascii_graphic() || c.is_alphanumeric()), "{text:?}");
    }
    assert!(mail.checks.iter().all(|c| c.why.chars().count() <= 200 && !c.why.chars().any(char::is_control)));
    let Trail { left, taken, stays } = Trail::of(&mail.hops);
    assert!(stays.len() <= 3 && stays.iter().all(|stay| stay.at.len() <= 80 && stay.next.len() <= 80));
    let legs = Instants { left, taken, accepted: left, arrived: taken, seen: taken, ..Instants::default() }.legs();
    let off = skew(&legs);
    // What clocks are off by leaves nothing negative, but for a step of stamps.
    assert!(legs.iter().zip(off).skip(1).all(|(leg, off)| leg.is_none_or(|leg| leg.saturating_sub(off) >= -STEP)), "{legs:?} {off:?}");
}

/// The same of what the DNS says.
pub fn assert_shown(answer: &Answer) {
    assert!(answer.text.chars().count() <= 1017 && answer.notes.len() <= 4, "{answer:?}");
    let texts = answer.notes.iter().chain([&answer.text]);
    assert!(texts.clone().all(|text| !text.chars().any(char::is_control)), "{answer:?}");
    assert!(answer.notes.iter().all(|note| note.chars().count() <= 201), "{answer:?}");
    assert_eq!(answer.clone().bounded(), *answer, "it is bounded already");
}
