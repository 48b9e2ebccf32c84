//! Talking to the daemon through its control socket.

use std::path::Path;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::edge::dial::through;
use crate::run::control::SOCKET;

/// Bytes of an answer that are read.
const ANSWER: usize = 16 * 1024 * 1024;

/// How it begins where nobody answers, and what to do then.
pub(in crate::cli) const UNREACHED: &str = "no daemon answers";
const UNREACHED_HINT: &str = "it is looked for beside `[ledger] path` as this file has it: if that was changed, the daemon that runs is still \
    beside the old one, and only a restart changes that. Else: is `mailcanary run` running with this configuration, and may you open its \
    ledger's folder (sudo)?";

/// Sends `body` to `path`, and reads the answer.
///
/// # Errors
/// What went wrong, and what to do, in words.
pub(in crate::cli) fn ask(folder: &Path, method: Method, path: &str, body: Option<&Value>) -> Result<Value, String> {
    let socket = folder.join(SOCKET);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(async {
        let client = through(&socket).map_err(|error| error.to_string())?;
        let mut request = client.request(method, format!("http://mailcanary{path}"));
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let unreached = |error: reqwest::Error| {
            let socket = socket.display().to_string();
            let why = reasons(&error);
            format!("{UNREACHED} at `{}`: {why}\n  hint: {UNREACHED_HINT}", socket.escape_debug())
        };
        let mut response = request.send().await.map_err(unreached)?;
        let status = response.status();
        let mut text = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreached)? {
            text.extend_from_slice(&chunk);
            if text.len() > ANSWER {
                return Err("the daemon's answer is too long".to_owned());
            }
        }
        let value: Value = serde_json::from_slice(&text).unwrap_or_default();
        match status {
            StatusCode::OK | StatusCode::CREATED => Ok(value),
            _ => Err(value.get("detail").and_then(Value::as_str).map_or_else(|| format!("the daemon answered {status}"), str::to_owned)),
        }
    })
}

/// Waits between two looks.
pub(super) fn rest(span: Duration) {
    // Nothing tells when a drill is over: it is looked at.
    let (_never, waits) = std::sync::mpsc::channel::<()>();
    let _ = waits.recv_timeout(span);
}

/// An error with its causes.
fn reasons(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(inner) = last.source() {
        last = inner;
    }
    last.to_string()
}
