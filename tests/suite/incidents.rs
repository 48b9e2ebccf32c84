//! Incidents that have been, played from their files: each told in time, once, of the right kind and culprit, and no page for anything else.

use std::fs;
use std::path::Path;
use std::process::Command;

use mailcanary::cli::simulate::Native;
use mailcanary::config;
use mailcanary::sandbox::incidents::{self, Incident};

fn complaints(incident: &Incident, seed: u64) -> Vec<String> {
    let checked =
        config::parse(&incident.configuration, "incident").unwrap_or_else(|complaints| panic!("{}: {complaints:?}", incident.name));
    let notices = incident.play(Native::new(&checked.settings), seed);
    incident.complaints(&notices).into_iter().map(|complaint| format!("{} (seed {seed}): {complaint}", incident.name)).collect()
}

#[test]
fn every_file_is_in_the_library() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios/incidents");
    let mut files: Vec<String> =
        fs::read_dir(folder).unwrap().map(|f| f.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    files.sort();
    assert_eq!(files, incidents::names().collect::<Vec<_>>());
    assert_eq!(files.len(), 30);
}

#[test]
fn each_is_played_on_its_own_day_and_ends_once() {
    for name in incidents::names() {
        let incident = incidents::find(name).unwrap().unwrap();
        let begins = incident.begins().rfc3339();
        let expected = format!("{}T{}:00.000Z", incident.date, incident.time.as_deref().unwrap_or("12:00"));
        assert_eq!(begins, expected, "{name}");
    }
    // Two failures at a time, which end together.
    let output = Command::new(env!("CARGO_BIN_EXE_mailcanary")).args(["demo", "--incident", "mailgun-2013"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told.contains("(2013-09-18 20:40 UTC)") && told.contains("sent 2013-09-18 "), "{told}");
    assert_eq!((told.matches("it is over").count(), told.matches("[      2h] it is over").count()), (1, 1), "{told}");
}

/// Would DigitalOcean have been warned on 7 August, of whom, and with which words?
#[test]
fn digitalocean_would_have_been_warned_of_mailchimp_the_day_before_and_paged_once_for_the_stop() {
    let words = "recurring mail through provider `mailchimp` that is expected carries something foreign: Reply-To `someone@arxxwalls.com` where \
        `support@example.com` stood; the first from `billing@example.com`, subject `Your daily usage report`, in `gmail`; since 2022-08-07 12:00 UTC";
    let output = Command::new(env!("CARGO_BIN_EXE_mailcanary")).args(["demo", "--incident", "digitalocean-2022"]).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "Would DigitalOcean have been warned on 7 August 2022, the day before its mail stopped?",
        &format!("Yes, warned on 2022-08-07 12:00 UTC (1d7h before), of provider mailchimp, with these words: {words}"),
        "Yes, paged on 2022-08-07 15:00 UTC (1d4h before), of provider mailchimp, with these words: somebody else may be in the account: ",
    ] {
        assert!(output.status.success() && said.contains(expected), "{expected}: {said}");
    }
    // Once each: the warning, the page of the day before, the page of the stop.
    for (notice, times) in
        [("WARN · incident.opened", 1), ("PAGE · incident.opened", 2), ("`mailchimp` stopped: ", 1), ("incident.updated", 0)]
    {
        assert_eq!(said.matches(notice).count(), times, "{notice}: {said}");
    }
}

/// Each by its place in the library, so that they are played beside each other.
fn play(part: usize) {
    let mine = incidents::names().enumerate().filter(|(place, _)| place % 5 == part).map(|(_, name)| name);
    let found: Vec<String> = mine.flat_map(|name| complaints(&incidents::find(name).unwrap().unwrap(), 1)).collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_first_fifth_is_told_as_it_was() {
    play(0);
}

#[test]
fn the_second_fifth_is_told_as_it_was() {
    play(1);
}

#[test]
fn the_third_fifth_is_told_as_it_was() {
    play(2);
}

#[test]
fn the_fourth_fifth_is_told_as_it_was() {
    play(3);
}

#[test]
fn the_last_fifth_is_told_as_it_was() {
    play(4);
}
