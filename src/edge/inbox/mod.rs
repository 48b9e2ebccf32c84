//! Reading inboxes.
