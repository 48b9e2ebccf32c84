//! Listening to what changes, as a program that reads a stream does.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, timeout};

use super::{daemon, outage};

const PATIENCE: Duration = Duration::from_secs(60);

/// A `curl` that reads the stream from behind an event on.
fn listen(port: u16, after: Option<&str>) -> (Child, Lines<BufReader<ChildStdout>>) {
    let mut command = Command::new("curl");
    command.args(["-sN", "-H", "Accept: text/event-stream", &format!("http://127.0.0.1:{port}/api/v1/events")]);
    if let Some(after) = after {
        command.args(["-H", &format!("Last-Event-ID: {after}")]);
    }
    let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

/// The next event of this name: its id and data.
async fn next(lines: &mut Lines<BufReader<ChildStdout>>, wanted: &str) -> (String, String) {
    let read = async {
        let (mut id, mut name) = (String::new(), String::new());
        while let Some(line) = lines.next_line().await.unwrap() {
            match line.split_once(": ") {
                Some(("id", text)) => text.clone_into(&mut id),
                Some(("event", text)) => text.clone_into(&mut name),
                Some(("data", text)) if name == wanted => return (id, text.to_owned()),
                _ => {}
            }
        }
        panic!("the stream ended before `{wanted}`");
    };
    timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("no `{wanted}`"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_heard_and_who_was_cut_off_goes_on() {
    let (world, _hook, mut daemon, _token) = daemon("").await;
    let (mut curl, mut lines) = listen(daemon.port, None);
    let (hello, _) = next(&mut lines, "hello").await;
    let number = outage(&world, &mut daemon).await;
    let (_, opened) = next(&mut lines, "incident").await;
    assert!(opened.contains("\"change\":\"opened\"") && opened.contains(&format!("\"incident\":{number}")), "{opened}");
    curl.kill().await.unwrap();
    // The same again for who goes on behind the first word, and as JSON.
    let (_curl, mut lines) = listen(daemon.port, Some(&hello));
    let (id, again) = next(&mut lines, "incident").await;
    assert_eq!(again, opened);
    let (status, json) = daemon.get(&format!("/api/v1/events?after={hello}")).await.unwrap();
    assert!(status == 200 && json.contains(&format!("\"id\":\"{id}\"")) && json.contains("\"gone\":false"), "{json}");
    let (_gone, mut lines) = listen(daemon.port, Some("1-1"));
    next(&mut lines, "gone").await;
    // Whoever listens does not keep it from stopping.
    let began = Instant::now();
    assert_eq!(daemon.stop().await, Some(0));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}
