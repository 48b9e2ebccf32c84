//! The commands.
//!
//! Exit codes: 0 fine, 1 failed, 2 wrong configuration or arguments. `probe --output nagios` follows the monitoring-plugins codes, in
//! which 3 is a wrong configuration.

mod args;
mod backtest;
mod check;
mod check_live;
mod demo;
mod incident;
mod log;
mod man;
mod mended;
pub mod out;
mod print;
mod probe;
mod progress;
mod reload;
mod run;
pub mod simulate;
pub mod step;
mod terminal;
mod top;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use crate::config::{self, Checked, Complaint, LoadError, Secrets, Settings};
use args::{Arguments, Command};
use out::Out;

/// Something did not work.
pub(crate) const FAILED: u8 = 1;
/// The configuration or the arguments are wrong.
pub(crate) const WRONG: u8 = 2;
/// The same, for a monitoring plugin.
pub(crate) const NAGIOS_UNKNOWN: u8 = 3;

/// Does what the arguments say; the first of them is the program's name.
pub fn execute(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    match Arguments::try_parse_from(&arguments) {
        Ok(Arguments { command }) => dispatch(command),
        Err(error) if error.use_stderr() => {
            let text = error.render().to_string();
            Out::stderr().text(&text);
            let first = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
            if for_nagios(&arguments) { probe::unknown(first) } else { ExitCode::from(WRONG) }
        }
        Err(help) => {
            let mut out = Out::stdout();
            out.text(&help.render().to_string());
            out.finish(0)
        }
    }
}

fn dispatch(command: Command) -> ExitCode {
    match command {
        Command::Run(args) => run::execute(&args),
        Command::Reload(args) => reload::execute(&args),
        Command::Health(args) => reload::health(&args),
        Command::Demo(args) => demo::execute(&args),
        Command::Check(args) => check::execute(&args),
        Command::Probe(args) => probe::execute(&args),
        Command::Top(args) => top::execute(&args),
        Command::Step(args) => step::execute(&args),
        Command::Simulate(args) => simulate::execute(&args),
        Command::Backtest(args) => backtest::execute(&args),
        Command::Incident(command) => incident::execute(&command),
        Command::Silence(command) => incident::silence(&command),
        Command::Identity(command) => incident::identity(&command),
        Command::Dns(command) => incident::dns(&command),
        Command::Drill(command) => incident::drill(&command),
        Command::Print(args) => print::execute(&args),
    }
}

/// Whether wrong arguments were meant for a monitoring plugin: it would take 2 for `CRITICAL`.
fn for_nagios(arguments: &[OsString]) -> bool {
    let probe = arguments.get(1).is_some_and(|command| command == "probe");
    let pair = arguments.windows(2).any(|pair| matches!(pair, [option, value] if option == "--output" && value == "nagios"));
    probe && (pair || arguments.iter().any(|argument| argument == "--output=nagios"))
}

/// The checked configuration at `file`; prints warnings, and complaints if there are any: then `None`. `undone`: what did not happen then.
pub(crate) fn configuration(file: &Path, undone: &str, err: &mut Out) -> Option<Checked> {
    match config::load(file) {
        Ok(checked) => {
            warn(file, &checked.warnings, err);
            Some(checked)
        }
        Err(error) => {
            refuse(file, &error, undone, "name a configuration file with -c; `mailcanary print starter-config` shows one", err);
            None
        }
    }
}

/// The configuration by which a ledger is read, with no word of warnings: they are said where the configuration is checked.
pub(crate) fn known_configuration(file: &Path, err: &mut Out) -> Option<Checked> {
    config::load(file).ok().or_else(|| configuration(file, "nothing was written", err))
}

/// The ledger's folder of the daemon that runs with `file`: beside it lies its control socket. A daemon goes on when its file is spoilt, and must
/// be reached then, too: of a file that cannot be run, only where the ledger is must be right. That is said in one line; complaints are
/// printed if not even that can be known: then `None`.
pub(crate) fn daemon_folder(file: &Path, err: &mut Out) -> Option<PathBuf> {
    if let Ok(checked) = config::load(file) {
        return Some(checked.settings.ledger.path);
    }
    match config::ledger_folder(file) {
        Ok(folder) => {
            let (shown, place) = (file.display().to_string(), folder.display().to_string());
            let (shown, place) = (shown.escape_debug(), place.escape_debug());
            err.line(format_args!(
                "warning: `{shown}` is wrong by now, `mailcanary check -c {shown}` says why; asking the daemon whose ledger is in `{place}`"
            ));
            Some(folder)
        }
        Err(error) => {
            let alone = "to reach the daemon meanwhile, name a file with -c that says where its ledger is and nothing else: [ledger] and its `path`";
            refuse(file, &error, "no daemon was asked", alone, err);
            if matches!(error, LoadError::Wrong(_)) {
                err.line(format_args!("  hint: {alone}"));
            }
            None
        }
    }
}

/// The settings at `file` with every secret that they name; prints warnings, and complaints if there are any: then `None`. `undone`: what
/// did not happen then.
pub(crate) fn with_secrets(file: &Path, undone: &str, err: &mut Out) -> Option<(Settings, Secrets)> {
    let checked = configuration(file, undone, err)?;
    match checked.secrets() {
        Ok(secrets) => {
            warn(file, secrets.warnings(), err);
            Some((checked.settings, secrets))
        }
        Err(complaints) => {
            complain(file, &complaints, undone, err);
            None
        }
    }
}

/// Prints why there is no configuration, and what did not happen; `hint`: what to do where the file cannot be read at all.
fn refuse(file: &Path, error: &LoadError, undone: &str, hint: &str, err: &mut Out) {
    match error {
        LoadError::Wrong(complaints) => complain(file, complaints, undone, err),
        LoadError::Read(_) | LoadError::NotAFile | LoadError::TooLarge | LoadError::NotText(_) => {
            err.error(error, Some(file));
            err.line(format_args!("  hint: {hint}"));
        }
    }
}

/// Prints complaints, how many there are, and what did not happen.
fn complain(file: &Path, complaints: &[Complaint], undone: &str, err: &mut Out) {
    for complaint in complaints {
        err.line(complaint.in_file(file));
    }
    let count = complaints.len();
    err.line(format_args!("{count} complaint{}: {undone}", if count == 1 { "" } else { "s" }));
}

/// Prints warnings.
pub(crate) fn warn(file: &Path, warnings: &[Complaint], err: &mut Out) {
    for warning in warnings {
        err.line(format_args!("warning: {}", warning.in_file(file)));
    }
}
