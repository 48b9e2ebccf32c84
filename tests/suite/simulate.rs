//! The judge's promise as numbers, in seeded worlds; and what is said of a scenario that cannot be played.

use mailcanary::cli::simulate::Native;
use mailcanary::config;
use mailcanary::sandbox::simulate::{Figures, Healthy, Scenario, study};

/// Plays it.
fn played(text: &str) -> (Figures, Healthy) {
    let scenario = Scenario::parse(text).unwrap_or_else(|e| panic!("{e}"));
    let settings = config::parse(&scenario.configuration, "test").unwrap().settings;
    let found = study(&scenario, &|| Native::new(&settings), &|| (), &|_, _| {});
    let runs: Vec<_> = found.runs.into_iter().map(|(run, _)| run).collect();
    (Figures::of(&runs), found.healthy)
}

#[test]
fn a_stop_of_one_route_is_told_within_a_minute_or_so() {
    let failure = "[[failure]]\nkind = \"stop\"\nculprit = { provider = \"p0\" }\nlasts = \"30m\"\n";
    let (stop, quiet) = played(&format!("{failure}[runs]\ncount = 60\nlearn = \"12h\"\nquiet = 2\nquiet_lasts = \"20d\"\n"));
    let told = stop.told_after_secs;
    assert!(told.missed == 0 && told.median.is_some_and(|s| s < 85.0) && told.p99.is_some_and(|s| s < 140.0), "{told:?}");
    assert!(stop.right_after_30s > 0.99 && stop.pages_at_most == 1, "{stop:?}");
    assert!(stop.resolved_after_secs.median.is_some_and(|s| s < 150.0) && stop.resolved_early == 0.0, "{stop:?}");
    assert!(quiet.pages <= 1 && quiet.extra() < 0.21, "{quiet:?}");
}

#[test]
fn a_stop_of_a_provider_is_told_by_the_whole_matrix() {
    let matrix = "[matrix]\nproviders = 3\ninboxes = 4\n[[failure]]\nkind = \"stop\"\nculprit = { provider = \"p1\" }\nlasts = \"20m\"\n";
    let (stop, quiet) = played(&format!("{matrix}[runs]\ncount = 20\nlearn = \"4h\"\nquiet = 1\nquiet_lasts = \"1d\"\n"));
    let told = stop.told_after_secs;
    assert!(told.missed == 0 && told.median.is_some_and(|s| s < 55.0), "{told:?}");
    assert!(stop.right_after_30s >= 0.9 && stop.pages < 1.2, "{stop:?}");
    assert!(quiet.pages == 0 && quiet.extra() < 0.22, "{quiet:?}");
}

#[test]
fn a_slow_provider_is_called_slow_and_stays_open() {
    let failure = "[[failure]]\nkind = \"slow\"\nfactor = 10\nculprit = { provider = \"p0\" }\nlasts = \"2h\"\n";
    let (slow, _) = played(&format!("{failure}[runs]\ncount = 20\nlearn = \"12h\"\nquiet = 0\n"));
    assert!(slow.told_after_secs.median.is_some_and(|s| s < 110.0) && slow.resolved_early <= 0.1, "{slow:?}");
}

#[test]
fn a_blind_inbox_a_sleep_and_a_cut_are_nobody_elses_fault() {
    for failure in [
        "kind = \"blind\"\nculprit = { inbox = \"i1\" }\nlasts = \"45m\"",
        "kind = \"sleep\"\nlasts = \"20m\"",
        "kind = \"cut_off\"\nlasts = \"30m\"",
    ] {
        let runs = "[runs]\ncount = 10\nlearn = \"2h\"\nquiet = 0\n";
        let (figures, _) = played(&format!("[matrix]\nproviders = 2\ninboxes = 2\n[[failure]]\n{failure}\n{runs}"));
        assert!(figures.told_after_secs.missed == figures.runs && figures.pages == 0.0, "{failure}: {figures:?}");
    }
}

#[test]
fn a_scenario_that_cannot_be_played_says_where_and_why() {
    let cases = [
        ("[matrix]\nprovider = 3\n", "unknown field `provider`"),
        ("[mail]\nmedian = 4\n", "line 2"),
        ("[mail]\nlost = \"3\"\n", "`3` is not a share: write it as \"3%\""),
        ("[[failure]]\nkind = \"loss\"\nculprit = { provider = \"p0\" }\nlasts = \"1h\"\n", "`failure.share`"),
        ("[[failure]]\nkind = \"stop\"\nculprit = { provider = \"p9\" }\nlasts = \"1h\"\n", "`provider:p9` is not in the matrix"),
        ("[watch]\nfalse_pages = \"often\"\n", "`watch.false_pages`"),
        ("[matrix]\nproviders = 0\n", "0 routes"),
    ];
    for (text, expected) in cases {
        let error = Scenario::parse(text).expect_err(text).to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
