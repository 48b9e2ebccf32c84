//! `mailcanary run`: the daemon.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::args::Run;
use super::out::Out;
use super::{FAILED, WRONG, log, with_secrets};
use crate::run::Daemon;

pub(super) fn execute(args: &Run) -> ExitCode {
    let mut err = Out::stderr();
    let Some((settings, secrets)) = with_secrets(&args.config, &mut err) else { return ExitCode::from(WRONG) };
    log::begin();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            err.error(&error, None);
            return ExitCode::from(FAILED);
        }
    };
    runtime.block_on(async {
        // Asked for before anything begins, so that no signal finds the default action.
        let (mut term, mut int) = match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
            (Ok(term), Ok(int)) => (term, int),
            (Err(error), _) | (_, Err(error)) => {
                err.error(&error, None);
                return ExitCode::from(FAILED);
            }
        };
        let routes = settings.routes.len();
        let daemon = match Daemon::start(settings, &secrets).await {
            Ok(daemon) => daemon,
            Err(error) => {
                err.error(&error, None);
                return ExitCode::from(FAILED);
            }
        };
        tracing::info!(version = env!("CARGO_PKG_VERSION"), routes, "watching");
        daemon
            .run(async {
                tokio::select! {
                    _ = term.recv() => tracing::info!("asked to stop"),
                    _ = int.recv() => tracing::info!("interrupted"),
                }
            })
            .await;
        tracing::info!("stopped");
        ExitCode::SUCCESS
    })
}
