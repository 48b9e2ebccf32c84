//! The documents: every command in them is run as it stands, every link in them leads somewhere.
//!
//! Commands stand in blocks of `sh`. A block runs in a folder of its own, against a real daemon with an open incident; what it says of places and
//! numbers is put in from a short list. What stands in the middle of a sentence is run as well ([`sentences`]). A block that cannot be run here stands in another list, with the test that does it instead.

mod sentences;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use mailcanary::model::{Name, Span};
use mailcanary::sandbox::{Fault, InboxPlan, Plan, ProviderPlan, Transport, World};

use crate::support::alertmanager::Receiver;
use crate::support::daemon::Daemon;

/// Blocks by how they begin, and why they are not run here.
const NOT_HERE: [(&str, &str); 7] = [
    ("cargo run --release", "a release build, and this suite itself; the next line of the kind, `mailcanary demo`, is run"),
    ("cargo build --release && packaging/deb.sh", "needs root and systemd: systemd::booted::the_package_survives_an_operators_hour"),
    ("cargo build --release\n", "a release build: the same test builds and installs the package"),
    ("cargo install", "a release build: the same test installs the program"),
    ("sudo systemctl enable", "needs systemd: the same test starts the service"),
    ("sudo systemctl edit", "needs systemd and an editor: inbox::maildir reads what another program delivers"),
    ("sudo systemctl reload", "needs systemd: the same test, and end_to_end::reload for the two other ways"),
];
/// Documents whose blocks have a test of their own.
const OWN_TEST: [(&str, &str); 1] =
    [("docs/api.md", "what listens never ends: end_to_end::http::documented asks all of it, and stops listening")];
/// Blocks that begin like this run before the outage.
const HEALTHY: [&str; 3] = ["mkdir -p /etc/mailcanary", "mailcanary check -c", "mailcanary drill"];
/// And these without a daemon that runs already.
const ALONE: [&str; 3] = ["mailcanary run -c", "mailcanary simulate", "mailcanary demo"];

/// What lets a reader speak over HTTP.
const TOKEN: &str = "a-token-for-tests";

/// The repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The README, that of the dashboards, and everything under `docs`, by their paths, sorted.
pub fn names() -> Vec<String> {
    let mut found = vec!["README.md".to_owned(), "dashboards/README.md".to_owned()];
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "md") {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

fn text(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

/// The fenced blocks of a document: the word behind the fence, and what stands in it.
fn blocks(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(word) = line.trim().strip_prefix("```") {
            let indent = line.len() - line.trim_start().len();
            let body = lines.by_ref().take_while(|line| line.trim() != "```");
            let body: String = body.map(|line| format!("{}\n", line.get(indent..).unwrap_or_default())).collect();
            found.push((word.to_owned(), body));
        }
    }
    found
}

/// The text without its fenced blocks.
fn prose(text: &str) -> String {
    let mut inside = false;
    let kept = text.lines().filter(|line| {
        let fence = line.trim().starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    kept.collect::<Vec<_>>().join("\n")
}

fn world() -> World {
    let name = |text| Name::new(text).unwrap();
    let mut plan = Plan::new(mailcanary::run::clock(), 7);
    plan.every = Span::from_secs(1);
    for (provider, transport) in [("mailchimp", Transport::Mandrill), ("relay", Transport::Smtp)] {
        plan = plan.provider(name(provider), ProviderPlan::new(transport));
    }
    plan = plan.inbox(name("gmail-1"), InboxPlan::default()).inbox(name("own-1"), InboxPlan::default());
    World::start(plan.stream(name("password-reset"), "Reset your password", Span::from_secs(600))).unwrap()
}

fn daemon(world: &World, hook: &Receiver) -> Daemon {
    let address = hook.address;
    let made = Daemon::with_http("token = { env = \"CANARY_TOKEN\" }\n", |folder| {
        let accounts = world.accounts(folder.path()).unwrap();
        format!(
            "[watch]\nevery = \"1s\"\ninstance = \"test\"\n\n[stream.password-reset]\ndeadline = \"10m\"\n{accounts}\n[sink.hook.webhook]\nurl = \"http://{address}/\"\n"
        )
    });
    made.with("CANARY_TOKEN", TOKEN)
}

/// Where blocks run.
struct Desk {
    folder: std::path::PathBuf,
    port: u16,
}

impl Desk {
    /// Beside the daemon's files: what blocks would write elsewhere goes below this folder.
    fn new(daemon: &Daemon) -> Self {
        let folder = daemon.folder.path().to_path_buf();
        let folders = ["bin", "srv/backup", "etc/prometheus/rules", "etc/mailcanary", "here/tests/scenarios", "here/provisioning"];
        for made in folders.into_iter().chain(["etc/grafana/provisioning/dashboards"]) {
            std::fs::create_dir_all(folder.join(made)).unwrap();
        }
        std::fs::write(folder.join("here/provisioning/dashboards.yml"), text("dashboards/provisioning/dashboards.yml")).unwrap();
        let sudo = folder.join("bin/sudo");
        std::fs::write(&sudo, "#!/bin/sh\nexec \"$@\"\n").unwrap();
        std::fs::set_permissions(&sudo, std::fs::Permissions::from_mode(0o755)).unwrap();
        // A refusal by HTTP is a failure.
        std::fs::write(folder.join(".curlrc"), "fail\n").unwrap();
        // The scenarios, played a few times.
        for name in ["stop_provider.toml", "quiet_steady.toml"] {
            let scenario = text(&format!("tests/scenarios/{name}"));
            let (head, _) = scenario.split_once("[runs]").unwrap_or((&scenario, ""));
            let few = "[runs]\ncount = 1\nlearn = \"1h\"\nquiet = 0\nquiet_lasts = \"6h\"\n";
            std::fs::write(folder.join("here/tests/scenarios").join(name), format!("{head}{few}")).unwrap();
        }
        Self { folder, port: daemon.port }
    }

    /// What a reader would put in.
    fn fitted(&self, block: &str, incident: u64) -> String {
        let folder = self.folder.display();
        let config = format!("{folder}/mailcanary.toml");
        let list: [(&str, String); 13] = [
            ("/etc/mailcanary/mailcanary.toml", config.clone()),
            (" mailcanary.toml", format!(" {config}")),
            (" stricter.toml", format!(" {config}")),
            ("/var/lib/mailcanary", format!("{folder}/ledger")),
            ("/var/lib/grafana", format!("{folder}/grafana")),
            (" /etc/", format!(" {folder}/etc/")),
            ("/srv/", format!("{folder}/srv/")),
            ("127.0.0.1:9825", format!("127.0.0.1:{}", self.port)),
            ("incidents/7/", format!("incidents/{incident}/")),
            (" 7 -c", format!(" {incident} -c")),
            ("silence end 3", "silence end 1".to_owned()),
            ("2022-08-08T00:00:00Z", "2000-01-01T00:00:00Z".to_owned()),
            ("2022-08-09T00:00:00Z", "2100-01-01T00:00:00Z".to_owned()),
        ];
        list.iter().fold(block.to_owned(), |text, (from, to)| text.replace(from, to))
    }

    /// Runs it; what went wrong.
    fn run(&self, document: &str, block: &str, incident: u64) -> Option<String> {
        let script = self.fitted(block, incident);
        let binaries = Path::new(env!("CARGO_BIN_EXE_mailcanary")).parent().unwrap();
        let path = format!("{}/bin:{}:{}", self.folder.display(), binaries.display(), std::env::var("PATH").unwrap());
        let mut bash = Command::new("timeout");
        bash.args(["120", "bash", "-c", &format!("trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\nset -euo pipefail\n{script}")]);
        bash.current_dir(self.folder.join("here"))
            .env("PATH", path)
            .env("CURL_HOME", &self.folder)
            .env("TOKEN", TOKEN)
            .env("CANARY_TOKEN", TOKEN);
        bash.env("MANDRILL_KEY", "key").env("SEED_PASSWORD", "password").env("USER", "ann").stdin(std::process::Stdio::null());
        let began = std::time::Instant::now();
        let output = bash.output().unwrap();
        println!("{document}: {:.1} s: {}", began.elapsed().as_secs_f64(), block.lines().next().unwrap_or_default());
        if output.status.success() {
            return None;
        }
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(format!("{document}: {script}\n{:?}\n{}\n{}", output.status.code(), said(&output.stdout), said(&output.stderr)))
    }
}

/// A block of commands, behind the name of its document.
type Block = (String, String);

/// Every block of commands that is run: first those that need no daemon.
fn commands() -> (Vec<Block>, Vec<Block>) {
    let mut all = Vec::new();
    for name in names().into_iter().filter(|name| !OWN_TEST.iter().any(|(own, _)| own == name)) {
        all.extend(blocks(&text(&name)).into_iter().filter(|(word, _)| word == "sh").map(|(_, body)| (name.clone(), body)));
    }
    assert!(all.len() > 15, "{}", all.len());
    for (begins, why) in NOT_HERE {
        assert!(all.iter().any(|(_, body)| body.starts_with(begins)), "no block begins with {begins:?} any more: {why}");
    }
    all.retain(|(_, body)| !NOT_HERE.iter().any(|(begins, _)| body.starts_with(begins)));
    all.into_iter().partition(|(_, body)| ALONE.iter().any(|begins| body.starts_with(begins)))
}

/// The number of an open incident of mail that stopped. Whoever closes one while mail is still lost gets another.
async fn stopped(daemon: &mut Daemon) -> u64 {
    let open = async |d: &Daemon| {
        let answer: serde_json::Value = serde_json::from_str(&d.get("/api/v1/incidents?open=true").await?.1).ok()?;
        answer["incidents"].as_array()?.iter().find(|i| i["kind"] == "stopped")?["incident"].as_u64()
    };
    daemon.wait_for("an open incident", open).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_that_need_no_daemon_run_as_they_stand() {
    let (world, hook) = (world(), Receiver::start(&[]).await);
    let daemon = daemon(&world, &hook);
    let desk = Desk::new(&daemon);
    let wrong: Vec<String> = commands().0.iter().filter_map(|(document, body)| desk.run(document, body, 0)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_other_command_runs_as_it_stands() {
    let (healthy, ill): (Vec<_>, Vec<_>) =
        commands().1.into_iter().partition(|(_, body)| HEALTHY.iter().any(|begins| body.starts_with(begins)));
    let (world, mut hook) = (world(), Receiver::start(&[]).await);
    let mut daemon = daemon(&world, &hook);
    let desk = Desk::new(&daemon);
    let mut wrong = String::new();
    let mut run = |(document, body): &Block, incident| {
        if let Some(why) = desk.run(document, body, incident) {
            let _ = writeln!(wrong, "{why}");
        }
    };
    daemon.start().await;
    daemon.wait_for_arrivals(60.0).await;
    healthy.iter().for_each(|block| run(block, 0));
    let (status, runbook) = daemon.get("/runbooks/stopped").await.unwrap();
    assert!(status == 200 && runbook.contains("<h2>The first five minutes</h2>"), "{runbook}");
    let _ = hook.rest();
    world.provider("mailchimp").unwrap().set(Fault::Hold).unwrap();
    for block in &ill {
        run(block, stopped(&mut daemon).await);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn blocks_are_of_a_known_kind_and_json_is_json() {
    for name in names() {
        for (word, body) in blocks(&text(&name)) {
            match word.as_str() {
                "json" => drop(serde_json::from_str::<serde_json::Value>(&body).unwrap_or_else(|e| panic!("{name}: {e}\n{body}"))),
                "" => {
                    assert!(!body.starts_with("mailcanary ") && !body.starts_with("curl "), "{name}: commands are marked as `sh`\n{body}")
                }
                _ => assert!(["sh", "toml", "yaml", "ini"].contains(&word.as_str()), "{name}: {word}"),
            }
        }
    }
}

/// A heading as part of an address.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect::<String>();
    kept.replace(' ', "-")
}

#[test]
fn links_lead_to_headings_that_are_there() {
    let anchors = |name: &str| {
        let text = prose(&text(name));
        text.lines().filter_map(|line| line.strip_prefix('#')).map(|h| anchor(h.trim_start_matches('#'))).collect::<BTreeSet<_>>()
    };
    let known: BTreeMap<String, BTreeSet<String>> = names().into_iter().map(|name| (name.clone(), anchors(&name))).collect();
    let mut wrong = Vec::new();
    for name in known.keys() {
        let text = text(name);
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split([')', ' ']).next().unwrap();
            let Some((file, part)) = target.split_once('#').filter(|_| !target.contains("://")) else { continue };
            let mut path: Vec<&str> = name.split('/').collect();
            if !file.is_empty() {
                path.pop();
                for step in file.split('/') {
                    match step {
                        ".." => _ = path.pop(),
                        step => path.push(step),
                    }
                }
            }
            if !known.get(&path.join("/")).is_some_and(|anchors| anchors.contains(part)) {
                wrong.push(format!("{name}: {target}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
