//! An authoritative name server (Knot) of one zone, which can be changed while it runs.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::free_port::free_port;
use super::temp_dir::TempDir;

/// The zone.
pub const ZONE: &str = "mail.test";
/// The zone of the names of addresses, those of 192.0.2.0/24.
const REVERSE: &str = "2.0.192.in-addr.arpa";

/// A running server. It is asked over UDP and TCP, and stops with its value.
#[derive(Debug)]
pub struct Knot {
    folder: TempDir,
    child: Child,
    serial: u32,
    /// Where it answers.
    pub address: SocketAddr,
}

impl Knot {
    /// One whose zone has these records besides those that every zone has; nothing may be kept of what it says.
    pub fn start(records: &[String]) -> Self {
        Self::with_names(records, &[])
    }

    /// The same with the names of addresses in 192.0.2.0/24.
    pub fn with_names(records: &[String], names: &[&str]) -> Self {
        let (folder, port) = (TempDir::new("knot"), free_port());
        let at = folder.path().display().to_string();
        let text = format!(
            "server:\n  rundir: {at}\n  listen: 127.0.0.1@{port}\ncontrol:\n  listen: {at}/control\ndatabase:\n  storage: {at}/db\n\
             log:\n  - target: stderr\n    any: error\nzone:\n  - domain: {ZONE}\n    file: {at}/zone\n    semantic-checks: off\n  \
             - domain: {REVERSE}\n    file: {at}/reverse\n    semantic-checks: off\n"
        );
        std::fs::write(folder.path().join("conf"), text).unwrap();
        std::fs::create_dir(folder.path().join("db")).unwrap();
        write(&folder.path().join("zone"), ZONE, 1, records);
        write(&folder.path().join("reverse"), REVERSE, 1, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let child = Command::new("knotd")
            .args(["-c", &format!("{at}/conf")])
            .stderr(Stdio::null())
            .spawn()
            .expect("knotd is installed (Debian: knot)");
        let knot = Self { folder, child, serial: 1, address: SocketAddr::from(([127, 0, 0, 1], port)) };
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect_timeout(&knot.address, Duration::from_secs(1)).is_err() {
            assert!(Instant::now() < deadline, "knotd does not listen");
            std::thread::yield_now();
        }
        knot
    }

    /// Has it serve these records from now on.
    pub fn change(&mut self, records: &[String]) {
        self.serve("zone", ZONE, records);
    }

    /// The same of the names of addresses in 192.0.2.0/24.
    pub fn rename(&mut self, names: &[&str]) {
        self.serve("reverse", REVERSE, &names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    }

    fn serve(&mut self, file: &str, zone: &str, records: &[String]) {
        self.serial += 1;
        write(&self.folder.path().join(file), zone, self.serial, records);
        let at = self.folder.path().display();
        let done = Command::new("knotc").args(["-c", &format!("{at}/conf"), "-b", "zone-reload", zone]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

fn write(file: &Path, zone: &str, serial: u32, records: &[String]) {
    let head = format!("$ORIGIN {zone}.\n$TTL 0\n@ SOA ns hostmaster {serial} 60 60 60 0\n@ NS ns\nns A 127.0.0.1\n");
    std::fs::write(file, head + &records.join("\n") + "\n").unwrap();
}

impl Drop for Knot {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
