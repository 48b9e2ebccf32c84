//! Headers, as those of a canary and as those of mail that nobody sent.
#![no_main]

mod sound;

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use mailcanary::canary::{Head, Known, Ours, examine};
use mailcanary::config::{self, Settings};
use mailcanary::model::{At, Name, Placement};

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
[[honeytoken]]
address = "ada@inbox.example"
inbox = "seed"
provider = "chimp"
[[expected_mail]]
from = ["*@mailchimp.example", "billing@*"]
subject = "*welcome*"
"#;

static WORLD: LazyLock<(Arc<Settings>, Name)> = LazyLock::new(|| {
    let checked = config::parse(SETTINGS, "host").expect("they are right");
    (Arc::new(checked.settings), Name::new("seed").expect("a name"))
});

fuzz_target!(|data: &[u8]| {
    let (settings, seed) = &*WORLD;
    let head = Head::read(data);
    let mail = examine(data, &head, &Known { sent_at: Some(At::from_ms(1_660_000_000_000)), sent: None, inbox_domain: "inbox.example" });
    sound::assert_sound(&mail);
    let _envelope = head.envelope();
    let mut ours = Ours::new(Arc::clone(settings));
    settings.providers.keys().for_each(|provider| ours.learn(provider, &mail.marks));
    let told = ours.weigh(seed, &settings.inboxes[seed], data, Placement::Inbox, At::from_ms(0), None);
    assert!(told.subject.chars().count() <= 200 && !told.subject.chars().any(char::is_control), "{:?}", told.subject);
    assert!(told.from.len() <= 253 && told.from.chars().all(|c| c.is_ascii_graphic() || c.is_alphanumeric()), "{:?}", told.from);
});
