//! Another configuration in the same life: it is checked whole, built whole, and only then taken over; or refused, and the old one goes on.
//!
//! The watchdog's state follows from records, whatever settings stand beside them, and a start already copes with settings that have
//! changed. So a reload is a start from the state as it is: the same ledger stays open, the same doors stay open, canaries that are being
//! handed over go on and are answered to the new life, and readers begin where the durable cursors are. Sinks may end what they are just
//! telling; what they have not told is handed to their successors.

use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::task::block_in_place;
use tokio::time::sleep_until;

use super::adapters::{Adapters, AtWork, Past, Shared, Staff};
use super::book::chain;
use super::desk::Desk;
use super::front;
use super::hooks::posted;
use super::turn::Loop;
use super::watch::{AGAIN, Print, Tried, Way};
use crate::config::{self, LoadError, Secrets, Settings};
use crate::edge::notify::Ended;
use crate::edge::show::{Taken, Wish};
use crate::model::{Loaded, NoticeId, Refusal, Span, on_a_line};
use crate::watchdog::{Event, Watchdog};

/// Sinks have this long to end what they are just telling. Whoever asks the loop for its state is answered meanwhile.
const RETIRE: Span = Span::from_secs(4);

/// A configuration file that can be read again.
#[derive(Clone, Debug)]
pub struct Source {
    file: PathBuf,
    /// The newest try to take over what stands in it.
    pub(super) tried: watch::Sender<Tried>,
}

impl Source {
    /// This file, whose present content is about to be read.
    #[must_use]
    pub fn new(file: PathBuf) -> Self {
        let this = Self { file, tried: watch::Sender::new(Tried::default()) };
        this.tried.send_modify(|tried| tried.print = this.print());
        this
    }

    /// Where it is, for people who give a command in another folder.
    pub(super) fn path(&self) -> String {
        std::path::absolute(&self.file).unwrap_or_else(|_| self.file.clone()).display().to_string()
    }

    /// What stands there now; nothing if that cannot be read.
    pub(super) fn print(&self) -> Option<Print> {
        match config::content(&self.file) {
            Ok(bytes) => Some(Sha256::digest(bytes).into()),
            // That it became too large is a change to complain of.
            Err(LoadError::TooLarge) => Some([0; 32]),
            Err(LoadError::Read(_) | LoadError::NotAFile | LoadError::NotText(_) | LoadError::Wrong(_)) => None,
        }
    }

    /// Settings and secrets as they are there now, and what is likely not meant in them.
    pub(super) fn read(&self) -> Result<(Settings, Secrets, Vec<String>), Vec<String>> {
        let all = |complaints: Vec<config::Complaint>| -> Vec<String> {
            complaints.iter().map(|complaint| complaint.in_file(&self.file).to_string()).collect()
        };
        let checked = match config::load(&self.file) {
            Ok(checked) => checked,
            Err(LoadError::Wrong(complaints)) => return Err(all(complaints)),
            Err(error) => return Err(vec![format!("{}: {}", self.file.display().to_string().escape_debug(), chain(&error))]),
        };
        let secrets = checked.secrets().map_err(all)?;
        let mut warnings = all(checked.warnings);
        warnings.extend(all(secrets.warnings().to_vec()));
        Ok((checked.settings, secrets, warnings))
    }
}

/// What a reload needs.
#[derive(Debug)]
pub(super) struct Reloading {
    /// Where the settings come from; nothing if they cannot be read again.
    pub(super) source: Option<Source>,
    pub(super) shared: Shared,
    pub(super) desk: Desk,
    /// Who works for the present configuration.
    pub(super) staff: Staff,
    pub(super) loaded: Loaded,
}

impl Loop {
    /// Takes over the configuration as it is now, or refuses it; either way that is said.
    pub(super) async fn reload(&mut self, wish: Wish) {
        if wish.by != AGAIN {
            self.manager.reloading();
        }
        let outcome = self.exchange().await;
        let at = self.clock.now();
        match &outcome {
            Ok(Taken { file, routes, warnings }) => {
                warnings
                    .iter()
                    .for_each(|warning| tracing::warn!(warning, "the configuration has what is likely not meant: {}", on_a_line(warning)));
                tracing::info!(by = wish.by, file, routes, "the configuration was reloaded: {routes} routes, from {}", on_a_line(file));
                self.reloading.loaded = Loaded { at: Some(at), ..Loaded::default() };
            }
            Err(complaints) => {
                let refused = &mut self.reloading.loaded.refused;
                // One that nobody asked for, and that ended as the one before, is no news.
                if wish.by != AGAIN || refused.as_ref().is_none_or(|last| last.complaints != *complaints) {
                    for complaint in complaints {
                        tracing::error!(
                            by = wish.by,
                            complaint,
                            "the configuration was not reloaded; the old one goes on: {}",
                            on_a_line(complaint)
                        );
                    }
                    *refused = Some(Refusal { at, complaints: complaints.clone() });
                }
            }
        }
        self.manager.ready();
        // Nobody waits any more: nothing to do.
        wish.done.into_iter().for_each(|done| drop(done.send(outcome.clone())));
    }

    /// Everything that can fail comes first, beside the old configuration at work. How it ended is left for whoever watches the file.
    async fn exchange(&mut self) -> Result<Taken, Vec<String>> {
        let Some(source) = self.reloading.source.clone() else { return Err(vec!["this daemon has no configuration file".to_owned()]) };
        // Before it is read: what changes meanwhile is another try.
        let print = block_in_place(|| source.print());
        let (way, outcome) = match block_in_place(|| source.read()) {
            Err(complaints) => (Way::Unread(complaints.clone()), Err(complaints)),
            Ok((settings, secrets, warnings)) => match self.succeed(settings, &secrets).await {
                Ok(()) => (Way::Taken, Ok(Taken { file: source.path(), routes: self.hands.settings.routes.len(), warnings })),
                Err(complaints) => (Way::Unfit, Err(complaints)),
            },
        };
        source.tried.send_replace(Tried { print, way });
        outcome
    }

    /// Takes over settings that were read.
    async fn succeed(&mut self, settings: Settings, secrets: &Secrets) -> Result<(), Vec<String>> {
        let refused = |why: String| vec![why];
        if let Some(trouble) = &self.book.trouble {
            return Err(refused(format!("{trouble}; it is tried again when the ledger can be written")));
        }
        unchanged(&self.hands.settings, &settings)?;
        let dog = self.successor(&settings).map_err(|error| refused(format!("the state could not be handed over: {error}")))?;
        let adapters = Adapters::build(&settings, secrets, &self.reloading.shared, &dog).map_err(|error| refused(chain(&error)))?;
        // From here on nothing fails.
        let ended = self.retire().await;
        self.take_over(dog, adapters.after(&self.hands.hooks, &self.hands.replies, &self.hands.lookups), settings, secrets);
        self.go_on(ended);
        Ok(())
    }

    /// The watchdog with other settings, as it would start from the ledger.
    fn successor(&self, settings: &Settings) -> Result<Watchdog, serde_json::Error> {
        block_in_place(|| Watchdog::replay(settings, Some(&self.dog.checkpoint()?), []))
    }

    /// Ends who works for the present configuration. The sinks' workers may end what they are just telling, for a few seconds; how that ended is
    /// returned, for the next life to take in.
    pub(super) async fn retire(&mut self) -> Vec<Ended> {
        self.hands.sinks.clear();
        let end = self.clock.instant_of(self.clock.now().plus(RETIRE));
        let mut ended = Vec::new();
        loop {
            tokio::select! {
                biased;
                Some(one) = self.ended.recv() => ended.push(one),
                Some(ask) = self.asks.recv() => self.show(ask),
                left = self.reloading.staff.tellers.join_next() => if left.is_none() { break },
                () = sleep_until(end) => break,
            }
        }
        self.reloading.staff.tellers.shutdown().await;
        self.reloading.staff.workers.shutdown().await;
        while let Ok(one) = self.ended.try_recv() {
            ended.push(one);
        }
        ended
    }

    fn take_over(&mut self, dog: Watchdog, adapters: Adapters, settings: Settings, secrets: &Secrets) {
        let Reloading { shared, desk, staff, .. } = &mut self.reloading;
        let past = Past { standing: &self.hands.standing, pulses: self.pulse.shown(), until: self.clock.now() };
        let at_work = adapters.begin(&settings, shared, &dog, &past);
        let AtWork { submitters, sinks, hints, hooks, replies, lookups, mut pulse, staff: hired } = at_work;
        desk.front.exchange(&settings);
        desk.exchange(&settings, secrets, posted(&hooks, &replies));
        pulse.cycle = self.pulse.cycle;
        (self.dog, self.pulse, *staff) = (dog, pulse, hired);
        (self.hands.submitters, self.hands.sinks, self.hands.hints) = (submitters, sinks, hints);
        (self.hands.hooks, self.hands.replies, self.hands.lookups) = (hooks, replies, lookups);
        self.book.keep_by(settings.ledger.clone());
        self.hands.settings = settings.into();
    }

    /// Takes in what the old life left on its way, and tells what it had not told.
    fn go_on(&mut self, ended: Vec<Ended>) {
        let unsent: Vec<NoticeId> = self.dog.outbox().iter().map(|pending| pending.notice.notice).collect();
        ended.into_iter().for_each(|one| self.end_notice(one));
        while let Ok(event) = self.events.try_recv() {
            // What readers have seen is seen again, from the durable cursors on, by their successors.
            if event.inbox().is_none() {
                self.decide(event);
            }
        }
        self.decide(self.dog.fresh_start().unwrap_or(Event::Woke {}));
        let effects = self.book.write(self.clock.now());
        self.confirm();
        let now = self.clock.now();
        self.hands.resume(&self.dog, unsent, now);
        self.hands.begin(&self.dog, effects, now);
        // So that a later start has what a reload made of it, and not what other settings would make of the same records.
        self.checkpoint();
    }
}

/// What only a restart can change.
fn unchanged(old: &Settings, new: &Settings) -> Result<(), Vec<String>> {
    let mut complaints = Vec::new();
    if old.ledger.path != new.ledger.path {
        let (old, new) = (old.ledger.path.display(), new.ledger.path.display());
        complaints.push(format!("ledger.path: only a restart can change `{old}` to `{new}`"));
    }
    let listen = |settings: &Settings| settings.http.as_ref().map_or_else(|| "off".to_owned(), |http| http.listen.to_string());
    if listen(old) != listen(new) {
        complaints.push(format!("http.listen: only a restart can change `{}` to `{}`", listen(old), listen(new)));
    }
    let public = [front::address(old), front::address(new)];
    if let [was, wanted] = &public
        && was != wanted
    {
        complaints.push(format!("public.listen: only a restart can change `{was}` to `{wanted}`"));
    }
    if complaints.is_empty() { Ok(()) } else { Err(complaints) }
}
