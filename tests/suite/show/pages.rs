//! The pages in a real Chromium: for everybody, on every screen, and whatever others wrote.

mod made;
mod mail;

use mailcanary::config::Public;
use mailcanary::model::{Answer, Grade};
use mailcanary::watchdog::{DrillView, Present};

use super::*;
use crate::support::browser::{look, pictures};
use made::{Past, now};

/// Where every kind of page is, in these worlds.
const PAGES: [(&str, &str); 9] = [
    ("status", "/"),
    ("route", "/routes/mailchimp/password-reset/gmail-1"),
    ("provider", "/providers/mailchimp"),
    ("mail", "/providers/mailchimp/mail"),
    ("inbox", "/inboxes/fastmail-1"),
    ("canary", "/canaries/0000000100000010"),
    ("incident", "/incidents/7"),
    ("incidents", "/incidents"),
    ("dns", "/dns"),
];

fn url(shown: &Shown, path: &str) -> String {
    format!("http://{}{path}", shown.address)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_for_everybody() {
    let well = Shown::with(made::world(false), Past { outage: false }.archive()).await;
    let outage = Shown::with(made::world(true), Past { outage: true }.archive()).await;
    let mut pages: Vec<Value> = PAGES
        .iter()
        .map(|(name, path)| {
            // What the pages of one party are made of stands on the status page, too.
            let modes =
                if matches!(*name, "provider" | "inbox" | "incidents") { vec!["light", "phone"] } else { vec!["light", "dark", "phone"] };
            let why = (*name == "status").then_some("canaries have not arrived in 4 inboxes");
            json!({ "name": format!("outage-{name}"), "url": url(&outage, path), "modes": modes, "why": why, "asked": why.map(|_| "f/mailchimp/gmail-1") })
        })
        .collect();
    // Its hops, one of them with a name that nobody should have.
    let arrived = url(&outage, "/canaries/0000000100000011");
    pages.push(json!({ "name": "outage-arrived", "url": arrived, "modes": ["light", "dark", "phone"] }));
    pages.push(json!({ "name": "outage-runbook", "url": url(&outage, "/runbooks/stopped"), "modes": ["light", "dark", "phone"] }));
    pages.push(json!({ "name": "well-status", "url": url(&well, "/"), "modes": ["light", "dark"] }));
    pages.push(json!({ "name": "well-mail", "url": url(&well, "/providers/postmark/mail"), "modes": ["phone"] }));
    pages.push(json!({ "name": "well-route", "url": url(&well, "/routes/relay/sign-up/own-1?span=6h"), "modes": ["light"] }));
    let everybody = public(made::world(true), None).await;
    pages.push(json!({ "name": "public", "url": format!("http://{everybody}/") }));
    look(json!({ "pictures": pictures(), "pages": pages, "field": "outage-status" })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_and_hostile_pages_are_so_too() {
    let large = Shown::with(made::large(), show::Archive::closed()).await;
    let evil = Shown::start(hostile()).await;
    let mut pages = vec![
        json!({ "name": "large-status", "url": url(&large, "/"), "modes": ["light", "phone"], "glance": "light" }),
        json!({ "name": "bare-route", "url": url(&large, "/routes/provider-0/stream-0/inbox-0"), "modes": ["light"] }),
    ];
    for (n, path) in ["/", "/incidents/7", "/incidents/8", "/providers/mailchimp", "/providers/mailchimp/mail"].iter().enumerate() {
        pages.push(
            json!({ "name": format!("hostile-{n}"), "url": url(&evil, path), "modes": [if n % 2 == 0 { "phone" } else { "light" }] }),
        );
    }
    look(json!({ "pictures": pictures(), "pages": pages })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn much_that_fails_and_many_inboxes_are_seen_at_a_glance() {
    let (wide, night) = (Shown::start(made::wide()).await, Shown::start(made::night()).await);
    let pages = [
        json!({ "name": "wide-status", "url": url(&wide, "/"), "modes": ["light", "phone"], "first": ".matrix" }),
        json!({ "name": "night-status", "url": url(&night, "/"), "modes": ["light", "dark", "phone"], "first": ".matrix" }),
    ];
    look(json!({ "pictures": pictures(), "pages": pages, "keyboard": [{ "name": "night-status", "url": url(&night, "/") }] })).await;
    let (_, page) = night.get("/").await;
    let body = page.split_once("</style>").unwrap().1;
    let place = |words: &str| body.find(words).unwrap_or_else(|| panic!("no {words} in {body}"));
    assert!(place("7 open incidents") < place("id=\"matrix\"") && place("id=\"matrix\"") < place("id=\"i21\""), "{body}");
    // Three cards, and the others on asking.
    let folded = body.split_once("<details id=\"further\">").unwrap().1.split_once("</details>").unwrap().0;
    assert_eq!((folded.matches("<article").count(), body.matches("<article").count()), (4, 7));
    // What one incident says of many routes is said once.
    let of = body.split_once("<details id=\"of-21\">").unwrap();
    assert!(of.0.ends_with("provider provider-0: stopped</p>") && of.1.starts_with("<summary>12 routes</summary>"), "{body}");
    // Of one alone the heading and its card say all.
    night.change(|view| view.incidents.truncate(1));
    assert!(!night.get("/").await.1.contains("1 open incident"));
}

/// Everything that others can write, as bad as they can, and names as long as they may be.
fn hostile() -> View {
    let evil = format!("<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u{202e}txt.exe\u{0}\u{1b}[2J مرحبا {}", "x".repeat(300));
    let mut view = made::world(true);
    let long = |text: &str| name(&format!("{text}-{}", "w".repeat(63 - text.len())));
    for route in &mut view.routes {
        (route.reason, route.recent[0].state) = (evil.clone(), evil.clone());
        route.route.inbox = long(route.route.inbox.as_str());
    }
    view.inboxes.iter_mut().for_each(|inbox| (inbox.reason, inbox.name) = (evil.clone(), long(inbox.name.as_str())));
    view.providers.iter_mut().for_each(|provider| provider.reason = evil.clone());
    for incident in &mut view.incidents {
        incident.last.summary = evil.clone();
        incident.last.evidence = json!({ evil.clone(): evil, "reply": evil, "list": [evil], "next_step": evil, "rivals": [evil], "certainty": 2.0,
            "provider_says": [{ "fate": evil, "words": evil, "canary": evil, "said_at": evil }], "deep": { "a": [{ "b": evil }] } });
    }
    (view.instance, view.next) = (evil.clone(), Some((now(), evil.clone())));
    for one in &mut view.dns.subjects {
        one.answer = Some(Answer::new(Grade::Broken, &evil).note(&evil));
        (one.before, one.unanswered) = (one.answer.clone(), Some((now(), evil.clone())));
    }
    view.dns.mute = Some((now(), evil.clone()));
    view.silences[0].reason = evil.clone();
    for identity in &mut view.identities {
        identity.marks.iter_mut().for_each(|mark| mark.mark.value = evil.clone());
        identity.checks.iter_mut().for_each(|check| (check.why, check.inbox) = (evil.clone(), long(check.inbox.as_str())));
    }
    view
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_keyboard_and_without_scripts_and_while_things_change() {
    let outage = Arc::new(Shown::with(made::world(true), Past { outage: true }.archive()).await);
    let later = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let signal = format!("http://{}/", later.local_addr().unwrap());
    let changing = Arc::clone(&outage);
    tokio::spawn(async move {
        let (mut stream, _) = later.accept().await.unwrap();
        changing.change(|view| {
            view.incidents.insert(0, incident(9, Kind::Stopped, Culprit::Provider(name("relay")), "relay stopped, too", json!({})));
            view.routes.iter_mut().for_each(|route| route.verdict = Verdict::Stopped);
            view.providers.retain(|provider| provider.name.as_str() != "postmark");
            // The other one is the worst now: rows change their places.
            let is_relay = |provider: &PartyView| provider.name.as_str() == "relay";
            view.providers.iter_mut().for_each(|p| p.verdict = if is_relay(p) { Verdict::Stopped } else { Verdict::Degraded });
            view.silences.clear();
        });
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
    });
    let every = |shown: &Shown, word: &str| -> Vec<Value> {
        PAGES
            .iter()
            .map(|(name, path)| json!({ "name": format!("{word}-{name}"), "url": url(shown, path), "facts": ["mx1.example"] }))
            .collect()
    };
    let facts = ["Provider mailchimp: stopped", "acknowledged", "incident 7", "password-reset", "the host moves"];
    let mut plain = every(&outage, "outage");
    plain.push(json!({ "name": "status", "url": url(&outage, "/"), "facts": facts }));
    let refresh = [
        json!({ "name": "status", "url": url(&outage, "/"), "open": "#ended", "focus": "#ended summary", "later": signal, "read": "f/relay/gmail-1" }),
    ];
    look(json!({ "pages": [], "keyboard": every(&outage, "outage"), "plain": plain, "refresh": refresh })).await;
}

/// The page for everybody of a view: where it is.
async fn public(view: View, streams: Option<&[(&str, &str)]>) -> SocketAddr {
    let names = streams.map(|streams| streams.iter().map(|(stream, called)| (name(stream), (*called).to_owned())).collect());
    let public = Public { listen: (Ipv4Addr::LOCALHOST, 0).into(), title: "Mail from <Example>".to_owned(), streams: names };
    let (ask, mut asked) = mpsc::channel::<oneshot::Sender<View>>(4);
    tokio::spawn(async move {
        while let Some(answer) = asked.recv().await {
            _ = answer.send(view.clone());
        }
    });
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(show::serve(listener, show::public(ask, Past { outage: true }.archive(), public), std::future::pending()));
    address
}

#[tokio::test]
async fn everybody_sees_verdicts_and_nothing_else() {
    let get = async |address: SocketAddr, path: &str| {
        let answer = http().get(format!("http://{address}{path}")).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let address = public(made::world(true), Some(&[("sign-up", "Confirmations")])).await;
    let (code, page) = get(address, "/").await;
    assert_eq!(code, 200);
    let body = page.split_once("</style>").unwrap().1.split_once("<script>").unwrap().0;
    for fact in [
        "Mail from &lt;Example&gt;",
        "Confirmations",
        "Some mail does not arrive",
        "arrives in part",
        "since",
        "some mail does not arrive",
        "some mail was lost",
        // Of months ago, as the bars show it.
        "some mail was late",
        "99.67 % without trouble",
        "<summary>4 days with trouble",
    ] {
        assert!(body.contains(fact), "{fact} is not in\n{body}");
    }
    assert!(body.contains("<title>2022-08-09: trouble for 1h22m</title>"), "{body}");
    assert!(body.contains("not watched for 3h"), "while the host was off: {body}");
    let secret = ["mailchimp", "relay", "gmail", "fastmail", "incident", "mx1.example", "ada", "@", "sign-up", "password", "href", "0000"];
    secret.iter().for_each(|word| assert!(!body.contains(word), "{word} is in\n{body}"));
    for path in ["/metrics", "/incidents/7", "/api/v1/providers", "/-/ready", "/routes/mailchimp/sign-up/gmail-1", "/hooks/mailchimp"] {
        assert_eq!(get(address, path).await, (404, "there is nothing here\n".to_owned()), "{path}");
    }
    assert_eq!(http().post(format!("http://{address}/")).send().await.unwrap().status().as_u16(), 405);

    // A drill, a stand-by and an inbox's own failure concern nobody outside.
    let mut view = made::world(true);
    view.drill = Some(DrillView {
        provider: name("mailchimp"),
        from: now(),
        until: now(),
        by: "ada".to_owned(),
        incident: Some(IncidentId(7)),
        paged_after: None,
    });
    let (_, page) = get(public(view.clone(), None).await, "/").await;
    assert!(page.contains("All mail arrives") && !page.contains("since"), "{page}");
    // Those who watch see that it is one; what is really open goes before it.
    let mine = Shown::start(view.clone()).await;
    let (_, page) = mine.get("/").await;
    assert!(page.contains("<bdi>Inbox fastmail-1: blind, and 1 more</bdi>") && page.contains(">drill</span>"), "{page}");
    assert!(mine.get("/incidents/7").await.1.contains("stopped (drill)"));
    mine.change(|view| view.incidents.retain(|one| one.incident == IncidentId(7)));
    let (_, page) = mine.get("/").await;
    assert!(page.contains("hero degraded") && page.contains("<bdi>Drill: provider mailchimp: stopped</bdi>"), "{page}");
    assert!(page.contains("Nothing is wrong with it: its canaries are withheld"), "{page}");
    // What is over is told as it was: how things are now changes nothing of it.
    let mut after = fixture(2, 1, 1);
    after.incidents = vec![incident(1, Kind::Stopped, Culprit::Provider(name("provider-0")), "", json!({}))];
    after.incidents[0].resolved_at = Some(at(3100));
    after.drill = view.drill.clone().map(|drill| DrillView { provider: name("provider-1"), ..drill });
    let (_, page) = get(public(after, None).await, "/").await;
    assert!(page.contains("some mail did not arrive"), "{page}");
    (view.drill, view.providers[0].traffic.standby) = (None, true);
    assert!(get(public(view.clone(), None).await, "/").await.1.contains("All mail arrives"));
    view.routes.iter_mut().for_each(|route| route.verdict = Verdict::Stopped);
    assert!(get(public(view.clone(), None).await, "/").await.1.contains("No mail arrives"));
    view.trouble = Some("the disk is full".to_owned());
    let (_, page) = get(public(view, None).await, "/").await;
    assert!(page.contains("Not everything is known") && !page.contains("disk"), "{page}");
}

#[tokio::test]
async fn the_status_page_says_how_it_goes() {
    let shown = Shown::start(fixture(2, 1, 2)).await;
    let (code, page) = shown.get("/").await;
    assert_eq!(code, 200);
    assert!(page.contains("All 4 routes deliver."), "{page}");
    assert!(page.contains("<time datetime=\"2022-08-08T20:30:40.000Z\" title=\"2022-08-08 20:30:40 UTC\">in 40s</time>"));
    assert!(page.contains("provider-1/stream-0/inbox-1") && page.contains("<a href=\"inboxes/inbox-1\">inbox-1</a>"));
    assert!(
        page.matches("<script").count() == 1 && !page.contains("src=") && !page.contains("http://") && !page.contains("https://"),
        "nothing from elsewhere"
    );

    shown.change(|view| {
        let proof = json!({"since": 1_659_990_000_000_i64, "sent": 9, "arrived": 0, "reply": "250 2.0.0 queued"});
        view.incidents.push(incident(7, Kind::Stopped, Culprit::Provider(name("provider-1")), "provider-1: none of 9 arrived", proof));
        view.routes[2].verdict = Verdict::Stopped;
        view.routes[2].route.stream = name("other");
        view.inboxes[0].sight = Some(false);
    });
    let (_, page) = shown.get("/").await;
    assert!(page.contains("provider-1: none of 9 arrived") && page.contains("href=\"incidents/7\""));
    assert!(page.contains("✕ </span>blind") && page.contains("✕ </span>stopped"));
    let (code, page) = shown.get("/incidents/7").await;
    assert_eq!(code, 200);
    for fact in ["provider provider-1", "mailcanary/mx1.example/7", "250 2.0.0 queued", "2022-08-08T20:20:00.000Z", "(10m ago)", "stopped"]
    {
        assert!(page.contains(fact), "{fact} is not in\n{page}");
    }
    let (code, page) = shown.get("/canaries/0000000000010000").await;
    assert!(code == 200 && page.contains("arrived in 4.1s") && page.contains("provider-0/stream-0/inbox-0"));
    for path in [
        "/incidents/8",
        "/incidents/x",
        "/canaries/ffffffffffffffff",
        "/canaries/..%2f..%2fetc",
        "/nowhere",
        "/routes/a/b/c",
        "/providers/x",
        "/metrics/",
    ] {
        let (code, page) = shown.get(path).await;
        assert!(code == 404 && page.contains("<h1>No such"), "{path}: {code}");
    }
}

#[tokio::test]
async fn the_last_months_of_each_party_are_told_in_bars_and_in_words() {
    let shown = Shown::with(made::world(true), Past { outage: true }.archive()).await;
    let (_, page) = shown.get("/").await;
    let section = page.split_once("id=\"days\"").unwrap().1.split_once("</section>").unwrap().0;
    let row = |id: &str| {
        let row = section.split_once(&format!("<li id=\"days-{id}\">")).unwrap_or_else(|| panic!("no {id} in {section}")).1;
        row.split_once("<li id=").map_or(row, |(row, _)| row)
    };
    let ill = row("providers/mailchimp");
    assert!(ill.contains("aria-label=\"Provider mailchimp: of the last 90 days, 1 with trouble; "), "{ill}");
    assert_eq!((ill.matches("<rect").count(), ill.matches("<rect class=\"stopped\"").count()), (90, 1));
    assert!(ill.contains("<title>2022-08-09: trouble for ") && ill.contains("<li>2022-08-09: trouble for "), "{ill}");
    assert!(ill.contains("href=\"incidents?party=mailchimp\"") && ill.contains("<summary>1 day with trouble"), "{ill}");
    // A time in which nothing ran is nobody's failure, and is said.
    let well = row("inboxes/gmail-1");
    assert!(
        well.contains("of the last 90 days, 0 with trouble; 100 % without trouble\"") && well.contains("<summary>not watched all the time"),
        "{well}"
    );
    assert!(well.contains("<li>2022-06-19 – 2022-06-20: not watched</li>"), "{well}");
    let relay = row("providers/relay");
    assert!(relay.contains("<summary>2 days with trouble") && relay.contains("<li>2022-07-21: trouble for 47m</li>"), "{relay}");
    // What is open now is there before the ledger is asked again.
    shown.change(|view| view.incidents.push(incident(9, Kind::Stopped, Culprit::Inbox(name("gmail-1")), "it stopped", json!({}))));
    let (_, page) = shown.get("/").await;
    assert!(page.contains("aria-label=\"Inbox gmail-1: of the last 90 days, 2 with trouble; "), "{page}");
    // A drill is none, and of many parties a month is enough.
    shown.change(|view| {
        view.incidents.iter_mut().for_each(|one| one.last.summary = format!("DRILL (by ann), nothing is wrong: {}", one.last.summary));
        let one = view.inboxes[0].clone();
        view.inboxes.extend((0..20).map(|n| InboxView { name: name(&format!("more-{n}")), ..one.clone() }));
    });
    let (_, page) = shown.get("/").await;
    assert!(
        page.contains("aria-label=\"Inbox gmail-1: of the last 30 days, 0 with trouble; ") && page.contains("12 more</summary>"),
        "{page}"
    );
    // Without a ledger all else is there.
    let (_, page) = Shown::start(made::world(true)).await.get("/").await;
    assert!(page.contains("The ledger could not be asked (") && page.contains("id=\"matrix\""), "{page}");
}

#[tokio::test]
async fn what_others_wrote_stays_text() {
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u{202e}txt.exe\u{0}\u{1b}[2J\u{85}&lt;";
    let mut view = fixture(1, 1, 1);
    let proof = json!({evil: evil, "list": [evil], "reply": format!("{evil}\n{}", "x".repeat(200)), "long": "<".repeat(100_000)});
    view.incidents.push(incident(1, Kind::Refused, Culprit::Provider(name("provider-0")), evil, proof));
    view.instance = evil.to_owned();
    view.next = Some((at(3601), evil.to_owned()));
    view.routes[0].reason = evil.to_owned();
    view.routes[0].recent[0].state = evil.to_owned();
    view.providers[0].reason = evil.to_owned();
    view.inboxes[0].reason = evil.to_owned();
    view.identities[0].marks.iter_mut().for_each(|mark| mark.mark.value = evil.to_owned());
    view.dns.subjects = made::subjects();
    view.dns.subjects[0].answer = Some(Answer { text: evil.to_owned(), ..Answer::absent() });
    let shown = Shown::start(view).await;
    for path in [
        "/",
        "/dns",
        "/incidents/1",
        "/canaries/0000000000010000",
        "/routes/provider-0/stream-0/inbox-0",
        "/providers/provider-0",
        "/providers/provider-0/mail",
        "/inboxes/inbox-0",
    ] {
        let (code, page) = shown.get(path).await;
        assert_eq!(code, 200);
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&gt;&lt;img src=x"), "{path}");
        assert_eq!(page.matches("<script").count(), 1, "{path}");
        for bad in ["<script>alert", "<img", "\u{202e}", "\u{0}", "\u{1b}", "\u{85}"] {
            assert!(!page.contains(bad), "{bad:?} in {path}");
        }
        assert!(page.contains("\\u{202e}txt.exe\\u{0}\\u{1b}[2J\\u{85}&amp;lt;"), "{page}");
        assert!(page.len() < 200_000, "{path} has {} bytes", page.len());
    }
    let (_, json) = shown.get("/api/v1/providers").await;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["providers"][0]["reason"], evil);
}

#[tokio::test]
async fn five_hundred_routes_fit_a_page() {
    let mut view = fixture(10, 5, 10);
    for (n, route) in view.routes.iter_mut().enumerate() {
        route.reason = "\"none\" of 9 canaries <arrived> ".repeat(50);
        if n % 2 == 0 {
            let Route { provider, stream, inbox } = route.route.clone();
            let culprit = Culprit::Route(provider, stream, inbox);
            view.incidents.push(incident(n as u64 + 1, Kind::Loss, culprit, &"half <of> it is lost ".repeat(50), json!({})));
        }
    }
    let text = show::render(&view);
    assert_eq!(complaints(&text), None);
    let shown = Shown::start(view).await;
    let (code, page) = shown.get("/").await;
    assert_eq!(code, 200);
    assert!(page.len() < 1024 * 1024, "{} bytes", page.len());
    assert!(page.contains("provider-9/stream-4/inbox-9"));
}

#[tokio::test]
async fn an_outage_shows_before_any_deadline_has_passed() {
    let mut view = made::world(true);
    view.began = at(0);
    // Since two minutes nothing comes, and nothing is lost yet.
    let since = now().minus(Span::from_secs(120));
    let route = view.routes.iter_mut().find(|route| route.route.provider.as_str() == "mailchimp").unwrap();
    let path = format!("/routes/{}?span=15m", route.route);
    for canary in route.recent.iter_mut() {
        let came = canary.sent_at < since;
        (canary.became, canary.placement) = if came { (Became::Arrived, Some(Placement::Inbox)) } else { (Became::InFlight, None) };
        canary.latency = came.then_some(Span::from_ms(640));
    }
    let shown = Shown::start(view).await;
    let (_, page) = shown.get(&path).await;
    let body = page.split_once("</style>").unwrap().1;
    assert!(body.contains("class=\"m overdue\" d=\"M") && body.contains("now; 2 overdue"), "{body}");
    assert!(body.contains("aria-current=\"true\">15m<") && body.contains("&lt;1s</text>"), "{body}");
    assert!(!body.contains("640ms") && !body.contains("ms</text>"), "receivers do not tell it so finely");
    // Whatever is asked for is the axis; what was not watched is said to be so.
    let (_, page) = shown.get(&path.replace("15m", "30d")).await;
    assert!(page.contains("class=\"before\"") && page.contains("not watched yet"));
    let (_, page) = shown.get("/").await;
    let (_, matrix) = page.split_once("id=\"matrix\"").unwrap();
    assert!(matrix.contains("<span class=\"ms\">21m") || matrix.contains("<span class=\"ms\">22m"), "when it began");
    let (_, card) = page.split_once("id=\"i8\"").unwrap();
    let card = card.split_once("</article>").unwrap().0;
    assert!(card.contains("silenced") && card.contains("grace"), "{card}");
}

#[tokio::test]
async fn the_picture_of_a_young_route_begins_with_its_first_canary() {
    let shown = Shown::with(made::world(false), Past { outage: false }.archive()).await;
    let route = "/routes/relay/sign-up/own-1";
    let begins = async |path: &str| {
        let (_, page) = shown.get(path).await;
        page.split_once("aria-label=\"Latency of relay/sign-up/own-1 from ").unwrap().1.split_once(" to ").unwrap().0.to_owned()
    };
    // It has sent far more than is in the picture: a day.
    shown.change(|view| view.routes.iter_mut().for_each(|route| route.counts.accepted = 1_000_000));
    let day = begins(route).await;
    assert_eq!(day, "2022-08-08 21:30:00 UTC");
    shown.change(|view| view.routes.iter_mut().for_each(|route| route.counts.accepted = 1));
    let first = begins(route).await;
    assert!(first > day && first.starts_with("2022-08-08 21:3"), "{first}");
    assert_eq!(begins(&format!("{route}?span=24h")).await, day, "who asks for a day gets it");
}

#[tokio::test]
async fn incidents_are_listed_by_page_and_narrowed() {
    let shown = Shown::with(made::world(true), Past { outage: true }.archive()).await;
    let numbers = async |path: &str| -> Vec<String> {
        let (code, page) = shown.get(path).await;
        assert_eq!(code, 200);
        page.split("<tr id=\"i").skip(1).map(|row| row.split('"').next().unwrap().to_owned()).collect()
    };
    assert_eq!(numbers("/incidents").await, ["8", "7", "5", "4", "3", "2", "1"]);
    assert_eq!(numbers("/incidents?state=open").await, ["8", "7"]);
    // What is open is told as it is now, and not as it was told last.
    shown.change(|view| {
        let summary = "of 200 canaries none has come".to_owned();
        view.incidents[1].present = Some(Present { summary, evidence: json!({}), delivers: false });
    });
    let (_, page) = shown.get("/incidents?state=open").await;
    for fact in ["of 200 canaries none has come", "acknowledged</span>", "<bdi>ada</bdi>", "silenced</span>"] {
        assert!(page.contains(fact), "{fact} is not in\n{page}");
    }
    assert_eq!(numbers("/incidents?kind=blind&party=fastmail-1").await, ["8"]);
    assert_eq!(numbers("/incidents?party=relay&before=8").await, ["5", "3"]);
    assert_eq!(numbers("/incidents?party=mail").await, [""; 0], "what is not a name of anything");
    let (_, page) = shown.get("/incidents?state=over").await;
    assert!(page.contains("aria-current=\"true\">over<") && page.contains("incidents?state=over&amp;kind=stopped"), "{page}");
    // Without the ledger, what the watchdog itself has.
    let bare = Shown::start(made::world(true)).await;
    let (_, page) = bare.get("/incidents?kind=stopped").await;
    assert!(page.contains("The ledger could not be asked") && page.contains("id=\"i7\"") && !page.contains("id=\"i8\""), "{page}");
    assert!(bare.get("/").await.1.contains("<a href=\"incidents\">Incidents</a>"));
}

#[tokio::test]
async fn sentences_are_set_for_people_and_commands_name_the_configuration_that_runs() {
    let shown = Shown::start(made::world(true)).await;
    let (_, page) = shown.get("/incidents/7").await;
    assert!(page.contains("provider <code><bdi>mailchimp</bdi></code> stopped"), "{page}");
    let told = Shown::with(made::world(true), Past { outage: true }.archive()).await;
    let (_, page_of_two) = told.get("/incidents/7").await;
    let first = page_of_two.split_once("The first canary that failed was sent over ").unwrap().1;
    assert!(first.starts_with("mailchimp/"), "not what failed before of another: {page_of_two}");
    assert!(page.contains("mailcanary incident evidence 7 -c '/srv/mail watch/canary.toml'"), "{page}");
    let (_, page) = shown.get("/routes/relay/sign-up/fastmail-1").await;
    assert!(page.contains("<time datetime=\"2022-08-09T21:12:00.000Z\">2022-08-09 21:12:00 UTC</time>: connection refused"), "{page}");
    for path in ["/runbooks", "/runbooks/stopped", "/nowhere"] {
        assert!(shown.get(path).await.1.contains("<header class=\"top\">"), "{path}");
    }
}
