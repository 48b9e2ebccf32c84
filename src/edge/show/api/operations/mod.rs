//! Every operation of the API.

mod index;
mod past;
mod people;
mod read;

use super::operation::Operation;

/// All of them. What stands here is answered, and is in the document; nothing else is.
pub(super) fn all() -> impl Iterator<Item = &'static Operation> {
    index::OPERATIONS.iter().chain(read::OPERATIONS).chain(past::OPERATIONS).chain(people::OPERATIONS)
}
