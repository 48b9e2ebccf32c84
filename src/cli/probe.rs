//! `mailcanary probe`: one canary down each route now, watched until it arrives; the exit code tells.

use std::path::Path;
use std::process::ExitCode;

use super::args::{Output, Probe};
use super::out::{Out, chain};
use super::progress::Progress;
use super::terminal::{Align, Cell, Paper, Table, Tone, visible};
use super::{FAILED, NAGIOS_UNKNOWN, WRONG, with_secrets};
use crate::config::{self, Complaint, LoadError, matches};
use crate::model::{Placement, Route};
use crate::run::{ProbeEnd, ProbeNews, Probed, StartError, probe};

pub(super) fn execute(args: &Probe) -> ExitCode {
    let mut err = Out::stderr();
    let nagios = args.output == Output::Nagios;
    let Some((settings, secrets)) = with_secrets(&args.config, "nothing was sent", &mut err) else {
        return if nagios { unknown(&complaint(&args.config)) } else { ExitCode::from(WRONG) };
    };
    let routes: Vec<Route> = settings.routes.iter().filter(|r| matches(&args.route, &r.to_string())).cloned().collect();
    if routes.is_empty() {
        err.line(format_args!("error: no route matches `{}`", args.route.escape_debug()));
        let all: Vec<String> = settings.routes.iter().take(20).map(Route::to_string).collect();
        err.line(format_args!("  hint: the routes are {}", all.join(", ")));
        return if nagios { unknown(&format!("no route matches {}", args.route.escape_debug())) } else { ExitCode::from(WRONG) };
    }
    let failed = |why: &dyn std::error::Error| if nagios { unknown(&chain(why)) } else { ExitCode::from(FAILED) };
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            err.error(&error, None);
            return failed(&error);
        }
    };
    let mut teller = Teller { progress: Progress::new("arrived", args.look), ended: 0, arrived: 0, of: routes.len(), waiting: 0 };
    let told = runtime.block_on(probe(&settings, &secrets, &routes, args.timeout, args.own_key, |news| teller.tell(&news)));
    drop(teller);
    // Readers are in the middle of an IDLE: nothing is owed to them.
    runtime.shutdown_background();
    match told {
        Ok(mut probed) => {
            probed.sort_by(|a, b| a.route.cmp(&b.route));
            print(args.output, &probed, Paper::stdout(args.look))
        }
        Err(error) => {
            err.error(&error, None);
            if let StartError::Key(_) = error {
                err.line(format_args!("  hint: nothing was sent; {KEYLESS}"));
            }
            failed(&error)
        }
    }
}

/// What to do where the daemon's key cannot be had.
const KEYLESS: &str = "probe as the user that the daemon runs as, or as root. A daemon does not know canaries of another key, and warns of mail \
                       in your name; with --own-key they are sent all the same";

/// What a monitoring system is told when nothing could be probed: it reads standard output alone.
pub(super) fn unknown(why: &str) -> ExitCode {
    let mut out = Out::stdout();
    // The separator and line ends belong to the format.
    out.line(format!("MAILCANARY UNKNOWN - {why}").replace(['|', '\n', '\r'], " "));
    out.finish(NAGIOS_UNKNOWN)
}

/// The first complaint about the configuration at `file`, in one line; all of them stand on standard error.
fn complaint(file: &Path) -> String {
    let complaints = match config::load(file).map(|checked| checked.secrets()) {
        Err(LoadError::Wrong(complaints)) | Ok(Err(complaints)) => complaints,
        Err(error) => return format!("{}: {error}", file.display().to_string().escape_debug()),
        // Somebody mended it in between.
        Ok(Ok(_)) => Vec::new(),
    };
    let first = complaints.first().map(|first| Complaint { hint: None, ..first.clone() });
    let more = if complaints.len() > 1 { format!(" (and {} more)", complaints.len() - 1) } else { String::new() };
    first.map_or_else(|| "the configuration is wrong".to_owned(), |first| format!("{}{more}", first.in_file(file)))
}

/// Tells how a probe goes, on standard error: plain lines, and on a terminal a line below them that is written over.
struct Teller {
    progress: Progress,
    of: usize,
    ended: usize,
    arrived: usize,
    /// The seconds at which it was last said that time passes.
    waiting: u64,
}

/// Where nobody looks it is said in steps of so many seconds that time passes.
const SELDOM: u64 = 5;

impl Teller {
    fn tell(&mut self, news: &ProbeNews<'_>) {
        let paper = self.progress.paper();
        let say = |text: &str, tone| self.progress.say(&paper.paint(&visible(text), tone));
        let mut waited = None;
        match news {
            ProbeNews::Made(folder) => {
                say(
                    &format!("made the key of this installation's canaries in {}; the daemon will know them by it", folder.display()),
                    Tone::Dim,
                );
            }
            ProbeNews::Keyless(error) => {
                say(&format!("warning: {}", chain(*error)), Tone::Warn);
                let hint = "the probe goes on with a key of its own: a daemon does not know its mail, warns of mail in your name, and deletes none of it";
                say(&format!("  hint: {hint}"), Tone::Plain);
            }
            ProbeNews::Sees(inbox) => say(&format!("inbox {inbox} can be read"), Tone::Dim),
            ProbeNews::Blind(inbox, why) => say(&format!("inbox {inbox} cannot be read: {why}"), Tone::Bad),
            ProbeNews::Answered(route, outcome) => say(&format!("{route} {}", outcome.as_str()), Tone::Dim),
            ProbeNews::Ended(probed) => {
                let arrived = matches!(probed.end, ProbeEnd::Arrived { .. });
                (self.ended, self.arrived) = (self.ended + 1, self.arrived + usize::from(arrived));
                say(&format!("{} {}", probed.route, words(&probed.end)), tone(&probed.end));
            }
            ProbeNews::Waiting { count, waited: by_now } => {
                let secs = by_now.as_ms() / 1000;
                waited = Some(*by_now);
                if !paper.terminal && secs >= self.waiting + SELDOM {
                    self.waiting = secs;
                    say(&format!("waiting for {count} canar{}", if *count == 1 { "y" } else { "ies" }), Tone::Plain);
                }
            }
        }
        let by_now = waited.map_or_else(String::new, |span| format!(", {span}"));
        let left = self.of.saturating_sub(self.ended);
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let words = format!("{} of {} arrived, {left} awaited{by_now}", self.arrived, self.of);
        self.progress.show(count(self.ended), count(self.of), &words);
    }
}

/// What an end is worth.
const fn tone(end: &ProbeEnd) -> Tone {
    match end {
        ProbeEnd::Arrived { placement: Placement::Junk, .. } => Tone::Warn,
        ProbeEnd::Arrived { .. } => Tone::Good,
        ProbeEnd::Blind(_) => Tone::Warn,
        ProbeEnd::Refused(_) | ProbeEnd::Mismatched(_) | ProbeEnd::Missing { .. } => Tone::Bad,
    }
}

fn words(end: &ProbeEnd) -> String {
    match end {
        ProbeEnd::Arrived { after, placement } => format!("arrived in {:.1} s ({})", after.as_secs_f64(), placement.as_str()),
        ProbeEnd::Refused(class) => format!("refused: {class}"),
        ProbeEnd::Mismatched(why) => format!("a mail came, but {why}"),
        ProbeEnd::Missing { waited, outcome } => format!("missing after {waited} ({})", outcome.unwrap_or("not answered")),
        ProbeEnd::Blind(why) => format!("not sent, the inbox cannot be read: {why}"),
    }
}

fn print(output: Output, probed: &[Probed], paper: Paper) -> ExitCode {
    let mut out = Out::stdout();
    let bad = probed.iter().filter(|p| !matches!(p.end, ProbeEnd::Arrived { .. })).count();
    match output {
        Output::Table => {
            out.text(&table(probed).draw(paper));
            let all = format!("{} of {} canaries arrived", probed.len() - bad, probed.len());
            out.line(paper.paint(&all, if bad == 0 { Tone::Good } else { Tone::Bad }));
        }
        Output::Json => {
            // Plain data with string keys: it has a text.
            out.line(serde_json::to_string_pretty(probed).unwrap_or_default());
        }
        Output::Nagios => {
            let (code, line) = nagios(probed);
            out.line(line);
            return out.finish(code);
        }
    }
    out.finish(if bad == 0 { 0 } else { FAILED })
}

/// Each route and how its canary ended; below a failure what came of handing it over.
fn table(probed: &[Probed]) -> Table {
    let mut table = Table::new(&[Align::Left, Align::Left]);
    for p in probed {
        table.row(vec![Cell::plain(p.route.to_string()), Cell::new(words(&p.end), tone(&p.end))]);
        if let (Some(reply), false) = (&p.reply, matches!(p.end, ProbeEnd::Arrived { .. })) {
            table.row(vec![Cell::default(), Cell::plain(format!("when it was handed over: {reply}"))]);
        }
    }
    table
}

/// One line after the Monitoring Plugins Development Guidelines: state, text, `|`, performance data.
fn nagios(probed: &[Probed]) -> (u8, String) {
    let arrived = probed.iter().filter(|p| matches!(p.end, ProbeEnd::Arrived { .. })).count();
    let junk = probed.iter().filter(|p| matches!(p.end, ProbeEnd::Arrived { placement: Placement::Junk, .. })).count();
    let blind = probed.iter().filter(|p| matches!(p.end, ProbeEnd::Blind(_))).count();
    let (code, word) = if arrived + blind < probed.len() {
        (2, "CRITICAL")
    } else if blind > 0 {
        (NAGIOS_UNKNOWN, "UNKNOWN")
    } else if junk > 0 {
        (1, "WARNING")
    } else {
        (0, "OK")
    };
    let worst: Vec<String> = probed
        .iter()
        .filter(|p| !matches!(p.end, ProbeEnd::Arrived { placement, .. } if placement != Placement::Junk))
        .take(3)
        .map(|p| format!("{} {}", p.route, words(&p.end)))
        .collect();
    let detail = if worst.is_empty() { String::new() } else { format!(": {}", worst.join("; ")) };
    let data: Vec<String> = probed
        .iter()
        .filter_map(|p| match p.end {
            ProbeEnd::Arrived { after, .. } => Some(format!("'{}'={:.3}s", p.route, after.as_secs_f64())),
            ProbeEnd::Refused(_) | ProbeEnd::Mismatched(_) | ProbeEnd::Missing { .. } | ProbeEnd::Blind(_) => None,
        })
        .collect();
    // The separator and line ends belong to the format.
    let text = format!("MAILCANARY {word} - {arrived} of {} canaries arrived{detail}", probed.len()).replace(['|', '\n', '\r'], " ");
    (code, if data.is_empty() { text } else { format!("{text} | {}", data.join(" ")) })
}
