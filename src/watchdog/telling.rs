//! What providers can tell of canaries: when they are asked, or by themselves.

use std::collections::BTreeMap;

use super::plan::Plan;
use crate::config::{Provider, Settings};
use crate::model::Name;

/// How a provider tells what became of canaries.
#[derive(Clone, Copy, Debug)]
pub(super) struct Telling {
    /// It is asked.
    pub(super) asked: bool,
    /// It tells by itself.
    hooked: bool,
    /// It is an application of our own.
    own: bool,
    /// Where a seed is taken off its suppression list, in words.
    suppression_list: &'static str,
}

impl Plan {
    /// Whether a provider is asked what became of canaries.
    pub(super) fn traces(&self, provider: &Name) -> bool {
        self.tells.get(provider).is_some_and(|telling| telling.asked)
    }

    /// Whether the ids of a provider's mails are of use: to ask after them, or to know them again when it tells of them.
    pub(super) fn knows_ids(&self, provider: &Name) -> bool {
        self.traces(provider) || self.is_hooked(provider)
    }

    /// Whether a provider tells by itself what became of canaries.
    pub(super) fn is_hooked(&self, provider: &Name) -> bool {
        self.tells.get(provider).is_some_and(|telling| telling.hooked)
    }

    /// Whether a provider is an application of our own.
    pub(super) fn is_own(&self, provider: &Name) -> bool {
        self.tells.get(provider).is_some_and(|telling| telling.own)
    }

    /// Where a seed is taken off a provider's suppression list, in words.
    pub(super) fn suppression_list(&self, provider: &Name) -> &'static str {
        self.tells.get(provider).map_or("", |telling| telling.suppression_list)
    }
}

/// The same of every provider.
pub(super) fn tells(settings: &Settings) -> BTreeMap<Name, Telling> {
    let of = |p: &Provider| Telling {
        asked: p.kind.tells() && !p.duty.untraced,
        hooked: p.kind.is_hooked(),
        own: p.kind.is_own(),
        suppression_list: p.kind.suppression_list(),
    };
    settings.providers.iter().map(|(name, provider)| (name.clone(), of(provider))).collect()
}
