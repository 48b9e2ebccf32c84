//! A sink that was tried by hand and works: a daemon that holds it for refusing has it tried again at once, and not when it next would.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use super::incident::{UNREACHED, ask};
use crate::model::Name;
use crate::run::control::SOCKET;

/// Lets the daemon whose ledger is in `folder` know that `sink` takes notices; what is to be said of that, to be put behind a finding.
pub(super) fn tell(folder: &Path, sink: &Name) -> String {
    if !folder.join(SOCKET).exists() {
        return String::new();
    }
    let body = json!({ "sink": sink.as_str(), "by": "check --live" });
    match ask(folder, Method::POST, "/api/v1/sinks/try", Some(&body)) {
        Ok(answer) if answer.get("tried").and_then(Value::as_bool) == Some(true) => {
            "; the daemon that runs holds it for refusing: it was told, and tries it now".to_owned()
        }
        // There is nothing to be told, or nobody.
        Ok(_) => String::new(),
        Err(why) if why.starts_with(UNREACHED) => String::new(),
        Err(why) => format!(
            "; the daemon that runs was not told ({}): if it holds this sink for refusing, it tries it by itself within the hour, and at once after `mailcanary reload`",
            why.lines().next().unwrap_or_default()
        ),
    }
}
