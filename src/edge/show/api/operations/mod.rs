//! Every operation of the API.

mod people;
mod read;

use super::operation::Operation;

/// All of them. What stands here is answered, and is in the document; nothing else is.
pub(super) fn all() -> impl Iterator<Item = &'static Operation> {
    read::OPERATIONS.iter().chain(people::OPERATIONS)
}
