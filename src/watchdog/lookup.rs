//! What is looked up by name, of which a thousand may be asked for at every event. It cannot be gone through: in what order would be chance.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hash};

/// Values by key. Hashes are the same in every process.
#[derive(Clone, Debug)]
pub(super) struct Lookup<K, V>(HashMap<K, V, BuildHasherDefault<DefaultHasher>>);

impl<K: Eq + Hash, V> Lookup<K, V> {
    /// An empty one with room for so many.
    pub(super) fn with_room(for_so_many: usize) -> Self {
        Self(HashMap::with_capacity_and_hasher(for_so_many, BuildHasherDefault::default()))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of `key`.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    /// The value of `key`, which is made if there is none.
    pub(super) fn or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.0.entry(key).or_insert_with(make)
    }
}

impl<K: Eq + Hash, V> FromIterator<(K, V)> for Lookup<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}
