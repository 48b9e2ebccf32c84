//! `print`: what packaging, editors and those who look at Grafana need.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::args::{Print, Printable};
use super::out::Out;
use super::{FAILED, WRONG};
use crate::config;
use crate::edge::show::grafana;

/// Why something was not printed.
#[derive(Debug, thiserror::Error)]
enum PrintError {
    /// Only dashboards are several files.
    #[error("a folder is for `print dashboards`: everything else goes to standard output")]
    Folder,
    /// A file cannot be written.
    #[error("writing `{}`", .0.display())]
    File(PathBuf, #[source] io::Error),
}

pub(super) fn execute(args: &Print) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    match (args.what, &args.into) {
        (Printable::ReferenceConfig, None) => out.text(&config::reference()),
        (Printable::Schema, None) => out.line(format_args!("{:#}", config::schema())),
        (Printable::AlertRules, None) => out.text(&grafana::alert_rules()),
        (Printable::Dashboards, Some(folder)) => {
            if let Err(error) = write(folder) {
                err.error(&error, None);
                return ExitCode::from(FAILED);
            }
        }
        (Printable::Dashboards, None) | (Printable::ReferenceConfig | Printable::Schema | Printable::AlertRules, Some(_)) => {
            err.error(&PrintError::Folder, None);
            return ExitCode::from(WRONG);
        }
    }
    out.finish(0)
}

/// Each dashboard into a file that Grafana may read: its provisioning runs as another user.
fn write(folder: &Path) -> Result<(), PrintError> {
    fs::create_dir_all(folder).map_err(|error| PrintError::File(folder.to_owned(), error))?;
    for (name, json) in grafana::dashboards() {
        let path = folder.join(name);
        let written = File::create(&path).and_then(|mut file| file.write_all(json.as_bytes()));
        written.map_err(|error| PrintError::File(path, error))?;
    }
    Ok(())
}
