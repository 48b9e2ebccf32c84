//! Another configuration in the same life: taken over whole or refused, and nothing that is on its way is lost.

use mailcanary::model::Span;
use mailcanary::sandbox::Fault;

use super::life::{daemon_with, world};
use crate::support::alertmanager::Receiver;
use crate::support::daemon::Daemon;

const TOKEN: &str = "correct-horse-battery";
const SUCCESSFUL: &str = "mailcanary_config_last_reload_successful";
const OPEN: &str = "mailcanary_incident_open{kind=\"stopped\",culprit=\"provider:relay\"}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_goes_on_over_reloads_and_a_wrong_configuration_is_refused() {
    let (world, mut hook) = (world(), Receiver::start(&[]).await);
    let mut daemon = daemon_with("token = { env = \"API_TOKEN\" }", &world, &hook).with("API_TOKEN", TOKEN);
    daemon.start().await;
    daemon.wait_for_arrivals(40.0).await;
    world.provider("relay").unwrap().set(Fault::Hold).unwrap();
    let opened = hook.next().await;
    assert_eq!(opened.json()["data"]["culprit"], serde_json::json!({ "provider": "relay" }));
    let pid: u64 = daemon.metric("process_start_time_seconds").await.unwrap().to_bits();
    // Right: another stream, another sink's table, another cadence.
    daemon.rewrite(|text| text.replace("every = \"1s\"", "every = \"2s\"") + "\n[stream.news]\nsubject = \"News\"\nseverity = \"warn\"\n");
    let (status, said) = daemon.post("/-/reload", Some(TOKEN), "").await;
    assert_eq!((status, said.contains("\"reloaded\":true")), (200, true), "{said}");
    assert_eq!(daemon.metric(OPEN).await, Some(1.0), "the same incident is open");
    let news = "mailcanary_canaries_arrived_total{provider=\"api\",stream=\"news\",inbox=\"one\",placement=\"inbox\"}";
    daemon.wait_for("a canary of the new stream", async |d| (d.metric(news).await? >= 1.0).then_some(())).await;
    let arrived = daemon.sum("mailcanary_canaries_arrived_total").await.unwrap();
    assert!(arrived >= 40.0, "counters go on");
    // Wrong: said where it was asked, in the log, on the page and as a metric; the old one goes on.
    daemon.rewrite(|text| text + "[stream.third]\nsubjekt = \"x\"\n");
    let (code, _, err) = daemon.say(&["reload"]);
    assert!(code == Some(2) && err.contains("subjekt") && err.contains("the daemon was told, and refused it"), "{err}");
    assert_eq!(daemon.metric(SUCCESSFUL).await, Some(0.0), "the command alone is enough");
    let (status, said) = daemon.post("/-/reload", Some(TOKEN), "").await;
    assert!(status == 422 && said.contains("subjekt") && said.contains("mailcanary.toml:"), "{status} {said}");
    assert_eq!(daemon.post("/-/reload", None, "").await.0, 401);
    assert_eq!(daemon.metric(SUCCESSFUL).await, Some(0.0));
    let page = daemon.get("/").await.unwrap().1;
    assert!(page.contains("not reloaded") && page.contains("subjekt"), "{page}");
    assert!(daemon.log().contains("the configuration was not reloaded"));
    daemon.wait_for_arrivals(arrived + 8.0).await;
    // Mended: taken over by itself.
    daemon.rewrite(|text| text.replace("subjekt", "subject"));
    daemon.wait_for("the file to be looked at", async |d| (d.metric(SUCCESSFUL).await? == 1.0).then_some(())).await;
    assert!(!daemon.get("/").await.unwrap().1.contains("not reloaded"));
    // What cannot be changed is named.
    let port = format!("127.0.0.1:{}", daemon.port);
    daemon.rewrite(|text| text.replace(&port, "127.0.0.1:1"));
    let (code, _, err) = daemon.say(&["reload"]);
    assert!(code == Some(1) && err.contains("http.listen: only a restart can change"), "{err}");
    daemon.rewrite(|text| text.replace("127.0.0.1:1\"", &format!("{port}\"")));
    // Whoever changed the ledger's path is told where it is looked.
    let elsewhere = daemon.folder.path().join("elsewhere");
    let moved = std::fs::read_to_string(daemon.folder.path().join("mailcanary.toml")).unwrap();
    let ledger = daemon.folder.path().join("ledger");
    let moved = daemon.folder.write("moved.toml", &moved.replace(&ledger.display().to_string(), &elsewhere.display().to_string()));
    let asked = std::process::Command::new(env!("CARGO_BIN_EXE_mailcanary"))
        .args(["reload", "-c"])
        .arg(moved)
        .envs([("API_TOKEN", TOKEN)])
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&asked.stderr);
    assert!(err.contains("elsewhere/control.sock") && err.contains("only a restart changes that"), "{err}");
    daemon.signal("HUP");
    daemon.wait_for("the signal to be heard", async |d| (d.metric(SUCCESSFUL).await? == 1.0).then_some(())).await;
    assert_eq!(daemon.metric("process_start_time_seconds").await.unwrap().to_bits(), pid, "all in one life");
    // The recovery is told once, and so was the page.
    world.provider("relay").unwrap().clear();
    world.provider("relay").unwrap().release();
    let resolved = hook.next().await;
    assert_eq!(resolved.json()["type"], "incident.resolved", "{}", resolved.json());
    assert_eq!(resolved.json()["data"]["incident"], opened.json()["data"]["incident"]);
    assert_eq!(daemon.stop().await, Some(0));
    assert!(hook.rest().is_empty(), "one page, one recovery");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_called_reaches_a_daemon_whose_file_was_spoilt() {
    let (world, mut hook) = (world(), Receiver::start(&[]).await);
    let mut daemon = daemon_with("", &world, &hook);
    daemon.start().await;
    daemon.wait_for_arrivals(20.0).await;
    world.provider("relay").unwrap().set(Fault::Hold).unwrap();
    let id = hook.next().await.json()["data"]["incident"].to_string();
    daemon.rewrite(|text| text.replace("subject =", "subjekt =") + "[provider.new.smtp]\nfrom = 7\n");
    let ok = |words: &[&str]| {
        let (code, out, err) = daemon.say(words);
        assert_eq!(code, Some(0), "{words:?}: {err}");
        assert!(err.lines().count() == 1 && err.contains("is wrong by now, `mailcanary check -c "), "{words:?}: {err}");
        out
    };
    assert!(ok(&["incident", "ack", &id, "--by", "ann", "--note", "on it"]).contains("on it"));
    assert!(ok(&["incident", "list"]).contains("ann has seen it"));
    assert!(ok(&["silence", "add", "--provider", "relay", "--for", "1h", "--reason", "known", "--by", "ann"]).contains("provider relay"));
    for words in [&["identity", "list"][..], &["dns", "list"], &["health"], &["top", "--once"], &["silence", "list"]] {
        assert!(!ok(words).is_empty(), "{words:?}");
    }
    // A name that is not there would silence nothing: the daemon knows, and not the file.
    let (code, _, err) = daemon.say(&["silence", "add", "--provider", "new", "--for", "1h", "--reason", "x", "--by", "ann"]);
    assert!(code == Some(2) && err.contains("there is no provider `new`\n  hint: there are api, relay"), "{err}");
    let (code, _, err) = daemon.say(&["silence", "add", "--inbox", "three", "--for", "1h", "--reason", "x", "--by", "ann"]);
    assert!(code == Some(2) && err.contains("there is no inbox `three`\n  hint: there are one, two"), "{err}");
    // Not even TOML: said, with what reaches the daemon all the same.
    let ledger = daemon.folder.path().join("ledger");
    let alone = daemon.folder.write("alone.toml", &format!("[ledger]\npath = {ledger:?}\n"));
    daemon.rewrite(|text| text + "[sink.\n");
    let (code, _, err) = daemon.say(&["incident", "show", &id]);
    assert!(code == Some(2) && err.contains("this is not TOML") && err.contains("no daemon was asked\n  hint: to reach"), "{err}");
    let mut shown = std::process::Command::new(env!("CARGO_BIN_EXE_mailcanary"));
    let shown = shown.args(["incident", "show", &id, "-c"]).arg(alone).output().unwrap();
    assert!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_being_handed_over_is_answered_however_often_it_is_reloaded() {
    let (world, hook) = (world(), Receiver::start(&[]).await);
    let mut daemon = daemon_with("", &world, &hook);
    daemon.start().await;
    daemon.wait_for_arrivals(12.0).await;
    // Each step of a submission takes its time: there is always one under way.
    world.provider("relay").unwrap().set(Fault::Slow(Span::from_ms(700))).unwrap();
    for _ in 0..12 {
        let arrived = daemon.sum("mailcanary_canaries_arrived_total").await.unwrap();
        let (code, out, err) = daemon.say(&["reload"]);
        assert_eq!(code, Some(0), "{out}{err}");
        daemon.wait_for_arrivals(arrived + 2.0).await;
    }
    // A stop waits for them, too.
    assert_eq!(daemon.stop().await, Some(0));
    let by_outcome = |outcome: &str| daemon.ledger::<u32>(&format!("SELECT count(*) FROM canaries WHERE outcome {outcome}"));
    assert_eq!((by_outcome("= 'orphaned'"), by_outcome("IS NULL")), (0, 0), "each was answered");
    assert_eq!(daemon.ledger::<u32>("SELECT count(*) FROM incidents"), 0);
    // What was in flight at the end is there at the next start: nothing is lost, nothing came twice.
    world.provider("relay").unwrap().clear();
    daemon.start().await;
    let all: u32 = daemon.ledger("SELECT count(*) FROM canaries");
    daemon.wait_for_arrivals(f64::from(all)).await;
    assert_eq!(daemon.sum("mailcanary_canaries_duplicate_total").await, Some(0.0));
    assert_eq!(daemon.sum("mailcanary_canaries_lost_total").await, Some(0.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_refused_is_taken_over_when_it_is_there_again_as_it_was() {
    let (world, hook) = (world(), Receiver::start(&[]).await);
    let mut daemon = daemon_with("", &world, &hook);
    daemon.start().await;
    let folder = daemon.folder.path().to_owned();
    let (file, aside) = (folder.join("mailcanary.toml"), folder.join("aside"));
    let refused = async |daemon: &mut Daemon, why: &str| {
        daemon.signal("HUP");
        daemon.wait_for("the refusal", async |d| (d.metric(SUCCESSFUL).await? == 0.0).then_some(())).await;
        let page = daemon.get("/").await.unwrap().1;
        assert!(page.contains("not reloaded") && page.contains(why), "{page}");
    };
    let taken = async |daemon: &mut Daemon| {
        daemon.wait_for("another try", async |d| (d.metric(SUCCESSFUL).await? == 1.0).then_some(())).await;
    };
    // The file is gone, and comes back as it was.
    std::fs::rename(&file, &aside).unwrap();
    refused(&mut daemon, "No such file").await;
    std::fs::rename(&aside, &file).unwrap();
    taken(&mut daemon).await;
    // It is a link into a folder that is exchanged, as a ConfigMap is; for a while that leads nowhere.
    std::fs::create_dir(folder.join("first")).unwrap();
    std::fs::rename(&file, folder.join("first/mailcanary.toml")).unwrap();
    std::os::unix::fs::symlink("first", folder.join("data")).unwrap();
    std::os::unix::fs::symlink("data/mailcanary.toml", &file).unwrap();
    std::fs::rename(folder.join("data"), &aside).unwrap();
    refused(&mut daemon, "No such file").await;
    std::fs::create_dir(folder.join("second")).unwrap();
    std::fs::copy(folder.join("first/mailcanary.toml"), folder.join("second/mailcanary.toml")).unwrap();
    std::os::unix::fs::symlink("second", folder.join("data")).unwrap();
    taken(&mut daemon).await;
    // A secret is gone, and comes back; the file itself is as it was all the time.
    let secret = world.accounts(&folder).unwrap();
    let secret = secret.split("file = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    std::fs::rename(secret, aside.with_extension("secret")).unwrap();
    refused(&mut daemon, "cannot be read").await;
    let said = daemon.log().matches("was not reloaded").count();
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!(daemon.log().matches("was not reloaded").count(), said, "it is tried when it may end otherwise");
    std::fs::rename(aside.with_extension("secret"), secret).unwrap();
    taken(&mut daemon).await;
    // What is as it runs is not read again and again.
    let said = daemon.log().matches("was reloaded").count();
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    assert_eq!((said, daemon.log().matches("was reloaded").count()), (3, 3));
    assert_eq!(daemon.stop().await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reload_says_what_was_loaded_and_not_what_was_named() {
    let (world, hook) = (world(), Receiver::start(&[]).await);
    let mut daemon = daemon_with("", &world, &hook);
    daemon.start().await;
    let file = daemon.folder.path().join("mailcanary.toml");
    let shown = file.display().to_string();
    let (code, out, err) = daemon.say(&["reload"]);
    assert_eq!((code, out), (Some(0), format!("reloaded {shown}: 4 routes, 1 warning\n")), "{err}");
    let text = std::fs::read_to_string(&file).unwrap() + "\n[stream.news]\nsubject = \"News\"\n";
    let other = daemon.folder.write("other.toml", &text);
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_mailcanary")).arg("reload").arg("-c").arg(&other).output().unwrap();
    let [out, err] = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!((ran.status.code(), out), (Some(1), format!("reloaded {shown}: 4 routes, 1 warning\n")), "{err}");
    assert!(err.contains(&format!("other.toml` was not read: this daemon was started with `{shown}`")), "{err}");
    assert_eq!(daemon.stop().await, Some(0));
}
