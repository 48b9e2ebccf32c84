//! Every operation of the API.

mod past;
mod people;
mod read;

use super::operation::Operation;

/// All of them. What stands here is answered, and is in the document; nothing else is.
pub(super) fn all() -> impl Iterator<Item = &'static Operation> {
    read::OPERATIONS.iter().chain(past::OPERATIONS).chain(people::OPERATIONS)
}
