//! Looking back on ledgers that the product itself wrote: in virtual time, and beside a daemon that runs.

use std::path::Path;
use std::process::Command;

use mailcanary::config;
use mailcanary::ledger::Ledger;
use mailcanary::model::{At, Culprit, Name, Route, Span};
use mailcanary::sandbox::simulate::{Harm, START, Scenario, Trouble, Watching, World};
use mailcanary::watchdog::{Effect, Event, Reads, Record, Watchdog};
use serde_json::Value;

use crate::support::temp_dir::TempDir;

mod beside;

/// A watchdog that keeps what it would write, and whose inboxes are read completely every few seconds, as a daemon's are.
#[derive(Clone)]
struct Kept {
    dog: Watchdog,
    inboxes: Vec<Name>,
    blind: Vec<Name>,
    cut: bool,
    read_at: At,
    records: Vec<Record>,
}

const READ_EVERY: Span = Span::from_secs(5);

impl Kept {
    fn take(&mut self, at: At, event: Event) -> (Vec<Effect>, Option<At>) {
        let Ok(step) = self.dog.step(at, event) else { return (Vec::new(), self.dog.wake_at()) };
        self.records.extend(step.records);
        (step.effects, step.wake_at)
    }
}

impl Watching for Kept {
    fn step(&mut self, at: At, event: Event) -> (Vec<Effect>, Option<At>) {
        match &event {
            Event::Blind { inbox, .. } => self.blind.push(inbox.clone()),
            // What lies in it is reported before it is said that all was.
            Event::Sight { .. } => (self.blind, self.read_at) = (Vec::new(), at),
            Event::CutOff {} => self.cut = true,
            Event::Connected {} => self.cut = false,
            _ => {}
        }
        let event = match event {
            Event::Started { seed, .. } => Event::Started { seed, reads: Reads::Explicit },
            other => other,
        };
        let (mut effects, mut wake) = self.take(at, event);
        if at.since(self.read_at) >= READ_EVERY && !self.cut {
            self.read_at = at;
            let seen: Vec<Name> = self.inboxes.iter().filter(|i| !self.blind.contains(i)).cloned().collect();
            for inbox in seen {
                let (more, next) = self.take(at, Event::Read { inbox, up_to: Some(at), cursor: None });
                effects.extend(more);
                wake = next;
            }
        }
        (effects, wake.map(|wake| wake.min(self.read_at.plus(READ_EVERY)).max(at.plus(Span::from_ms(1)))))
    }

    fn still_out(&self, route: &Route, age: Span) -> Option<f64> {
        self.dog.still_out(route, age)
    }
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn provider(text: &str) -> Culprit {
    Culprit::Provider(name(text))
}

/// When things break, after twelve hours of health.
fn onset() -> At {
    START.plus(Span::from_secs(12 * 3600))
}

fn trouble(harm: Harm, minutes: u64) -> Trouble {
    Trouble { from: onset(), until: onset().plus(Span::from_secs(60 * minutes)), harm }
}

/// Two providers and two inboxes, in mail that is seldom lost.
const MATRIX: &str = "[matrix]\nproviders = 2\ninboxes = 2\n[mail]\ngreylisted = \"0%\"\nlost = \"0%\"\n";

/// What a daemon would have written of fourteen hours of this scenario.
fn lived(scenario: &Scenario, troubles: Vec<Trouble>) -> Vec<Record> {
    let settings = config::parse(&scenario.configuration, "test").unwrap().settings;
    let inboxes = settings.inboxes.keys().cloned().collect();
    let kept = Kept { dog: Watchdog::new(&settings), inboxes, blind: Vec::new(), cut: false, read_at: START, records: Vec::new() };
    let mut world = World::new(scenario.routes.clone(), scenario.climate.clone(), 7, kept, ());
    troubles.into_iter().for_each(|t| world.trouble(t));
    world.run_until(START.plus(Span::from_secs(14 * 3600)));
    world.watcher.records
}

/// A folder with a ledger of these records, and a configuration beside it.
struct Past(TempDir);

impl Past {
    fn new(records: &[Record], configuration: &str) -> Self {
        let folder = TempDir::new("mailcanary-backtest");
        let path = folder.path().join("ledger");
        if !records.is_empty() {
            let (mut ledger, _) = Ledger::open(&path, START).unwrap();
            for some in records.chunks(5000) {
                ledger.append(some).unwrap();
            }
        }
        let past = Self(folder);
        past.configure(configuration);
        past
    }

    fn configure(&self, configuration: &str) {
        let text = format!("{configuration}[ledger]\npath = \"{}\"\n", self.ledger().display());
        std::fs::write(self.0.path().join("mailcanary.toml"), text).unwrap();
    }

    fn ledger(&self) -> std::path::PathBuf {
        self.0.path().join("ledger")
    }

    fn backtest(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mailcanary"));
        said(command.arg("backtest").arg("-c").arg(self.0.path().join("mailcanary.toml")).args(arguments))
    }

    fn found(&self, arguments: &[&str]) -> Value {
        let (code, out, err) = self.backtest(&[&["--output", "json"], arguments].concat());
        assert_eq!(code, 0, "{err}");
        serde_json::from_str(&out).unwrap()
    }
}

fn said(command: &mut Command) -> (i32, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().expect("not killed"), text(&output.stdout), text(&output.stderr))
}

/// Names and lengths of all files below, and what is in them.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    // The control socket of a daemon that ran here has nothing to read.
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap()).filter(|e| e.file_type().unwrap().is_file());
    let mut all: Vec<_> = entries.map(|e| (e.file_name().to_string_lossy().into_owned(), std::fs::read(e.path()).unwrap())).collect();
    all.sort();
    all
}

fn incidents(found: &Value) -> &Vec<Value> {
    found["hindsight"]["incidents"].as_array().unwrap()
}

fn at(value: &Value) -> At {
    At::from_rfc3339(value.as_str().unwrap_or_else(|| panic!("a time: {value}"))).unwrap()
}

#[test]
fn a_stop_is_found_when_it_was_told_and_before_other_rules() {
    let scenario = Scenario::parse(MATRIX).unwrap();
    let past = Past::new(&lived(&scenario, vec![trouble(Harm::Stop(provider("p1")), 20)]), &scenario.configuration);
    let before = files(&past.ledger());
    let found = past.found(&[]);
    assert_eq!(files(&past.ledger()), before, "nothing is made and nothing is changed");
    let [stop] = incidents(&found).as_slice() else { panic!("{found:#}") };
    assert_eq!(
        (&stop["kind"], &stop["severity"], &stop["culprit"]),
        (&"stopped".into(), &"page".into(), &serde_json::json!({ "provider": "p1" }))
    );
    assert!(at(&stop["paged_at"]).since(onset()) < Span::from_secs(120), "{stop:#}");
    assert!(at(&stop["until"]).since(onset()) < Span::from_secs(26 * 60), "{stop:#}");
    let then = &found["then"]["incidents"][0];
    assert_eq!((&then["culprit"], &found["then"]["pages"]), (&stop["culprit"], &1.into()));
    // The same settings on the same canaries come to the same, at the same time.
    assert_eq!(stop["told_then"]["incident"], then["incident"]);
    assert!(stop["told_then"]["later_by_secs"].as_f64().unwrap().abs() <= 5.0, "{stop:#}");
    // It asks for the confirmations that it asked for then, and for no others.
    let confirmations = found["confirmations"].as_u64().unwrap();
    assert!(confirmations > 10 && found["wished_and_sent"].as_u64().unwrap() * 10 >= confirmations * 9, "{found:#}");
    assert!(found["wished_in_vain"].as_u64().unwrap() * 10 <= confirmations, "{found:#}");
    let mark = |rule: &str| {
        let marks = stop["others"].as_array().unwrap();
        marks.iter().find(|m| m["rule"].as_str().unwrap().contains(rule)).unwrap_or_else(|| panic!("{rule} in {marks:#?}"))["after_secs"]
            .as_f64()
    };
    let ours = stop["opened_after_secs"].as_f64().unwrap();
    assert!(mark("1 missing after 3m").is_some_and(|s| (180.0..300.0).contains(&s) && s > ours), "{stop:#}");
    assert!(mark("phi accrual at phi 8").is_some() && mark("the bound").is_some_and(|s| s < 120.0), "{stop:#}");
    let (code, table, _) = past.backtest(&[]);
    assert_eq!(code, 0);
    for words in ["provider:p1", "told then: incident 1", "1 missing after 3m", "confirmations are those that were sent then"] {
        assert!(table.contains(words), "{words} in\n{table}");
    }
}

#[test]
fn a_quiet_past_has_no_incidents_nor_has_one_in_which_the_watcher_slept() {
    let scenario = Scenario::parse(MATRIX).unwrap();
    let past = Past::new(&lived(&scenario, Vec::new()), &scenario.configuration);
    let found = past.found(&[]);
    assert!(incidents(&found).is_empty() && found["hindsight"]["pages"] == 0 && found["gaps"] == 0, "{found:#}");
    assert!(found["routine"].as_u64().is_some_and(|n| (3300..=3400).contains(&n)), "{found:#}");
    let rate = &found["hindsight"];
    assert!(rate["pages_a_year"].is_null() && rate["pages_a_year_at_most"].as_f64().is_some_and(|most| most > 1000.0), "{rate:#}");
    for harm in [Harm::Sleep, Harm::Blind(name("i1"))] {
        let slept = harm == Harm::Sleep;
        let past = Past::new(&lived(&scenario, vec![trouble(harm, 30)]), &scenario.configuration);
        let found = past.found(&[]);
        assert_eq!((&found["hindsight"]["pages"], &found["gaps"]), (&0.into(), &i64::from(slept).into()), "{found:#}");
        let kinds: Vec<&Value> = incidents(&found).iter().map(|i| &i["kind"]).collect();
        assert_eq!(kinds, if slept { vec![] } else { vec!["blind"] }, "{found:#}");
    }
}

#[test]
fn other_settings_say_something_else_and_what_they_lack_is_named() {
    let scenario = Scenario::parse(MATRIX).unwrap();
    let past = Past::new(&lived(&scenario, vec![trouble(Harm::Stop(provider("p1")), 20)]), &scenario.configuration);
    // Without the provider that stopped, nothing was wrong.
    past.configure(&format!("{}[[route]]\nprovider = \"p0\"\n", scenario.configuration.replace("every = \"1m\"", "every = \"5m\"")));
    let found = past.found(&[]);
    assert!(incidents(&found).is_empty(), "{found:#}");
    let left_out: Vec<&str> = found["left_out"].as_array().unwrap().iter().map(|r| r["route"].as_str().unwrap()).collect();
    assert_eq!(left_out, ["p1/s0/i0", "p1/s0/i1"]);
    assert!(found["limits"].to_string().contains("these settings would send them every 5m"), "{found:#}");
    // Each provider's own cadence is what counts.
    past.configure(&scenario.configuration.replacen("[provider.p0.smtp]\n", "[provider.p0.smtp]\nevery = \"7m\"\n", 1));
    let limits = past.found(&[])["limits"].to_string();
    assert!(limits.contains("over 2 routes, these settings would send them every 7m") && !limits.contains("every 1m:"), "{limits}");
    // Of the outage alone it is paged too; of the hours before nothing.
    past.configure(&scenario.configuration.replace("confirmations = \"20%\"", "confirmations = \"0%\""));
    assert_eq!(incidents(&past.found(&["--last", "2h30m"])).len(), 1);
    let hour = onset().minus(Span::from_secs(3600)).rfc3339();
    assert_eq!(incidents(&past.found(&["--from", &hour, "--to", &onset().rfc3339()])).len(), 0);
    let (code, _, err) = past.backtest(&["--from", "2031-01-01T00:00:00Z"]);
    assert!(code == 1 && err.contains("the ledger has no records in this span: it reaches from"), "{code} {err}");
    for wrong in [["--from", "yesterday"], ["--last", "a week"]] {
        assert_eq!(past.backtest(&wrong).0, 2);
    }
    // Nothing that it has is configured.
    past.configure(&scenario.configuration.replace("[provider.p", "[provider.q"));
    let (code, _, err) = past.backtest(&[]);
    assert!(code == 1 && err.contains("has no canary over any route of this configuration") && err.contains("`p0/s0/i0`"), "{code} {err}");
}

#[test]
fn a_past_whose_beginning_is_not_kept_is_told_all_the_same() {
    let scenario = Scenario::parse(MATRIX).unwrap();
    let records = lived(&scenario, vec![trouble(Harm::Stop(provider("p0")), 20)]);
    let past = Past::new(&records[records.len() / 4..], &scenario.configuration);
    let found = past.found(&[]);
    let [stop] = incidents(&found).as_slice() else { panic!("{found:#}") };
    assert_eq!(stop["culprit"]["provider"], "p0");
    assert!(at(&stop["since"]).since(onset()) < Span::from_secs(120), "{stop:#}");
}

#[test]
fn without_a_ledger_it_says_what_is_missing_and_makes_nothing() {
    let scenario = Scenario::parse(MATRIX).unwrap();
    let past = Past::new(&[], &scenario.configuration);
    let (code, out, err) = past.backtest(&[]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("there is no ledger at") && err.contains("ledger.sqlite") && err.contains("mailcanary run"), "{err}");
    assert!(!past.ledger().exists());
    drop(Ledger::open(&past.ledger(), START).unwrap());
    let (code, _, err) = past.backtest(&[]);
    assert!(code == 1 && err.contains("is empty: let `mailcanary run` watch with it"), "{code} {err}");
    past.configure("nonsense = 1\n");
    assert_eq!(past.backtest(&[]).0, 2);
}

#[test]
fn in_hindsight_nothing_is_sent_and_foreign_canaries_are_refused() {
    let scenario = Scenario::parse(MATRIX).unwrap();
    let settings = config::parse(&scenario.configuration, "test").unwrap().settings;
    let records = lived(&scenario, Vec::new());
    let mut dog = Watchdog::in_hindsight(&settings);
    for record in records.iter().take(5000) {
        let step = dog.relive(record).unwrap();
        assert!(!step.effects.iter().any(|e| matches!(e, Effect::Submit { .. })), "{step:?}");
    }
    let view = dog.view(records[4999].at);
    assert_eq!(view.routes.iter().filter(|r| r.counts.accepted > 0).count(), 4, "all are its own");
    let Route { provider, stream, inbox } = Route { provider: name("gone"), stream: name("s0"), inbox: name("i0") };
    let fact = mailcanary::watchdog::Fact::Sent {
        canary: mailcanary::model::CanaryId::from_bits(1),
        provider,
        stream,
        inbox,
        reason: mailcanary::model::Reason::Routine,
    };
    let before = dog.checkpoint().unwrap();
    let error = dog.relive(&Record { at: records[4999].at, fact }).unwrap_err();
    assert_eq!((error.to_string(), dog.checkpoint().unwrap()), ("unknown route `gone/s0/i0`".to_owned(), before));
}
