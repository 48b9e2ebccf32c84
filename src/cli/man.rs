//! The pages of the manual: those that clap makes, with what they lack. Examples keep their lines there, and the first page says what it reads.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::args::Arguments;

/// What is read and written, where the package puts it.
const FILES: [(&str, &str); 4] = [
    ("/etc/mailcanary/mailcanary.toml", "The configuration: mailcanary print reference-config"),
    ("/etc/mailcanary/credentials/", "Secrets, which the service is handed by systemd: { credential = \"secret_NAME\" }"),
    ("/var/lib/mailcanary/ledger.sqlite", "The ledger, in the folder of [ledger] path, and beside it the control socket"),
    ("/var/lib/mailcanary/canary.key", "The key that canaries are known by. Whoever has it can make some"),
];
/// What is read of the environment.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("MAILCANARY_LOG", "What is logged, in the syntax of RUST_LOG: info unless it is set"),
    ("NO_COLOR", "Nothing is coloured where it is set; likewise with CLICOLOR=0 or TERM=dumb"),
    ("CLICOLOR_FORCE", "What is no terminal gets colours, too"),
    ("CREDENTIALS_DIRECTORY", "Where { credential = NAME } is read. What { env = NAME } names is read of the environment itself"),
];

/// The page of the program.
pub(super) fn page() -> String {
    let mut text = Vec::new();
    // Writing to memory does not fail.
    drop(write(Arguments::command().disable_help_subcommand(true), &mut text));
    String::from_utf8_lossy(&text).into_owned()
}

/// A page for each command into this folder, which is there.
///
/// # Errors
/// A file cannot be written.
pub(super) fn pages(folder: &Path) -> io::Result<()> {
    let mut all = Arguments::command().disable_help_subcommand(true);
    all.build();
    below(&all, folder)
}

fn below(command: &Command, folder: &Path) -> io::Result<()> {
    for one in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        below(one, folder)?;
    }
    let name = Man::new(command.clone()).get_filename();
    let mut text = Vec::new();
    write(command.clone(), &mut text)?;
    File::create(folder.join(name))?.write_all(&text)
}

fn write(command: Command, out: &mut Vec<u8>) -> io::Result<()> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let is_first = command.get_name() == "mailcanary";
    let see: Vec<String> =
        command.get_subcommands().filter(|one| !one.is_hide_set()).map(|one| format!("mailcanary-{}(1)", one.get_name())).collect();
    Man::new(command.after_help(None::<&str>)).render(out)?;
    let mut roff = Roff::new();
    told(&mut roff, &help);
    if is_first {
        listed(&mut roff, "FILES", &FILES);
        listed(&mut roff, "ENVIRONMENT", &ENVIRONMENT);
        roff.control("SH", ["SEE ALSO"]);
        roff.text([roman(format!("{}, systemctl(1), journalctl(1), and /usr/share/doc/mailcanary/", see.join(", ")))]);
    } else {
        roff.control("SH", ["SEE ALSO"]);
        roff.text([roman("mailcanary(1)")]);
    }
    out.extend(roff.to_roff().into_bytes());
    Ok(())
}

/// What stands below the help of a command: examples with their lines as they are, how it ends, and what else is said.
fn told(roff: &mut Roff, help: &str) {
    let (examples, said): (Vec<&str>, Vec<&str>) =
        help.split("\n\n").filter(|part| !part.is_empty()).partition(|part| part.contains("\n  "));
    let (ends, notes): (Vec<&str>, Vec<&str>) = said.iter().flat_map(|part| part.lines()).partition(|line| is_exit(line));
    if !examples.is_empty() {
        roff.control("SH", ["EXAMPLES"]);
    }
    for part in examples {
        let (head, lines) = part.split_once('\n').unwrap_or((part, ""));
        if !head.starts_with("Example") {
            roff.text([roman(head)]);
        }
        roff.control("PP", []).control("nf", []);
        for line in lines.lines() {
            roff.text([roman(line)]);
        }
        roff.control("fi", []);
    }
    for (title, lines) in [("NOTES", notes), ("EXIT STATUS", ends)] {
        if !lines.is_empty() {
            roff.control("SH", [title]);
            roff.text([roman(lines.join("\n"))]);
        }
    }
}

/// Whether a line says how a command ends.
fn is_exit(line: &str) -> bool {
    line.starts_with("Exit codes:") || line.starts_with("With --output nagios:")
}

fn listed(roff: &mut Roff, title: &str, all: &[(&str, &str)]) {
    roff.control("SH", [title]);
    for (name, what) in all {
        roff.control("TP", []).text([bold(*name)]).text([roman(*what)]);
    }
}
