//! `demo`.

use std::process::ExitCode;

use super::FAILED;
use super::args::Demo;
use super::out::Out;

pub(super) fn execute(_args: &Demo) -> ExitCode {
    Out::stderr().line("error: `demo` is not built yet");
    ExitCode::from(FAILED)
}
