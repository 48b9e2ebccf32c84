//! Listeners who come back, and who do not read.

use super::*;
use crate::config;
use crate::model::{At, Verdict};
use crate::watchdog::Watchdog;

/// A small installation, whose one provider is doing so.
fn view(verdict: Verdict) -> View {
    const TEXT: &str = "[stream.reset]\n[provider.relay.smtp]\nfrom = \"a@example.com\"\nhost = \"smtp.example.net\"\n[inbox.one.imap]\n\
        address = \"b@example.org\"\nhost = \"imap.example.org\"\nusername = \"b\"\npassword = { env = \"B\" }\n";
    let settings = config::parse(TEXT, "host").unwrap().settings;
    let mut view = Watchdog::new(&settings).view(At::from_ms(1_659_987_000_000));
    view.providers[0].verdict = verdict;
    view
}

fn hub() -> Hub {
    Hub::new(Arc::new(|| At::from_ms(0xabc)))
}

#[tokio::test]
async fn who_was_cut_off_goes_on_where_they_were() {
    let (hub, good, bad) = (hub(), view(Verdict::Delivering), view(Verdict::Stopped));
    let first = hub.changes(&good, None);
    assert_eq!((first.last.as_str(), first.gone, first.events.len()), ("abc-0", false, 0));
    for state in [&bad, &bad, &good] {
        hub.look(state);
    }
    let ids = |after: &str| hub.changes(&good, Some(after)).events.into_iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(
        (ids("abc-0"), ids("abc-1"), ids("abc-2").len()),
        (vec!["abc-1".to_owned(), "abc-2".to_owned()], vec!["abc-2".to_owned()], 0)
    );
    for unknown in ["abc-3", "abd-1", "x", "", "abc-99999999999999999999", "-1", "abc-"] {
        assert!(hub.changes(&good, Some(unknown)).gone, "{unknown}");
    }
    let joined = hub.join(&good, Some("abc-1"), None).unwrap();
    let text: String = joined.first.iter().map(|bytes| String::from_utf8_lossy(bytes)).collect();
    assert!(text.contains("id: abc-2\nevent: verdict\ndata: {") && text.contains(r#""was":"stopped","is":"delivering""#), "{text}");
    for (number, state) in (0..=REMEMBERED).zip([&bad, &good].into_iter().cycle()) {
        let _ = number;
        hub.look(state);
    }
    assert!(hub.changes(&good, Some("abc-1")).gone, "it is not remembered for ever");
    let said = String::from_utf8_lossy(&hub.join(&good, Some("abc-1"), None).unwrap().first[0]).into_owned();
    assert!(said.contains("event: gone\n") && said.contains("id: abc-1003\n"), "{said}");
}

#[tokio::test]
async fn listeners_are_few_and_who_does_not_read_is_cut_off() {
    let (hub, good, bad) = (hub(), view(Verdict::Delivering), view(Verdict::Stopped));
    let all: Vec<Joined> = (0..LISTENERS).map(|_| hub.join(&good, None, None).unwrap_or_else(|_| panic!("no place"))).collect();
    assert!(hub.join(&good, None, None).is_err_and(|problem| problem.status() == 429));
    drop(all);
    let mut slow = hub.join(&good, None, None).unwrap_or_else(|_| panic!("no place"));
    for state in [&bad, &good].into_iter().cycle().take(BEHIND + 1) {
        hub.look(state);
    }
    let mut told = 0;
    while slow.then.recv().await.is_some() {
        told += 1;
    }
    assert_eq!(told, BEHIND, "then it ends");
}
