//! Canaries by their providers' ids, so that a provider's word about a mail is known to be about one of ours.

use std::collections::{BTreeMap, VecDeque};

use crate::model::CanaryId;

/// The newest that are remembered for each provider: at 24 canaries a minute half a day, and what is told later is asked for.
const MOST: usize = 16_384;
/// SendGrid puts more behind its ids, parts with a full stop before each.
const PARTS: usize = 8;

/// What one provider's ids stand for.
#[derive(Debug, Default)]
pub(super) struct Known {
    by_id: BTreeMap<String, CanaryId>,
    order: VecDeque<String>,
}

impl Known {
    pub(super) fn learn(&mut self, id: &str, canary: CanaryId) {
        if self.by_id.insert(id.to_owned(), canary).is_none() {
            self.order.push_back(id.to_owned());
        }
        while self.order.len() > MOST {
            if let Some(oldest) = self.order.pop_front() {
                self.by_id.remove(&oldest);
            }
        }
    }

    /// The canary of an id, whatever stands behind it.
    pub(super) fn find(&self, id: &str) -> Option<CanaryId> {
        std::iter::successors(Some(id), |id| shorter(id)).take(PARTS).find_map(|id| self.by_id.get(id)).copied()
    }
}

/// `id` without its last part.
fn shorter(id: &str) -> Option<&str> {
    id.rsplit_once('.').map(|(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered_with_whatever_stands_behind_them() {
        let mut known = Known::default();
        for n in 0..=MOST as u64 {
            known.learn(&format!("{n}.x"), CanaryId::from_bits(n));
        }
        assert_eq!(known.find("0.x"), None);
        assert_eq!(known.find("1.x.recvd-5d8-1.0"), Some(CanaryId::from_bits(1)));
        assert_eq!(known.find("1.xy"), None);
        assert_eq!((known.find(""), known.find(&".".repeat(100_000))), (None, None));
        assert_eq!(known.by_id.len(), MOST);
    }
}
