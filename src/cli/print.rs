//! `print`: what packaging and editors need.

use std::process::ExitCode;

use super::args::{Print, Printable};
use super::out::Out;
use crate::config;

pub(super) fn execute(args: &Print) -> ExitCode {
    let mut out = Out::stdout();
    match args.what {
        Printable::ReferenceConfig => out.text(&config::reference()),
        Printable::Schema => out.line(format_args!("{:#}", config::schema())),
    }
    out.finish(0)
}
