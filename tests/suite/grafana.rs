//! The dashboards and the rules: as they are committed, as Grafana's own types want them, and as people can read them.

mod alerts;
mod layout;
mod recordings;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use mailcanary::edge::show::{self, grafana};
use serde_json::Value;

use crate::support::alertmanager::Folder;
use crate::support::rooted::unpacked;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboards");
const TYPES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/grafana");

/// Every dashboard, read back.
pub(crate) fn boards() -> Vec<(String, Value)> {
    grafana::dashboards().into_iter().map(|(name, json)| (name, serde_json::from_str(&json).unwrap())).collect()
}

/// The panels of a dashboard, rows among them; those of a row that is folded stand behind it.
pub(crate) fn whole(board: &Value) -> Vec<&Value> {
    fn below(of: &Value) -> impl Iterator<Item = &Value> {
        of["panels"].as_array().into_iter().flatten()
    }
    below(board).flat_map(|panel| std::iter::once(panel).chain(below(panel))).collect()
}

/// The panels of a dashboard that ask something.
pub(crate) fn panels(board: &Value) -> Vec<&Value> {
    whole(board).into_iter().filter(|panel| panel["type"] != "row").collect()
}

/// A text of a panel, of a variable, of anything.
pub(crate) fn text<'a>(of: &'a Value, key: &str) -> &'a str {
    of[key].as_str().unwrap_or_else(|| panic!("no `{key}` in {of}"))
}

/// The blocks of a document in this language, without what they are indented by.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let begins = format!("```{language}\n");
    let of = |part: &str| {
        let body = part.split("```").next().unwrap();
        let indent = body.len() - body.trim_start_matches(' ').len();
        body.lines().map(|line| line.get(indent..).unwrap_or_default()).collect::<Vec<_>>().join("\n")
    };
    document.split(&begins).skip(1).map(of).collect()
}

#[test]
fn what_prometheus_and_alertmanager_are_to_be_given_they_take() {
    let (root, folder) = (Path::new(env!("CARGO_MANIFEST_DIR")), Folder::new("given"));
    let read = |file: &str| std::fs::read_to_string(root.join(file)).unwrap();
    let mut all: Vec<String> =
        ["docs/grafana.md", "docs/api.md", "docs/heartbeats.md"].iter().flat_map(|d| blocks(&read(d), "yaml")).collect();
    all.push(read("dashboards/provisioning/prometheus.yml"));
    let (mut scraped, mut routed) = (0, 0);
    for text in all {
        let (program, words, text): (_, &[&str], _) = if text.contains("scrape_configs:") {
            scraped += 1;
            ("promtool", &["check", "config", "--syntax-only"], text)
        } else if text.starts_with("route:") {
            routed += 1;
            // What the reader has already.
            let whole = text.replacen("route:", "route:\n  receiver: ops", 1);
            ("amtool", &["check-config"], format!("{whole}\nreceivers: [{{ name: ops }}, {{ name: dead-mans-switch }}]\n"))
        } else {
            assert!(text.starts_with("tls_server_config:"), "who takes this? {text}");
            continue;
        };
        let file = folder.write("given.yml", &text);
        let said = Command::new(program).args(words).arg(file).output().unwrap();
        let words = [said.stdout, said.stderr].concat();
        assert!(said.status.success(), "{program}: {}\n{text}", String::from_utf8_lossy(&words));
    }
    assert_eq!((scraped, routed), (3, 1));
}

#[test]
fn what_grafana_is_provisioned_with_fits_the_dashboards_and_the_commands_that_put_it_there() {
    let read = |file: &str| std::fs::read_to_string(Path::new(FOLDER).join(file)).unwrap();
    let yaml = |file: &str| serde_saphyr::from_str::<Value>(&read(file)).unwrap();
    let (dashboards, datasource) = (yaml("provisioning/dashboards.yml"), yaml("provisioning/datasource.yml"));
    assert_eq!((&dashboards["apiVersion"], &datasource["apiVersion"]), (&Value::from(1), &Value::from(1)));
    let folder = text(&dashboards["providers"][0]["options"], "path");
    assert_eq!(text(&dashboards["providers"][0], "type"), "file");
    assert!(read("README.md").contains(&format!("mailcanary print dashboards {folder}\n")), "the files go elsewhere");
    let source = &datasource["datasources"][0];
    assert_eq!(text(source, "type"), "prometheus");
    for (name, board) in boards() {
        let choice = board["templating"]["list"].as_array().unwrap().iter().find(|v| v["type"] == "datasource").unwrap();
        assert_eq!(text(choice, "query"), text(source, "type"), "{name}");
    }
}

/// `BLESS=1` writes the files anew: review them as a diff.
#[test]
fn what_is_committed_is_what_is_generated() {
    let bless = std::env::var("BLESS").is_ok_and(|v| v == "1");
    let mut all = grafana::dashboards();
    all.push(("rules/mailcanary.yml".to_owned(), grafana::alert_rules()));
    all.push(("mixin.libsonnet".to_owned(), grafana::mixin()));
    let mut stale = Vec::new();
    for (name, text) in &all {
        let path = Path::new(FOLDER).join(name);
        if std::fs::read_to_string(&path).is_ok_and(|committed| committed == *text) {
            continue;
        }
        if bless {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
        } else {
            stale.push(format!("dashboards/{name} (BLESS=1 rewrites)"));
        }
    }
    assert!(stale.is_empty(), "not as generated: {stale:?}");
    let there = std::fs::read_dir(FOLDER).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    let json: BTreeSet<String> = there.filter(|name| name.ends_with(".json")).collect();
    assert_eq!(json, grafana::dashboards().into_iter().map(|(name, _)| name).collect(), "a dashboard that nobody generates");
}

/// With every number as one that can be compared: jsonnet has one kind of them, and writes more digits.
fn figured(value: Value) -> Value {
    match value {
        Value::Number(number) => format!("{:.12e}", number.as_f64().unwrap()).into(),
        Value::Array(all) => all.into_iter().map(figured).collect(),
        Value::Object(all) => Value::Object(all.into_iter().map(|(key, value)| (key, figured(value))).collect()),
        other => other,
    }
}

#[test]
fn jsonnet_takes_the_folder_as_a_mixin() {
    let wanted = "local all = (import 'mixin.libsonnet') + { grafanaDashboards+:: {}, prometheusAlerts+:: { groups+: [] } };
        { boards: all.grafanaDashboards, rules: all.prometheusRules.groups, alerts: all.prometheusAlerts.groups }";
    let made = Command::new("jsonnet").args(["-J", FOLDER, "-e", wanted]).output().expect("jsonnet");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    let boards: serde_json::Map<String, Value> = boards().into_iter().collect();
    assert_eq!(figured(made["boards"].clone()), figured(Value::Object(boards)));
    let rules: Value = serde_saphyr::from_str(&grafana::alert_rules()).unwrap();
    let groups = |of: &str| made[of].as_array().unwrap().clone();
    assert_eq!(figured([groups("rules"), groups("alerts")].concat().into()), figured(rules["groups"].clone()));
    for (of, key) in [("rules", "record"), ("alerts", "alert")] {
        let all: Vec<Value> = groups(of).iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect();
        assert!(all.len() > 5 && all.iter().all(|rule| rule[key].is_string()), "{of}: {all:?}");
    }
}

#[test]
fn the_command_prints_them() {
    let folder = Folder::new("dashboards");
    let into = folder.path().join("made/here");
    let print = |words: &[&str]| Command::new(env!("CARGO_BIN_EXE_mailcanary")).arg("print").args(words).output().unwrap();
    let printed = print(&["dashboards", into.to_str().unwrap()]);
    assert!(printed.status.success() && printed.stdout.is_empty(), "{printed:?}");
    for (name, json) in grafana::dashboards() {
        assert_eq!(std::fs::read_to_string(into.join(&name)).unwrap(), json, "{name}");
    }
    let rules = print(&["alert-rules"]);
    assert_eq!(String::from_utf8(rules.stdout).unwrap(), grafana::alert_rules());
    assert_eq!(print(&["dashboards"]).status.code(), Some(2), "no folder");
    assert_eq!(print(&["schema", into.to_str().unwrap()]).status.code(), Some(2), "a folder for one file");
    std::fs::write(folder.path().join("file"), "").unwrap();
    let failed = print(&["dashboards", folder.path().join("file/below").to_str().unwrap()]);
    assert_eq!(failed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&failed.stderr).contains("error: writing `"), "{failed:?}");
}

/// Every metric that is named is in the catalogue, and every one in the catalogue is shown or watched, but for these.
#[test]
fn panels_and_rules_name_metrics_that_exist_and_miss_none() {
    const NOT_SHOWN: [&str; 3] = [
        // In the status page's head; no figure to look at.
        "mailcanary_began_timestamp_seconds",
        // How asking goes: that it fails is `mailcanary_account_readable`.
        "mailcanary_account_polls_total",
        // A reload is the operator's own doing: what counts is whether the newest configuration runs.
        "mailcanary_config_last_reload_success_timestamp_seconds",
    ];
    let all = grafana::dashboards().into_iter().map(|(_, json)| json).chain([grafana::alert_rules()]).collect::<String>();
    let is_word = |c: char| c.is_ascii_lowercase() || c == '_';
    let named = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c| !is_word(c)).filter(|word| word.starts_with("mailcanary_") || word.starts_with("process_"));
        words.map(|word| word.strip_suffix("_bucket").unwrap_or(word).to_owned()).collect()
    };
    let catalogue: BTreeSet<String> = named(&show::reference()).into_iter().collect();
    let used = named(&all);
    assert_eq!(used.difference(&catalogue).collect::<Vec<_>>(), Vec::<&String>::new(), "not in the catalogue");
    let missing: Vec<_> = catalogue.difference(&used).filter(|name| !NOT_SHOWN.contains(&name.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new(), "nobody sees them");
}

/// What `tsc` complains of when these are dashboards.
fn complaints(boards: &[(&str, String)]) -> String {
    let folder = Folder::new("grafana");
    std::os::unix::fs::symlink(unpacked("grafana").join("node_modules"), folder.path().join("node_modules")).unwrap();
    for file in ["types.ts", "tsconfig.json"] {
        std::fs::copy(Path::new(TYPES).join(file), folder.path().join(file)).unwrap();
    }
    for (name, json) in boards {
        folder.write(&format!("{name}.ts"), &format!("import type {{ Board }} from './types';\nexport const board: Board = {json};\n"));
    }
    let tsc = Command::new("node").arg("node_modules/typescript/bin/tsc").current_dir(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&[tsc.stdout, tsc.stderr].concat()).into_owned();
    assert_eq!(tsc.status.success(), said.is_empty(), "{said}");
    said
}

/// Grafana's own types refuse what they do not have, down to the options of each kind of panel.
#[test]
fn dashboards_are_what_grafana_reads() {
    let made = grafana::dashboards();
    let boards: Vec<(&str, String)> = made.iter().map(|(name, json)| (name.trim_end_matches(".json"), json.clone())).collect();
    assert_eq!(complaints(&boards), "");
}

/// And they do refuse it: each mistake on its own.
#[test]
fn what_grafana_does_not_read_is_refused() {
    let whole = &grafana::dashboards()[0].1;
    let mistakes = [
        ("\"colorMode\": \"background_solid\"", "\"colorMode\": \"solid\""),
        ("\"mergeValues\": true", "\"mergeValue\": true"),
        ("\"spanNulls\": false", "\"spanNulls\": \"no\""),
        ("\"scheme\": \"Oranges\"", "\"schema\": \"Oranges\""),
        ("\"legendFormat\": ", "\"legend\": "),
        ("\"type\": \"heatmap\"", "\"type\": \"heat-map\""),
        ("\"noValue\": ", "\"no_value\": "),
        ("\"includeAll\": ", "\"all\": "),
        ("\"mode\": \"palette-classic\"", "\"mode\": \"classic\""),
        ("\"schemaVersion\": 39", "\"schemaVersion\": \"39\""),
        ("\"titleFormat\": ", "\"title\": "),
        ("\"cellHeight\": \"sm\"", "\"cellHeight\": \"small\""),
    ];
    let names: Vec<String> = (0..mistakes.len()).map(|n| format!("mistake{n}")).collect();
    let wrong: Vec<(&str, String)> =
        names.iter().zip(mistakes).map(|(name, (is, was))| (name.as_str(), whole.replacen(is, was, 1))).collect();
    let said = complaints(&wrong);
    for (name, (is, was)) in names.iter().zip(mistakes) {
        assert!(whole.contains(is), "{is} is nowhere");
        assert!(said.contains(&format!("{name}.ts")), "{was} is let through:\n{said}");
    }
}
