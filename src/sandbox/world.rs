//! A world of mail, running.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::door::Door;
use super::plan::Setting;
use super::transit::Transit;
use super::{Inbox, Plan, Provider, Transport, api, imap, smtp};
use crate::model::Name;

/// Why a world could not be started.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// No port for this provider or inbox.
    #[error("opening port {port} of 127.0.0.1 for `{name}`")]
    Port {
        /// Whose.
        name: Name,
        /// The port that was asked for; 0: any.
        port: u16,
        /// What the system said.
        source: std::io::Error,
    },
    /// Two inboxes with one address.
    #[error("the inboxes `{0}` and `{1}` have one address")]
    SameAddress(Name, Name),
}

/// Providers and inboxes on loopback. All of it ends when this is dropped: its tasks stop at their next wait.
#[derive(Debug)]
pub struct World {
    pub(super) plan: Plan,
    providers: BTreeMap<Name, Arc<Provider>>,
    inboxes: BTreeMap<Name, Arc<Inbox>>,
    transit: Arc<Transit>,
    /// Every task of the world; those of the connections belong to these.
    _tasks: JoinSet<()>,
}

impl World {
    /// Starts it: every port is open when this returns. Within a tokio runtime only.
    ///
    /// # Errors
    /// [`WorldError`] if a port cannot be had, or two inboxes share an address.
    pub fn start(plan: Plan) -> Result<Self, WorldError> {
        let setting = Setting::of(&plan);
        let mut tasks = JoinSet::new();
        let mut inboxes: BTreeMap<Name, Arc<Inbox>> = BTreeMap::new();
        for (name, wanted) in &plan.inboxes {
            let door = open(name, wanted.port)?;
            let inbox = Arc::new(Inbox::new(name, wanted, &setting, door.address()));
            if let Some(other) = inboxes.values().find(|other| other.is_at(inbox.address())) {
                return Err(WorldError::SameAddress(other.name().clone(), name.clone()));
            }
            inboxes.insert(name.clone(), Arc::clone(&inbox));
            tasks.spawn(door.keep(inbox.switch(), move |stream| imap::serve(stream, Arc::clone(&inbox))));
        }
        let transit = Arc::new(Transit::new(inboxes.values().cloned().collect()));
        let way = Arc::clone(&transit);
        tasks.spawn(async move { way.run().await });
        let mut providers = BTreeMap::new();
        for (name, wanted) in &plan.providers {
            let door = open(name, wanted.port)?;
            let provider = Arc::new(Provider::new(name, wanted, &setting, door.address(), &transit));
            providers.insert(name.clone(), Arc::clone(&provider));
            let switch = provider.switch();
            match wanted.transport {
                Transport::Smtp => tasks.spawn(door.keep(switch, move |stream| smtp::serve(stream, Arc::clone(&provider)))),
                Transport::Mandrill => tasks.spawn(door.keep(switch, move |stream| api::serve(stream, Arc::clone(&provider)))),
            };
        }
        Ok(Self { plan, providers, inboxes, transit, _tasks: tasks })
    }

    /// The provider of that name.
    #[must_use]
    pub fn provider(&self, name: &str) -> Option<&Arc<Provider>> {
        self.providers.get(name)
    }

    /// The inbox of that name.
    #[must_use]
    pub fn inbox(&self, name: &str) -> Option<&Arc<Inbox>> {
        self.inboxes.get(name)
    }

    /// All providers, by name.
    pub fn providers(&self) -> impl Iterator<Item = &Arc<Provider>> {
        self.providers.values()
    }

    /// All inboxes, by name.
    pub fn inboxes(&self) -> impl Iterator<Item = &Arc<Inbox>> {
        self.inboxes.values()
    }

    /// Mails that left a provider and did not reach an inbox yet; what is held back is not among them.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.transit.under_way()
    }

    /// Mails to addresses that nobody in this world has.
    #[must_use]
    pub fn bounced(&self) -> u64 {
        self.transit.bounced()
    }
}

fn open(name: &Name, port: u16) -> Result<Door, WorldError> {
    Door::open(port).map_err(|source| WorldError::Port { name: name.clone(), port, source })
}
