//! Each recording rule has the figure that it should have, by Prometheus' own tool.

use std::process::Command;

use mailcanary::edge::show::grafana;
use serde_json::{Value, json};

use crate::support::alertmanager::Folder;

/// A route of which one canary in five is missed, and of which half come within 1 s and all within 2.
fn world() -> Value {
    let series = |metric: &str, more: &str, per_step: u64| {
        let labels = "instance=\"m:9825\",job=\"mailcanary\",provider=\"a\",stream=\"s\",inbox=\"i\"";
        json!({ "series": format!("{metric}{{{labels},{more}}}"), "values": format!("0+{}x2000", per_step) })
    };
    json!([
        series("mailcanary_canaries_decided_total", "outcome=\"missed\"", 1),
        series("mailcanary_canaries_decided_total", "outcome=\"in_time\"", 4),
        series("mailcanary_delivery_latency_seconds_bucket", "le=\"1\"", 2),
        series("mailcanary_delivery_latency_seconds_bucket", "le=\"2\"", 4),
        series("mailcanary_delivery_latency_seconds_bucket", "le=\"+Inf\"", 4),
    ])
}

/// What a recording should be then, over all of it.
fn figure(name: &str) -> f64 {
    match name {
        // Five canaries in each step of an hour.
        "mailcanary:canaries_decided:increase28d" => 5.0 * 24.0 * 28.0,
        // Of the buckets 2, 4 and 4 grow in an hour.
        "mailcanary:delivery_latency_seconds_bucket:increase1h" => 10.0 * 60.0,
        "mailcanary:objective:ratio" => 0.99,
        "mailcanary:delivery_latency_seconds:p50_1h" => 1.0,
        "mailcanary:delivery_latency_seconds:p95_1h" => 1.9,
        missed if missed.starts_with("mailcanary:canaries_missed:ratio_rate") => 0.2,
        other => panic!("what should {other} be?"),
    }
}

#[test]
fn each_recording_is_the_figure_that_it_is_named_for() {
    let folder = Folder::new("recordings");
    let rules = folder.write("rules.yml", &grafana::alert_rules()).display().to_string();
    // Those over days are looked at in longer steps.
    for (name, step, at, over_days) in [("short.yml", "1m", "8h", false), ("long.yml", "1h", "30d", true)] {
        let mine = grafana::recordings().into_iter().filter(|r| r.name.ends_with('d') == over_days);
        let tests: Vec<Value> = mine
            .map(|recording| {
                // Rounded: rates are floating.
                let expr = format!("round(sum by () ({}), 0.001)", recording.name);
                json!({ "expr": expr, "eval_time": at, "exp_samples": [{ "labels": "{}", "value": figure(&recording.name) }] })
            })
            .collect();
        assert!(tests.len() >= 2, "{tests:?}");
        let test = json!({ "interval": step, "input_series": world(), "promql_expr_test": tests });
        let file = json!({ "rule_files": [rules], "evaluation_interval": step, "tests": [test] });
        let path = folder.write(name, &file.to_string());
        let output = Command::new("promtool").args(["test", "rules"]).arg(path).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    }
}
