//! Mail that each API takes and that never arrives: in virtual time the watchdog asks, over real HTTP the provider answers as documented, and
//! what it says stands in the incident.

use std::net::SocketAddr;
use std::sync::Arc;

use mailcanary::canary::{Key, compose};
use mailcanary::config::{self, Secret, Settings};
use mailcanary::edge::submit::{After, Submitter};
use mailcanary::model::Fate::{self, Blind, Bounced, Deferred, HandedOff, Stuck, Suppressed, Vanished};
use mailcanary::model::{At, CanaryId, Outcome, Severity, Span};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::world::{self, START, World, name};
use crate::submit::contract::KINDS;
use crate::support::apis::Apis;

/// Every API that can be asked, and what it needs besides a sender and a `base_url`: Gmail's cannot.
fn kinds() -> impl Iterator<Item = (&'static str, &'static str)> {
    KINDS.into_iter().filter(|(kind, _)| *kind != "gmail")
}

/// The provider `p` of a kind, and a relay, to two inboxes.
fn settings(kind: &str, keys: &str, at: SocketAddr) -> Settings {
    let path = if kind == "mandrill" { "mandrill/api/1.0" } else { kind };
    let inbox = |name: &str| {
        format!(
            "[inbox.{name}.imap]\naddress = \"{name}@example.org\"\nhost = \"imap.example.org\"\nusername = \"u\"\npassword = {{ env = \"P\" }}\n"
        )
    };
    let text = format!(
        "[stream.reset]\n[provider.p.{kind}]\nfrom = \"a@example.com\"\nbase_url = \"http://{at}/{path}\"\n{keys}\n\
         [provider.relay.smtp]\nfrom = \"a@example.com\"\nhost = \"smtp.example.com\"\n{}{}",
        inbox("i"),
        inbox("j")
    );
    config::parse(&text, "test").unwrap_or_else(|complaints| panic!("{complaints:?}")).settings
}

/// The word for what a kind says of such mail, and how a page puts it.
fn words(kind: &str, fate: Fate) -> (&'static str, &'static str) {
    match (kind, fate) {
        // Its API knows nothing of the receiver.
        ("azure", HandedOff | Deferred | Bounced | Suppressed) | (_, HandedOff) => ("handed_off", "the receiver took it"),
        (_, Vanished) => ("vanished", "nothing is known of it"),
        (_, Stuck) => ("stuck", "it has not left yet"),
        (_, Deferred) => ("deferred", "the receiver puts it off"),
        (_, Bounced) => ("bounced", "it bounced"),
        (_, Suppressed) => ("suppressed", "no outage: provider `p` suppresses the seed"),
        (_, Blind) => ("blind", "what became of it is not told"),
    }
}

/// What is wrong with the incident of a kind whose mail has this fate.
async fn proven(kind: &str, keys: &str, fate: Fate, apis: &Apis) -> Option<String> {
    let settings = settings(kind, keys, apis.address);
    let secrets = |_: &_| Some(Secret::new("c2VjcmV0IGtleQ==".to_owned()));
    let submitter = Arc::new(Submitter::new(&settings.providers["p"], &secrets).unwrap());
    let (canary, stream) = (CanaryId::from_bits(1), name("reset"));
    let provider = &settings.providers["p"];
    let inbox = &settings.inboxes["i"];
    let mail = compose(&Key::new([1; 32]), canary, START, &stream, &settings.streams["reset"], &provider.from, inbox);
    let answer = submitter.submit(&mail, canary, START).await;
    assert_eq!(answer.outcome, Outcome::Accepted, "{kind}: {answer:?}");
    let id = answer.message_id.unwrap();

    let mut w = World::new(settings);
    w.run(Span::from_secs(3600));
    assert!(w.notices.is_empty(), "{kind}: {:#?}", w.notices);
    w.from(w.now, |route, _| route.provider.as_str() == "p", world::Fate::Swallowed);
    w.tells = Some(Box::new(move |_, inbox, now: At| {
        let recipient = format!("{inbox}@example.org");
        let after = After { message_id: Some(&id), recipient: &recipient, sent_at: START };
        let found = block_in_place(|| Handle::current().block_on(submitter.trace(after, now))).unwrap();
        Some((found.fate, String::leak(found.words)))
    }));
    w.run(Span::from_secs(600));
    let view = w.dog.view(w.now);
    let expected = words(kind, fate);
    let fits = |incident: &&mailcanary::watchdog::IncidentView| {
        let evidence = &incident.last.evidence;
        let said =
            if evidence["suppressed_by"] == "p" { "suppressed" } else { evidence["provider_says"][0]["fate"].as_str().unwrap_or("") };
        let loud = incident.severity == if said == "suppressed" { Severity::Warn } else { Severity::Page };
        loud && said == expected.0 && incident.last.summary.contains(expected.1)
    };
    let open: Vec<_> = view.incidents.iter().filter(|incident| incident.resolved_at.is_none()).collect();
    (open.is_empty() || !open.iter().all(fits)).then(|| {
        let shown: Vec<_> =
            open.iter().map(|i| format!("{:?} {}\n{}", i.severity, i.last.summary, i.last.evidence["provider_says"])).collect();
        format!("{kind}, {fate:?}: {shown:#?}")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_each_api_says_of_mail_that_never_arrives_stands_in_the_incident() {
    let mut wrong = Vec::new();
    for fate in [Vanished, Stuck, Deferred, HandedOff, Bounced, Suppressed, Blind] {
        let apis = Apis::start(fate).await;
        for (kind, keys) in kinds() {
            wrong.extend(proven(kind, keys, fate, &apis).await);
        }
        assert_eq!(apis.complaints(), Vec::<String>::new(), "questions that no document knows");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
