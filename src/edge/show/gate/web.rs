//! The web configuration as it is now: looked at again whenever somebody comes, so that a new certificate needs no restart.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::config::{WebConfig, WebConfigError, in_one, web_config};

/// Between two looks at the files.
const LOOK: Duration = Duration::from_secs(1);

/// A web configuration that follows its files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Web(Arc<Followed>);

#[derive(Debug)]
struct Followed {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    config: Arc<WebConfig>,
    seen: Vec<Option<Stamp>>,
    looked: Instant,
}

/// What tells that a file has changed.
type Stamp = (Option<SystemTime>, u64);

impl Web {
    /// That of the file at `path`, read now.
    ///
    /// # Errors
    /// It cannot be used.
    pub fn open(path: PathBuf) -> Result<Self, Vec<WebConfigError>> {
        let config = Arc::new(web_config(&path)?);
        let state = Mutex::new(State { seen: stamps(&config), config, looked: Instant::now() });
        Ok(Self(Arc::new(Followed { path, state })))
    }

    /// What holds now. What cannot be used is complained of once, and what was before goes on.
    #[must_use]
    pub fn current(&self) -> Arc<WebConfig> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK {
            state.looked = Instant::now();
            let seen = stamps(&state.config);
            if seen != state.seen {
                match web_config(&self.0.path) {
                    Ok(config) => {
                        tracing::info!(path = %self.0.path.display(), "the web configuration was read again");
                        state.config = Arc::new(config);
                        state.seen = stamps(&state.config);
                    }
                    Err(errors) => {
                        let (path, error) = (self.0.path.display(), in_one(&errors));
                        let hint = errors.first().map(|error| error.hint.as_str()).unwrap_or_default();
                        tracing::error!(%path, error, hint, "the web configuration has changed and cannot be used; the old one goes on: {error}");
                        state.seen = seen;
                    }
                }
            }
        }
        Arc::clone(&state.config)
    }
}

fn stamps(config: &WebConfig) -> Vec<Option<Stamp>> {
    let stamp = |path: &PathBuf| std::fs::metadata(path).ok().map(|file| (file.modified().ok(), file.len()));
    config.files.iter().map(stamp).collect()
}
