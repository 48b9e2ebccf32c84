//! The webhooks of providers, joined with what is known of canaries; and those of sinks, where people acknowledge.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use tokio::sync::mpsc;

use super::start::StartError;
use crate::canary::Key;
use crate::config::{SecretRef, Secrets, Settings};
use crate::edge::notify::{Origin, Replies};
use crate::edge::post::Order;
use crate::edge::submit::{Hooks, Told};
use crate::model::{CanaryId, Name, Now};
use crate::watchdog::Watchdog;

/// The webhooks of the settings, which know the canaries of former lives that may still be told of.
pub(super) fn hooks(
    settings: &Settings,
    secrets: &Secrets,
    key: &Key,
    now: &Now,
    dog: &Watchdog,
    told: mpsc::Sender<Told>,
) -> Result<Hooks, StartError> {
    let lookup = |at: &SecretRef| secrets.get(at).cloned();
    let by_route: BTreeMap<u32, Name> = dog.routes().map(|(key, route)| (key, route.provider.clone())).collect();
    let owner = move |canary: CanaryId| by_route.get(&u32::try_from(canary.bits() >> 32).ok()?).cloned();
    let hooks = Hooks::new(settings, &lookup, key.clone(), Arc::new(owner), told, Arc::clone(now));
    let hooks = hooks.map_err(|(name, error)| StartError::Provider(name, error))?;
    for (provider, id, canary) in dog.message_ids() {
        hooks.learn(provider, id, canary);
    }
    Ok(hooks)
}

/// What comes back from the sinks of the settings: the same orders as people give.
pub(super) fn replies(
    settings: &Settings,
    secrets: &Secrets,
    origin: Origin,
    orders: mpsc::Sender<Order>,
    now: &Now,
) -> Result<Replies, StartError> {
    let lookup = |at: &SecretRef| secrets.get(at).cloned();
    Ok(Replies::new(settings, &lookup, origin, orders, Arc::clone(now))?)
}

/// The paths to which others post.
pub(super) fn posted(hooks: &Arc<Hooks>, replies: &Arc<Replies>) -> Router {
    Arc::clone(hooks).router().merge(Arc::clone(replies).router())
}
