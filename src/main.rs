//! The `mailcanary` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    mailcanary::cli::execute(std::env::args_os())
}
