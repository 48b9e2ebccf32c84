//! The HTTP port as programs, browsers and those with bad intentions meet it: the API held by a fuzzer, log-ins, TLS, events, forms.

mod documented;
mod events;
mod form;
mod fuzzed;
mod locked;
mod past;

use std::process::Command;

use mailcanary::model::Class;
use mailcanary::sandbox::{Fault, World};

use super::life::{daemon_with, name, world};
use crate::support::alertmanager::{Folder, Receiver};
use crate::support::daemon::Daemon;

const TOKEN: &str = "correct-horse-battery";

/// A daemon with this in `[http]`, and with a token.
async fn daemon(http: &str) -> (World, Receiver, Daemon, Folder) {
    let (folder, world) = (Folder::new("token"), world());
    let token = folder.write("http.token", TOKEN);
    let hook = Receiver::start(&[]).await;
    let mut daemon = daemon_with(&format!("token = {{ file = \"{}\" }}\n{http}", token.display()), &world, &hook);
    daemon.start().await;
    (world, hook, daemon, folder)
}

/// Breaks the relay, and waits for the incident: its number.
async fn outage(world: &World, daemon: &mut Daemon) -> String {
    daemon.wait_for_arrivals(10.0).await;
    world.provider(name("relay").as_str()).unwrap().set(Fault::Refuse(Class::Suspended)).unwrap();
    let number = async |d: &Daemon| {
        let listed: serde_json::Value = serde_json::from_str(&d.get("/api/v1/incidents?open=true").await?.1).ok()?;
        listed.pointer("/incidents/0/incident").map(ToString::to_string)
    };
    daemon.wait_for("the incident", number).await
}

/// What `curl` gets: the status, and the answer with its head.
fn curl(arguments: &[&str]) -> (u16, String) {
    let asked = Command::new("curl").args(["-sS", "-i", "--max-time", "20", "-w", "\n%{http_code}"]).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&asked.stdout).into_owned();
    let (answer, status) = text.rsplit_once('\n').unwrap_or_default();
    (status.parse().unwrap_or_default(), format!("{answer}{}", String::from_utf8_lossy(&asked.stderr)))
}
