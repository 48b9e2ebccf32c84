//! The API against its own document, by a fuzzer that knows nothing else of it.

use std::process::Command;

use serde_json::Value;

use super::{TOKEN, daemon, outage};
use crate::support::daemon::Daemon;
use crate::support::rooted::unpacked;

/// Runs schemathesis with everything that it can check; fails with what it says if something does not hold. On a busy machine the first phases may
/// take all of the time: then there is more of it.
fn fuzz(daemon: &Daemon, seconds: u32, seed: &str, arguments: &[&str]) {
    let (whole, said) = fuzzed(daemon, seconds, seed, arguments);
    let (whole, said) = if whole { (whole, said) } else { fuzzed(daemon, 3 * seconds, seed, arguments) };
    assert!(whole, "{said}");
}

/// Whether all held and every phase ran, and what it said.
fn fuzzed(daemon: &Daemon, seconds: u32, seed: &str, arguments: &[&str]) -> (bool, String) {
    let program = unpacked("schemathesis").join("bin/schemathesis");
    let mut command = Command::new(program);
    command.arg("run").arg(format!("http://127.0.0.1:{}/api/v1/openapi.json", daemon.port)).current_dir(daemon.folder.path());
    command.args(["--checks", "all", "--phases", "examples,coverage,fuzzing,stateful", "--max-time", &seconds.to_string(), "--seed", seed]);
    command.args(["--no-color", "--generation-database", "none", "--continue-on-failure"]).args(arguments);
    let ran = command.output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    let phases = ["✅ Examples", "✅ Coverage", "✅ Fuzzing", "✅ Stateful"];
    let all_ran = phases.iter().all(|phase| said.contains(phase));
    // Its tracebacks hold whole files of its own.
    let short: Vec<&str> = said.lines().filter(|line| line.len() < 2000).collect();
    let said = format!("{}\n{}", short.join("\n"), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{said}");
    (all_ran, said)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_is_as_its_document_says_whatever_is_sent() {
    let (world, _hook, mut daemon, _token) = daemon("").await;
    outage(&world, &mut daemon).await;
    let (_, served) = daemon.get("/api/v1/openapi.json").await.unwrap();
    let printed = Command::new(env!("CARGO_BIN_EXE_mailcanary")).args(["print", "openapi"]).output().unwrap().stdout;
    assert_eq!(served, String::from_utf8(printed).unwrap());
    let operations = serde_json::from_str::<Value>(&served).unwrap()["paths"].as_object().unwrap().len();
    assert!(operations > 20, "{operations}");
    fuzz(&daemon, 40, "7", &["--header", &format!("Authorization: Bearer {TOKEN}")]);
    fuzz(&daemon, 20, "8", &[]);
    // It has gone on watching meanwhile, and nothing was written down by who has no token.
    let arrived = daemon.sum("mailcanary_canaries_arrived_total").await.unwrap();
    daemon.wait_for_arrivals(arrived + 2.0).await;
    let log = daemon.log();
    assert!(!log.contains("panicked") && !log.contains(TOKEN), "{log}");
    assert_eq!(daemon.stop().await, Some(0));
}
