//! The page for everybody: a listener of its own, so that nothing else can be reached through it.

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::start::StartError;
use crate::config::Settings;
use crate::edge::show::{self, Archive, Ask};

/// What answers there, which is exchanged with a configuration.
#[derive(Debug)]
pub(super) struct Front {
    ask: Ask,
    archive: Archive,
    router: watch::Sender<axum::Router>,
}

impl Front {
    pub(super) fn new(ask: Ask, archive: Archive) -> Self {
        Self { ask, archive, router: watch::channel(axum::Router::new()).0 }
    }

    /// Everybody is answered from now on, if that is wanted.
    pub(super) fn answer(&self, settings: &Settings, listener: Option<TcpListener>, doors: &mut JoinSet<()>) {
        let Some(listener) = listener else { return };
        self.exchange(settings);
        doors.spawn(show::serve(listener, show::current(self.router.subscribe()), std::future::pending()));
    }

    /// From now on by these settings.
    pub(super) fn exchange(&self, settings: &Settings) {
        if let Some(public) = &settings.public {
            drop(self.router.send_replace(show::public(self.ask.clone(), self.archive.clone(), public.clone())));
        }
    }
}

/// Takes the port of the page for everybody, if it is wanted.
pub(super) async fn listen(settings: &Settings) -> Result<Option<TcpListener>, StartError> {
    let Some(public) = &settings.public else { return Ok(None) };
    let listener = TcpListener::bind(public.listen).await.map_err(|e| StartError::Public(public.listen, e))?;
    tracing::info!(address = %public.listen, "listening for everybody");
    Ok(Some(listener))
}

/// Where it listens, in words.
pub(super) fn address(settings: &Settings) -> String {
    settings.public.as_ref().map_or_else(|| "off".to_owned(), |public| public.listen.to_string())
}
