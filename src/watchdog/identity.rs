//! Who the mail of each provider and stream is: learnt from its first canaries, and held against every later one.

use super::index::Index;
use super::plan::Plan;
use super::state::State;
use crate::model::{CanaryId, Examination, Mark, Name, Stranger};

impl State {
    /// The mail of a canary was looked at.
    pub(super) fn examine(&mut self, _plan: &Plan, _ix: &Index, _canary: CanaryId, _mail: &Examination) {}

    /// A mail that is no canary was seen.
    pub(super) fn meet(&mut self, _inbox: &Name, _mail: &Stranger) {}

    /// A person says that a value is right.
    pub(super) fn approve(&mut self, _provider: &Name, _stream: &Name, _mark: &Mark) {}
}
