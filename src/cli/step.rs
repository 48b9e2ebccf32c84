//! `step`.

use std::process::ExitCode;

use super::FAILED;
use super::args::Step;
use super::out::Out;

pub(super) fn execute(_args: &Step) -> ExitCode {
    Out::stderr().line("error: `step` is not built yet");
    ExitCode::from(FAILED)
}
