//! What a person sees in a real terminal, and what a pipe gets.

use std::process::Command;

use mailcanary::sandbox::{Fault, World};

use super::end_to_end::life::{daemon_with, world};
use super::support::alertmanager::Receiver;
use super::support::daemon::Daemon;
use super::support::temp_dir::TempDir;
use super::support::tmux::Terminal;

/// A daemon that has learnt what is healthy.
async fn learnt() -> (World, Receiver, Daemon, String) {
    let (world, hook) = (world(), Receiver::start(&[]).await);
    let mut daemon = daemon_with("", &world, &hook);
    daemon.start().await;
    daemon.wait_for_arrivals(60.0).await;
    let config = daemon.folder.path().join("mailcanary.toml").display().to_string();
    (world, hook, daemon, config)
}

/// No line is wider than the terminal: one that is goes on in the next row, and a table's row does not begin in its first column then.
fn rows_begin_as_they_should(screen: &str, heads: &[&str]) {
    for line in screen.lines().filter(|line| !line.is_empty()) {
        assert!(heads.iter().any(|head| line.starts_with(head)), "{line:?} in\n{screen}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_seen_live_and_the_terminal_is_given_back() {
    let (world, mut hook, mut daemon, config) = learnt().await;
    let plain = [("NO_COLOR", "1")];
    let terminals = [(60, &plain[..0]), (80, &plain[..]), (120, &plain[..0])].map(|(wide, set)| Terminal::new(wide, 24, set));
    for terminal in &terminals {
        terminal.line(&format!("mailcanary top -c {config}"));
        terminal.wait_for("the matrix", |screen| screen.contains("✓ relay/reset/one") && screen.contains("q quit")).await;
    }
    world.provider("relay").unwrap().set(Fault::Hold).unwrap();
    assert_eq!(hook.next().await.json()["type"], "incident.opened");
    for (terminal, wide) in terminals.iter().zip([60, 80, 120]) {
        let seen = |screen: &str| screen.contains("PAGE #1 stopped provider relay") && screen.contains("✕ relay/reset/one");
        let screen = terminal.wait_for("the outage", seen).await;
        assert!(screen.starts_with("mailcanary · test") && screen.contains("✕ provider `relay` stopped"), "{screen}");
        assert!(screen.contains("▮▮▮▮▮  100%"), "{screen}");
        assert_eq!((screen.contains("median"), screen.contains("newest canary")), (wide >= 80, wide >= 100), "{screen}");
        let painted = terminal.painted();
        assert_eq!(painted.contains("\u{1b}[1m\u{1b}[31m"), wide != 80, "red and bold, unless NO_COLOR is set: {painted:?}");
    }
    let [narrow, middle, wide] = &terminals;
    // The daemon goes and comes back: what was seen last stays.
    daemon.kill();
    wide.wait_for("a word of the silence", |screen| screen.starts_with("✕ Not seen for") && screen.contains(" relay/reset/two")).await;
    daemon.start().await;
    wide.wait_for("the daemon again", |screen| screen.starts_with("mailcanary · test")).await;
    // Keys.
    wide.line("/api");
    wide.wait_for("the filter", |screen| {
        // Which canary is the next has nothing to do with it.
        let listed = screen.lines().any(|line| line.contains("relay/reset") && !line.contains("next:"));
        !listed && screen.contains("/api (Esc)")
    })
    .await;
    wide.key("s");
    wide.wait_for("another order", |screen| screen.contains("sort: suspicion")).await;
    wide.resize(60, 20);
    wide.wait_for("another size", |screen| screen.lines().count() == 20 && !screen.contains("newest canary")).await;
    // Suspended and resumed, ended by a key, ended by a signal: each time the shell's terminal is as it was.
    wide.key("C-z");
    wide.wait_for("the shell", |screen| screen.contains("Stopped") && screen.trim_end().ends_with('$')).await;
    wide.line("fg");
    wide.wait_for("the view again", |screen| screen.contains("q quit")).await;
    wide.key("q");
    middle.key("C-c");
    narrow.wait_for("the view", |screen| screen.contains("q quit")).await;
    let pids = Command::new("pgrep").args(["-f", &format!("^mailcanary top -c {config}$")]).output().unwrap();
    let mut ended = 0;
    for pid in String::from_utf8(pids.stdout).unwrap().split_whitespace() {
        ended += usize::from(Command::new("kill").args(["-TERM", pid]).status().unwrap().success());
    }
    assert!(ended >= 1, "the last one was there to be ended");
    for terminal in &terminals {
        terminal.wait_for("the prompt", |screen| screen.trim_end().ends_with('$')).await;
        terminal.line("stty -a | tr ';' '\\n' | grep -o -w -E -e '-?(icanon|echo|isig)'; echo \"was $?\"");
        let screen = terminal.wait_for("the modes", |screen| screen.contains("was 0")).await;
        assert!(screen.contains("\nicanon") && screen.contains("\necho\n") && !screen.contains("-icanon"), "{screen}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_said_and_pipes_get_plain_text() {
    let (_world, _hook, mut daemon, config) = learnt().await;
    let top = |words: &[&str]| {
        let said = Command::new(env!("CARGO_BIN_EXE_mailcanary")).arg("top").args(words).env("CLICOLOR_FORCE", "1").output().unwrap();
        (said.status.code(), String::from_utf8(said.stdout).unwrap(), String::from_utf8(said.stderr).unwrap())
    };
    let url = format!("http://127.0.0.1:{}/", daemon.port);
    for words in [["--once", "-c", config.as_str()], ["--once", "--url", &url]] {
        let (code, out, err) = top(&words);
        assert_eq!((code, err.as_str()), (Some(0), ""), "{words:?}");
        assert!(out.starts_with("mailcanary · test") && out.contains("✓ api/reset/one") && !out.contains('\u{1b}'), "{out}");
    }
    let (code, out, err) = top(&["-c", &config]);
    assert!(code == Some(2) && out.is_empty() && err.contains("`--once` prints"), "{err}");
    let token = daemon.folder.write("token", "secret-of-ours\n").display().to_string();
    let (code, _, err) = top(&["--once", "--url", "http://canary.example/", "--token-file", &token]);
    assert!(code == Some(2) && err.contains("no secret is sent over http://") && !err.contains("secret-of-ours"), "{err}");
    daemon.kill();
    let (code, out, err) = top(&["--once", "-c", &config]);
    assert!(code == Some(1) && out.is_empty() && err.contains("nobody answers at the control socket"), "{err}");
    let terminal = Terminal::new(80, 24, &[]);
    terminal.line(&format!("mailcanary top -c {config}"));
    terminal.wait_for("a word of the silence", |screen| screen.contains("Trying again each") && screen.contains("q quit")).await;
    daemon.start().await;
    terminal.wait_for("the view", |screen| screen.starts_with("mailcanary · test")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_probe_fits_and_is_coloured_only_where_somebody_looks() {
    let (world, _hook, daemon, config) = learnt().await;
    world.provider("api").unwrap().set(Fault::Refuse(mailcanary::model::Class::Auth)).unwrap();
    for (wide, variables, coloured) in [(60, [("X", "1")], true), (80, [("NO_COLOR", "1")], false), (120, [("TERM", "dumb")], false)] {
        let terminal = Terminal::new(wide, 50, &variables);
        terminal.line(&format!("clear; mailcanary probe -c {config} 2>/dev/null; echo it is over $?"));
        let screen = terminal.wait_for("the probe", |screen| screen.contains("it is over 1")).await;
        assert!(screen.contains("2 of 4 canaries arrived"), "{screen}");
        let table = &screen[screen.find("api/reset/one ").unwrap()..];
        rows_begin_as_they_should(table, &["api/reset/", "relay/reset/", "     ", "2 of 4", "it is over", "$"]);
        assert_eq!(terminal.painted().contains("\u{1b}[1m\u{1b}[31m"), coloured, "{:?}", terminal.painted());
    }
    // With progress: a line that is written over while it goes on, and gone at the end.
    world.provider("relay").unwrap().set(Fault::Hold).unwrap();
    let terminal = Terminal::new(60, 50, &[]);
    terminal.line(&format!("mailcanary probe -c {config} --route 'relay/*'; echo it is over"));
    let is_bar = |line: &str| line.starts_with(['━', '─']) && line.contains("0 of 2 arrived, ");
    let screen = terminal.wait_for("the progress", |screen| screen.lines().any(is_bar)).await;
    assert_eq!(screen.matches("0 of 2").count(), 1, "{screen}");
    world.provider("relay").unwrap().clear();
    world.provider("relay").unwrap().release();
    let screen = terminal.wait_for("the probe", |screen| screen.contains("2 of 2 canaries arrived")).await;
    assert!(!screen.contains('━') && !screen.contains('─'), "{screen}");
    let piped = |words: &[&str]| {
        let mut command = daemon.command("probe");
        let said = command.args(["--route", "relay/*"]).args(words).output().unwrap();
        (String::from_utf8(said.stdout).unwrap(), String::from_utf8(said.stderr).unwrap())
    };
    let (out, err) = piped(&[]);
    assert!(out.contains("relay/reset/one  arrived in ") && !out.contains('\u{1b}') && !err.contains(['\u{1b}', '\r']), "{out}{err}");
    assert!(piped(&["--color", "always"]).0.contains("\u{1b}[32m"));
    for machine in ["json", "nagios"] {
        let (out, _) = piped(&["--color", "always", "--output", machine]);
        assert!(!out.contains('\u{1b}'), "{out}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_looked_at_and_what_was_played_fit_as_well() {
    let (_world, _hook, daemon, config) = learnt().await;
    let folder = TempDir::new("mailcanary-terminal");
    let scenario = folder.path().join("scenario.toml");
    let text = "[matrix]\nproviders = 2\ninboxes = 2\n[[failure]]\nkind = \"stop\"\nculprit = { provider = \"p0\" }\nlasts = \"10m\"\n[runs]\ncount = 2\nlearn = \"1h\"\nquiet = 0\n";
    std::fs::write(&scenario, text).unwrap();
    let scenario = scenario.display().to_string();
    let terminal = Terminal::new(60, 100, &[]);
    terminal.line(&format!(
        "clear; mailcanary check -c {config} --live --resolver 127.0.0.1:9 2>/dev/null | sed -n '/^ok/,$p'; echo it is over"
    ));
    let piped = terminal.wait_for("the check", |screen| screen.lines().any(|line| line == "it is over")).await;
    assert!(piped.contains("ok      provider api: log-in: works") && !terminal.painted().contains("\u{1b}[32m"), "{piped}");
    terminal.line(&format!("clear; mailcanary check -c {config} --live --resolver 127.0.0.1:9; echo it has ended"));
    let screen = terminal.wait_for("the check", |screen| screen.lines().any(|line| line == "it has ended")).await;
    let findings = &screen[screen.find("\nok ").unwrap()..];
    rows_begin_as_they_should(findings, &["ok      ", "warning ", "FAILED  ", "        ", "it has ended", "$"]);
    assert!(terminal.painted().contains("\u{1b}[32mok") && !screen.contains("looked at"), "{screen}");
    terminal.line(&format!("clear; mailcanary simulate {scenario}; echo it is played"));
    let screen = terminal.wait_for("the simulation", |screen| screen.lines().any(|line| line == "it is played")).await;
    let table = &screen[screen.find("told after").unwrap()..screen.find("2 runs").unwrap()];
    assert!(table.lines().next().unwrap().ends_with("false/year"), "{screen}");
    assert!(table.lines().filter(|line| line.starts_with("mailcanary")).count() == 2, "{screen}");
    assert!(!screen.contains('━'), "{screen}");
    drop(daemon);
}
