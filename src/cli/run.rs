//! `run`.

use std::process::ExitCode;

use super::FAILED;
use super::args::Run;
use super::out::Out;

pub(super) fn execute(_args: &Run) -> ExitCode {
    Out::stderr().line("error: `run` is not built yet");
    ExitCode::from(FAILED)
}
