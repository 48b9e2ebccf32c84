//! A private Prometheus, and its `promtool`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test stops at what it did not foresee")]

use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::alertmanager::{Folder, Program, free_port, http, wait_for};

/// A private Prometheus that scrapes one target every second.
#[derive(Debug)]
pub(crate) struct Prometheus {
    _folder: Folder,
    _program: Program,
    port: u16,
    http: reqwest::Client,
}

impl Prometheus {
    pub(crate) async fn start(target: SocketAddr) -> Self {
        Self::started(target, "", None).await
    }

    /// The same, with further lines about how the target is asked.
    pub(crate) async fn start_locked(target: SocketAddr, how: &str) -> Self {
        Self::started(target, how, None).await
    }

    /// The same, with a file of rules that are evaluated every second.
    pub(crate) async fn start_with(target: SocketAddr, rules: Option<&str>) -> Self {
        Self::started(target, "", rules).await
    }

    async fn started(target: SocketAddr, how: &str, rules: Option<&str>) -> Self {
        let folder = Folder::new("prometheus");
        let rules = rules.map_or_else(String::new, |text| format!("rule_files: ['{}']\n", folder.write("rules.yml", text).display()));
        let config = format!(
            "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\n  evaluation_interval: 1s\n{rules}scrape_configs:\n  - job_name: mailcanary\n{how}    static_configs:\n      - targets: ['{target}']\n"
        );
        let file = folder.write("prometheus.yml", &config);
        let port = free_port();
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", file.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let mut program = Program::start(&mut command, &folder.path().join("log"));
        let http = http();
        let url = format!("http://127.0.0.1:{port}/-/ready");
        wait_for("Prometheus", async || {
            assert!(!program.has_ended(), "Prometheus ended");
            http.get(&url).send().await.ok().filter(|answer| answer.status().is_success()).map(|_| ())
        })
        .await;
        Self { _folder: folder, _program: program, port, http }
    }

    /// The value of `query`, once it has exactly one.
    pub(crate) async fn value(&self, query: &str) -> f64 {
        wait_for(query, async || {
            let found = self.query(query).await;
            let [one] = found.as_slice() else { return None };
            one.pointer("/value/1")?.as_str()?.parse().ok()
        })
        .await
    }

    /// What `query` gives at this moment.
    pub(crate) async fn query(&self, query: &str) -> Vec<Value> {
        let answer = self.ask("query", &format!("query={}", escaped(query))).await.unwrap_or_default();
        answer.pointer("/result").and_then(Value::as_array).cloned().unwrap_or_default()
    }

    /// What one path of the API answers, or what it complains of.
    pub(crate) async fn ask(&self, path: &str, query: &str) -> Result<Value, String> {
        let mut url = reqwest::Url::parse(&format!("http://127.0.0.1:{}/api/v1/{path}", self.port)).unwrap();
        url.set_query(Some(query));
        let answer = self.http.get(url).send().await.map_err(|error| error.to_string())?;
        let mut answer: Value = answer.json().await.map_err(|error| error.to_string())?;
        if answer["status"] == "success" { Ok(answer["data"].take()) } else { Err(answer["error"].to_string()) }
    }

    /// The figures of `query` at each step of the last `secs` seconds, or now if there is no step; those that are none are left out.
    pub(crate) async fn figures(&self, query: &str, secs: u64, step: Option<u64>) -> Result<Vec<f64>, String> {
        let (path, values) = if step.is_some() { ("query_range", "values") } else { ("query", "value") };
        let mut asked = format!("query={}", escaped(query));
        if let Some(step) = step {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            asked += &format!("&start={}&end={now}&step={step}", now - secs);
        }
        let answer = self.ask(path, &asked).await?;
        let pairs = answer["result"].as_array().unwrap().iter().flat_map(|series| match step {
            Some(_) => series[values].as_array().unwrap().clone(),
            None => vec![series[values].clone()],
        });
        let figures = pairs.map(|pair| pair[1].as_str().unwrap().parse::<f64>().unwrap());
        Ok(figures.filter(|figure| !figure.is_nan()).collect())
    }
}

fn escaped(text: &str) -> String {
    text.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// What `promtool check metrics` complains of in `text`.
pub(crate) fn complaints(text: &str) -> Option<String> {
    let mut command = Command::new("promtool");
    let child = command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.unwrap();
    child.stdin.take().expect("it is piped").write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (!output.status.success() || !said.trim().is_empty()).then_some(said)
}
