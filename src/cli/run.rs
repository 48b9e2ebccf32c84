//! `mailcanary run`: the daemon.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use super::args::Run;
use super::out::Out;
use super::{FAILED, WRONG, log, with_secrets};
use crate::edge::show::Wish;
use crate::run::{Daemon, Source};

pub(super) fn execute(args: &Run) -> ExitCode {
    let mut err = Out::stderr();
    let source = Source::new(args.config.clone());
    let Some((settings, secrets)) = with_secrets(&args.config, "nothing was started", &mut err) else { return ExitCode::from(WRONG) };
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
        let (mut term, mut int, mut hup) =
            match (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup())) {
                (Ok(term), Ok(int), Ok(hup)) => (term, int, hup),
                (Err(error), _, _) | (_, Err(error), _) | (_, _, Err(error)) => {
                    err.error(&error, None);
                    return ExitCode::from(FAILED);
                }
            };
        let routes = settings.routes.len();
        let daemon = match Daemon::start(settings, &secrets).await {
            Ok(daemon) => daemon.reloading_from(source),
            Err(error) => {
                err.error(&error, None);
                return ExitCode::from(FAILED);
            }
        };
        tracing::info!(version = env!("CARGO_PKG_VERSION"), routes, "watching");
        let wishes = daemon.wishes();
        daemon
            .run(async {
                loop {
                    tokio::select! {
                        _ = term.recv() => return tracing::info!("asked to stop"),
                        _ = int.recv() => return tracing::info!("interrupted"),
                        // Where there is no room, a reload is about to begin that reads what is there now.
                        _ = hup.recv() => drop(wishes.try_send(Wish::of("SIGHUP"))),
                    }
                }
            })
            .await;
        tracing::info!("stopped");
        ExitCode::SUCCESS
    })
}
