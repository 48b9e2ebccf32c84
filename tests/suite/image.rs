//! The container image: its last stage is built as it stands, on a base that has what the real one has (a C library and no shell), and run as its user.
//!
//! The base and the toolchain's image come from registries: what is built on here are a base made of this host's libraries, and the binary under test.

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tokio::time::{Instant, interval};

use crate::support::alertmanager::free_port;
use crate::support::temp_dir::TempDir;

/// The longest that the daemon in the image takes to be there.
const PATIENCE: Duration = Duration::from_secs(60);

fn dockerfile() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/Dockerfile")).unwrap()
}

/// `buildah` with a store of its own.
fn buildah(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new("buildah");
    command.args(["--root", &format!("{}/store", folder.display()), "--runroot", &format!("{}/run", folder.display())]);
    command.args(["--storage-driver", "vfs"]).args(words).current_dir(folder).env("BUILDAH_ISOLATION", "chroot");
    command
}

fn done(mut command: Command) -> Output {
    let output = command.output().expect("buildah");
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// What the binary is linked against, as paths.
fn libraries() -> Vec<String> {
    let output = Command::new("ldd").arg(env!("CARGO_BIN_EXE_mailcanary")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().filter(|word| word.starts_with('/')).map(str::to_owned).collect()
}

/// Ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_image_is_built_and_runs_as_nobody_in_particular() {
    let folder = TempDir::new("mailcanary-image");
    let at = |name: &str| folder.path().join(name);
    for made in ["context/base", "context/ledger"] {
        std::fs::create_dir_all(at(made)).unwrap();
    }
    for library in libraries() {
        done({
            let mut copy = Command::new("cp");
            copy.args(["-L", "--parents", &library]).arg(at("context/base"));
            copy
        });
    }
    done({
        let mut strip = Command::new("strip");
        strip.args([env!("CARGO_BIN_EXE_mailcanary"), "-o"]).arg(at("context/mailcanary"));
        strip
    });
    let text = dockerfile();
    let last = &text[text.rfind("\nFROM ").unwrap() + 1..];
    let base = last.lines().next().unwrap().strip_prefix("FROM ").unwrap();
    std::fs::write(at("Base"), "FROM scratch\nCOPY base /\n").unwrap();
    let stand_in = "FROM scratch AS build\nCOPY mailcanary /build/target/release/mailcanary\nCOPY ledger /ledger\n";
    std::fs::write(at("Image"), format!("{stand_in}{last}")).unwrap();
    done(buildah(folder.path(), &["bud", "-f", "Base", "-t", base, "context"]));
    done(buildah(folder.path(), &["bud", "--pull-never", "--format", "docker", "-f", "Image", "-t", "mailcanary", "context"]));
    let container = done(buildah(folder.path(), &["from", "--pull-never", "mailcanary"]));
    let container = String::from_utf8(container.stdout).unwrap().trim().to_owned();
    let config = format!(
        "[stream.reset]\n[provider.relay.smtp]\nfrom = \"a@good.example\"\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\n\
         [inbox.one.imap]\naddress = \"i@good.example\"\nhost = \"127.0.0.1\"\nport = 9\ntls = \"none\"\nusername = \"i\"\npassword = {{ env = \"HOME\" }}\n\
         [http]\nlisten = \"127.0.0.1:{}\"\n",
        free_port()
    );
    std::fs::write(at("mailcanary.toml"), config).unwrap();
    let config = format!("{}:/etc/mailcanary/mailcanary.toml:ro", at("mailcanary.toml").display());
    let inside = |words: &[&str]| {
        let mut all = vec!["run", "-v", &config, &container, "--", "/usr/bin/mailcanary"];
        all.extend(words);
        buildah(folder.path(), &all)
    };
    let version = done(inside(&["--version"]));
    assert_eq!(String::from_utf8_lossy(&version.stdout).trim(), concat!("mailcanary ", env!("CARGO_PKG_VERSION")));
    let log = std::fs::File::create(at("log")).unwrap();
    let mut run = inside(&["run", "-c", "/etc/mailcanary/mailcanary.toml"]);
    let mut running = Running(run.stdout(Stdio::null()).stderr(log).spawn().unwrap());
    // What the image's health check asks.
    let (end, mut tick) = (Instant::now() + PATIENCE, interval(Duration::from_millis(500)));
    loop {
        tick.tick().await;
        if inside(&["health", "-c", "/etc/mailcanary/mailcanary.toml"]).output().unwrap().status.success() {
            break;
        }
        let log = std::fs::read_to_string(at("log")).unwrap();
        assert!(running.0.try_wait().unwrap().is_none() && Instant::now() < end, "it is not healthy:\n{log}");
    }
    let found = Command::new("find").arg(at("store")).args(["-name", "ledger.sqlite", "-uid", "65532", "-perm", "600"]).output().unwrap();
    assert_eq!(String::from_utf8(found.stdout).unwrap().lines().count(), 1, "the ledger lies in the image's volume, and is its user's");
}

/// What is compiled in from outside `src` is among what the first stage copies.
#[test]
fn what_is_compiled_in_is_there_to_be_compiled() {
    let (text, mut seen) = (dockerfile(), 0);
    let copied: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("COPY ")).flat_map(str::split_whitespace).collect();
    let found = Command::new("grep")
        .args(["-rhoE", r#"include_str!\("(\.\./)+[a-z][^"]*""#, "src"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    for line in String::from_utf8(found.stdout).unwrap().lines() {
        let path = line.split('"').nth(1).unwrap().trim_start_matches("../");
        if Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(path).exists() {
            continue;
        }
        seen += 1;
        assert!(copied.iter().any(|copied| path.starts_with(copied)), "{path} is compiled in, and not copied");
    }
    assert!(seen > 0, "nothing is compiled in from elsewhere any more");
}
