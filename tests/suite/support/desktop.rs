//! A desktop: a screen (Xvfb), a session bus and a notification daemon (dunst), each real and private.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::alertmanager::{Program, wait_for};
use super::temp_dir::TempDir;

/// A session.
pub struct Desktop {
    folder: TempDir,
    display: String,
    pub bus: String,
    dunst: Option<Program>,
    _bus: Killed,
    _screen: Killed,
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The first line that a program writes.
fn first_line(from: impl Read) -> String {
    let mut line = String::new();
    BufReader::new(from).read_line(&mut line).unwrap();
    line.trim().to_owned()
}

impl Desktop {
    /// A session in which nobody shows notifications yet.
    pub fn new() -> Self {
        let folder = TempDir::new("desktop");
        // The screen takes a number that is free and says which.
        let mut screen = Command::new("Xvfb");
        screen.args(["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"]).stdin(Stdio::null());
        let mut screen = Killed(screen.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("Xvfb is installed"));
        let display = format!(":{}", first_line(screen.0.stdout.as_mut().unwrap()));
        let socket = folder.path().join("bus");
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--session", "--nofork", "--print-address=1"]).arg(format!("--address=unix:path={}", socket.display()));
        let mut bus = Killed(bus.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("dbus is installed"));
        let address = first_line(bus.0.stdout.as_mut().unwrap());
        Self { folder, display, bus: address, dunst: None, _bus: bus, _screen: screen }
    }

    /// Lets dunst show them.
    pub async fn show(&mut self) {
        let config = self.folder.path().join("dunstrc");
        std::fs::write(&config, "[global]\nfont = Monospace 12\nmouse_left_click = do_action, close_current\nmarkup = full\norigin = top-left\noffset = 20x20\nwidth = 700\nheight = 500\n").unwrap();
        let mut dunst = self.command("dunst");
        dunst.arg("-config").arg(config);
        self.dunst = Some(Program::start(&mut dunst, &self.folder.path().join("dunst.log")));
        wait_for("dunst", async || self.ctl(&["count"]).filter(|count| !count.is_empty())).await;
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DISPLAY", &self.display).env("DBUS_SESSION_BUS_ADDRESS", &self.bus).stdin(Stdio::null());
        command
    }

    /// What `dunstctl` says.
    pub fn ctl(&self, arguments: &[&str]) -> Option<String> {
        let output = self.command("dunstctl").args(arguments).output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// How many notifications are on the screen.
    pub fn displayed(&self) -> usize {
        self.ctl(&["count", "displayed"]).unwrap().parse().unwrap()
    }

    /// The titles of all notifications that were there and are not any more.
    pub fn history(&self) -> Vec<String> {
        let history: serde_json::Value = serde_json::from_str(&self.ctl(&["history"]).unwrap()).unwrap();
        let all = history["data"][0].as_array().unwrap();
        all.iter().map(|each| each["summary"]["data"].as_str().unwrap().to_owned()).collect()
    }

    /// A picture of the screen, and how many colours are in it.
    pub fn screenshot(&self, name: &str) -> (PathBuf, usize) {
        let path = self.folder.path().join(name);
        let shot = self.command("import").args(["-window", "root"]).arg(&path).output().unwrap();
        assert!(shot.status.success(), "{shot:?}");
        let colours = Command::new("identify").args(["-format", "%k"]).arg(&path).output().unwrap();
        (path, String::from_utf8_lossy(&colours.stdout).trim().parse().unwrap())
    }
}
