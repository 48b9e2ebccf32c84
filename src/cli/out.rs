//! Standard output and standard error, for people and pipes. A reader that went away is no failure.

use std::error::Error;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use super::FAILED;
use super::terminal::{Look, Paper, fold};
pub use crate::model::chained as chain;

/// One of the two outputs.
#[derive(Debug)]
pub struct Out {
    to: To,
    failed: Option<io::Error>,
    closed: bool,
}

#[derive(Clone, Copy, Debug)]
enum To {
    Stdout,
    Stderr,
}

impl Out {
    /// Standard output.
    #[must_use]
    pub const fn stdout() -> Self {
        Self { to: To::Stdout, failed: None, closed: false }
    }

    /// Standard error.
    #[must_use]
    pub const fn stderr() -> Self {
        Self { to: To::Stderr, failed: None, closed: false }
    }

    /// Writes one line and flushes it. On standard error, where people look at it, no word of it is broken by the terminal's edge.
    pub fn line(&mut self, line: impl Display) {
        let line = line.to_string();
        let fits = match self.to {
            To::Stdout => vec![],
            To::Stderr => fold(&line, Paper::stderr(Look::default()).width),
        };
        self.text(&if fits.is_empty() { format!("{line}\n") } else { fits.join("\n") + "\n" });
    }

    /// Writes `text` as it is and flushes it. After the first failure nothing more is written.
    pub fn text(&mut self, text: &str) {
        if self.closed {
            return;
        }
        let written = match self.to {
            To::Stdout => write(&mut io::stdout().lock(), text),
            To::Stderr => write(&mut io::stderr().lock(), text),
        };
        if let Err(error) = written {
            self.closed = true;
            self.failed = Some(error).filter(|e| e.kind() != ErrorKind::BrokenPipe);
        }
    }

    /// Writes an error with its causes: `error: FILE: what: why`.
    pub fn error(&mut self, error: &dyn Error, file: Option<&Path>) {
        let mut line = String::from("error: ");
        if let Some(file) = file {
            line += &format!("{}: ", file.display().to_string().escape_debug());
        }
        line += &chain(error);
        self.line(line);
    }

    /// Whether the reader went away, or nothing can be written: long work may end.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.closed
    }

    /// The exit code: `code`, unless something could not be written for another reason than that nobody reads.
    #[must_use]
    pub fn finish(self, code: u8) -> ExitCode {
        match self.failed {
            Some(error) => {
                Self::stderr().line(format_args!("error: writing the output: {error}"));
                ExitCode::from(code.max(FAILED))
            }
            None => ExitCode::from(code),
        }
    }
}

fn write(to: &mut impl Write, text: &str) -> io::Result<()> {
    to.write_all(text.as_bytes())?;
    to.flush()
}
