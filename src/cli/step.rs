//! `mailcanary step`: the watchdog as a filter. One JSON event a line in, records and effects out, in the time of the events.

use std::io::{BufRead as _, Read as _, Write as _};
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::args::Step as Arguments;
use super::out::Out;
use super::{FAILED, WRONG, configuration};
use crate::config::Settings;
use crate::model::At;
use crate::watchdog::{Event, Record, Step, Watchdog};

/// A line longer than this is refused: a replay of a very long past comes in several runs.
const LINE_AT_MOST: usize = 1024 * 1024 * 1024;

pub(super) fn execute(args: &Arguments) -> ExitCode {
    let mut err = Out::stderr();
    let Some(checked) = configuration(&args.config, "no line was read", &mut err) else { return ExitCode::from(WRONG) };
    match filter(Filter::new(checked.settings)) {
        Ok(()) => ExitCode::SUCCESS,
        // Nobody reads any more: the work is done.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            err.error(&error, None);
            ExitCode::from(FAILED)
        }
    }
}

/// Answers every line of standard input on standard output, each at once: whoever drives it waits for the answer.
fn filter(mut filter: Filter) -> std::io::Result<()> {
    let mut input = std::io::stdin().lock();
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    let limit = u64::try_from(LINE_AT_MOST).unwrap_or(u64::MAX);
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.by_ref().take(limit + 1).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if line.len() > LINE_AT_MOST && line.last() != Some(&b'\n') {
            input.skip_until(b'\n')?;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        writeln!(output, "{}", filter.answer(text))?;
        output.flush()?;
    }
}

/// The filter's state: a watchdog, and nothing besides.
#[derive(Debug)]
pub struct Filter {
    settings: Settings,
    watchdog: Watchdog,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    at: Option<At>,
    event: Option<Event>,
    replay: Option<Vec<Record>>,
}

#[derive(Serialize)]
struct Answer<'a> {
    at: At,
    #[serde(flatten)]
    step: &'a Step,
}

#[derive(Serialize)]
struct Complaint {
    error: String,
}

impl Filter {
    /// A filter that has read nothing yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let watchdog = Watchdog::new(&settings);
        Self { settings, watchdog }
    }

    /// Answers one line with one line. A line that cannot be read gets `{"error": …}` and changes nothing.
    pub fn answer(&mut self, line: &str) -> String {
        let answered = self.take(line).and_then(|(at, step)| serde_json::to_string(&Answer { at, step: &step }).map_err(|e| e.to_string()));
        answered
            .unwrap_or_else(|error| serde_json::to_string(&Complaint { error }).unwrap_or_else(|_| r#"{"error":"unprintable"}"#.to_owned()))
    }

    fn take(&mut self, line: &str) -> Result<(At, Step), String> {
        if line.len() > LINE_AT_MOST {
            return Err(format!("the line is longer than {LINE_AT_MOST} bytes"));
        }
        let line: Line = serde_json::from_str(line).map_err(|e| format!("reading the line: {e}"))?;
        match (line.at, line.event, line.replay) {
            (Some(at), Some(event), None) => Ok((at, self.watchdog.step(at, event).map_err(|e| e.to_string())?)),
            (None, None, Some(records)) => self.replay(&records),
            _ => Err("a line is `{\"at\": MS, \"event\": {…}}` or `{\"replay\": [RECORD, …]}`".to_owned()),
        }
    }

    fn replay(&mut self, records: &[Record]) -> Result<(At, Step), String> {
        if self.watchdog.has_begun() {
            return Err("a replay comes first, instead of `started`".to_owned());
        }
        if records.windows(2).any(|pair| matches!(pair, [a, b] if b.at < a.at)) {
            return Err("the records are not in the order in which they were put out".to_owned());
        }
        let replayed = Watchdog::replay(&self.settings, None, records).map_err(|e| e.to_string())?;
        if !replayed.has_begun() {
            return Err("the records do not begin at the beginning: the first is `began`".to_owned());
        }
        self.watchdog = replayed;
        let at = records.last().map_or(At::from_ms(0), |r| r.at);
        Ok((at, Step { wake_at: self.watchdog.wake_at(), ..Step::default() }))
    }
}
