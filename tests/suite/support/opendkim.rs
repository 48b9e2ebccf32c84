//! OpenDKIM, which signs what Postfix hands it.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::free_port::free_port;
use super::temp_dir::TempDir;

/// A running signer with a key of its own. Stops with its value.
#[derive(Debug)]
pub struct OpenDkim {
    folder: TempDir,
    child: Child,
    port: u16,
}

impl OpenDkim {
    /// Signs all mail from `domain`, whoever hands it in, with selector `s1`.
    pub fn start(domain: &str) -> Self {
        let (folder, port) = (TempDir::new("opendkim"), free_port());
        let at = folder.path().display().to_string();
        let made = Command::new("opendkim-genkey").args(["-b", "2048", "-d", domain, "-s", "s1", "-D", &at]).status();
        assert!(made.expect("opendkim-genkey is installed (Debian: opendkim-tools)").success());
        let text = format!(
            "Mode s\nDomain {domain}\nSelector s1\nKeyFile {at}/s1.private\nSocket inet:{port}@127.0.0.1\nCanonicalization relaxed/relaxed\n\
             SignatureAlgorithm rsa-sha256\nRequireSafeKeys no\nInternalHosts 0.0.0.0/0\nBackground no\nSyslog no\nPidFile {at}/pid\n"
        );
        std::fs::write(folder.path().join("conf"), text).unwrap();
        let child = Command::new("opendkim")
            .args(["-f", "-x", &format!("{at}/conf")])
            .stderr(Stdio::null())
            .spawn()
            .expect("opendkim is installed (Debian: opendkim)");
        let signer = Self { folder, child, port };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect_timeout(&SocketAddr::from(([127, 0, 0, 1], port)), Duration::from_secs(1)).is_err() {
            assert!(Instant::now() < deadline, "opendkim does not listen");
            std::thread::yield_now();
        }
        signer
    }

    /// What Postfix calls it by.
    pub fn milter(&self) -> String {
        format!("inet:127.0.0.1:{}", self.port)
    }

    /// The record with its public key, for a zone file.
    pub fn record(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("s1.txt")).unwrap()
    }
}

impl Drop for OpenDkim {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
