//! Each alert fires when it must and is silent when it must, by Prometheus' own tool: a world in which it fires, and one that is nearly so.

use std::process::Command;

use mailcanary::edge::show::grafana;
use serde_json::{Value, json};

use crate::support::alertmanager::Folder;

/// Series by their name, `|`, further labels, and values; every one is of one watchdog.
type Series = &'static [(&'static str, &'static str)];

/// An alert, the minute at which it is looked at, and the two worlds.
struct Case(&'static str, u32, Series, Series);

/// A metric of one route, with an outcome or a placement.
macro_rules! route {
    ($metric:literal) => {
        concat!($metric, "|provider=\"a\",stream=\"s\",inbox=\"i\"")
    };
    ($metric:literal, $more:literal) => {
        concat!($metric, "|provider=\"a\",stream=\"s\",inbox=\"i\",", $more)
    };
}

const CASES: &[Case] = &[
    Case("MailcanaryAbsent", 10, &[("up|", "1x20")], &[("mailcanary_build_info|version=\"1\"", "1x20")]),
    Case("MailcanaryDown", 15, &[("up|", "0x30")], &[("up|", "0x10 1x20")]),
    Case(
        "MailcanaryIncident",
        5,
        &[("mailcanary_incident_severity|kind=\"stopped\",culprit=\"provider:a\"", "3x10")],
        &[("mailcanary_incident_severity|kind=\"loss\",culprit=\"provider:a\"", "2x10")],
    ),
    Case("MailcanaryLedgerNotWritable", 10, &[("mailcanary_ledger_writable|", "0x10")], &[("mailcanary_ledger_writable|", "1x10")]),
    Case(
        "MailcanaryStandsStill",
        20,
        &[("mailcanary_next_wake_timestamp_seconds|", "60x30")],
        &[("mailcanary_next_wake_timestamp_seconds|", "0+60x30")],
    ),
    Case(
        "MailcanaryNothingArrives",
        60,
        &[
            (route!("mailcanary_canaries_submitted_total", "outcome=\"accepted\""), "0+1x60"),
            (route!("mailcanary_canaries_arrived_total", "placement=\"inbox\""), "5x60"),
            ("process_start_time_seconds|", "0x60"),
        ],
        &[
            (route!("mailcanary_canaries_submitted_total", "outcome=\"refused\""), "0+1x60"),
            (route!("mailcanary_canaries_arrived_total", "placement=\"inbox\""), "5x60"),
            ("process_start_time_seconds|", "0x60"),
        ],
    ),
    Case(
        "MailcanaryNoticesStuck",
        30,
        &[("mailcanary_notices_pending|sink=\"x\"", "1x30")],
        &[("mailcanary_notices_pending|sink=\"x\"", "0 1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1 1 1 0 1 1")],
    ),
    Case(
        "MailcanaryServiceLevelBurnsFast",
        90,
        &[
            (route!("mailcanary_canaries_decided_total", "outcome=\"missed\""), "0+1x90"),
            (route!("mailcanary_canaries_decided_total", "outcome=\"in_time\""), "0+1x90"),
        ],
        // One of a slow route.
        &[
            (route!("mailcanary_canaries_decided_total", "outcome=\"missed\""), "0x85 1x10"),
            (route!("mailcanary_canaries_decided_total", "outcome=\"in_time\""), "0+0.05x90"),
        ],
    ),
    Case(
        "MailcanaryIncidentWarns",
        15,
        &[("mailcanary_incident_severity|kind=\"loss\",culprit=\"provider:a\"", "2x20")],
        &[("mailcanary_incident_severity|kind=\"loss\",culprit=\"provider:a\"", "3x20")],
    ),
    Case(
        "MailcanaryServiceLevelBurnsSlowly",
        500,
        &[
            (route!("mailcanary_canaries_decided_total", "outcome=\"missed\""), "0+1x500"),
            (route!("mailcanary_canaries_decided_total", "outcome=\"in_time\""), "0+10x500"),
        ],
        &[
            (route!("mailcanary_canaries_decided_total", "outcome=\"missed\""), "0+1x500"),
            (route!("mailcanary_canaries_decided_total", "outcome=\"in_time\""), "0+19x500"),
        ],
    ),
    Case(
        "MailcanaryRouteSilent",
        240,
        &[
            (route!("mailcanary_canaries_submitted_total", "outcome=\"accepted\""), "0+1x240"),
            (route!("mailcanary_canaries_arrived_total", "placement=\"inbox\""), "5x240"),
            ("process_start_time_seconds|", "0x240"),
        ],
        &[
            (route!("mailcanary_canaries_submitted_total", "outcome=\"accepted\""), "0+1x240"),
            (route!("mailcanary_canaries_arrived_total", "placement=\"junk\""), "0+0.1x240"),
            ("process_start_time_seconds|", "0x240"),
        ],
    ),
    Case(
        "MailcanaryNothingSent",
        300,
        &[(route!("mailcanary_canaries_submitted_total", "outcome=\"accepted\""), "9x300"), ("process_start_time_seconds|", "0x300")],
        &[(route!("mailcanary_canaries_submitted_total", "outcome=\"accepted\""), "9x300"), ("process_start_time_seconds|", "14000x300")],
    ),
    Case(
        "MailcanaryJunk",
        400,
        &[
            (route!("mailcanary_canaries_arrived_total", "placement=\"junk\""), "0+1x400"),
            (route!("mailcanary_canaries_arrived_total", "placement=\"inbox\""), "0+1x400"),
        ],
        &[
            (route!("mailcanary_canaries_arrived_total", "placement=\"junk\""), "0+0.1x400"),
            (route!("mailcanary_canaries_arrived_total", "placement=\"inbox\""), "0+1x400"),
        ],
    ),
    Case(
        "MailcanaryQuotaLow",
        30,
        &[("mailcanary_account_quota_remaining|provider=\"a\"", "5x30"), ("mailcanary_account_quota_limit|provider=\"a\"", "100x30")],
        &[("mailcanary_account_quota_remaining|provider=\"a\"", "15x30"), ("mailcanary_account_quota_limit|provider=\"a\"", "100x30")],
    ),
    Case(
        "MailcanaryDnsChanged",
        15,
        &[("mailcanary_dns_changes|topic=\"dkim\",severity=\"page\"", "1x20")],
        &[
            ("mailcanary_dns_changes|topic=\"dkim\",severity=\"info\"", "1x20"),
            ("mailcanary_dns_changes|topic=\"listed\",severity=\"warn\"", "1x20"),
        ],
    ),
    Case("MailcanaryListed", 15, &[("mailcanary_listed|provider=\"a\"", "1x20")], &[("mailcanary_listed|provider=\"a\"", "0x20")]),
    Case(
        "MailcanaryDnsUnanswered",
        90,
        &[("mailcanary_dns_questions_total|outcome=\"failed\"", "0+1x90"), ("mailcanary_dns_questions_total|outcome=\"answered\"", "5x90")],
        &[
            ("mailcanary_dns_questions_total|outcome=\"failed\"", "0+1x90"),
            ("mailcanary_dns_questions_total|outcome=\"answered\"", "0+1x90"),
        ],
    ),
    Case(
        "MailcanaryInboxBlind",
        30,
        &[("mailcanary_inbox_sight|inbox=\"i\"", "0x30")],
        &[("mailcanary_inbox_sight|inbox=\"i\"", "0x20 1x10")],
    ),
    Case(
        "MailcanaryInboxStale",
        60,
        &[("mailcanary_inbox_horizon_timestamp_seconds|inbox=\"i\"", "60x60")],
        &[("mailcanary_inbox_horizon_timestamp_seconds|inbox=\"i\"", "0x60")],
    ),
    Case(
        "MailcanaryCredentialEnds",
        90,
        &[("mailcanary_credential_expiry_timestamp_seconds|inbox=\"i\"", "1800000x90")],
        &[("mailcanary_credential_expiry_timestamp_seconds|inbox=\"i\"", "1900000x90")],
    ),
    Case("MailcanaryCutOff", 20, &[("mailcanary_watcher_cut_off|", "1x20")], &[("mailcanary_watcher_cut_off|", "0x20")]),
    Case(
        "MailcanaryForged",
        45,
        &[("mailcanary_canaries_forged_total|inbox=\"i\"", "0x30 1x30")],
        &[("mailcanary_canaries_forged_total|inbox=\"i\"", "1x60")],
    ),
    Case(
        "MailcanaryRestartsOften",
        30,
        &[("process_start_time_seconds|", "0+60x30")],
        &[("process_start_time_seconds|", "0x10 60x10 120x10")],
    ),
    Case(
        "MailcanaryFileDescriptors",
        30,
        &[("process_open_fds|", "90x30"), ("process_max_fds|", "100x30")],
        &[("process_open_fds|", "70x30"), ("process_max_fds|", "100x30")],
    ),
    Case(
        "MailcanaryHeartbeatHeld",
        15,
        &[("mailcanary_heartbeat_held|heartbeat=\"h\"", "1x20")],
        &[("mailcanary_heartbeat_held|heartbeat=\"h\"", "0x20")],
    ),
    Case(
        "MailcanaryHeartbeatMissing",
        60,
        &[("mailcanary_heartbeat_last_success_timestamp_seconds|heartbeat=\"h\"", "0x60"), ("process_start_time_seconds|", "0x60")],
        &[("mailcanary_heartbeat_last_success_timestamp_seconds|heartbeat=\"h\"", "0x60"), ("process_start_time_seconds|", "3000x60")],
    ),
    Case(
        "MailcanaryConfigurationRefused",
        10,
        &[("mailcanary_config_last_reload_successful|", "0x20")],
        &[("mailcanary_config_last_reload_successful|", "0x4 1x20")],
    ),
    Case(
        "MailcanaryNoticesRefused",
        45,
        &[("mailcanary_notices_total|sink=\"x\",outcome=\"refused\"", "0x30 1x30")],
        &[("mailcanary_notices_total|sink=\"x\",outcome=\"delivered\"", "0x30 1x30")],
    ),
    Case(
        "MailcanarySinkTrialFailed",
        15,
        &[("mailcanary_sink_trial_success|sink=\"x\"", "0x20"), ("mailcanary_sink_trial_timestamp_seconds|sink=\"x\"", "60x20")],
        &[("mailcanary_sink_trial_success|sink=\"x\"", "0x20"), ("mailcanary_sink_trial_timestamp_seconds|sink=\"x\"", "0x20")],
    ),
    Case(
        "MailcanaryDrillPagedNobody",
        5,
        &[("mailcanary_drill_last_page_seconds|", "-1x10"), ("mailcanary_drill_last_timestamp_seconds|", "60x10")],
        &[("mailcanary_drill_last_page_seconds|", "-1x10"), ("mailcanary_drill_last_timestamp_seconds|", "0x10")],
    ),
    Case(
        "MailcanaryIncidentInforms",
        30,
        &[("mailcanary_incident_severity|kind=\"slow\",culprit=\"inbox:i\"", "1x30")],
        &[("mailcanary_incident_severity|kind=\"slow\",culprit=\"inbox:i\"", "2x30")],
    ),
    Case(
        "MailcanaryServiceLevelBurns",
        600,
        &[
            (route!("mailcanary_canaries_decided_total", "outcome=\"missed\""), "0+1x600"),
            (route!("mailcanary_canaries_decided_total", "outcome=\"in_time\""), "0+49x600"),
        ],
        &[
            (route!("mailcanary_canaries_decided_total", "outcome=\"missed\""), "0+1x600"),
            (route!("mailcanary_canaries_decided_total", "outcome=\"in_time\""), "0+199x600"),
        ],
    ),
    Case(
        "MailcanaryNoticesDropped",
        45,
        &[("mailcanary_notices_total|sink=\"x\",outcome=\"dropped\"", "0x30 1x30")],
        &[("mailcanary_notices_total|sink=\"x\",outcome=\"dropped\"", "1x60")],
    ),
    Case(
        "MailcanaryAccountUnreadable",
        180,
        &[("mailcanary_account_readable|provider=\"a\"", "0x180")],
        &[("mailcanary_account_readable|provider=\"a\"", "0x100 1x80")],
    ),
    Case(
        "MailcanaryBlocklistRefuses",
        60,
        &[("mailcanary_dns_questions_total|outcome=\"refused\"", "0+1x60")],
        &[("mailcanary_dns_questions_total|outcome=\"refused\"", "5x60")],
    ),
    Case(
        "MailcanaryProviderBudgetNearlySpent",
        90,
        &[("mailcanary_provider_budget_spent|provider=\"a\"", "98x90"), ("mailcanary_provider_budget_limit|provider=\"a\"", "100x90")],
        &[("mailcanary_provider_budget_spent|provider=\"a\"", "90x90"), ("mailcanary_provider_budget_limit|provider=\"a\"", "100x90")],
    ),
    Case(
        "MailcanaryInboxBudgetNearlySpent",
        90,
        &[("mailcanary_inbox_budget_spent|inbox=\"i\"", "98x90"), ("mailcanary_inbox_budget_limit|inbox=\"i\"", "100x90")],
        &[("mailcanary_inbox_budget_spent|inbox=\"i\"", "90x90"), ("mailcanary_inbox_budget_limit|inbox=\"i\"", "100x90")],
    ),
    Case(
        "MailcanaryDuplicates",
        400,
        &[
            (route!("mailcanary_canaries_duplicate_total"), "0+1x400"),
            (route!("mailcanary_canaries_arrived_total", "placement=\"inbox\""), "0+10x400"),
        ],
        &[
            (route!("mailcanary_canaries_duplicate_total"), "0+1x400"),
            (route!("mailcanary_canaries_arrived_total", "placement=\"inbox\""), "0+30x400"),
        ],
    ),
    Case(
        "MailcanaryReplayed",
        45,
        &[("mailcanary_canaries_replayed_total|inbox=\"i\"", "0x30 1x30")],
        &[("mailcanary_canaries_replayed_total|inbox=\"i\"", "1x60")],
    ),
    Case(
        "MailcanaryWebhookRefused",
        60,
        &[("mailcanary_hook_requests_total|provider=\"a\",outcome=\"refused\"", "0+1x60")],
        &[("mailcanary_hook_requests_total|provider=\"a\",outcome=\"refused\"", "0x30 5x30")],
    ),
    Case(
        "MailcanarySinkTrialOld",
        11_700,
        &[("mailcanary_sink_trial_timestamp_seconds|sink=\"x\"", "60x11700")],
        &[("mailcanary_sink_trial_timestamp_seconds|sink=\"x\"", "0x11700")],
    ),
    Case(
        "MailcanaryVersionsDiffer",
        1500,
        &[("mailcanary_build_info|version=\"1\"", "1x1500"), ("mailcanary_build_info|version=\"2\"", "1x1500")],
        &[("mailcanary_build_info|version=\"1\"", "1x1500"), ("mailcanary_build_info|version=\"2\"", "1x700")],
    ),
];

/// Alerts that say what has not happened for some time, the minute, and worlds in which nobody looked for so long: Prometheus is younger, or the
/// daemon is, though it keeps its counters.
const YOUNG: &[(&str, u32, Series)] = &[
    (
        "MailcanaryNothingArrives",
        60,
        &[
            (route!("mailcanary_canaries_submitted_total", "outcome=\"accepted\""), "_x40 0+1x20"),
            (route!("mailcanary_canaries_arrived_total", "placement=\"inbox\""), "_x40 5x20"),
            ("process_start_time_seconds|", "0x60"),
        ],
    ),
    (
        "MailcanaryNothingArrives",
        60,
        &[
            (route!("mailcanary_canaries_submitted_total", "outcome=\"accepted\""), "0+1x60"),
            (route!("mailcanary_canaries_arrived_total", "placement=\"inbox\""), "5x60"),
            ("process_start_time_seconds|", "0x44 2700x16"),
        ],
    ),
    (
        "MailcanaryRouteSilent",
        240,
        &[
            (route!("mailcanary_canaries_submitted_total", "outcome=\"accepted\""), "_x170 0+1x70"),
            (route!("mailcanary_canaries_arrived_total", "placement=\"inbox\""), "_x170 5x70"),
            ("process_start_time_seconds|", "0x240"),
        ],
    ),
    (
        "MailcanaryRouteSilent",
        240,
        &[
            (route!("mailcanary_canaries_submitted_total", "outcome=\"accepted\""), "0+1x240"),
            (route!("mailcanary_canaries_arrived_total", "placement=\"inbox\""), "5x240"),
            ("process_start_time_seconds|", "0x200 12000x40"),
        ],
    ),
];

fn series(world: Series) -> Value {
    let one = |(name, values): &(&str, &str)| {
        let (metric, labels) = name.split_once('|').unwrap();
        let comma = if labels.is_empty() { "" } else { "," };
        json!({ "series": format!("{metric}{{instance=\"m:9825\",job=\"mailcanary\"{comma}{labels}}}"), "values": values })
    };
    world.iter().map(one).collect()
}

fn test(case: &Case, world: Series, fires: bool) -> Value {
    looked_at(case.0, case.1, world, fires)
}

fn looked_at(name: &str, minute: u32, world: Series, fires: bool) -> Value {
    let expr = format!("count(ALERTS{{alertname=\"{name}\",alertstate=\"firing\"}}) or vector(0)");
    let sample = json!({ "labels": "{}", "value": u8::from(fires) });
    json!({
        "name": format!("{name} {}", if fires { "fires" } else { "is silent" }), "interval": "1m", "input_series": series(world),
        "promql_expr_test": [{ "expr": expr, "eval_time": format!("{minute}m"), "exp_samples": [sample] }],
    })
}

fn promtool(words: &[&str]) -> (bool, String) {
    let output = Command::new("promtool").args(words).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn each_alert_fires_when_it_must_and_is_silent_when_it_must() {
    let folder = Folder::new("rules");
    let rules = folder.write("rules.yml", &grafana::alert_rules()).display().to_string();
    let (good, said) = promtool(&["check", "rules", "--lint=all", "--lint-fatal", &rules]);
    assert!(good, "{said}");
    // Rules are evaluated at each step from the beginning: in longer ones where days are waited for.
    for (name, step, minutes) in [("tests.yml", "5m", 0..1000), ("long.yml", "1h", 1000..u32::MAX)] {
        let cases = CASES.iter().filter(|case| minutes.contains(&case.1));
        let young = YOUNG.iter().filter(|young| minutes.contains(&young.1));
        let tests: Vec<Value> = cases
            .flat_map(|case| [test(case, case.2, true), test(case, case.3, false)])
            .chain(young.map(|(name, minute, world)| looked_at(name, *minute, world, false)))
            .collect();
        // JSON is YAML.
        let file = json!({ "rule_files": [rules], "evaluation_interval": step, "tests": tests });
        let (good, said) = promtool(&["test", "rules", folder.write(name, &file.to_string()).to_str().unwrap()]);
        assert!(good, "{said}");
    }
    let tested: Vec<&str> = CASES.iter().map(|case| case.0).collect();
    let all: Vec<&str> = grafana::alerts().iter().map(|alert| alert.name).collect();
    assert_eq!(tested, all, "each alert has its two worlds, in the order of the file");
}

/// A test that cannot fail proves nothing.
#[test]
fn promtool_says_when_an_alert_does_not_fire() {
    let folder = Folder::new("rules");
    let rules = folder.write("rules.yml", &grafana::alert_rules()).display().to_string();
    let wrong = test(&CASES[1], CASES[1].3, true);
    let file = json!({ "rule_files": [rules], "evaluation_interval": "5m", "tests": [wrong] });
    let (good, said) = promtool(&["test", "rules", folder.write("tests.yml", &file.to_string()).to_str().unwrap()]);
    assert!(!good && said.contains("MailcanaryDown"), "{said}");
}

#[test]
fn alerts_say_what_to_do_and_how_loud() {
    let alerts = grafana::alerts();
    for alert in &alerts {
        assert!(alert.name.starts_with("Mailcanary") && alert.description.ends_with('.') && !alert.summary.ends_with('.'), "{alert:?}");
        assert!(alert.description.len() > 20 && alert.summary.len() < 120, "{alert:?}");
    }
    let loud = alerts.iter().filter(|alert| alert.severity == grafana::Severity::Page).count();
    assert!((5..=10).contains(&loud), "{loud} of {} page", alerts.len());
    // Each leads to a document that is there, and to its own section where there is one for several.
    let rules: Value = serde_saphyr::from_str(&grafana::alert_rules()).unwrap();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/runbooks");
    for rule in rules["groups"].as_array().unwrap().last().unwrap()["rules"].as_array().unwrap() {
        let (name, leads) = (rule["alert"].as_str().unwrap(), rule["annotations"]["runbook_url"].as_str().unwrap());
        let (_, place) = leads.rsplit_once("/runbooks/").unwrap();
        let (file, section) = place.split_once('#').unwrap_or((place, ""));
        if file != "{{ $labels.kind }}" {
            let text = std::fs::read_to_string(format!("{folder}/{file}.md")).unwrap_or_else(|_| panic!("{name}: no {file}.md"));
            let there = section.is_empty() || (section == name.to_lowercase() && text.contains(&format!("\n## {name}\n")));
            assert!(there, "{name}: docs/runbooks/{file}.md has no section of it");
        }
    }
    let documented = include_str!("../../../docs/grafana.md");
    for alert in &alerts {
        assert!(documented.contains(&format!("`{}`", alert.name)), "docs/grafana.md lacks `{}`", alert.name);
    }
}
