//! The pages of a real daemon in an outage, in a real browser: what the ledger tells stands in them, and the page for everybody says little.

use mailcanary::sandbox::Fault;
use serde_json::json;

use super::life::{daemon_beside, world};
use crate::support::alertmanager::Receiver;
use crate::support::browser::{look, pictures};
use crate::support::free_port::free_port;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_of_an_outage_are_whole() {
    let world = world();
    let mut hook = Receiver::start(&[]).await;
    let port = free_port();
    let tables =
        format!("[public]\nlisten = \"127.0.0.1:{port}\"\ntitle = \"Mail from Example\"\nstreams = {{ reset = \"Password resets\" }}\n");
    let mut daemon = daemon_beside(&tables, &world, &hook);
    daemon.start().await;
    daemon.wait_for_arrivals(60.0).await;
    world.provider("relay").unwrap().set(Fault::Hold).unwrap();
    let id = hook.next().await.json()["data"]["incident"].as_u64().unwrap();
    daemon
        .wait_for("the page to be told", async |d| {
            (d.ledger::<u32>("SELECT count(*) FROM deliveries WHERE outcome = 'delivered'") > 0).then_some(())
        })
        .await;
    let missing: String =
        daemon.ledger("SELECT id FROM canaries WHERE provider = 'relay' AND arrived_at IS NULL AND answered_at IS NOT NULL LIMIT 1");
    let arrived: String = daemon.ledger("SELECT id FROM canaries WHERE provider = 'relay' AND arrived_at IS NOT NULL LIMIT 1");

    let page = async |path: &str| daemon.get(path).await.unwrap();
    let (code, text) = page(&format!("/incidents/{id}")).await;
    for fact in ["Who was told", "delivered", "What was sent meanwhile, by route", "relay/reset/one", "incident evidence", "Next step"] {
        assert!(code == 200 && text.contains(fact), "{fact} is not in\n{text}");
    }
    let (code, text) = page(&format!("/canaries/{arrived}")).await;
    for fact in ["connecting to the provider", "handing the message over", "by the receiver", "until it was seen"] {
        assert!(code == 200 && text.contains(fact), "{fact} is not in\n{text}");
    }
    let (code, text) = page(&format!("/canaries/{missing}")).await;
    assert!(code == 200 && text.contains("on its way"), "{text}");
    let (code, text) = page("/routes/relay/reset/one?span=1h").await;
    assert!(code == 200 && text.contains("<path class=\"q p50\" d=\"M") && text.contains("Incidents in this time"), "{text}");
    assert!(!text.contains("could not be asked"), "{text}");

    let at = |path: &str| format!("http://127.0.0.1:{}{path}", daemon.port);
    let pages = json!([
        { "name": "real-status", "url": at("/"), "modes": ["light", "phone-dark"] },
        { "name": "real-route", "url": at("/routes/relay/reset/one?span=1h"), "modes": ["light"] },
        { "name": "real-incident", "url": at(&format!("/incidents/{id}")), "modes": ["light", "phone"] },
        { "name": "real-canary", "url": at(&format!("/canaries/{arrived}")), "modes": ["light"] },
        { "name": "real-public", "url": format!("http://127.0.0.1:{port}/"), "modes": ["light"] },
    ]);
    look(json!({ "pictures": pictures(), "pages": pages })).await;
    assert_eq!(daemon.stop().await, Some(0));
}
