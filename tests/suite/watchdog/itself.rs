//! What a route itself does beside the failure that covers it: nobody is accused with their provider, and nobody is hidden among its routes.

use std::collections::BTreeMap;

use mailcanary::model::{Change, Culprit, Own, Span, Verdict};
use serde_json::json;

use super::world::{Fate, World, name, settings};

fn minutes(n: u64) -> Span {
    Span::from_secs(60 * n)
}

fn world(inboxes: usize) -> World {
    let mut w = World::new(settings(3, 1, inboxes, minutes(1)));
    w.run(minutes(60));
    assert!(w.dog.view(w.now).routes.iter().all(|r| r.own == Own::Delivering && r.incident.is_none()));
    w
}

fn owns(w: &World, provider: &str) -> BTreeMap<String, Own> {
    let view = w.dog.view(w.now);
    view.routes.iter().filter(|r| r.route.provider.as_str() == provider).map(|r| (r.route.inbox.to_string(), r.own)).collect()
}

#[test]
fn of_a_provider_that_loses_all_into_two_inboxes_only_these_two_are_shown_so() {
    let mut w = world(8);
    w.from(w.now, |r, _| r.provider.as_str() == "p0" && ["i2", "i5"].contains(&r.inbox.as_str()), Fate::Swallowed);
    w.run(minutes(25));
    let last = &w.notices.last().unwrap_or_else(|| panic!("nobody is told")).1;
    assert_eq!(last.culprit, Culprit::Provider(name("p0")), "{last:#?}");
    let bad = |inbox: &str| ["i2", "i5"].contains(&inbox);
    for (inbox, own) in owns(&w, "p0") {
        assert_eq!(own, if bad(&inbox) { Own::Nothing } else { Own::Delivering }, "{inbox}");
    }
    let view = w.dog.view(w.now);
    let open = view.incidents.iter().find(|i| i.resolved_at.is_none()).unwrap();
    for route in view.routes.iter().filter(|r| r.route.provider.as_str() == "p0") {
        // The verdict, its evidence and its incident stay what they were.
        assert!(
            route.verdict != Verdict::Delivering && route.suspicion >= view.suspicion_threshold && route.incident == Some(open.incident)
        );
        if bad(route.route.inbox.as_str()) {
            assert!(route.reason.starts_with("incident ") && route.own_reason.starts_with("nothing arrives since "), "{route:?}");
        } else {
            let said = format!("this route itself delivers: {}; incident {}: ", route.own_reason, open.incident);
            assert!(route.reason.starts_with(&said), "{}", route.reason);
        }
    }
    let evidence = open.evidence();
    assert_eq!(evidence["routes_missing"], json!(["p0/s0/i2", "p0/s0/i5"]), "{evidence:#}");
    assert_eq!(evidence["routes_missing_count"], 2);
    assert_eq!(evidence["routes"].as_array().unwrap()[..2], [json!("p0/s0/i2"), json!("p0/s0/i5")], "those first: {evidence:#}");
    let said = open.summary();
    assert!(said.contains("canaries to 2 inboxes are missing") || said.contains(", all of them to `i2` and `i5`"), "{said}");
    // Beside it all is well.
    assert!(owns(&w, "p1").values().all(|own| *own == Own::Delivering));
    w.heal(w.now);
    w.run(minutes(60));
    let ended = &w.notices.last().unwrap().1;
    assert_eq!(ended.change, Change::Resolved);
    assert!(ended.summary.contains(" after it was opened") && !ended.summary.contains(" ago"), "{}", ended.summary);
    assert!(w.dog.view(w.now).routes.iter().all(|r| r.own == Own::Delivering && r.incident.is_none()));
}

#[test]
fn what_is_lost_in_part_lies_in_junk_or_is_late_is_told_apart() {
    let mut w = world(2);
    w.from(w.now, |r, n| r.provider.as_str() == "p0" && n.is_multiple_of(2), Fate::Swallowed);
    w.from(w.now, |r, _| r.provider.as_str() == "p1", Fate::Arrives(Span::from_secs(3), mailcanary::model::Placement::Junk));
    w.from(w.now, |r, _| r.provider.as_str() == "p2", Fate::Arrives(Span::from_secs(300), mailcanary::model::Placement::Inbox));
    w.run(minutes(40));
    for (provider, own) in [("p0", Own::Missing), ("p1", Own::Junk), ("p2", Own::Late)] {
        assert!(owns(&w, provider).values().all(|one| *one == own), "{provider}: {:?}", owns(&w, provider));
    }
}
