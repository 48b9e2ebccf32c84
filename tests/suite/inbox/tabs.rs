//! Gmail's tabs, as its documents say: one folder, told apart by a search of its own. Gmail itself cannot be had here.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use mailcanary::config::InboxKind;

use super::*;
use crate::inbox_hostile::canary;
use crate::support::fake_imap::{Answer, Box_, Command, Fake, say};

/// What is in which tab.
type Sorted = Arc<Mutex<BTreeMap<u32, &'static str>>>;

async fn gmail(sorted: &Sorted, odd: impl Fn(&Command) -> Option<Answer> + Send + Sync + 'static) -> Arc<Fake> {
    let sorted = Arc::clone(sorted);
    let fake = Fake::run(move |c| {
        if let Some(answer) = odd(c) {
            return answer;
        }
        let Some(rest) = c.line.strip_prefix("UID SEARCH UID ") else { return Answer::Usual };
        let (uid, raw) = rest.split_once(" X-GM-RAW ").unwrap();
        let is_there = sorted.lock().unwrap().get(&uid.parse().unwrap()).is_some_and(|tab| raw == format!("\"category:{tab}\""));
        say(&if is_there { format!("* SEARCH {uid}\r\nTAG OK done\r\n") } else { "* SEARCH\r\nTAG OK done\r\n".to_owned() })
    })
    .await;
    *fake.capability.lock().unwrap() = "IMAP4rev1 IDLE UIDPLUS X-GM-EXT-1".to_owned();
    fake
}

async fn started(fake: &Fake, junk_tabs: &[Placement]) -> Rig {
    let mut inbox = inbox_at(fake.port, Tls::None);
    let InboxKind::Imap(imap) = &mut inbox.kind else { panic!("no IMAP") };
    imap.junk_tabs = junk_tabs.to_vec();
    let mut rig = Rig::new(inbox).watch();
    rig.expect_sight().await;
    rig
}

#[tokio::test]
async fn a_tab_is_a_placement_and_may_count_as_junk() {
    let sorted = Sorted::default();
    let fake = gmail(&sorted, |_| None).await;
    let mut rig = started(&fake, &[Placement::Social]).await;
    let cases = [
        ("primary", Placement::Inbox),
        ("promotions", Placement::Promotions),
        ("updates", Placement::Updates),
        ("forums", Placement::Forums),
        ("social", Placement::Junk),
    ];
    for (uid, (tab, placement)) in (1..).zip(cases) {
        sorted.lock().unwrap().insert(uid, tab);
        fake.put("INBOX", canary(uid, u64::from(uid)));
        let seen = rig.sighting().await;
        assert_eq!((seen.canary.bits(), seen.placement), (u64::from(uid), placement), "{tab}");
    }
    let searches = fake.count("UID SEARCH");
    fake.put("Junk", canary(1, 9));
    assert_eq!(rig.sighting().await.placement, Placement::Junk);
    assert_eq!(fake.count("UID SEARCH"), searches, "the junk folder has no tabs");
}

#[tokio::test]
async fn a_tab_that_is_known_late_is_waited_for_and_none_is_the_inbox() {
    let sorted = Sorted::default();
    let (looks, late) = (Arc::new(AtomicUsize::new(0)), Arc::clone(&sorted));
    let fake = gmail(&sorted, move |c| {
        // Five searches are one look.
        if c.line.starts_with("UID SEARCH UID 1 ") && looks.fetch_add(1, Ordering::SeqCst) == 7 {
            late.lock().unwrap().insert(1, "promotions");
        }
        None
    })
    .await;
    let mut rig = started(&fake, &[]).await;
    fake.put("INBOX", canary(1, 1));
    assert_eq!(rig.sighting().await.placement, Placement::Promotions);
    // A mailbox without tabs is not waited for again and again.
    for uid in 2..=5 {
        fake.put("INBOX", canary(uid, u64::from(uid)));
        assert_eq!(rig.sighting().await.placement, Placement::Inbox);
    }
    assert_eq!(fake.count("UID SEARCH UID 4 "), 20);
    assert_eq!(fake.count("UID SEARCH UID 5 "), 5);
}

#[tokio::test]
async fn a_search_that_is_refused_or_kills_the_session_hides_no_canary() {
    for answer in [say("TAG BAD Could not parse command\r\n"), Answer::Close] {
        let sorted = Sorted::default();
        let fake = gmail(&sorted, move |c| c.line.starts_with("UID SEARCH").then(|| answer.clone())).await;
        let mut rig = started(&fake, &[]).await;
        for uid in 1..=3 {
            fake.put("INBOX", canary(uid, u64::from(uid)));
            let seen = rig.sighting().await;
            assert_eq!((seen.canary.bits(), seen.placement), (u64::from(uid), Placement::Inbox));
        }
        assert_eq!(fake.count("UID SEARCH"), 2, "it is done without");
    }
}

/// What lies in All Mail, with its labels as Gmail writes them.
const LABELS: [(u32, &str); 4] = [(1, "\"\\\\Inbox\" \"\\\\Important\""), (2, "\"Receipts\""), (3, "\"\\\\Sent\""), (4, "")];

#[tokio::test]
async fn what_a_filter_keeps_out_of_the_inbox_has_arrived_elsewhere() {
    let (sorted, there) = (Sorted::default(), Arc::new(AtomicUsize::new(0)));
    let come = Arc::clone(&there);
    let fake = gmail(&sorted, move |c| {
        let from: u32 = c.line.strip_prefix("UID FETCH ")?.strip_suffix(":* (UID X-GM-LABELS)")?.parse().unwrap();
        let one = |(n, (uid, labels)): (usize, (u32, &str))| format!("* {} FETCH (X-GM-LABELS ({labels}) UID {uid})\r\n", n + 1);
        let all = LABELS
            .into_iter()
            .enumerate()
            .take(come.load(Ordering::SeqCst))
            .filter(|(_, (uid, _))| *uid >= from)
            .map(one)
            .collect::<String>();
        Some(say(&format!("{all}TAG OK done\r\n")))
    })
    .await;
    let all = Box_ { uid_validity: 9, attributes: "\\All", ..Box_::default() };
    fake.folders.lock().unwrap().insert("[Gmail]/All Mail".to_owned(), all);
    let mut rig = started(&fake, &[]).await;
    for (uid, _) in LABELS {
        fake.folder("[Gmail]/All Mail", |folder| folder.mail.push(canary(uid, u64::from(uid))));
    }
    there.store(LABELS.len(), Ordering::SeqCst);
    fake.put("INBOX", canary(1, 1));
    let mut seen: Vec<(u64, Placement)> = Vec::new();
    for _ in 0..3 {
        let sighting = rig.sighting().await;
        seen.push((sighting.canary.bits(), sighting.placement));
    }
    seen.sort_by_key(|(canary, _)| *canary);
    assert_eq!(seen, [(1, Placement::Inbox), (2, Placement::Other), (4, Placement::Other)], "once each, and not what was sent");
}
