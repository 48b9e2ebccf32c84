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
use crate::edge::show::REFUSED;

/// `mailcanary reload`.
pub(super) fn execute(args: &OfDaemon) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    // The daemon refuses it as well; the complaints belong where the command was given, too.
    let undone = "nothing was reloaded, what runs goes on with the configuration that it has";
    let Some(checked) = configuration(&args.config, undone, &mut err) else {
        tell(&args.config, &mut err);
        return ExitCode::from(WRONG);
    };
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

/// Has the daemon refuse for itself what is wrong in the file: so its log, its page and its metric say so, too.
fn tell(given: &Path, err: &mut Out) {
    let told = match config::ledger_folder(given) {
        Ok(folder) => ask(&folder, Method::POST, "/-/reload", None),
        Err(_) => {
            Err("where its ledger is cannot be read from this file; it looks at its own file some seconds after that was written"
                .to_owned())
        }
    };
    match told {
        Err(why) if why.starts_with(REFUSED) => {
            err.line("  the daemon was told, and refused it: its log, its status page and `mailcanary_config_last_reload_successful 0` say so, too");
        }
        Err(why) => err.line(format_args!("warning: the daemon was not told: {why}")),
        Ok(answer) => {
            let file = answer.get("file").and_then(Value::as_str).unwrap_or_default().escape_debug().to_string();
            err.line(format_args!("warning: the daemon reads another file, `{file}`, and has taken over what stands there"));
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
