//! The control socket: a file beside the ledger by which whoever may open it says things of incidents. Its rights are the log-in.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tokio::net::UnixListener;

/// The socket's name in the ledger's folder.
pub(crate) const SOCKET: &str = "control.sock";

/// Listens in `folder`, whose lock this process holds: a socket that lies there is a former life's. Without it the daemon watches as well.
pub(super) fn listen(folder: &Path) -> Option<UnixListener> {
    let path = folder.join(SOCKET);
    let listening = || {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        Ok(listener)
    };
    listening()
        .inspect_err(|error| tracing::warn!(%error, path = %path.display(), "no control socket: `mailcanary incident ack` and the like will not work"))
        .ok()
}
