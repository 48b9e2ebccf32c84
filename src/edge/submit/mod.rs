//! Handing canaries to providers.
