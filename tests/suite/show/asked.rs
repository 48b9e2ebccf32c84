//! What is asked of the pages wrongly is said; and what browsers ask for by themselves is there.

use super::*;

#[tokio::test]
async fn a_query_that_is_not_understood_is_said_with_what_would_be() {
    let shown = Shown::start(fixture(2, 2, 1)).await;
    let route = "/routes/provider-0/stream-0/inbox-0";
    for (path, said) in [
        ("/incidents?state=xx", "<code><bdi>state</bdi></code> is <code><bdi>xx</bdi></code>, and can be: open, over."),
        ("/incidents?kind=none", "stopped, loss, slow"),
        ("/incidents?party=%3Cb%3E`", "the name of a provider"),
        ("/incidents?before=x", "the number of an incident"),
        ("/?stream=stream-7", "stream-0, stream-1."),
        (&format!("{route}?span=2h"), "15m, 1h, 6h, 24h, 7d, 30d."),
    ] {
        let (code, text) = shown.get(path).await;
        assert!(code == 400 && text.contains("That cannot be asked") && text.contains(said), "{path}: {code} {text}");
        assert!(!text.contains("<b>"), "{text}");
    }
    for path in ["/incidents?state=open&kind=loss&party=gone&before=9&utm=x", "/?stream=stream-1", &format!("{route}?span=6h")] {
        assert_eq!(shown.get(path).await.0, 200, "{path}");
    }
}

#[tokio::test]
async fn the_icon_is_where_pages_and_browsers_look_for_it() {
    let shown = Shown::start(fixture(1, 1, 1)).await;
    for (path, link) in
        [("/", "favicon.svg"), ("/incidents", "favicon.svg"), ("/routes/provider-0/stream-0/inbox-0", "../../../favicon.svg")]
    {
        let (_, page) = shown.get(path).await;
        assert!(page.contains(&format!("<link rel=\"icon\" type=\"image/svg+xml\" href=\"{link}\">")), "{page}");
    }
    for path in ["/favicon.svg", "/favicon.ico"] {
        let answer = http().get(format!("http://{}{path}", shown.address)).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!((answer.status().as_u16(), header("content-type").as_str()), (200, "image/svg+xml"));
        assert_eq!(
            (header("content-security-policy").as_str(), header("cache-control").as_str()),
            ("default-src 'none'", "public, max-age=86400")
        );
        assert!(answer.text().await.unwrap().starts_with("<svg"));
    }
}

#[tokio::test]
async fn who_speaks_http_1_1_says_whom_it_asks() {
    let shown = Shown::start(fixture(1, 1, 1)).await;
    let answer = shown.raw(b"GET /-/healthy HTTP/1.1\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("`Host`") && answer.contains("connection: close"), "{answer}");
    let answer = shown.raw(b"GET http://x/-/healthy HTTP/1.1\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let answer = shown.raw(b"GET /-/healthy HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    let answer = shown.raw(b"GET /-/healthy HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn where_nobody_would_be_told_the_page_says_so() {
    let shown = Shown::start(fixture(1, 1, 1)).await;
    assert!(!shown.get("/").await.1.contains("nobody is told of anything"));
    shown.change(|view| view.notices_pending.clear());
    assert!(shown.get("/").await.1.contains("No sink is configured: nobody is told of anything."));
}

#[tokio::test]
async fn while_nothing_is_watched_nothing_is_said_to_deliver() {
    let shown = Shown::start(fixture(2, 1, 1)).await;
    shown.change(|view| view.trouble = Some("the ledger cannot be written: no space left on device".to_owned()));
    let (_, page) = shown.get("/").await;
    assert!(page.contains("not known") && page.contains("2 of 2 when it was last watched"), "{page}");
    shown.change(|view| (view.trouble, view.next) = (None, Some((at(3600 - 61), "canary down a/b/c".to_owned()))));
    let (_, page) = shown.get("/").await;
    assert!(page.contains("mailcanary watches nothing") && page.contains("The schedule stands still: canary down a/b/c was due"), "{page}");
    assert!(page.contains("2 of 2 when it was last watched") && page.contains("What stands below is what was known"), "{page}");
}

#[tokio::test]
async fn that_an_inbox_is_blind_is_told_of_it_and_not_of_each_route() {
    let shown = Shown::start(fixture(2, 1, 1)).await;
    shown.change(|view| {
        view.inboxes[0].sight = Some(false);
        view.routes.iter_mut().for_each(|route| (route.verdict, route.reason) = (Verdict::Unknown, "since yesterday: refused".to_owned()));
    });
    let (_, page) = shown.get("/").await;
    let (_, table) = page.split_once("id=\"routes\"").unwrap();
    assert_eq!(table.matches("<a href=\"inboxes/inbox-0\">inbox-0</a> cannot be read").count(), 2, "{table}");
    assert!(!table.contains("since yesterday"), "{table}");
}
