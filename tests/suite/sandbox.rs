//! The sandbox, through real clients: everything that it does is seen from outside.

mod faults;
mod inboxes;
mod nonsense;
mod people;
mod providers;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use mailcanary::model::{Placement, Span};
use mailcanary::sandbox::{InboxPlan, JunkFolder, Latency, Plan, ProviderPlan, Transport, World};
use people::{fast, name, now, read, soon, submit, world};

/// Python's own clients come to the same end as ours.
#[tokio::test(flavor = "multi_thread")]
async fn smtplib_and_imaplib_agree() {
    let world = world();
    let (relay, inbox) = (world.provider("relay").unwrap(), world.inbox("box").unwrap());
    let brief = serde_json::json!({
        "smtp": { "port": relay.socket().port(), "username": relay.username(), "secret": relay.secret() },
        "imap": { "port": inbox.socket().port(), "username": inbox.address(), "secret": inbox.password() },
    });
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/suite/sandbox/second_opinion.py");
    let told = tokio::task::spawn_blocking(move || {
        let mut python = Command::new("python3");
        let mut child = python.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(brief.to_string().as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    });
    let told = told.await.unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    assert_eq!(String::from_utf8_lossy(&told.stdout), "agreed\n");
    assert_eq!(relay.counts().accepted, 2);
    soon(inbox.watch(), |c| c.delivered == 2 && c.open == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_names_all_and_holds_no_secret() {
    let world = world();
    let folder = people::Folder::new("configuration");
    let text = world.configuration(folder.path()).unwrap();
    let toml: toml_edit::DocumentMut = text.parse().unwrap();
    let relay = world.provider("relay").unwrap();
    assert_eq!(toml["provider"]["relay"]["smtp"]["port"].as_integer(), Some(i64::from(relay.socket().port())));
    assert_eq!(toml["provider"]["mailchimp"]["mandrill"]["base_url"].as_str(), Some(&*world.provider("mailchimp").unwrap().base_url()));
    assert_eq!(toml["inbox"]["box"]["imap"]["tls"].as_str(), Some("none"));
    assert_eq!(toml["watch"]["every"].as_str(), Some("1m"));
    assert_eq!(toml["stream"]["password-reset"]["deadline"].as_str(), Some("15m"));
    let file = toml["provider"]["relay"]["smtp"]["password"]["file"].as_str().unwrap();
    assert_eq!(std::fs::read_to_string(file).unwrap().trim_end(), relay.secret());
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    for secret in world.providers().map(|p| p.secret()).chain(world.inboxes().map(|i| i.password())) {
        assert!(!text.contains(secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_ends_with_the_world() {
    let world = world();
    let sockets: Vec<_> = world.providers().map(|p| p.socket()).chain(world.inboxes().map(|i| i.socket())).collect();
    let mut session = read(world.inbox("box").unwrap()).await;
    session.select("INBOX").await.unwrap();
    drop(world);
    people::in_time(async { while session.noop().await.is_ok() {} }).await;
    for socket in sockets {
        let refused = async { while tokio::net::TcpStream::connect(socket).await.is_ok() {} };
        people::in_time(refused).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_loses_the_same_mail() {
    let mut lost = Vec::new();
    for seed in [1, 1, 2] {
        let world = World::start(Plan { seed, ..people::plan() }).unwrap();
        let (relay, inbox) = (world.provider("relay").unwrap(), world.inbox("box").unwrap());
        relay.set(mailcanary::sandbox::Fault::Lose(0.5)).unwrap();
        for n in 0..24 {
            submit(relay, inbox.address(), &format!("mail {n}")).await.unwrap();
        }
        let gone = relay.counts().lost;
        soon(inbox.watch(), |c| c.delivered + gone == 24).await;
        assert!((4..=20).contains(&gone), "{gone} of 24 lost at a share of a half");
        let texts: Vec<String> = inbox.messages(Placement::Inbox).iter().map(|m| String::from_utf8_lossy(&m.bytes).into_owned()).collect();
        lost.push((0..24).filter(|n| !texts.iter().any(|t| t.contains(&format!("Subject: mail {n}\r\n")))).collect::<Vec<_>>());
    }
    assert_eq!(lost[0], lost[1]);
    assert_ne!(lost[0], lost[2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn greylisted_mail_takes_longer_and_strangers_bounce() {
    let plan = ProviderPlan { greylisted: 1.0, greylist: Span::from_ms(400), ..fast(Transport::Smtp) };
    let world = World::start(people::plan().provider(name("relay"), plan)).unwrap();
    let (relay, inbox) = (world.provider("relay").unwrap(), world.inbox("box").unwrap());
    let begin = tokio::time::Instant::now();
    submit(relay, inbox.address(), "grey").await.unwrap();
    soon(inbox.watch(), |c| c.delivered == 1).await;
    assert!(begin.elapsed().as_millis() >= 400, "{:?}", begin.elapsed());
    submit(relay, "nobody@elsewhere.test", "lost").await.unwrap();
    // It is counted a moment before it is let go of.
    people::until(|| world.bounced() == 1 && world.under_way() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_world_can_be_built() {
    let plan = Plan::new(now(), 8).stream(name("password-reset"), "Reset your password", Span::from_secs(900));
    let plan = [("mailchimp", Transport::Mandrill), ("postmark", Transport::Smtp), ("relay", Transport::Smtp)]
        .into_iter()
        .fold(plan, |plan, (provider, transport)| plan.provider(name(provider), ProviderPlan::new(transport)));
    let junk = vec![JunkFolder { name: "Unerwünscht".into(), attribute: false }];
    let plan = plan.inbox(name("gmail-1"), InboxPlan::default()).inbox(name("gmx.de_1"), InboxPlan { junk, ..InboxPlan::default() });
    let world = World::start(plan).unwrap();
    assert_eq!(world.inbox("gmx.de_1").unwrap().address(), "canary@gmx-de-1.test");
    for provider in world.providers() {
        for inbox in world.inboxes() {
            submit(provider, inbox.address(), "hello").await.unwrap();
        }
    }
    for inbox in world.inboxes() {
        soon(inbox.watch(), |c| c.delivered == 3).await;
    }
    let mut session = read(world.inbox("gmx.de_1").unwrap()).await;
    session.select("Unerw&APw-nscht").await.unwrap();
    let taken = Plan::new(now(), 1).inbox(name("one"), InboxPlan { address: Some("same@example.test".into()), ..InboxPlan::default() });
    let taken = taken.inbox(name("two"), InboxPlan { address: Some("SAME@example.test".into()), ..InboxPlan::default() });
    assert_eq!(World::start(taken).unwrap_err().to_string(), "the inboxes `one` and `two` have one address");
    assert_eq!(fast(Transport::Smtp).latency, Latency::Fixed(Span::from_ms(1)));
}
