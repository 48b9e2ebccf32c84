//! How far long work is: one line that is written over on a terminal, ten plain lines elsewhere.

use std::io::IsTerminal as _;
use std::sync::Mutex;

use super::out::Out;

/// On standard error, from any thread.
#[derive(Debug)]
pub(super) struct Progress {
    terminal: bool,
    /// What has become of a part that is done: `played`.
    done: &'static str,
    err: Mutex<Out>,
}

impl Progress {
    pub(super) fn new(done: &'static str) -> Self {
        Self { terminal: std::io::stderr().is_terminal(), done, err: Mutex::new(Out::stderr()) }
    }

    /// `done` of `of` parts are done; the line goes when all are.
    pub(super) fn tell(&self, done: u64, of: u64) {
        let what = self.done;
        if let Ok(mut err) = self.err.lock() {
            match (self.terminal, done == of) {
                (true, false) => err.text(&format!("\r{done} of {of} parts {what} ")),
                (true, true) => err.text("\r                                \r"),
                (false, _) if done.is_multiple_of(of.div_ceil(10).max(1)) => err.line(format_args!("{done} of {of} parts {what}")),
                (false, _) => {}
            }
        }
    }
}
