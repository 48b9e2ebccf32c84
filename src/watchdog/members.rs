//! A set of routes by their slots: small numbers, looked through in their order again and again.

const WORD: usize = 64;

/// The set.
#[derive(Clone, Debug, Default)]
pub(super) struct Members {
    words: Vec<u64>,
}

impl Members {
    /// Puts a slot in, or takes it out.
    pub(super) fn keep(&mut self, slot: usize, is: bool) {
        let (word, bit) = (slot / WORD, 1_u64 << (slot % WORD));
        if is && word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        if let Some(word) = self.words.get_mut(word) {
            *word = if is { *word | bit } else { *word & !bit };
        }
    }

    /// The slots in it, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().filter(|(_, word)| **word != 0).flat_map(|(at, word)| bits(*word).map(move |bit| at * WORD + bit))
    }
}

fn bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let lowest = (word != 0).then(|| word.trailing_zeros())?;
        word &= word - 1;
        usize::try_from(lowest).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_in_order_and_can_be_taken_out() {
        let mut members = Members::default();
        [700, 3, 64, 63, 127, 0].into_iter().for_each(|slot| members.keep(slot, true));
        assert_eq!(members.iter().collect::<Vec<_>>(), [0, 3, 63, 64, 127, 700]);
        [64, 5, 9_999].into_iter().for_each(|slot| members.keep(slot, false));
        assert_eq!(members.iter().collect::<Vec<_>>(), [0, 3, 63, 127, 700]);
    }
}
