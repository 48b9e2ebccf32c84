//! Incidents that have been, played from their files: each told in time, once, of the right kind and culprit, and no page for anything else.

use std::fs;
use std::path::Path;

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
