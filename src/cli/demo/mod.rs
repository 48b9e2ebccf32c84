//! `mailcanary demo`: the main job on an embedded world, no set-up. Real SMTP, HTTP and IMAP on loopback; then the incident of
//! 8 August 2022 is played through it: a provider that answers `queued` to everything and delivers nothing.

mod hold;
mod incident;
mod pager;
mod stage;
mod story;

use std::fmt::Display;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use super::FAILED;
use super::args::Demo;
use super::out::Out;
use crate::model::Culprit;

pub(super) fn execute(args: &Demo) -> ExitCode {
    if let Some(name) = &args.incident {
        return match incident::tell(name) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::from(FAILED),
            Err(error) => {
                fail(&error.to_string());
                ExitCode::from(FAILED)
            }
        };
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            fail(&format!("starting the runtime: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    // Where it stays and a person sits before it, the outage is there to be looked at, too.
    let hold = args.hold || args.stay && std::io::stdin().is_terminal();
    let ended = runtime.block_on(play(args.stay, hold));
    // A line that is still waited for would keep it.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            fail(&format!("the demo did not come to its end: {error}"));
            ExitCode::from(FAILED)
        }
    }
}

fn line(text: impl Display) {
    Out::stdout().line(text);
}

/// A culprit as it is said: `provider mailchimp`.
fn whom(culprit: &Culprit) -> String {
    culprit.to_string().replacen(':', " ", 1)
}

fn fail(text: &str) {
    Out::stderr().line(format_args!("error: {text}"));
}

/// Why the demo did not come to its end.
#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error("a folder for the world in `{0}`: {1}")]
    Folder(String, std::io::Error),
    #[error(transparent)]
    World(#[from] crate::sandbox::WorldError),
    #[error("the world's configuration has complaints, which is a defect of mailcanary: {0}")]
    Configuration(String),
    #[error("the library of incidents, which is a defect of mailcanary: {0}")]
    Library(String),
    #[error(transparent)]
    Fault(#[from] crate::sandbox::Unfit),
    #[error(transparent)]
    Start(#[from] crate::run::StartError),
    #[error("a port for the pager: {0}")]
    Pager(std::io::Error),
    #[error("{0} did not happen within {1}")]
    Overdue(&'static str, crate::model::Span),
    #[error("listening for signals: {0}")]
    Signal(std::io::Error),
    #[error("the pager's line is closed")]
    Silent,
}

async fn play(stay: bool, hold: bool) -> Result<(), DemoError> {
    let mut stage = stage::Stage::build().await?;
    let (stop_in, stop) = tokio::sync::oneshot::channel::<()>();
    let address = stage.daemon.address();
    let daemon = stage.daemon.run(async {
        // Dropped or used: either way the story is over.
        drop(stop.await);
    });
    let tale = async {
        let told = story::tell(&stage.world, &stage.now, &mut stage.pages, address, hold).await;
        if stay && matches!(told, Ok(hold::Next::Go)) {
            line("Everything keeps running; interrupt to end it.");
            drop(tokio::signal::ctrl_c().await);
        }
        drop(stop_in);
        told.map(|_| ())
    };
    let (told, ()) = tokio::select! {
        both = async { tokio::join!(tale, daemon) } => both,
        () = stage.pager => return Err(DemoError::Silent),
    };
    told
}
