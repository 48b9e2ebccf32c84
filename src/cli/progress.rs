//! How far long work is: one line that is written over on a terminal, a few plain lines elsewhere.

use std::sync::Mutex;

use super::out::Out;
use super::terminal::{Look, Paper, Tone, cut, width};

/// The width of the line where the terminal does not tell its own.
const COLUMNS: usize = 80;
/// The width of a bar.
const BAR: usize = 20;

/// On standard error, from any thread.
#[derive(Debug)]
pub(super) struct Progress {
    paper: Paper,
    /// What has become of a part that is done: `played`.
    done: &'static str,
    line: Mutex<Line>,
}

/// The line that is written over.
#[derive(Debug)]
struct Line {
    err: Out,
    /// Columns that it takes now.
    shown: usize,
}

impl Progress {
    pub(super) fn new(done: &'static str, look: Look) -> Self {
        let line = Line { err: Out::stderr(), shown: 0 };
        Self { paper: Paper::stderr(look), done, line: Mutex::new(line) }
    }

    /// What it writes on.
    pub(super) const fn paper(&self) -> Paper {
        self.paper
    }

    /// `done` of `of` parts are done; the line goes when all are. Elsewhere than on a terminal every tenth is told.
    pub(super) fn tell(&self, done: u64, of: u64) {
        let what = self.done;
        if self.paper.terminal {
            self.show(done, of, &format!("{done} of {of} {what}"));
        } else if done.is_multiple_of(of.div_ceil(10).max(1))
            && let Ok(mut line) = self.line.lock()
        {
            line.err.line(format_args!("{done} of {of} parts {what}"));
        }
    }

    /// On a terminal: a bar and `words`, or nothing once all is done.
    pub(super) fn show(&self, done: u64, of: u64, words: &str) {
        let Ok(mut line) = self.line.lock() else { return };
        if !self.paper.terminal {
            return;
        }
        line.clear();
        if done < of {
            let full = usize::try_from(done.saturating_mul(BAR as u64) / of.max(1)).unwrap_or(BAR).min(BAR);
            let room = self.paper.width.unwrap_or(COLUMNS).saturating_sub(1);
            let words = cut(words, room.saturating_sub(BAR + 1));
            line.shown = BAR + 1 + width(&words);
            let (full, left) = (self.paper.paint(&"━".repeat(full), Tone::Good), self.paper.paint(&"─".repeat(BAR - full), Tone::Dim));
            line.err.text(&format!("{full}{left} {words}"));
        }
    }

    /// A line that stays, above the one that is written over.
    pub(super) fn say(&self, text: &str) {
        if let Ok(mut line) = self.line.lock() {
            line.clear();
            line.err.line(text);
        }
    }
}

impl Line {
    /// By spaces: a terminal that knows nothing else knows these.
    fn clear(&mut self) {
        if self.shown > 0 {
            self.err.text(&format!("\r{}\r", " ".repeat(self.shown)));
            self.shown = 0;
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Ok(mut line) = self.line.lock() {
            line.clear();
        }
    }
}
