//! `reload` and `health`: the running daemon reads its configuration again, or says that it is there.

use std::process::ExitCode;

use reqwest::Method;
use serde_json::Value;

use super::args::OfDaemon;
use super::incident::ask;
use super::out::Out;
use super::{FAILED, WRONG, configuration, known_configuration};

/// `mailcanary reload`.
pub(super) fn execute(args: &OfDaemon) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    // The daemon would refuse it as well; the complaints belong where the command was given.
    let Some(checked) = configuration(&args.config, &mut err) else {
        err.line("nothing was reloaded: what runs goes on with the configuration that it has");
        return ExitCode::from(WRONG);
    };
    match ask(&checked.settings.ledger.path, Method::POST, "/-/reload", None) {
        Ok(answer) => {
            let warnings = answer.get("warnings").and_then(Value::as_array);
            let routes = checked.settings.routes.len();
            out.line(format_args!("reloaded: {routes} routes, {} warnings", warnings.map_or(0, Vec::len)));
            out.finish(0)
        }
        Err(why) => {
            err.line(format_args!("error: {why}"));
            ExitCode::from(FAILED)
        }
    }
}

/// `mailcanary health`.
pub(super) fn health(args: &OfDaemon) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    let Some(checked) = known_configuration(&args.config, &mut err) else { return ExitCode::from(WRONG) };
    match ask(&checked.settings.ledger.path, Method::GET, "/-/healthy", None) {
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
