//! The real binary as a process: started, asked over HTTP, killed, started again on the same folder.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rusqlite::Connection;
use tokio::time::{Instant, interval};

use super::alertmanager::{Folder, free_port, http};

/// Longest wait for anything that a daemon does.
const PATIENCE: Duration = Duration::from_secs(90);

/// A daemon, its folder and its configuration.
#[derive(Debug)]
pub struct Daemon {
    pub folder: Folder,
    pub port: u16,
    config: PathBuf,
    child: Option<Child>,
    environment: Vec<(String, String)>,
    http: reqwest::Client,
}

impl Daemon {
    /// A daemon that is not started yet. `config` is given the folder, and returns the text without `[http]` and `[ledger]`.
    pub fn new(config: impl FnOnce(&Folder) -> String) -> Self {
        Self::with_http("", config)
    }

    /// The same, with further lines of `[http]`.
    pub fn with_http(lines: &str, config: impl FnOnce(&Folder) -> String) -> Self {
        let folder = Folder::new("daemon");
        let port = free_port();
        let text = config(&folder);
        let ledger = folder.path().join("ledger");
        let dns = if text.contains("[dns]") { "" } else { "\n[dns]\nserver = \"off\"\n" };
        let rest = format!("{dns}\n[http]\nlisten = \"127.0.0.1:{port}\"\n{lines}\n[ledger]\npath = \"{}\"\n", ledger.display());
        let config = folder.write("mailcanary.toml", &format!("{text}{rest}"));
        Self { folder, port, config, child: None, environment: Vec::new(), http: http() }
    }

    /// The same with a variable in its environment.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A command of the same binary with this daemon's configuration.
    pub fn command(&self, command: &str) -> Command {
        let mut built = Command::new(env!("CARGO_BIN_EXE_mailcanary"));
        built.arg(command).arg("-c").arg(&self.config).stdin(Stdio::null());
        built.envs(self.environment.iter().map(|(name, value)| (name, value)));
        built
    }

    /// Writes its configuration anew.
    pub fn rewrite(&self, change: impl FnOnce(String) -> String) {
        let text = std::fs::read_to_string(&self.config).unwrap();
        std::fs::write(&self.config, change(text)).unwrap();
    }

    /// What a command for the person on call prints, and how it ends. The configuration is put behind `words`.
    pub fn say(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let mut built = Command::new(env!("CARGO_BIN_EXE_mailcanary"));
        built.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let said = built.args(words).arg("-c").arg(&self.config).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (said.status.code(), text(said.stdout), text(said.stderr))
    }

    /// Posts JSON, with a token or without: the status and the answer.
    pub async fn post(&self, path: &str, token: Option<&str>, body: &str) -> (u16, String) {
        let mut request = self.http.post(format!("http://127.0.0.1:{}{path}", self.port)).body(body.to_owned());
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    /// Starts it without waiting for anything.
    pub fn spawn(&mut self) {
        let log = || std::fs::OpenOptions::new().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        self.child = Some(self.command("run").stdout(log()).stderr(log()).spawn().unwrap());
    }

    /// Starts it and waits until it is ready.
    pub async fn start(&mut self) {
        self.spawn();
        self.wait_for("the daemon to be ready", async |d| (d.get("/-/ready").await?.0 == 200).then_some(())).await;
    }

    /// Status and text of one page; nothing if nobody answers.
    pub async fn get(&self, path: &str) -> Option<(u16, String)> {
        let answer = self.http.get(format!("http://127.0.0.1:{}{path}", self.port)).send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.text().await.ok()?))
    }

    /// The value of a series, named as in the exposition: `name{labels}`.
    pub async fn metric(&self, series: &str) -> Option<f64> {
        let (_, text) = self.get("/metrics").await?;
        let line = text.lines().find(|line| line.strip_prefix(series).is_some_and(|rest| rest.starts_with(' ')))?;
        line.rsplit(' ').next()?.parse().ok()
    }

    /// The sum of all series of a family.
    pub async fn sum(&self, family: &str) -> Option<f64> {
        let (_, text) = self.get("/metrics").await?;
        let mine = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(family));
        Some(mine.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    /// Waits until `question` has an answer; shows the log if it never has.
    pub async fn wait_for<T>(&mut self, what: &str, mut question: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut tick = interval(Duration::from_millis(100));
        loop {
            tick.tick().await;
            if let Some(answer) = question(self).await {
                return answer;
            }
            let ended = self.child.as_mut().and_then(|c| c.try_wait().unwrap());
            assert!(ended.is_none() && Instant::now() < end, "waiting for {what} (ended: {ended:?}); its log:\n{}", self.log());
        }
    }

    /// Waits until so many canaries have arrived since the installation began.
    pub async fn wait_for_arrivals(&mut self, count: f64) {
        self.wait_for("arrivals", async |d| (d.sum("mailcanary_canaries_arrived_total").await? >= count).then_some(())).await;
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// The first column of the first row.
    pub fn ledger<T: rusqlite::types::FromSql>(&self, query: &str) -> T {
        let file = self.folder.path().join("ledger/ledger.sqlite");
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = Connection::open_with_flags(file, flags).unwrap();
        connection.busy_timeout(Duration::from_secs(5)).unwrap();
        connection.query_row(query, [], |row| row.get(0)).unwrap()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }

    /// Asks it to stop, and says with which code it did.
    pub async fn stop(&mut self) -> Option<i32> {
        self.signal("TERM");
        let mut child = self.child.take().unwrap();
        let end = Instant::now() + PATIENCE;
        let mut tick = interval(Duration::from_millis(50));
        loop {
            tick.tick().await;
            if let Some(status) = child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < end, "it does not stop; its log:\n{}", self.log());
        }
    }

    /// How long it has computed so far, in its own code and for it in the system.
    pub fn cpu_time(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.as_ref().unwrap().id())).unwrap();
        let behind_the_name = stat.rsplit_once(") ").unwrap().1;
        let ticks: u64 = behind_the_name.split(' ').skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        // Linux counts in hundredths of a second.
        Duration::from_millis(ticks * 10)
    }

    /// Resident memory, in KiB.
    pub fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.as_ref().unwrap().id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log());
        }
    }
}
