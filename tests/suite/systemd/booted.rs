//! An operator's hour: the package under a booted systemd, and what can break there broken. One incident is open all the time.

use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use mailcanary::sandbox::{Fault, World};
use tokio::time::{Instant, interval};

use crate::end_to_end::life::world;
use crate::support::alertmanager::{Folder, Receiver, free_port, http};
use crate::support::container::Container;

const UNIT: &str = "mailcanary.service";
const STATE: &str = "/var/lib/private/mailcanary";
const OPEN: &str = "mailcanary_incident_open{kind=\"stopped\",culprit=\"provider:relay\"}";
const PATIENCE: Duration = Duration::from_secs(60);

/// The package of the binary under test.
fn package(folder: &Folder) -> Vec<u8> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/deb.sh");
    let mut build = Command::new(script);
    build.arg(env!("CARGO_BIN_EXE_mailcanary")).arg(folder.path()).env("DEB_COMPRESSION", "gz");
    let built = build.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    std::fs::read(String::from_utf8(built.stdout).unwrap().trim()).unwrap()
}

/// The same package as another version.
fn repacked(folder: &Folder, package: &[u8], version: &str) -> Vec<u8> {
    let (deb, tree) = (folder.path().join("again.deb"), folder.path().join("tree"));
    std::fs::write(&deb, package).unwrap();
    let dpkg = |words: &[&std::ffi::OsStr]| assert!(Command::new("dpkg-deb").args(words).output().unwrap().status.success(), "{words:?}");
    dpkg(&["--raw-extract".as_ref(), deb.as_ref(), tree.as_ref()]);
    let control = tree.join("DEBIAN/control");
    let text = std::fs::read_to_string(&control).unwrap();
    let lines = text.lines().map(|line| if line.starts_with("Version: ") { format!("Version: {version}\n") } else { format!("{line}\n") });
    std::fs::write(&control, lines.collect::<String>()).unwrap();
    dpkg(&["--root-owner-group".as_ref(), "-Znone".as_ref(), "--build".as_ref(), tree.as_ref(), deb.as_ref()]);
    std::fs::read(deb).unwrap()
}

/// The host with the package, and how it is looked at.
struct Host {
    container: Container,
    port: u16,
    http: reqwest::Client,
}

impl Host {
    /// Installs the package and a configuration for `world`, with secrets as credentials; starts nothing.
    fn install(package: &[u8], world: &World, hook: &Receiver) -> Self {
        let (container, port) = (Container::boot(), free_port());
        container.write("/tmp/mailcanary.deb", package);
        let said = container.must(&["dpkg", "--install", "/tmp/mailcanary.deb"]);
        assert!(said.contains("does not run"), "{said}");
        let modes = container.must(&["stat", "-c", "%a", "/etc/mailcanary", "/etc/mailcanary/credentials"]);
        assert_eq!(modes.split_whitespace().collect::<Vec<_>>(), ["755", "700"], "what will hold secrets is there, and root's alone");
        let state = container.run(&["systemctl", "is-active", UNIT]);
        assert_eq!(String::from_utf8_lossy(&state.stdout).trim(), "inactive", "a first installation starts nothing");
        // Without a configuration it says what to do, and is not started again and again.
        assert!(!container.run(&["systemctl", "start", UNIT]).status.success());
        let ended = ["ActiveState", "ExecMainStatus", "NRestarts"].map(|property| container.property(UNIT, property));
        assert_eq!(ended, ["failed", "2", "0"]);
        assert!(container.journal(UNIT).contains("mailcanary print starter-config"), "{}", container.journal(UNIT));
        let secrets = Folder::new("secrets");
        let mut accounts = world.accounts(secrets.path()).unwrap();
        for entry in std::fs::read_dir(secrets.path()).unwrap().map(|e| e.unwrap()) {
            let name = entry.file_name().into_string().unwrap();
            container.write(&format!("/etc/mailcanary/credentials/{name}"), &std::fs::read(entry.path()).unwrap());
            let file = format!("{{ file = \"{}\" }}", entry.path().display());
            assert!(accounts.contains(&file), "{file}: {accounts}");
            accounts = accounts.replace(&file, &format!("{{ credential = \"secret_{name}\" }}"));
        }
        let text = format!(
            "[watch]\nevery = \"1s\"\ninstance = \"test\"\n\n[stream.reset]\nsubject = \"Reset your password\"\ndeadline = \"10m\"\n{accounts}\n[sink.hook.webhook]\nurl = \"http://{}/\"\n\n[http]\nlisten = \"127.0.0.1:{port}\"\n",
            hook.address
        );
        container.shell("chmod 600 /etc/mailcanary/credentials/*");
        container.write("/etc/mailcanary/mailcanary.toml", text.as_bytes());
        // Quicker, so that the test is; and a disk that can be filled.
        container.shell(&format!("mkdir -p /etc/systemd/system/{UNIT}.d {STATE} && mount -t tmpfs -o size=6m tmpfs {STATE}"));
        container.write(&format!("/etc/systemd/system/{UNIT}.d/test.conf"), b"[Service]\nWatchdogSec=6\nRestartSec=1\nTimeoutAbortSec=3\n");
        container.must(&["systemctl", "daemon-reload"]);
        Self { container, port, http: http() }
    }

    async fn get(&self, path: &str) -> Option<String> {
        let answer = self.http.get(format!("http://127.0.0.1:{}{path}", self.port)).send().await.ok()?;
        answer.text().await.ok()
    }

    /// The sum of the series that begin so.
    async fn metric(&self, series: &str) -> Option<f64> {
        let text = self.get("/metrics").await?;
        let mine: Vec<&str> = text.lines().filter(|line| line.starts_with(series)).collect();
        if mine.is_empty() { None } else { Some(mine.iter().filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()) }
    }

    async fn wait_for<T>(&self, what: &str, mut question: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        let (end, mut tick) = (Instant::now() + PATIENCE, interval(Duration::from_millis(200)));
        loop {
            tick.tick().await;
            if let Some(answer) = question(self).await {
                return answer;
            }
            assert!(Instant::now() < end, "waiting for {what}");
        }
    }

    /// Waits until mail arrives again and the incident is the one that was open.
    async fn is_as_before(&self, after: &str) {
        let arrived = self.wait_for(after, async |h| h.metric("mailcanary_canaries_arrived_total").await).await;
        self.wait_for(after, async |h| (h.metric("mailcanary_canaries_arrived_total").await? >= arrived + 4.0).then_some(())).await;
        assert_eq!(self.metric(OPEN).await, Some(1.0), "after {after}");
        let list = ["mailcanary", "incident", "list", "-c", "/etc/mailcanary/mailcanary.toml", "--json"];
        let open: serde_json::Value = self.wait_for(after, async |h| serde_json::from_slice(&h.container.run(&list).stdout).ok()).await;
        let mine = open["incidents"].as_array().unwrap().iter().filter(|i| i["culprit"]["provider"] == "relay").count();
        assert_eq!(mine, 1, "after {after}: {open}");
    }

    /// Writes another version of the schema into the ledger of a daemon that has ended, where SQLite keeps it: in four bytes from 60 on. The one
    /// that stood there.
    fn schema(&self, version: u32) -> u32 {
        let ledger = std::fs::File::options().read(true).write(true).open(self.container.path(&format!("{STATE}/ledger.sqlite"))).unwrap();
        let mut before = [0; 4];
        ledger.read_exact_at(&mut before, 60).unwrap();
        ledger.write_all_at(&version.to_be_bytes(), 60).unwrap();
        u32::from_be_bytes(before)
    }

    fn pid(&self) -> String {
        self.container.property(UNIT, "MainPID")
    }

    /// Waits until systemd has started it anew, and it is ready.
    async fn is_started_anew(&self, before: &str) {
        self.wait_for("a new process", async |h| {
            let (pid, state) = (h.pid(), h.container.property(UNIT, "ActiveState"));
            (pid != before && pid != "0" && state == "active").then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_package_survives_an_operators_hour() {
    let (world, mut hook, folder) = (world(), Receiver::start(&[]).await, Folder::new("package"));
    let package = package(&folder);
    let host = Host::install(&package, &world, &hook);
    let container = &host.container;
    // Before the first start as beside the service, by the command of the document: its canaries are the service's own.
    assert!(probed(container).contains("made the key of this installation's canaries"));
    // Ready means ready: the command returns when the ledger is replayed and HTTP listens.
    container.must(&["systemctl", "start", UNIT]);
    assert!(host.get("/-/healthy").await.is_some());
    host.wait_for("mail", async |h| (h.metric("mailcanary_canaries_arrived_total").await? >= 40.0).then_some(())).await;
    host.wait_for("the status", async |h| h.container.property(UNIT, "StatusText").starts_with("All 4 routes").then_some(())).await;
    assert_eq!(container.must(&["mailcanary", "health", "-c", "/etc/mailcanary/mailcanary.toml"]).trim(), "healthy");
    assert!(!probed(container).contains("made the key"));
    host.wait_for("more mail", async |h| (h.metric("mailcanary_canaries_arrived_total").await? >= 60.0).then_some(())).await;
    assert_eq!(host.metric("mailcanary_strange_mails_total").await, Some(0.0));
    world.provider("relay").unwrap().set(Fault::Hold).unwrap();
    let opened = hook.next().await;
    assert_eq!(opened.json()["data"]["culprit"], serde_json::json!({ "provider": "relay" }));
    host.is_as_before("the outage").await;

    // Reloaded in the same process; refused with the complaint; mended.
    let pid = host.pid();
    container.shell("printf '[stream.news]\\nsubject = \"News\"\\nseverity = \"warn\"\\n' >> /etc/mailcanary/mailcanary.toml");
    container.must(&["systemctl", "reload", UNIT]);
    host.is_as_before("a reload").await;
    container.shell("printf '[stream.third]\\nsubjekt = \"x\"\\n' >> /etc/mailcanary/mailcanary.toml");
    assert!(!container.run(&["systemctl", "reload", UNIT]).status.success(), "it is refused");
    assert!(container.journal(UNIT).contains("subjekt"), "with the complaint");
    says_who_and_why(&host).await;
    assert_eq!((host.pid(), container.property(UNIT, "ActiveState")), (pid.clone(), "active".to_owned()));
    container.shell("sed -i s/subjekt/subject/ /etc/mailcanary/mailcanary.toml");
    container.must(&["systemctl", "reload", UNIT]);
    host.is_as_before("a refused reload").await;
    assert_eq!(host.pid(), pid, "in the same process");

    // Killed.
    container.must(&["systemctl", "kill", "--kill-whom=main", "--signal=KILL", UNIT]);
    host.is_started_anew(&pid).await;
    host.is_as_before("a kill").await;

    // Its loop stands still: nobody feeds the watchdog.
    let pid = host.pid();
    container.must(&["systemctl", "kill", "--kill-whom=main", "--signal=STOP", UNIT]);
    host.is_started_anew(&pid).await;
    assert!(container.journal(UNIT).contains("Watchdog timeout"), "{}", container.journal(UNIT));
    host.is_as_before("a standstill").await;

    // Its disk is full: that is a page, and no reason for systemd to act.
    let pid = host.pid();
    let _ = container.run(&["sh", "-c", &format!("cat /dev/zero > {STATE}/filler")]);
    host.wait_for("the disk to be full", async |h| (h.metric("mailcanary_ledger_writable").await? == 0.0).then_some(())).await;
    let full = hook.notice(PATIENCE, |told| told["change"] == "opened").await;
    assert!(full["summary"].as_str().unwrap().contains("cannot write its ledger"), "{full}");
    container.must(&["rm", &format!("{STATE}/filler")]);
    host.is_as_before("a full disk").await;
    assert_eq!(host.pid(), pid, "in the same process");

    // Stopped in bounded time, and started by its socket.
    let begun = Instant::now();
    container.must(&["systemctl", "stop", UNIT]);
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(container.property(UNIT, "Result"), "success");
    by_its_socket(&host).await;

    upgraded(&host, &repacked(&folder, &package, "99.0.0")).await;
    for_a_desktop(&host).await;
    another_instance(&host).await;

    // Fields, not lines.
    let journal = container.must(&["journalctl", "--no-pager", "--output=json", "--unit", UNIT, "F_ROUTES=4"]);
    let line: serde_json::Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
    assert_eq!(line["MESSAGE"], "watching", "{line}");

    // One page for the one outage, whatever happened meanwhile; and one recovery.
    world.provider("relay").unwrap().clear();
    world.provider("relay").unwrap().release();
    let resolved = hook.notice(PATIENCE, |told| told["change"] == "resolved" && told["culprit"]["provider"] == "relay").await;
    assert_eq!(resolved["incident"], opened.json()["data"]["incident"]);
    removed(container);
}

/// Who reads its lines needs no fields to know who and why.
async fn says_who_and_why(host: &Host) {
    let container = &host.container;
    // The service sees the file by itself.
    let said = |journal: &str, words: [&str; 2]| journal.lines().any(|line| words.iter().all(|word| line.contains(word)));
    let is_refused = async |h: &Host| said(&h.container.journal(UNIT), ["the old one goes on: ", "subjekt"]).then_some(());
    host.wait_for("the complaint in a line of the service", is_refused).await;
    let journal = container.journal(UNIT);
    assert!(said(&journal, ["incident 1 opened, page, stopped: ", "provider `relay`"]), "{journal}");
    assert!(said(&journal, ["incident 1 opened", "; goes to "]), "{journal}");
}

/// A stopped service is started by its socket, and one that holds the port itself gives it away.
async fn by_its_socket(host: &Host) {
    let container = &host.container;
    let listen = format!("[Socket]\nListenStream=\nListenStream=127.0.0.1:{}\n", host.port);
    container.must(&["mkdir", "-p", "/etc/systemd/system/mailcanary.socket.d"]);
    container.write("/etc/systemd/system/mailcanary.socket.d/test.conf", listen.as_bytes());
    container.must(&["systemctl", "daemon-reload"]);
    // From a service that holds the port itself, as the document says.
    container.must(&["systemctl", "start", UNIT]);
    let document = include_str!("../../../docs/operating.md");
    let command = document.lines().find_map(|line| line.split('`').find(|code| code.contains("enable --now mailcanary.socket"))).unwrap();
    container.shell(&command.replace("sudo ", ""));
    for unit in ["mailcanary.socket", UNIT] {
        assert_eq!(container.property(unit, "ActiveState"), "active", "{unit}");
    }
    host.is_as_before("a start by the socket").await;
}

/// What a removal leaves: nothing that would start what is gone, and the ledger.
fn removed(container: &Container) {
    let files = container.must(&["dpkg", "--listfiles", "mailcanary"]);
    for part in [
        "/man/man1/mailcanary.1",
        "bash-completion/",
        "zsh/",
        "fish/",
        "examples/",
        "user/mailcanary.service",
        "doc/mailcanary/docs/operating.md",
    ] {
        assert!(files.contains(part), "{part}: {files}");
    }
    // What was stopped before is not started again by what is left of it.
    container.must(&["systemctl", "stop", UNIT, "mailcanary.socket", "mailcanary@second"]);
    container.must(&["dpkg", "--remove", "mailcanary"]);
    assert_eq!(container.shell("find /etc/systemd/system -path '*.wants/mailcanary*'"), "", "enabled still");
    assert!(container.run(&["test", "-e", &format!("{STATE}/ledger.sqlite")]).status.success(), "a removal keeps the ledger");
}

/// Probes by hand, with what only the service has; what that says.
fn probed(container: &Container) -> String {
    let document = include_str!("../../../docs/operating.md");
    let command = document
        .lines()
        .find_map(|line| line.strip_prefix("`sudo ")?.strip_suffix("`.").filter(|words| words.contains(" probe ")))
        .unwrap();
    let said = container.shell(&format!("{} 2>&1", command.replace("--pty", "--pipe --wait")));
    assert!(said.contains("4 of 4 canaries arrived"), "{said}");
    said
}

/// A newer version starts again what runs, and keeps the ledger and all that the operator wrote. An older one refuses what a newer one has made
/// of the ledger, in words.
async fn upgraded(host: &Host, newer: &[u8]) {
    let (container, pid) = (&host.container, host.pid());
    let ours = "sha256sum /etc/mailcanary/mailcanary.toml /etc/mailcanary/credentials/* /etc/systemd/system/mailcanary.service.d/*";
    let before = container.shell(ours);
    container.write("/tmp/newer.deb", newer);
    container.must(&["dpkg", "--install", "/tmp/newer.deb"]);
    assert_eq!(container.must(&["dpkg-query", "--show", "--showformat=${Version}", "mailcanary"]), "99.0.0");
    host.is_started_anew(&pid).await;
    host.is_as_before("an upgrade").await;
    assert_eq!(container.shell(ours), before);

    container.must(&["systemctl", "stop", UNIT]);
    let known = host.schema(999);
    assert!(!container.run(&["systemctl", "start", UNIT]).status.success());
    let journal = container.journal(UNIT);
    assert!(journal.contains(&format!("its schema is 999, this version knows up to {known}")), "{journal}");
    assert_eq!(host.schema(known), 999, "it is left as it is");
    host.is_as_before("a refused downgrade").await;
}

/// A second instance of the template unit, as the document says: it has a configuration, secrets, a ledger and a port of its own.
async fn another_instance(host: &Host) {
    let (container, port) = (&host.container, free_port());
    let document = include_str!("../../../docs/operating.md");
    let section = document.split("## Several instances").nth(1).unwrap().split("\n## ").next().unwrap();
    let named = section.split("```toml").nth(1).unwrap().split("```").next().unwrap().replace("NAME", "second");
    let command = section.split('`').find(|code| code.starts_with("sudo install")).unwrap().replace("NAME", "second").replace("sudo ", "");
    let (make, start) = command.split_once(" && ").unwrap();
    container.shell(make);
    let rest = "[stream.reset]\nsubject = \"Reset\"\n\n[provider.relay.smtp]\nfrom = \"a@example.com\"\nhost = \"127.0.0.1\"\nport = 1\ntls = \"none\"\n\n\
        [inbox.seed.imap]\naddress = \"seed@example.org\"\nhost = \"127.0.0.1\"\nport = 1\ntls = \"none\"\nusername = \"seed\"\n\
        password = { credential = \"secret_seed\" }\n";
    let text = format!("{}\n{rest}", named.replace("9826", &port.to_string()));
    container.write("/etc/mailcanary/second/mailcanary.toml", text.as_bytes());
    container.write("/etc/mailcanary/second/credentials/seed", b"secret");
    container.shell(start);
    assert_eq!(container.property("mailcanary@second.service", "ActiveState"), "active");
    let answer = host.http.get(format!("http://127.0.0.1:{port}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(answer.contains("mailcanary_ledger_writable 1"), "{answer}");
    assert!(container.run(&["test", "-e", "/var/lib/mailcanary-second/ledger.sqlite"]).status.success(), "a ledger of its own");
    host.is_as_before("the start of another instance").await;
}

/// The user unit, in a session without a bus: it runs, and says that its notices reach nobody.
async fn for_a_desktop(host: &Host) {
    let container = &host.container;
    container.must(&["useradd", "--create-home", "--uid", "1000", "ann"]);
    // What PAM does where it is installed.
    container.must(&["mkdir", "-p", "/etc/systemd/system/user@1000.service.d"]);
    let session = b"[Service]\nPAMName=\nEnvironment=XDG_RUNTIME_DIR=/run/user/1000\n";
    container.write("/etc/systemd/system/user@1000.service.d/test.conf", session);
    container.must(&["systemctl", "daemon-reload"]);
    container.must(&["systemctl", "start", "user@1000.service"]);
    let config = "[watch]\nevery = \"1h\"\n\n[stream.reset]\nsubject = \"Reset\"\n\n\
        [provider.relay.smtp]\nfrom = \"a@example.com\"\nhost = \"127.0.0.1\"\nport = 1\ntls = \"none\"\n\n\
        [inbox.own.maildir]\naddress = \"ann@example.com\"\npath = \"/home/ann/Maildir\"\n\n[sink.desk.desktop]\n\n\
        [ledger]\npath = \"/home/ann/.local/state/mailcanary\"\n";
    container.shell(
        "mkdir -p /home/ann/.config/mailcanary /home/ann/.local/state /home/ann/Maildir/cur /home/ann/Maildir/new /home/ann/Maildir/tmp",
    );
    container.write("/home/ann/.config/mailcanary/mailcanary.toml", config.as_bytes());
    container.must(&["chown", "-R", "ann:ann", "/home/ann"]);
    let ann = |words: &[&str]| {
        let user = ["setpriv", "--reuid=ann", "--regid=ann", "--clear-groups", "env", "HOME=/home/ann", "XDG_RUNTIME_DIR=/run/user/1000"];
        container.must(&[&user, words].concat())
    };
    // Ready means ready here, too.
    ann(&["systemctl", "--user", "start", "mailcanary"]);
    assert_eq!(ann(&["mailcanary", "health", "-c", "/home/ann/.config/mailcanary/mailcanary.toml"]).trim(), "healthy");
    let journal = ["journalctl", "--no-pager", "--output=cat", "_SYSTEMD_USER_UNIT=mailcanary.service"];
    host.wait_for("the warning", async |h| h.container.must(&journal).contains("this sink reaches nobody").then_some(())).await;
    ann(&["systemctl", "--user", "stop", "mailcanary"]);
}
