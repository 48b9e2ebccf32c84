//! A real terminal of a chosen size, with a shell in it: tmux.

use std::process::{Command, Output};
use std::time::Duration;

use tokio::time::{Instant, interval};

/// Longest wait for anything that is to be seen.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal, gone with its owner.
#[derive(Debug)]
pub struct Terminal {
    server: String,
}

impl Terminal {
    /// A terminal of so many columns and rows. In its shell `mailcanary` is this program; `variables` are further lines of its environment.
    pub fn new(columns: u16, rows: u16, variables: &[(&str, &str)]) -> Self {
        let mut random = [0; 8];
        getrandom::fill(&mut random).unwrap();
        let terminal = Self { server: format!("mailcanary-{:016x}", u64::from_ne_bytes(random)) };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let folder = std::path::Path::new(env!("CARGO_BIN_EXE_mailcanary")).parent().unwrap().display().to_string();
        let path = format!("PATH={folder}:{}", std::env::var("PATH").unwrap());
        let mut words =
            vec!["new-session", "-d", "-x", &columns, "-y", &rows, "env", "-u", "NO_COLOR", "-u", "CLICOLOR_FORCE", "PS1=$ ", &path];
        let set: Vec<String> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        words.extend(set.iter().map(String::as_str));
        words.extend(["bash", "--norc", "--noprofile", "-i"]);
        let made = terminal.tmux(&words);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        terminal
    }

    fn tmux(&self, words: &[&str]) -> Output {
        Command::new("tmux").env_remove("TMUX").args(["-u", "-L", &self.server, "-f", "/dev/null"]).args(words).output().expect("tmux")
    }

    /// Types.
    pub fn text(&self, text: &str) {
        self.tmux(&["send-keys", "-l", text]);
    }

    /// Types a line, and Enter.
    pub fn line(&self, text: &str) {
        self.text(text);
        self.key("Enter");
    }

    /// Presses a key by its name: `q`, `C-z`, `Down`.
    pub fn key(&self, name: &str) {
        self.tmux(&["send-keys", name]);
    }

    /// Makes it another size.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.tmux(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
    }

    /// What stands there.
    pub fn screen(&self) -> String {
        String::from_utf8(self.tmux(&["capture-pane", "-p"]).stdout).unwrap()
    }

    /// The same with its colours, as escape sequences.
    pub fn painted(&self) -> String {
        String::from_utf8(self.tmux(&["capture-pane", "-p", "-e"]).stdout).unwrap()
    }

    /// Waits until what stands there is as wanted, and returns it.
    pub async fn wait_for(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        let mut tick = interval(Duration::from_millis(100));
        loop {
            tick.tick().await;
            let screen = self.screen();
            if wanted(&screen) {
                return screen;
            }
            assert!(Instant::now() < end, "waiting for {what}; the terminal shows:\n{screen}");
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.tmux(&["kill-server"]);
    }
}
