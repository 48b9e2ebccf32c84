//! Every request of `docs/api.md`, as it stands there.

use std::process::Command;

use super::{TOKEN, daemon, outage};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_request_of_the_documentation_is_answered_as_it_says() {
    let (world, _hook, mut daemon, _token) = daemon("").await;
    let id = outage(&world, &mut daemon).await;
    let text = include_str!("../../../../docs/api.md");
    let at = format!("127.0.0.1:{}", daemon.port);
    let mut asked = 0;
    for block in text.split("```sh\n").skip(1) {
        let script = block.split("```").next().unwrap().replace("127.0.0.1:9825", &at).replace("incidents/7", &format!("incidents/{id}"));
        let script = script.replace("password-reset", "reset");
        // A stream has no end: the first seconds of it.
        let script = script.replace("curl -N", "timeout 3 curl -N");
        for line in script.lines().filter(|line| line.contains("curl")) {
            let ran = Command::new("sh")
                .args(["-c", &line.replace("curl ", "curl -sS -w '\\n%{http_code}' ")])
                .env("TOKEN", TOKEN)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&ran.stdout).into_owned();
            let status = said.rsplit('\n').next().unwrap_or_default();
            assert!(
                ["200", "201"].contains(&status) || said.contains("event: hello"),
                "{line}\n{said}{}",
                String::from_utf8_lossy(&ran.stderr)
            );
            asked += 1;
        }
    }
    assert!(asked >= 10, "{asked}");
    assert_eq!(daemon.stop().await, Some(0));
}
