//! `reload` and `health`: the running daemon reads its configuration again, or says that it is there.

use std::path::Path;
use std::process::ExitCode;

use reqwest::Method;
use serde_json::Value;

use super::args::OfDaemon;
use super::incident::ask;
use super::out::Out;
use super::{FAILED, WRONG, configuration, daemon_folder};
use crate::config;

/// `mailcanary reload`.
pub(super) fn execute(args: &OfDaemon) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    // The daemon would refuse it as well; the complaints belong where the command was given.
    let undone = "nothing was reloaded, what runs goes on with the configuration that it has";
    let Some(checked) = configuration(&args.config, undone, &mut err) else { return ExitCode::from(WRONG) };
    match ask(&checked.settings.ledger.path, Method::POST, "/-/reload", None) {
        Ok(answer) => {
            let file = answer.get("file").and_then(Value::as_str).unwrap_or_default();
            let routes = answer.get("routes").and_then(Value::as_u64).unwrap_or_default();
            let warnings = answer.get("warnings").and_then(Value::as_array).map_or(0, Vec::len);
            let plural = |number: u64| if number == 1 { "" } else { "s" };
            let shown = file.escape_debug();
            let tail = plural(warnings as u64);
            out.line(format_args!("reloaded {shown}: {routes} route{}, {warnings} warning{tail}", plural(routes)));
            if is_another(Path::new(file), &args.config) {
                let given = args.config.display().to_string();
                let given = given.escape_debug();
                err.line(format_args!("error: `{given}` was not read: this daemon was started with `{shown}`, and reads that"));
                err.line("  hint: change that file, or start the daemon with the other one");
                return out.finish(FAILED);
            }
            out.finish(0)
        }
        Err(why) => {
            err.line(format_args!("error: {why}"));
            ExitCode::from(FAILED)
        }
    }
}

/// Whether what was loaded is another configuration than the one that was given. Where the daemon has a file system of its own, what it
/// names may not be here: that says nothing.
fn is_another(loaded: &Path, given: &Path) -> bool {
    matches!((config::content(loaded), config::content(given)), (Ok(loaded), Ok(given)) if loaded != given)
}

/// `mailcanary health`.
pub(super) fn health(args: &OfDaemon) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    let Some(folder) = daemon_folder(&args.config, &mut err) else { return ExitCode::from(WRONG) };
    match ask(&folder, Method::GET, "/-/healthy", None) {
        Ok(_) => {
            out.line("healthy");
            out.finish(0)
        }
        Err(why) => {
            err.line(format_args!("error: {why}"));
            ExitCode::from(FAILED)
        }
    }
}
