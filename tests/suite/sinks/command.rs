//! A program of one's own: real ones, from the kind to the hostile.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mailcanary::config::CommandSettings;
use mailcanary::model::Span;
use serde_json::Value;

use super::*;
use crate::support::alertmanager::wait_for;
use crate::support::temp_dir::TempDir;

/// A script, run by `/bin/sh` with these arguments.
fn script(folder: &TempDir, text: &str, arguments: &[&str], timeout: Span) -> Sink {
    let path = folder.path().join("script");
    std::fs::write(&path, text).unwrap();
    let argv = ["/bin/sh", path.to_str().unwrap()].into_iter().chain(arguments.iter().copied()).map(str::to_owned).collect();
    sink(SinkKind::Command(CommandSettings { argv, timeout }))
}

const LONG: Span = Span::from_secs(60);

async fn gone(pid: &Path) {
    let pid = std::fs::read_to_string(pid).unwrap();
    let process = PathBuf::from(format!("/proc/{}", pid.trim()));
    // A zombie that nobody waits for here is as dead.
    let dead = || std::fs::read_to_string(process.join("stat")).map_or(true, |stat| stat.contains(") Z "));
    wait_for("the death of what it started", async || dead().then_some(())).await;
}

#[tokio::test]
async fn it_gets_arguments_and_the_notice_and_nothing_of_our_environment() {
    let folder = TempDir::new("command");
    let own =
        "cd \"$(dirname \"$0\")\"; for a; do printf '%s\\0' \"$a\"; done > arguments; cat > input; env > environment; pwd >> environment";
    let arguments = ["--severity={severity}", "{title}", "{text}", "{link}", "{key}", "$HOME; `reboot`"];
    let sink = script(&folder, own, &arguments, LONG);
    let out = nasty(Change::Opened);
    assert_eq!(deliver(&sink, &out).await, Attempt::Delivered);
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let given: Vec<String> = read("arguments").split_terminator('\0').map(str::to_owned).collect();
    assert_eq!(given.len(), arguments.len(), "{given:?}");
    assert_eq!((given[0].as_str(), given[1].as_str()), ("--severity=page", "PAGE: provider mailchimp, stopped"));
    assert!(given[2].contains("$(reboot)") && !given[2].contains(['\u{1b}', '\r', '\u{202e}']), "{given:?}");
    assert_eq!(given[5], "$HOME; `reboot`");
    let input: Value = serde_json::from_str(&read("input")).unwrap();
    assert_eq!((&input["type"], &input["key"]), (&"incident.opened".into(), &"mailcanary/test.example/3".into()));
    assert_eq!(input["data"]["summary"].as_str().unwrap(), out.notice.summary);
    let names: Vec<String> = read("environment").lines().filter_map(|l| l.split_once('=')).map(|(name, _)| name.to_owned()).collect();
    assert!(names.iter().all(|name| ["PATH", "PWD", "OLDPWD", "_", "SHLVL"].contains(&name.as_str())), "{names:?}");
}

#[tokio::test]
async fn a_text_that_begins_with_a_dash_is_no_option() {
    let folder = TempDir::new("command-dash");
    let argv = vec!["/usr/bin/printf".to_owned(), "{text}".to_owned()];
    let sink = sink(SinkKind::Command(CommandSettings { argv, timeout: LONG }));
    let mut out = out(1, 3, Change::Opened);
    Arc::make_mut(&mut out.notice).summary = "--help".to_owned();
    assert_eq!(deliver(&sink, &out).await, Attempt::Delivered);
    drop(folder);
}

#[tokio::test]
async fn its_exit_code_says_what_became_of_it() {
    let folder = TempDir::new("command-exit");
    let ended = async |code: &str| deliver(&script(&folder, code, &[], LONG), &out(1, 3, Change::Opened)).await;
    assert_eq!(ended("exit 0").await, Attempt::Delivered);
    let again = ended("echo 'line is busy' >&2; exit 75").await;
    assert_eq!(again, Attempt::Retry { after: None, why: "it ended with 75: line is busy".to_owned(), unclear: false });
    let failed = ended("printf 'one\\ntwo \\033[31mred\\033[0m\\n\\n'; exit 3").await;
    assert_eq!(failed, Attempt::Doubtful { why: "it ended with 3: two [31mred [0m".to_owned() });
    assert_eq!(ended("kill -9 $$").await, Attempt::Doubtful { why: "it was killed by somebody else".to_owned() });
    let missing = CommandSettings { argv: vec!["/nowhere/at-all".to_owned()], timeout: LONG };
    let attempt = deliver(&sink(SinkKind::Command(missing)), &out(1, 3, Change::Opened)).await;
    assert!(matches!(&attempt, Attempt::Doubtful { why } if why.starts_with("it does not start: No such file")), "{attempt:?}");
}

#[tokio::test]
async fn one_that_hangs_is_killed_with_all_that_it_started() {
    let folder = TempDir::new("command-hang");
    let own = "cd \"$(dirname \"$0\")\"; trap '' TERM INT; sh -c 'trap \"\" TERM; echo $$ > grandchild; while :; do read x < /dev/zero; done' & while [ ! -s grandchild ]; do :; done; echo started; wait";
    let sink = script(&folder, own, &[], Span::from_secs(2));
    let attempt = deliver(&sink, &out(1, 3, Change::Opened)).await;
    assert_eq!(attempt, Attempt::Retry { after: None, why: "it was killed after 2s: started".to_owned(), unclear: true });
    gone(&folder.path().join("grandchild")).await;
}

#[tokio::test]
async fn one_that_leaves_somebody_behind_is_not_waited_for() {
    let folder = TempDir::new("command-behind");
    let own =
        "cd \"$(dirname \"$0\")\"; sh -c 'echo $$ > grandchild; exec tail -f /dev/null' & while [ ! -s grandchild ]; do :; done; exit 0";
    assert_eq!(deliver(&script(&folder, own, &[], LONG), &out(1, 3, Change::Opened)).await, Attempt::Delivered);
    gone(&folder.path().join("grandchild")).await;
}

#[tokio::test]
async fn much_output_is_read_and_not_kept() {
    let folder = TempDir::new("command-much");
    let own = "head -c 10485760 /dev/zero | tr '\\0' 'y' >&2; head -c 10485760 /dev/zero; echo; echo the last line; exit 4";
    let attempt = deliver(&script(&folder, own, &[], LONG), &out(1, 3, Change::Opened)).await;
    assert!(matches!(&attempt, Attempt::Doubtful { why } if why.len() < 300), "{attempt:?}");
    // And one that never reads what it is given.
    let mut big = out(1, 3, Change::Opened);
    Arc::make_mut(&mut big.notice).evidence = serde_json::json!({ "reply": "z".repeat(1 << 20) });
    assert_eq!(deliver(&script(&folder, "exec 0<&-; exit 0", &[], LONG), &big).await, Attempt::Delivered);
}

#[tokio::test]
async fn who_is_told_to_end_takes_it_along() {
    let folder = TempDir::new("command-drop");
    let own = "cd \"$(dirname \"$0\")\"; echo $$ > grandchild; exec tail -f /dev/null";
    let sink = script(&folder, own, &[], LONG);
    let pid = folder.path().join("grandchild");
    let begun = wait_for("its start", async || std::fs::read_to_string(&pid).ok().filter(|text| text.ends_with('\n')));
    let out = out(1, 3, Change::Opened);
    tokio::select! {
        _ = deliver(&sink, &out) => panic!("it does not end by itself"),
        _ = begun => {}
    }
    gone(&pid).await;
}
