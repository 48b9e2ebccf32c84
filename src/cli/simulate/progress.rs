//! How far a simulation is: one line that moves on a terminal, and a few plain ones elsewhere.

use std::io::IsTerminal as _;
use std::sync::Mutex;

use crate::cli::out::Out;

/// Counts the parts that were played.
#[derive(Debug)]
pub(super) struct Progress {
    done: Mutex<(u64, Out)>,
    of: u64,
    is_terminal: bool,
}

impl Progress {
    /// Of so many parts, on standard error.
    pub(super) fn new(of: u64) -> Self {
        Self { done: Mutex::new((0, Out::stderr())), of, is_terminal: std::io::stderr().is_terminal() }
    }

    /// One more was played.
    pub(super) fn one_more(&self) {
        let Ok(mut state) = self.done.lock() else { return };
        let (count, err) = &mut *state;
        *count += 1;
        let (done, of) = (*count, self.of);
        match (self.is_terminal, done == of) {
            (true, false) => err.text(&format!("\r{done} of {of} parts played ")),
            (true, true) => err.text("\r                                \r"),
            (false, _) if done.is_multiple_of(of.div_ceil(10).max(1)) => err.line(format_args!("{done} of {of} parts played")),
            (false, _) => {}
        }
    }
}
