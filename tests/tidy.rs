//! The tree about itself: who may name whom, no clock in the core, sizes, documentation, and texts that agree with the code.
//!
//! Reads files and nothing else, so that it says the same whatever else is broken.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking, also in the functions that it calls"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What is shown of the watchdog, and what is said to it.
const EVENTS: &[&str] = &["watchdog::Event", "watchdog::Reads", "watchdog::Delivery", "watchdog::Effect", "watchdog::Unfit"];
const VIEW: &[&str] = &[
    "watchdog::View",
    "watchdog::AccountView",
    "watchdog::RouteView",
    "watchdog::RouteCounts",
    "watchdog::CanaryView",
    "watchdog::PartyView",
    "watchdog::Traffic",
    "watchdog::InboxView",
    "watchdog::IncidentView",
    "watchdog::Present",
    "watchdog::IdentityView",
    "watchdog::MarkView",
    "watchdog::CheckView",
    "watchdog::DnsView",
    "watchdog::SubjectView",
    "watchdog::MaintenanceView",
    "watchdog::TrialView",
    "watchdog::DrillView",
    "watchdog::DrilledView",
    "watchdog::Rang",
    "watchdog::Word",
    "watchdog::count",
];
const RECORDS: &[&str] = &["watchdog::Record", "watchdog::Fact", "watchdog::Event", "watchdog::Reads", "watchdog::Delivery"];

/// Who may name whom, besides itself. The parts of `edge` do not name each other, but all may name the one way out and the one way in; notices by e-mail go
/// out as canaries do, and heartbeats call as sinks do.
const MAY_NAME: &[(&str, &[&[&str]])] = &[
    ("model", &[]),
    ("canary", &[&["model", "config"]]),
    ("records", &[&["model", "config"]]),
    ("config", &[&["model"]]),
    ("watchdog", &[&["model", "config"]]),
    ("ledger", &[&["model", "canary"], RECORDS]),
    ("edge", &[&["model", "config", "canary", "edge::dial", "edge::post"], EVENTS, VIEW]),
    ("edge::dial", &[&["model", "config"]]),
    (
        "edge::inbox",
        &[
            &["model", "config", "canary", "edge::dial", "edge::submit::Tokens", "edge::submit::NoToken", "edge::submit::SetUpError"],
            EVENTS,
            VIEW,
        ],
    ),
    ("edge::dns", &[&["model", "config", "canary", "records", "edge::dial"]]),
    ("edge::post", &[&["model"], EVENTS, VIEW]),
    (
        "edge::notify",
        &[&["model", "config", "edge::dial", "edge::post", "edge::submit::Postbox", "edge::submit::SetUpError"], EVENTS, VIEW],
    ),
    (
        "edge::beat",
        &[&[
            "model",
            "config",
            "edge::dial",
            "edge::notify::Alert",
            "edge::notify::Attempt",
            "edge::notify::Caller",
            "edge::notify::Instances",
        ]],
    ),
    ("sandbox", &[&["model", "config"], EVENTS]),
    ("backtest", &[&["model", "config", "watchdog", "sandbox::simulate"]]),
    ("run", &[&["model", "canary", "config", "watchdog", "ledger", "edge", "sandbox"]]),
    ("cli", &[&["model", "canary", "config", "watchdog", "ledger", "edge", "sandbox", "backtest", "run"]]),
];

/// The stages of the watchdog: `mod.rs` calls them in the data's order, they do not call each other. They may name each other's types.
const STAGES: &[&str] = &["reach", "blame", "judge", "incident", "unseen", "early", "mail", "deaf", "remind", "suspicion", "picture"];
/// Rooms of the watchdog's own: like its `mod.rs` they may call the stages.
const CALLERS: &[&str] = &["wake", "poll"];
/// What stages have in common: the words, the state, and how it is counted and put in words.
const COMMON: &[&str] = &[
    "count",
    "effect",
    "event",
    "record",
    "step",
    "view",
    "plan",
    "portrait",
    "remembered",
    "present",
    "questions",
    "audience",
    "barred",
    "closed",
    "junk",
    "beside",
    "budget",
    "schedule",
    "seen",
    "state",
    "outbox",
    "index",
    "lookup",
    "canary",
    "flaps",
    "flight",
    "handing",
    "fate",
    "members",
    "common",
    "together",
    "people",
    "drill",
    "sight",
    "signature",
    "stranger",
    "concern",
    "account",
    "lessons",
    "survival",
    "hypothesis",
    "sequence",
    "weigh",
    "waiting",
    "alarm",
    "telling",
    "hold",
    "drift",
    "hindsight",
    "heard",
    "identity",
    "moved",
    "narrowing",
    "recovery",
    "sorting",
    "subjects",
    "zone",
    "trace",
    "travel",
    "trial",
    "evidence",
    "explain",
    "verdict",
    "own",
];

/// Where the present may be asked for. Adapters and the embedded world time their own waiting, on tokio's clock; `clippy` holds that.
const CLOCKS: &[(&str, &[&str])] = &[
    ("Instant::now", &["src/run/", "src/edge/", "src/sandbox/"]),
    ("SystemTime::now", &["src/run/clock.rs"]),
    ("Utc::now", &[]),
    ("Local::now", &[]),
];
/// What the pure folders do without: other output for the same input, or input that was not handed in.
const PURE: &[&str] = &["src/model/", "src/canary/", "src/records/", "src/watchdog/", "src/backtest/"];
const IMPURE: &[&str] =
    &["HashMap", "HashSet", "async fn", "tokio", "std::fs", "std::env", "std::net::Tcp", "std::thread", "getrandom", "reqwest", "rusqlite"];

/// Where a table without an order is kept from being gone through.
const UNORDERED: &str = "src/watchdog/lookup.rs";

/// A file longer than this has more than one reason to exist.
const LINES: usize = 400;
/// Tests are lists of cases, and may be longer.
const LINES_OF_TESTS: usize = 600;

const AT_THE_TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".deny.toml",
    ".rustfmt.toml",
    ".config",
    ".git",
    ".gitattributes",
    ".github",
    ".gitignore",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "dashboards",
    "docs",
    "fuzz",
    "packaging",
    "src",
    "systemd",
    "target",
    "tests",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under `folder` that ends in `ext`, by its path from the root, sorted.
fn files(folder: &str, ext: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == ext) {
                found.push(path.strip_prefix(root()).expect("below").to_path_buf());
            }
        }
    }
    found.sort();
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// A source file of the crate: where it stands, and its code without comments, texts and tests.
struct Source {
    path: String,
    module: Vec<String>,
    code: String,
}

fn sources() -> Vec<Source> {
    let all: Vec<Source> = files("src", "rs").iter().filter(|p| !is_test(p)).map(|p| source(p)).collect();
    assert!(all.len() > 20, "the sources were not found");
    all
}

fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "tests" || stem.to_string_lossy().ends_with("_tests"))
}

fn source(path: &Path) -> Source {
    let mut module: Vec<String> = path.with_extension("").iter().skip(1).map(|part| part.to_string_lossy().into_owned()).collect();
    module.pop_if(|last| matches!(last.as_str(), "mod" | "lib" | "main"));
    Source { path: path.display().to_string(), module, code: without_tests(&without_texts(&text(path))) }
}

/// The code with comments and the insides of literals left out.
fn without_texts(code: &str) -> String {
    let mut left = code;
    let mut out = String::new();
    while let Some(c) = left.chars().next() {
        let skipped = if left.starts_with("//") {
            left.find('\n').unwrap_or(left.len())
        } else if left.starts_with("/*") {
            left.find("*/").map_or(left.len(), |end| end + 2)
        } else if let Some(raw) =
            left.strip_prefix('r').filter(|raw| raw.trim_start_matches('#').starts_with('"') && !out.ends_with(is_word))
        {
            let end = format!("\"{}", "#".repeat(raw.len() - raw.trim_start_matches('#').len()));
            let begin = left.find('"').expect("it begins") + 1;
            left[begin..].find(&end).map_or(left.len(), |at| begin + at + end.len())
        } else if c == '"' {
            let mut escaped = false;
            let end = left.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            end.map_or(left.len(), |(at, _)| at + 1)
        } else if left.starts_with("'\\") || (c == '\'' && left.chars().nth(2) == Some('\'')) {
            let body: usize = left.chars().take(2).map(char::len_utf8).sum();
            left.char_indices().find(|(at, c)| *at > body && *c == '\'').map_or(left.len(), |(at, _)| at + 1).max(body + 1)
        } else {
            out.push(c);
            left = &left[c.len_utf8()..];
            continue;
        };
        left = &left[skipped..];
    }
    out
}

/// The code without items that are compiled for tests alone.
fn without_tests(code: &str) -> String {
    let mut out = String::new();
    let mut left = code;
    while let Some(at) = left.find("#[cfg(test)]") {
        out.push_str(&left[..at]);
        let mut depth = 0;
        let end = left[at..].char_indices().find(|(_, c)| {
            depth += i32::from(*c == '{') - i32::from(*c == '}');
            depth == 0 && matches!(c, '}' | ';')
        });
        left = end.map_or("", |(length, _)| &left[at + length + 1..]);
    }
    out + left
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

impl Source {
    /// Every path that begins with `crate` or `super`, as written from the crate's root.
    fn names(&self) -> BTreeSet<Vec<String>> {
        let mut found = Vec::new();
        for start in ["crate::", "super::"] {
            for (at, _) in self.code.match_indices(start) {
                if !self.code[..at].ends_with(|c| is_word(c) || c == ':') {
                    follow(&self.code[at..], Vec::new(), &mut found);
                }
            }
        }
        found.into_iter().map(|path| self.resolve(&path)).collect()
    }

    fn resolve(&self, path: &[String]) -> Vec<String> {
        let ups = path.iter().take_while(|part| *part == "super").count();
        if ups == 0 {
            return path[1..].to_vec();
        }
        let above = self.module.len().checked_sub(ups).unwrap_or_else(|| panic!("{}: `super` above the root", self.path));
        self.module[..above].iter().chain(&path[ups..]).cloned().collect()
    }

    /// The row of the table that holds for it, and the part that it is: of `edge`, each folder is a part of its own.
    fn part(&self) -> Option<(&'static [&'static [&'static str]], Vec<String>)> {
        let depth = if self.module.first()? == "edge" { 2 } else { 1 };
        let part = self.module[..depth.min(self.module.len())].to_vec();
        let row = |name: &str| MAY_NAME.iter().find(|(who, _)| *who == name).map(|(_, whom)| *whom);
        let rules = row(&part.join("::")).or_else(|| row(&part[0]));
        Some((rules.unwrap_or_else(|| panic!("{}: say in MAY_NAME whom `{}` may name", self.path, part[0])), part))
    }
}

/// Follows one path to its ends, through `{…, …}`; returns how far it read.
fn follow(code: &str, mut path: Vec<String>, found: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    loop {
        let word: String = code[at..].chars().take_while(|c| is_word(*c)).collect();
        at += word.len();
        if word != "self" && !word.is_empty() {
            path.push(word);
        }
        if !code[at..].starts_with("::") {
            found.push(path);
            return at;
        }
        at += 2;
        if code[at..].starts_with('{') {
            at += 1;
            loop {
                at += code[at..].find(|c: char| is_word(c) || matches!(c, '}' | '*')).expect("the group ends");
                if code[at..].starts_with('}') {
                    return at + 1;
                }
                at += usize::from(code[at..].starts_with('*'));
                at += follow(&code[at..], path.clone(), found);
                if let Some(renamed) = code[at..].strip_prefix(" as ") {
                    at += 4 + renamed.find(|c| !is_word(c)).expect("the group goes on");
                }
            }
        }
    }
}

fn begins_with(path: &[String], prefix: &str) -> bool {
    let prefix: Vec<&str> = prefix.split("::").collect();
    path.len() >= prefix.len() && path.iter().zip(prefix).all(|(a, b)| a == b)
}

#[test]
fn modules_name_only_whom_they_may() {
    let mut complaints = Vec::new();
    for source in sources() {
        let Some((rules, part)) = source.part() else { continue };
        for name in source.names() {
            let own = begins_with(&name, &part.join("::"));
            if !own && !rules.iter().copied().flatten().any(|may| begins_with(&name, may)) {
                complaints.push(format!("{}: `{}` may not name `{}`", source.path, part.join("::"), name.join("::")));
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn stages_do_not_call_each_other() {
    let mut complaints = Vec::new();
    for source in sources() {
        let [first, stage, ..] = &*source.module else { continue };
        if first != "watchdog" || CALLERS.contains(&stage.as_str()) {
            continue;
        }
        if !STAGES.contains(&stage.as_str()) && !COMMON.contains(&stage.as_str()) {
            complaints.push(format!("{}: say in STAGES or COMMON what `{stage}` is", source.path));
        }
        for name in source.names() {
            let [first, other, rest @ ..] = &*name else { continue };
            let of_a_stage = first == "watchdog" && other != stage && STAGES.contains(&other.as_str());
            if of_a_stage && !rest.first().is_some_and(|item| item.starts_with(|c: char| c.is_uppercase())) {
                complaints.push(format!(
                    "{}: names `{}`: what stages have to say to each other goes through `mod.rs`",
                    source.path,
                    name.join("::")
                ));
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn the_present_is_handed_in() {
    let mut complaints = Vec::new();
    for source in sources() {
        for (clock, allowed) in CLOCKS {
            if source.code.contains(clock) && !allowed.iter().any(|place| source.path.starts_with(place)) {
                complaints.push(format!("{}: reads the clock with `{clock}`", source.path));
            }
        }
        if PURE.iter().any(|folder| source.path.starts_with(folder)) {
            for word in IMPURE.iter().filter(|word| source.code.contains(**word) && !(**word == "HashMap" && source.path == UNORDERED)) {
                complaints.push(format!("{}: `{word}` has no place where all must follow from what is handed in", source.path));
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn files_are_small_whole_and_say_what_they_are() {
    let unfinished = ["todo", "unimplemented", "dbg"].map(|word| format!("{word}!("));
    let mut complaints = Vec::new();
    for path in ["src", "tests", "benches"].iter().flat_map(|folder| files(folder, "rs")) {
        let (shown, text) = (path.display(), text(&path));
        let most = if path.starts_with("src") && !is_test(&path) { LINES } else { LINES_OF_TESTS };
        let lines = text.lines().count();
        if lines > most {
            complaints.push(format!("{shown}: {lines} lines: more than {most} have more than one reason to exist"));
        }
        if !text.starts_with("//! ") {
            complaints.push(format!("{shown}: its first line does not say what it is (`//! …`)"));
        }
        let code = without_texts(&text);
        for word in unfinished.iter().map(String::as_str).chain(["#[ignore"]) {
            if code.contains(word) {
                complaints.push(format!("{shown}: `{word}`"));
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn the_top_of_the_tree_is_what_it_should_be() {
    let entries = fs::read_dir(root()).expect("reads").map(|e| e.expect("an entry").file_name().to_string_lossy().into_owned());
    assert_none(
        &entries
            .filter(|name| !AT_THE_TOP.contains(&name.as_str()))
            .map(|name| format!("`{name}` does not belong here"))
            .collect::<Vec<_>>(),
    );
}

/// Every `mailcanary_…` in `text`.
fn metrics(text: &str) -> BTreeSet<String> {
    let name = |at: usize| text[at..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect::<String>();
    text.match_indices("mailcanary_").map(|(at, _)| name(at)).collect()
}

#[test]
fn the_readme_has_every_metric_and_no_other() {
    let sources =
        files("src/edge/show", "rs").into_iter().filter(|p| p.components().any(|c| c.as_os_str().to_string_lossy().starts_with("metrics")));
    let without_comments = |text: &str| text.lines().filter(|l| !l.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let code: BTreeSet<String> = sources.flat_map(|path| metrics(&without_comments(&text(&path)))).collect();
    let readme = fs::read_to_string(root().join("README.md")).unwrap_or_default();
    let table: BTreeSet<String> = readme.lines().filter(|line| line.starts_with('|')).flat_map(metrics).collect();
    let missing = code.difference(&table).map(|name| format!("README.md: its metrics table lacks `{name}`"));
    let unknown = table.difference(&code).map(|name| format!("README.md: there is no metric `{name}`"));
    assert_none(&missing.chain(unknown).collect::<Vec<_>>());
}

#[test]
fn links_lead_somewhere() {
    let mut complaints = Vec::new();
    let top = ["README.md", "CHANGELOG.md"].map(PathBuf::from).into_iter().filter(|path| root().join(path).exists());
    for path in top.chain(files("docs", "md")) {
        let text = text(&path);
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split([')', ' ']).next().expect("one part");
            let file = target.split('#').next().expect("one part");
            let elsewhere = ["http://", "https://", "mailto:"].iter().any(|scheme| target.starts_with(scheme));
            if !elsewhere && !file.is_empty() && !root().join(path.parent().expect("a folder")).join(file).exists() {
                complaints.push(format!("{}: links to `{target}`, which is not there", path.display()));
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn these_tests_read_code_as_it_is_meant() {
    let code = r##"
        use crate::model::{At, names::{self, Name}, *};
        use super::super::notify as other; // crate::comment
        let a = "crate::text \" more"; let b = r#"crate::"raw""#; let c = '"'; let d: &'static str = crate::config::load('\'');
        pub(crate) fn f() { x::<crate::ledger::Ledger>() }
        #[cfg(test)]
        mod tests { use crate::run::Daemon; fn g() { if true {} } }
        crate::last!();
    "##;
    let code = without_tests(&without_texts(code));
    let source = Source { path: String::new(), module: ["edge", "inbox", "link"].map(str::to_owned).to_vec(), code };
    let names: Vec<String> = source.names().iter().map(|name| name.join("::")).collect();
    let expected = ["config::load", "edge::notify", "last", "ledger::Ledger", "model", "model::At", "model::names", "model::names::Name"];
    assert_eq!(names, expected);
}
