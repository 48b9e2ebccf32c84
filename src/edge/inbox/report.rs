//! What the reader tells.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use crate::model::{At, CanaryId, Class, Placement};

/// One thing that the reader has to say of its inbox. Maps one to one onto the watchdog's events.
///
/// The order is a promise: all that a read found is reported before its [`Report::Read`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// A canary of ours was seen.
    Sighted {
        /// Which.
        canary: CanaryId,
        /// In what kind of folder.
        placement: Placement,
        /// When the receiving server had it, by that server's clock: `INTERNALDATE`, else the top `Received`, else `seen_at`.
        arrived_at: At,
        /// When we saw it, by our clock.
        seen_at: At,
        /// Names this copy for ever: `FOLDER/UIDVALIDITY/UID`, the folder as it is written on the wire.
        copy: String,
        /// The date of the top `Received` field, if it has one.
        received_top: Option<At>,
        /// What its header says of its way: at most 16 KiB, whole lines, without tokens. Foreign text.
        header: String,
    },
    /// A message carries a canary's token and is not what is expected of it.
    Mismatched {
        /// Which.
        canary: CanaryId,
        /// What is wrong with it, in words.
        why: String,
    },
    /// The message of a canary that was told of before, if it is wanted: at most 256 KiB of it.
    Mail {
        /// Which.
        canary: CanaryId,
        /// When its token was made.
        issued_at: At,
        /// As it lies in the mailbox. Foreign.
        message: Vec<u8>,
        /// There is more of it.
        cut: bool,
    },
    /// A message that is no canary, if they are wanted.
    Stranger {
        /// In what kind of folder.
        placement: Placement,
        /// When the receiving server had it, as of canaries.
        arrived_at: At,
        /// Names this copy, as of canaries.
        copy: String,
        /// Its header, or fields of it, and the beginning of its text where that was read: 64 KiB of that, and 256 KiB of both. Foreign.
        message: Vec<u8>,
        /// There is more of it.
        cut: bool,
    },
    /// A message carries a token that is not ours.
    Forged,
    /// The inbox cannot be read.
    Blind {
        /// What kind of failure.
        class: Class,
        /// In words: one line, at most 200 characters.
        why: String,
    },
    /// The inbox can be read, for the first time or again.
    Sight,
    /// All that lay in the inbox up to an instant has been reported.
    Read {
        /// Just before the first command of the read.
        up_to: At,
        /// Where the reader stands: to be handed back at the next start.
        cursor: String,
    },
    /// A sender that handed mail over to us waits until all that was told before is written down: only then is the mail ours.
    Receipt(Receipt),
}

/// Who waits for what was told before to be durable.
#[derive(Clone, Debug)]
pub struct Receipt(Arc<Mutex<Option<oneshot::Sender<()>>>>);

impl Receipt {
    pub(super) fn new(waits: oneshot::Sender<()>) -> Self {
        Self(Arc::new(Mutex::new(Some(waits))))
    }

    /// Whom to tell. Nothing if somebody else does so; who lets it fall says that it will not be durable.
    #[must_use]
    pub fn take(&self) -> Option<oneshot::Sender<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Two are the same if the same one waits.
impl PartialEq for Receipt {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Receipt {}

/// What the reader should know of the watch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// A canary is on its way to this inbox: look often.
    pub outstanding: bool,
    /// Counts wishes for a complete read at once; a changed value is one.
    pub look: u64,
}
