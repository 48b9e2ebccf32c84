//! The one way out: TCP by family, bind address and proxy, and TLS with private authorities.
