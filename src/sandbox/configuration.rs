//! The configuration with which mailcanary watches a world.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{Transport, World};
use crate::model::Name;

/// A value as TOML has it.
fn quoted(text: &str) -> String {
    toml_edit::Value::from(text).to_string()
}

/// Writes a secret where its owner alone can read it.
fn keep(folder: &Path, kind: &str, name: &Name, secret: &str) -> io::Result<PathBuf> {
    let path = folder.join(format!("{kind}-{name}.secret"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(&path)?, "{secret}")?;
    Ok(path)
}

impl World {
    /// A whole configuration: `[watch]`, streams, ledger, and [`World::accounts`]. The ledger and the secrets lie in `folder`, which must exist.
    ///
    /// # Errors
    /// What the system said when a secret could not be written.
    pub fn configuration(&self, folder: &Path) -> io::Result<String> {
        let mut text = format!("[watch]\nevery = \"{}\"\n", self.plan.every);
        for (name, stream) in &self.plan.streams {
            let (subject, deadline) = (quoted(&stream.subject), stream.deadline);
            text.push_str(&format!("\n[stream.{}]\nsubject = {subject}\ndeadline = \"{deadline}\"\n", key(name)));
        }
        let ledger = quoted(&folder.join("ledger").to_string_lossy());
        // Nothing of the embedded world stands in the names of the real one.
        text.push_str(&format!("\n[dns]\nserver = \"off\"\n\n[ledger]\npath = {ledger}\n"));
        text.push_str(&self.accounts(folder)?);
        Ok(text)
    }

    /// The `[provider]` and `[inbox]` tables alone, for a configuration whose rest is written by others.
    ///
    /// # Errors
    /// What the system said when a secret could not be written.
    pub fn accounts(&self, folder: &Path) -> io::Result<String> {
        let mut text = String::new();
        for provider in self.providers() {
            let path = keep(folder, "provider", provider.name(), provider.secret())?;
            let secret = format!("{{ file = {} }}", quoted(&path.to_string_lossy()));
            let (name, from) = (key(provider.name()), quoted(&provider.from()));
            text.push_str(&match provider.transport() {
                Transport::Smtp => format!(
                    "\n[provider.{name}.smtp]\nfrom = {from}\nhost = \"{}\"\nport = {}\ntls = \"none\"\nusername = {}\npassword = {secret}\n",
                    provider.socket().ip(),
                    provider.socket().port(),
                    quoted(provider.username()),
                ),
                Transport::Mandrill => {
                    let url = quoted(&provider.base_url());
                    format!("\n[provider.{name}.mandrill]\nfrom = {from}\nbase_url = {url}\napi_key = {secret}\n")
                }
            });
        }
        for inbox in self.inboxes() {
            let path = keep(folder, "inbox", inbox.name(), inbox.password())?;
            let (file, address) = (quoted(&path.to_string_lossy()), quoted(inbox.address()));
            let (name, socket) = (key(inbox.name()), inbox.socket());
            text.push_str(&format!(
                "\n[inbox.{name}.imap]\naddress = {address}\nhost = \"{}\"\nport = {}\ntls = \"none\"\nusername = {address}\npassword = {{ file = {file} }}\n",
                socket.ip(),
                socket.port(),
            ));
        }
        Ok(text)
    }
}

/// A name as a key: bare keys have no dots.
fn key(name: &Name) -> String {
    if name.as_str().contains('.') { format!("\"{name}\"") } else { name.to_string() }
}
