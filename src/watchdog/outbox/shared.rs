//! A notice that several share: in a checkpoint it is each one's own.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Notice;

pub(super) fn serialize<S: Serializer>(notice: &Arc<Notice>, to: S) -> Result<S::Ok, S::Error> {
    Notice::serialize(notice, to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Notice>, D::Error> {
    Notice::deserialize(from).map(Arc::new)
}
