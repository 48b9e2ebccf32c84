//! What providers tell by their webhooks, over real HTTP: who is believed, what is understood, and what of it is kept.

mod events;
pub mod sign;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mailcanary::canary::{Key, token};
use mailcanary::config::{self, Secret, SecretRef, Settings};
use mailcanary::edge::show;
use mailcanary::edge::submit::{Hooks, Told};
use mailcanary::model::{At, CanaryId, Fate, HookCounts, Knock, Name, Tiding};
use mailcanary::watchdog::Event;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::support::alertmanager::http;
use events::{bounced, foreign, mute};
use sign::{KINDS, PUBLIC_URL, Post, STAMPED, Signer, secret};

const KEY: Key = Key::new([0x5a; 32]);
const CANARY: CanaryId = CanaryId::from_bits(0x0000_0001_0000_00ff);
/// A canary of another provider.
const OTHER: CanaryId = CanaryId::from_bits(0x0000_0002_0000_00ff);
/// The second of SendGrid's own example.
const NOW: i64 = 1_600_112_502;
/// The provider's id of the canary.
const ID: &str = "14c5d75ce93.dfd-64b469";
const PATIENCE: Duration = Duration::from_secs(30);

type Findings = Arc<Mutex<Vec<(CanaryId, Fate, String)>>>;

/// A provider `p` of one kind with its webhook, served over HTTP; what it told.
struct Rig {
    port: u16,
    hooks: Arc<Hooks>,
    findings: Findings,
    http: reqwest::Client,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn settings(signer: &Signer) -> Settings {
    let key = match signer.kind {
        "sendgrid" => format!("webhook_public_key = \"{}\"", signer.public_key()),
        _ => "webhook_secret = { env = \"HOOK\" }".to_owned(),
    };
    let kind = signer.kind;
    let text = format!(
        "[stream.s]\n[provider.p.{kind}]\nfrom = \"a@example.com\"\napi_key = {{ env = \"KEY\" }}\n{key}\n\
        [provider.bare.{kind}]\nfrom = \"a@example.com\"\napi_key = {{ env = \"KEY\" }}\n\
        [inbox.i.imap]\naddress = \"seed@example.org\"\nhost = \"imap.example.org\"\nusername = \"u\"\npassword = {{ env = \"P\" }}\n\
        [http]\npublic_url = \"{PUBLIC_URL}\"\n"
    );
    config::parse(&text, "watch-1").unwrap_or_else(|complaints| panic!("{complaints:?}")).settings
}

impl Rig {
    async fn new(signer: &Signer) -> Self {
        let (told, mut post) = mpsc::channel::<Told>(1);
        let findings = Findings::default();
        let kept = Arc::clone(&findings);
        let loop_ = tokio::spawn(async move {
            while let Some(told) = post.recv().await {
                for event in told.events {
                    let Event::Traced { canary, fate, words } = event else { panic!("{event:?}") };
                    kept.lock().unwrap().push((canary, fate, words.unwrap()));
                }
                told.done.send(()).unwrap();
            }
        });
        Self::serve(signer, told, findings, vec![loop_]).await
    }

    async fn serve(signer: &Signer, told: mpsc::Sender<Told>, findings: Findings, mut tasks: Vec<JoinHandle<()>>) -> Self {
        let secret = Secret::new(secret(signer.kind));
        let lookup = move |at: &SecretRef| (*at == SecretRef::Env("HOOK".to_owned())).then(|| secret.clone());
        let owner = |canary: CanaryId| Some(name(if canary.bits() >> 32 == 1 { "p" } else { "bare" }));
        let now = Arc::new(|| At::from_ms(NOW * 1000));
        let hooks = Arc::new(Hooks::new(&settings(signer), &lookup, KEY, Arc::new(owner), told, now).unwrap());
        assert!(!format!("{hooks:?}").contains("s3cret"), "{hooks:?}");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (ask, _) = mpsc::channel(1);
        let router = show::router(ask, show::Archive::closed()).merge(Arc::clone(&hooks).router());
        tasks.push(tokio::spawn(show::serve(listener, router, std::future::pending())));
        Self { port, hooks, findings, http: http(), tasks }
    }

    /// Posts to a path; the status. Nothing stands in the answer.
    async fn post_to(&self, path: &str, post: Post) -> u16 {
        let mut request = self.http.post(format!("http://127.0.0.1:{}{path}", self.port)).body(post.body);
        for (name, value) in post.headers {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        if status != 404 {
            assert_eq!(answer.text().await.unwrap(), "");
        }
        status
    }

    async fn post(&self, post: Post) -> u16 {
        self.post_to("/hooks/p", post).await
    }

    /// What was told since the last time.
    fn told(&self) -> Vec<(CanaryId, Fate, String)> {
        std::mem::take(&mut *self.findings.lock().unwrap())
    }

    fn counts(&self) -> HookCounts {
        self.hooks.counts().remove("p").unwrap()
    }
}

fn our_token() -> String {
    token(&KEY, CANARY, At::from_ms(NOW * 1000))
}

#[tokio::test]
async fn a_signed_event_is_a_finding_by_its_token_and_by_its_id() {
    for kind in KINDS {
        let signer = Signer::new(kind);
        let rig = Rig::new(&signer).await;
        let by_id = bounced(kind, "", ID);
        assert_eq!(rig.post(signer.post(std::slice::from_ref(&by_id), NOW)).await, 200, "{kind}");
        assert!(rig.told().is_empty(), "{kind}: it is nobody's yet");
        rig.hooks.learn(&name("p"), ID, CANARY);
        // SendGrid puts more behind its ids.
        let shown = if kind == "sendgrid" { format!("{ID}.recvd-5d8-1.0") } else { ID.to_owned() };
        // Nothing of ours comes back from MailerSend.
        let by_token = if kind == "mailersend" { by_id } else { bounced(kind, &our_token(), "another-id") };
        for event in [bounced(kind, "", &shown), by_token] {
            assert_eq!(rig.post(signer.post(&[event], NOW)).await, 200, "{kind}");
            let told = rig.told();
            let [(canary, fate, words)] = &*told else { panic!("{kind}: {told:?}") };
            assert_eq!((*canary, *fate), (CANARY, Fate::Bounced), "{kind}");
            assert!(words.contains("550 5.1.1 no such user") && words.len() <= 1024, "{kind}: {words}");
        }
        let counts = rig.counts();
        assert_eq!((counts.requests[&Knock::Taken], counts.events[&Tiding::Finding]), (3, 2), "{kind}");
    }
}

#[tokio::test]
async fn who_does_not_sign_is_refused_and_learns_nothing() {
    for kind in KINDS {
        let signer = Signer::new(kind);
        let rig = Rig::new(&signer).await;
        rig.hooks.learn(&name("p"), ID, CANARY);
        let good = signer.post(&[bounced(kind, &our_token(), ID)], NOW);
        let mut bad = vec![Signer::stranger(kind).post(&[bounced(kind, &our_token(), ID)], NOW)];
        if kind != "mailgun" {
            bad.push(good.clone().without_headers());
        }
        // Postmark's log-in and Mailgun's signature say nothing of the body.
        if !["postmark", "mailgun"].contains(&kind) {
            let changed = String::from_utf8(good.body.clone()).unwrap().replacen("no", "on", 1);
            bad.push(Post { body: changed.into_bytes(), ..good.clone() });
        }
        for (at, (_, value)) in good.headers.iter().enumerate().filter(|(_, (name, _))| *name != "content-type") {
            for hostile in ["", "v1,", "Basic ", "é", &"A".repeat(20_000), &format!("{value}0"), &value[1..]] {
                let mut post = good.clone();
                post.headers[at].1 = hostile.to_owned();
                bad.push(post);
            }
        }
        let count = bad.len() as u64;
        for post in bad {
            let shown = format!("{:?}", post.headers);
            assert_eq!(rig.post(post).await, 401, "{kind}: {}", &shown[..shown.len().min(300)]);
        }
        assert!(rig.told().is_empty(), "{kind}");
        assert_eq!(rig.counts().requests[&Knock::Refused], count, "{kind}");
        assert_eq!(rig.post(good).await, 200, "{kind}");
        assert_eq!(rig.told().len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn stamps_that_are_old_or_of_the_future_are_refused() {
    for kind in STAMPED {
        let signer = Signer::new(kind);
        let rig = Rig::new(&signer).await;
        let oldest = if kind == "mailgun" { 3600 } else { 300 };
        for (ago, status) in [(0, 200), (oldest, 200), (oldest + 1, 401), (86_400, 401), (-300, 200), (-302, 401), (NOW + 1, 401)] {
            assert_eq!(rig.post(signer.post(&[mute(kind)], NOW - ago)).await, status, "{kind}: {ago}");
        }
    }
}

#[tokio::test]
async fn a_replay_tells_the_same_again() {
    for kind in KINDS {
        let signer = Signer::new(kind);
        let rig = Rig::new(&signer).await;
        rig.hooks.learn(&name("p"), ID, CANARY);
        let post = signer.post(&[bounced(kind, "", ID)], NOW);
        for _ in 0..3 {
            assert_eq!(rig.post(post.clone()).await, 200);
        }
        let told = rig.told();
        assert!(told.len() == 3 && told.iter().all(|one| *one == told[0]), "{kind}: {told:?}");
    }
}

#[tokio::test]
async fn what_is_not_ours_is_counted_and_not_kept() {
    for kind in KINDS {
        let signer = Signer::new(kind);
        let rig = Rig::new(&signer).await;
        rig.hooks.learn(&name("p"), ID, CANARY);
        rig.hooks.learn(&name("bare"), "theirs", OTHER);
        let stranger = token(&Key::new([1; 32]), CANARY, At::from_ms(NOW * 1000));
        let of_another = token(&KEY, OTHER, At::from_ms(NOW * 1000));
        let events =
            [foreign(kind), bounced(kind, &stranger, "x"), bounced(kind, &of_another, "y"), bounced(kind, "", "theirs"), mute(kind)];
        for event in &events {
            assert_eq!(rig.post(signer.post(std::slice::from_ref(event), NOW)).await, 200, "{kind}");
        }
        assert!(rig.told().is_empty(), "{kind}");
        let counts = rig.counts();
        assert_eq!((counts.events[&Tiding::Foreign], counts.events[&Tiding::Mute]), (4, 1), "{kind}");
    }
}

#[tokio::test]
async fn signed_nonsense_is_told_from_events() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let unknown = json!({ "type": "email.teleported", "event": "teleported", "RecordType": "Teleport", "data": { "email_id": 7, "tags": [[1], {}] },
        "_id": [], "msg": [1], "sg_message_id": {}, "token": 3, "Metadata": "x", "signature": { "timestamp": 1 } });
    for kind in KINDS {
        let signer = Signer::new(kind);
        let rig = Rig::new(&signer).await;
        let bad = [
            String::new(),
            "null".into(),
            "7".into(),
            "[1, null]".into(),
            "<html>".into(),
            "{\"a\":".into(),
            deep("[", "]"),
            deep("{\"a\":", "}"),
        ];
        for body in bad {
            // What is no JSON cannot hold Mailgun's signature.
            let status = if kind == "mailgun" { 401 } else { 400 };
            let shown = body[..body.len().min(20)].to_owned();
            assert_eq!(rig.post(signer.raw(body.as_bytes(), NOW)).await, status, "{kind}: {shown}");
        }
        if kind == "mailgun" {
            for event in [Value::Null, json!([]), json!("x")] {
                assert_eq!(rig.post(signer.post(&[event], NOW)).await, 400);
            }
        }
        let not_text = Post { body: vec![0xff; 64], ..signer.post(&[mute(kind)], NOW) };
        assert!([400, 401].contains(&rig.post(not_text).await), "{kind}");
        assert_eq!(rig.post(signer.post(std::slice::from_ref(&unknown), NOW)).await, 200, "{kind}");
        assert!(rig.told().is_empty() && rig.counts().events[&Tiding::Mute] == 1, "{kind}");
    }
}

#[tokio::test]
async fn what_is_too_large_or_too_many_is_refused() {
    for kind in KINDS {
        let signer = Signer::new(kind);
        let rig = Rig::new(&signer).await;
        assert_eq!(rig.post(Post { body: vec![b' '; 10 << 20], ..signer.post(&[mute(kind)], NOW) }).await, 413, "{kind}");
        assert_eq!(rig.counts().requests[&Knock::TooLarge], 1);
    }
    let signer = Signer::new("sendgrid");
    let rig = Rig::new(&signer).await;
    assert_eq!(rig.post(signer.post(&vec![json!({}); 4096], NOW)).await, 200);
    assert_eq!(rig.post(signer.post(&vec![json!({}); 4097], NOW)).await, 413);
    // Without a length before it.
    let mut stream = TcpStream::connect(("127.0.0.1", rig.port)).await.unwrap();
    stream.write_all(b"POST /hooks/p HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    let part = [b"10000\r\n".to_vec(), vec![b' '; 1 << 16], b"\r\n".to_vec()].concat();
    for _ in 0..100 {
        stream.write_all(&part).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let mut head = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut head)).await.unwrap().unwrap();
    assert_eq!(&head, b"HTTP/1.1 413");
}

#[tokio::test]
async fn words_are_cut_and_cleaned() {
    let signer = Signer::new("sendgrid");
    let rig = Rig::new(&signer).await;
    let reason = format!("550 \u{1b}[31m\u{202e}{}", "ü".repeat(5000));
    let event = json!({ "event": "bounce", "reason": reason, "token": our_token() });
    assert_eq!(rig.post(signer.post(&[event], NOW)).await, 200);
    let words = rig.told().remove(0).2;
    assert!(words.len() <= 1024 && !words.contains(|c: char| c.is_control() || c == '\u{202e}'), "{words}");
}

#[tokio::test]
async fn of_one_canary_the_most_telling_event_of_a_post_is_handed_on() {
    let signer = Signer::new("sendgrid");
    let rig = Rig::new(&signer).await;
    let event = |event: &str| json!({ "event": event, "token": our_token() });
    let events = ["processed", "bounce", "deferred", "processed"].map(event);
    assert_eq!(rig.post(signer.post(&events, NOW)).await, 200);
    assert_eq!(rig.told(), [(CANARY, Fate::Bounced, "bounce".to_owned())]);
}

#[tokio::test]
async fn names_and_methods_that_are_not_there() {
    let signer = Signer::new("mandrill");
    let rig = Rig::new(&signer).await;
    let good = || signer.post(&[mute("mandrill")], NOW);
    for path in ["/hooks/bare", "/hooks/q", "/hooks/", "/hooks", "/hooks/p/", "/hooks/P", "/hooks/%ff"] {
        let status = rig.post_to(path, good()).await;
        assert_eq!(status, 404, "{path}");
    }
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", rig.port);
    assert_eq!(rig.http.get(url("/hooks/p")).send().await.unwrap().status(), 405);
    // Mandrill looks whether the address is there, and then posts nothing, signed by a key that everybody has.
    assert_eq!(rig.http.head(url("/hooks/p")).send().await.unwrap().status(), 200);
    assert_eq!(rig.http.head(url("/hooks/q")).send().await.unwrap().status(), 404);
    let first = Post { body: b"mandrill_events=%5B%5D".to_vec(), headers: vec![("x-mandrill-signature", "AAAA".to_owned())] };
    assert_eq!(rig.post(first).await, 200);
    assert!(rig.told().is_empty());
}

#[tokio::test]
async fn what_nobody_writes_down_is_to_be_told_again() {
    let signer = Signer::new("postmark");
    let finding = || signer.post(&[bounced("postmark", &our_token(), "x")], NOW);
    // The loop is gone; it is full; it dies before it has written.
    let (told, _) = mpsc::channel(1);
    let rig = Rig::serve(&signer, told, Findings::default(), Vec::new()).await;
    assert_eq!(rig.post(finding()).await, 503);
    // What says nothing of ours needs nobody.
    assert_eq!(rig.post(signer.post(&[mute("postmark")], NOW)).await, 200);
    assert_eq!(rig.counts().events.get(&Tiding::Finding), Some(&0));

    let (told, mut post) = mpsc::channel(1);
    let rig = Rig::serve(&signer, told, Findings::default(), Vec::new()).await;
    let waiting = async { rig.post(finding()).await };
    let (status, ()) = tokio::join!(waiting, async { drop(post.recv().await.unwrap()) });
    assert_eq!(status, 503);
    let waiting = async { rig.post(finding()).await };
    let (status, ()) = tokio::join!(waiting, async {
        let held = post.recv().await.unwrap();
        // One more waits in the channel, and there is no room for a third.
        let second = async { rig.post(finding()).await };
        let third = async {
            let mut status = 0;
            while status != 503 {
                status = timeout(PATIENCE, rig.post(finding())).await.unwrap();
            }
        };
        tokio::join!(second, third);
        held.done.send(()).unwrap_or_default();
    });
    assert!([200, 503].contains(&status));
}

#[tokio::test]
async fn who_is_slow_holds_a_place_and_not_for_ever() {
    let signer = Signer::new("mailersend");
    let rig = Rig::new(&signer).await;
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(("127.0.0.1", rig.port)).await.unwrap();
        stream.write_all(b"POST /hooks/p HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{").await.unwrap();
        slow.push(stream);
    }
    let mut status = 0;
    let until = async {
        while status != 503 {
            status = rig.post(signer.post(&[mute("mailersend")], NOW)).await;
        }
    };
    timeout(PATIENCE, until).await.unwrap();
    for mut stream in slow {
        let mut head = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut head)).await.unwrap().unwrap();
        assert_eq!(&head, b"HTTP/1.1 408");
    }
    assert_eq!(rig.post(signer.post(&[mute("mailersend")], NOW)).await, 200);
}
