//! Look-ups in the DNS.
