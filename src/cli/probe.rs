//! `probe`.

use std::process::ExitCode;

use super::FAILED;
use super::args::Probe;
use super::out::Out;

pub(super) fn execute(_args: &Probe) -> ExitCode {
    Out::stderr().line("error: `probe` is not built yet");
    ExitCode::from(FAILED)
}
