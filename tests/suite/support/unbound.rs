//! A resolver (Unbound) that is asked over TLS and HTTPS, and knows one zone by heart.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::certs::Certificate;
use super::free_port::free_port;
use super::temp_dir::TempDir;

/// A running one. Stops with its value.
#[derive(Debug)]
pub struct Unbound {
    _folder: TempDir,
    child: Child,
    /// Where it answers over TLS (RFC 7858).
    pub tls: SocketAddr,
    /// Where it answers over HTTPS (RFC 8484), at `/dns-query`.
    pub https: SocketAddr,
}

impl Unbound {
    /// One that has these records, and nothing else of `mail.test`.
    pub fn start(certificate: &Certificate, records: &[&str]) -> Self {
        let (folder, tls, https) = (TempDir::new("unbound"), free_port(), free_port());
        let (cert, key) = (certificate.cert.display(), certificate.key.display());
        let mut text = format!(
            "server:\n  username: \"\"\n  chroot: \"\"\n  directory: \"{0}\"\n  pidfile: \"\"\n  use-syslog: no\n  do-daemonize: no\n  module-config: \"iterator\"\n  \
             interface: 127.0.0.1@{tls}\n  interface: 127.0.0.1@{https}\n  tls-port: {tls}\n  https-port: {https}\n  tls-service-pem: \"{cert}\"\n  \
             tls-service-key: \"{key}\"\n  local-zone: \"mail.test.\" static\n",
            folder.path().display()
        );
        for record in records {
            text.push_str(&format!("  local-data: '{record}'\n"));
        }
        text.push_str("remote-control:\n  control-enable: no\n");
        std::fs::write(folder.path().join("conf"), text).unwrap();
        let mut command = Command::new("unbound");
        command.args(["-d", "-p", "-c"]).arg(folder.path().join("conf")).stderr(Stdio::null());
        let child = command.spawn().expect("unbound is installed (Debian: unbound)");
        let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let unbound = Self { _folder: folder, child, tls: at(tls), https: at(https) };
        let deadline = Instant::now() + Duration::from_secs(20);
        for address in [unbound.tls, unbound.https] {
            while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
                assert!(Instant::now() < deadline, "unbound does not listen");
                std::thread::yield_now();
            }
        }
        unbound
    }
}

impl Drop for Unbound {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
