//! A private Alertmanager, a receiver of HTTP requests with scripted answers, and what both need.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test stops at what it did not foresee")]

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval, timeout};

/// Longest wait for anything in these tests.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// A folder that goes away with its owner.
#[derive(Debug)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(what: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("mailcanary-{what}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    #[expect(clippy::disallowed_methods, reason = "configuration of a private server in a temporary folder")]
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A program that is killed with its owner.
#[derive(Debug)]
pub(crate) struct Program(Child);

impl Program {
    pub(crate) fn start(command: &mut Command, log: &Path) -> Self {
        let file = || fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        Self(command.stdin(Stdio::null()).stdout(file()).stderr(file()).spawn().unwrap())
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A client as the program's own dialer makes it: no redirects.
pub(crate) fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    builder.connect_timeout(Duration::from_secs(5)).build().unwrap()
}

/// Asks `question` until it has an answer.
pub(crate) async fn wait_for<T>(what: &str, mut question: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    let mut tick = interval(Duration::from_millis(50));
    loop {
        tick.tick().await;
        if let Some(answer) = question().await {
            return answer;
        }
        assert!(Instant::now() < end, "waited too long for {what}");
    }
}

/// A private Alertmanager with one webhook receiver, grouped by incident, that passes everything on at once.
#[derive(Debug)]
pub(crate) struct Alertmanager {
    folder: Folder,
    port: u16,
    program: Program,
    http: reqwest::Client,
}

impl Alertmanager {
    pub(crate) async fn start(receiver: SocketAddr) -> Self {
        let folder = Folder::new("alertmanager");
        let config = format!(
            "route:\n  receiver: r\n  group_by: [incident]\n  group_wait: 0s\n  group_interval: 1s\n  repeat_interval: 1h\n\
             receivers:\n  - name: r\n    webhook_configs:\n      - url: http://{receiver}/\n        send_resolved: true\n"
        );
        folder.write("alertmanager.yml", &config);
        let port = free_port();
        let program = Self::run(&folder, port);
        let mut this = Self { folder, port, program, http: http() };
        this.ready().await;
        this
    }

    fn run(folder: &Folder, port: u16) -> Program {
        let mut command = Command::new("prometheus-alertmanager");
        command.arg(format!("--config.file={}", folder.path().join("alertmanager.yml").display()));
        command.arg(format!("--storage.path={}", folder.path().join("data").display()));
        command.arg(format!("--web.listen-address=127.0.0.1:{port}")).arg("--cluster.listen-address=");
        Program::start(&mut command, &folder.path().join("log"))
    }

    async fn ready(&mut self) {
        let url = format!("{}/-/ready", self.url());
        let http = self.http.clone();
        let program = &mut self.program;
        wait_for("Alertmanager", async || {
            assert!(!program.has_ended(), "Alertmanager ended");
            http.get(&url).send().await.ok().filter(|answer| answer.status().is_success()).map(|_| ())
        })
        .await;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn kill(&mut self) {
        self.program.kill();
    }

    /// Starts it again on the same port, with nothing remembered.
    pub(crate) async fn restart_empty(&mut self) {
        self.program.kill();
        let _ = fs::remove_dir_all(self.folder.path().join("data"));
        self.program = Self::run(&self.folder, self.port);
        self.ready().await;
    }

    /// The alerts that fire, as its API shows them.
    pub(crate) async fn alerts(&self) -> Vec<Value> {
        let Ok(answer) = self.http.get(format!("{}/api/v2/alerts", self.url())).send().await else { return Vec::new() };
        answer.json().await.unwrap_or_default()
    }
}

/// One request as it came in.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| line.split_once(':').is_some_and(|(key, _)| key.eq_ignore_ascii_case(name));
        self.head.lines().find(named).and_then(|line| line.split_once(':')).map(|(_, value)| value.trim())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// Takes HTTP requests and answers each with the next bytes of its script, and when that has ended with 200. An empty answer is none at all.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    received: mpsc::UnboundedReceiver<Received>,
}

impl Receiver {
    #[expect(clippy::disallowed_methods, reason = "a server inside a test")]
    pub(crate) async fn start(script: &[&str]) -> Self {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = mpsc::unbounded_channel();
        let mut script = script.iter().map(|answer| (*answer).to_owned()).collect::<Vec<_>>().into_iter();
        tokio::spawn(async move {
            let mut silent = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some(request) = read(&mut stream).await else { continue };
                let answer = script.next().unwrap_or_else(|| answer("200 OK", ""));
                if answer.is_empty() {
                    silent.push(stream);
                } else {
                    let _ = stream.write_all(answer.as_bytes()).await;
                    let _ = stream.shutdown().await;
                }
                if sender.send(request).is_err() {
                    return;
                }
            }
        });
        Self { address, received }
    }

    pub(crate) async fn next(&mut self) -> Received {
        self.next_within(PATIENCE).await
    }

    /// The next request, for which longer may have to be waited.
    pub(crate) async fn next_within(&mut self, patience: Duration) -> Received {
        timeout(patience, self.received.recv()).await.expect("nothing was received").unwrap()
    }

    /// The `data` of the next notice that fits; others are passed over.
    pub(crate) async fn notice(&mut self, patience: Duration, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let told = self.next_within(patience).await.json()["data"].take();
            if fits(&told) {
                return told;
            }
        }
    }

    /// What has come in that nobody took.
    pub(crate) fn rest(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

/// A whole answer with `headers`, each ending in CRLF.
pub(crate) fn answer(status: &str, headers: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}content-length: 0\r\nconnection: close\r\n\r\n")
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let received = Received { head, body: bytes[end + 4..].to_vec() };
            let length = received.header("content-length").map_or(0, |text| text.parse().unwrap());
            if received.body.len() >= length {
                return Some(received);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
