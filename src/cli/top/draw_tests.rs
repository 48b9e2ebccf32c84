//! Frames of an outage, at every width; keys.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use serde_json::json;

use super::super::wish::Asked;
use super::*;

/// An outage of one provider of three, with everything that strangers may have written.
fn outage() -> Top {
    let mut routes = Vec::new();
    for provider in ["backup", "mailchimp", "postmark"] {
        for inbox in ["gmail-1", "outlook-of-the-other-office", "yahoo-1"] {
            let bad = provider == "mailchimp";
            routes.push(json!({ "provider": provider, "stream": "password-reset", "inbox": inbox,
                "verdict": if bad { "stopped" } else { "delivering" }, "reason": "", "suspicion": if bad { 14.0 } else { 0.2 }, "in_flight": 2,
                "last_arrival": if bad { 100_000 } else { 995_000 }, "median": 4000, "newest": "accepted, in flight: \u{1b}[2J世界\u{202e}evil" }));
        }
    }
    let party = |name: &str, verdict: &str| json!({ "name": name, "verdict": verdict, "marked": false });
    serde_json::from_value(json!({
        "at": 1_000_000, "instance": "host\u{1b}]0;owned\u{7}", "version": "0.1.0", "tone": "stopped", "threshold": 13.0,
        "sentence": "provider `mailchimp` stopped: 15 canaries have not arrived in 3 inboxes, the oldest after 10s; 9 in 10 before took under 1s; \
            postmark, backup deliver to the same inboxes",
        "next": [1_040_000, "canary to backup"],
        "providers": [party("backup", "delivering"), party("mailchimp", "stopped"), party("postmark", "delivering")],
        "inboxes": [party("gmail-1", "delivering"), party("outlook-of-the-other-office", "degraded"), party("yahoo-1", "degraded")],
        "routes": routes,
        "incidents": [
            { "incident": 8, "severity": "warn", "kind": "blind", "culprit": "inbox yahoo-1", "since": 900_000, "acknowledged_by": null, "quiet": [4_600_000, "silenced"], "summary": "x\u{9b}31m" },
            { "incident": 7, "severity": "page", "kind": "stopped", "culprit": "provider mailchimp", "since": 700_000, "quiet": null, "acknowledged_by": "ada\u{1b}[5m", "summary": "y" }
        ]
    }))
    .unwrap()
}

const fn paper(width: usize) -> Paper {
    Paper { terminal: true, colour: false, width: Some(width) }
}

#[test]
fn it_fits_every_terminal_and_shows_the_outage_first() {
    let sight = Sight { top: Some(outage()), trouble: None };
    for (wide, high) in (30..160).step_by(7).flat_map(|wide| [10, 24, 50].map(|high| (wide, high))) {
        let rows = draw(&sight, &Wish::default(), paper(wide), Some(high));
        assert_eq!(rows.len(), high);
        assert!(rows.iter().all(|row| width(row) <= wide && !row.contains(char::is_control)), "{wide}\n{}", rows.join("\n"));
        assert!(rows.iter().any(|row| row.starts_with("✕ provider `mailchimp`")), "{wide}×{high}\n{}", rows.join("\n"));
        if high >= 24 && wide >= 60 {
            let at = |what: &str| rows.iter().position(|row| row.contains(what));
            assert!(at("PAGE #7 stopped provider mailchimp").is_some() && at("PAGE #7") < at("warn #8"), "{}", rows.join("\n"));
            assert!(
                wide < 70 || rows.iter().any(|row| row.contains("#8 blind inbox yahoo-1  for 1m40s, silenced for another 1h")),
                "{}",
                rows.join("\n")
            );
            assert!(at("✕ mailchimp/password-reset/gmail-1").is_some(), "{}", rows.join("\n"));
        }
    }
}

#[test]
fn many_incidents_leave_room_for_routes_and_a_route_that_delivers_is_shown_so() {
    let mut top = outage();
    let one = top.incidents[0].clone();
    top.incidents.extend((10..16).map(|incident| Open { incident, ..one.clone() }));
    top.routes[4].own = Some(crate::model::Own::Delivering);
    let rows = draw(&Sight { top: Some(top), trouble: None }, &Wish::default(), paper(80), Some(24));
    let all = rows.join("\n");
    assert!(rows.iter().filter(|row| row.contains("/password-re")).count() >= 4, "{all}");
    assert!(all.contains("PAGE #7 ") && all.contains("and 5 more open"), "{all}");
    assert!(rows.iter().any(|row| row.starts_with("✕ mailchimp ") && row.contains("✓ 15m ✕")), "{all}");
}

#[test]
fn columns_and_names_are_whole_or_cut_where_they_tell_least() {
    let rows = |wide| draw(&Sight { top: Some(outage()), trouble: None }, &Wish::default(), paper(wide), Some(24)).join("\n");
    let narrow = rows(80);
    assert!(narrow.contains("  median\n") && narrow.contains("  away") && narrow.contains(" <4s\n"), "{narrow}");
    assert!(narrow.contains("✕ mailchimp/password-reset/outlook-of-the-o… "), "{narrow}");
    assert!(rows(46).contains("PAGE #7 stopped provider mailchimp  for 5m\n"), "{}", rows(46));
    assert!(rows(60).contains("✕ mailchimp/password-res…/outlook-of-t… "), "{}", rows(60));
}

#[test]
fn of_what_does_not_fit_the_trouble_is_seen() {
    let mut top = outage();
    for line in &mut top.routes {
        line.verdict = if line.inbox.as_str() == "yahoo-1" { Verdict::Stopped } else { Verdict::Delivering };
    }
    let rows = draw(&Sight { top: Some(top), trouble: None }, &Wish::default(), paper(40), Some(24)).join("\n");
    assert!(rows.contains(" yahoo-1 ") && rows.contains(" +2\n") && !rows.contains(" gmail-1 "), "{rows}");
}

#[test]
fn a_daemon_that_is_gone_is_said_over_what_was_seen_last() {
    let asks = Some(("is this the address of `listen` under [http]?".to_owned(), 1));
    let rows = draw(&Sight { top: None, trouble: asks }, &Wish::default(), paper(120), Some(24)).join("\n");
    assert!(rows.contains("under [http]? Trying again"), "{rows}");
    let why = || Some(("nobody answers at the control socket".to_owned(), 12));
    let rows = draw(&Sight { top: Some(outage()), trouble: why() }, &Wish::default(), paper(80), Some(24)).join("\n");
    assert!(rows.starts_with("✕ Not seen for 12s: nobody answers") && rows.contains("#7 stopped"), "{rows}");
    let rows = draw(&Sight { top: None, trouble: why() }, &Wish::default(), paper(80), Some(24)).join("\n");
    assert!(rows.contains("Trying again each") && rows.contains("q quit"), "{rows}");
}

#[test]
fn keys_sort_filter_scroll_and_end() {
    let top = outage();
    let mut wish = Wish::default();
    let press = |wish: &mut Wish, code| wish.press(KeyEvent::new(code, KeyModifiers::NONE));
    assert_eq!(wish.routes(&top)[0].provider.as_str(), "mailchimp");
    for _ in 0..3 {
        press(&mut wish, KeyCode::Char('s'));
    }
    assert_eq!((wish.order.as_str(), wish.routes(&top)[0].provider.as_str()), ("name", "backup"));
    for c in "/yahoo".chars() {
        assert_eq!(press(&mut wish, KeyCode::Char(c)), Asked::Look);
    }
    press(&mut wish, KeyCode::Enter);
    assert_eq!(wish.routes(&top).len(), 3);
    press(&mut wish, KeyCode::End);
    wish.bound(Some(&top));
    assert_eq!(wish.past, 2);
    assert_eq!(press(&mut wish, KeyCode::Esc), Asked::Look);
    assert_eq!((wish.routes(&top).len(), press(&mut wish, KeyCode::Char('q'))), (9, Asked::End));
    assert_eq!(wish.press(KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL)), Asked::Suspend);
}
