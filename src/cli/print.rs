//! `print`: what packaging, editors and those who look at Grafana need.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::args::{Arguments, Print, Printable};
use super::out::Out;
use super::{FAILED, WRONG, man};
use crate::config;
use crate::edge::show::{document, grafana};

/// Why something was not printed.
#[derive(Debug, thiserror::Error)]
enum PrintError {
    /// Only dashboards are several files.
    #[error("a folder is for `print dashboards DIR` and `print man --to DIR`: everything else goes to standard output")]
    Folder,
    /// A file cannot be written.
    #[error("writing `{}`", .0.display())]
    File(PathBuf, #[source] io::Error),
}

pub(super) fn execute(args: &Print) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    let written = match (args.what, &args.into, &args.to) {
        (Printable::Dashboards, Some(folder), None) => boards(folder),
        (Printable::Man, None, Some(folder)) => pages(folder),
        (_, None, None) => {
            print(args.what, &mut out);
            return out.finish(0);
        }
        (_, Some(_), _) | (_, _, Some(_)) => Err(PrintError::Folder),
    };
    let Err(error) = written else { return ExitCode::SUCCESS };
    err.error(&error, None);
    ExitCode::from(if matches!(error, PrintError::Folder) { WRONG } else { FAILED })
}

fn print(what: Printable, out: &mut Out) {
    match what {
        Printable::ReferenceConfig => out.text(&config::reference()),
        Printable::StarterConfig => out.text(config::starter()),
        Printable::Schema => out.line(format_args!("{:#}", config::schema())),
        Printable::AlertRules => out.text(&grafana::alert_rules()),
        Printable::Openapi => out.text(document()),
        Printable::Man => out.text(&man::page()),
        Printable::CompletionsBash => out.text(&completions(Shell::Bash)),
        Printable::CompletionsZsh => out.text(&completions(Shell::Zsh)),
        Printable::CompletionsFish => out.text(&completions(Shell::Fish)),
        // Wants a folder, as its arguments say.
        Printable::Dashboards => {}
    }
}

/// Each dashboard into a file that Grafana may read: its provisioning runs as another user.
fn boards(folder: &Path) -> Result<(), PrintError> {
    fs::create_dir_all(folder).map_err(|error| PrintError::File(folder.to_owned(), error))?;
    for (name, json) in grafana::dashboards() {
        let path = folder.join(name);
        let written = File::create(&path).and_then(|mut file| file.write_all(json.as_bytes()));
        written.map_err(|error| PrintError::File(path, error))?;
    }
    Ok(())
}

/// Every page of the manual.
fn pages(folder: &Path) -> Result<(), PrintError> {
    let failed = |error| PrintError::File(folder.to_owned(), error);
    if !folder.exists() {
        fs::create_dir_all(folder).map_err(failed)?;
        Out::stderr().line(format_args!("made the folder `{}`", folder.display().to_string().escape_debug()));
    }
    man::pages(folder).map_err(failed)
}

fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "mailcanary", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
