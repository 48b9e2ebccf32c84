//! `incident evidence`: a folder with all that is known of one incident, for the provider's ticket and the post-mortem. Read from the
//! ledger, beside a daemon or without one.

mod bundle;
mod folder;
mod markdown;
mod scrub;

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::out::Out;
use super::super::{FAILED, WRONG, known_configuration};
use super::args::Evidence;
use crate::config::{Secrets, Settings};
use crate::ledger::{LedgerError, Past};
use crate::model::{At, IncidentId};
use scrub::Scrub;

/// Writes the bundle, and says where it is.
pub(super) fn execute(wished: &Evidence) -> ExitCode {
    let (mut out, mut err) = (Out::stdout(), Out::stderr());
    let Some(checked) = known_configuration(&wished.one.place.config, &mut err) else { return ExitCode::from(WRONG) };
    let id = wished.one.id;
    let folder = wished.out.clone().unwrap_or_else(|| PathBuf::from(format!("mailcanary-evidence-{id}")));
    let bundle = match gather(&checked.settings, id, wished.redact_addresses, crate::run::clock()()) {
        Ok(Some(bundle)) => bundle,
        Ok(None) => {
            err.line(format_args!("error: the ledger has no incident `{id}`\n  hint: `mailcanary incident list` shows them while the daemon runs; what is over is kept for `[ledger] keep_failures`"));
            return ExitCode::from(FAILED);
        }
        Err(error) => {
            err.error(&error, None);
            return ExitCode::from(FAILED);
        }
    };
    let files = [("incident.md", markdown::draw(&bundle)), ("incident.json", bundle::text(&bundle))];
    if let Err(error) = folder::write(&folder, &files, wished.force) {
        err.error(&error, None);
        return ExitCode::from(FAILED);
    }
    let shown = folder.display().to_string();
    if wished.one.place.json {
        out.line(json!({ "folder": shown, "files": files.map(|(name, _)| name) }));
    } else {
        out.line(format_args!("wrote {0}/incident.md and {0}/incident.json; read them before you pass them on", shown.escape_debug()));
    }
    out.finish(0)
}

/// All that is known of the incident, without secrets; `None` if it is not kept.
fn gather(settings: &Settings, id: u64, redact: bool, now: At) -> Result<Option<Value>, LedgerError> {
    let past = Past::open(&settings.ledger.path)?;
    let Some(dossier) = past.dossier(IncidentId(id), now)? else { return Ok(None) };
    let (secrets, unknown) = Secrets::at_hand(settings);
    let scrub = Scrub::new(&secrets, redact);
    let mut bundle = bundle::bundle(&dossier, &settings.watch.instance, id, now);
    bundle::leave_out(&mut bundle, &dossier, unknown, redact);
    scrub.value(&mut bundle);
    Ok(Some(bundle))
}
