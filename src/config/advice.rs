//! Warnings: what can be and is likely not meant.

use super::read::Whole;

/// Gives every warning there is reason for.
pub(super) fn give(_whole: &Whole<'_>) {}
