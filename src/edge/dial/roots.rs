//! Which certificate authorities are trusted.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use rustls::{ClientConfig, RootCertStore};

use super::error::{Cause, DialError};
use crate::config::{AuthorityError, authorities};

/// The system's authorities, read once a process: there are some hundred and fifty, and every provider, inbox and sink asks for them.
static SYSTEM: LazyLock<Arc<RootCertStore>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Arc::new(roots)
});

/// The system's authorities and those of `ca_file`. A system without any is no error.
pub(super) fn load(ca_file: Option<&Path>) -> Result<Arc<RootCertStore>, DialError> {
    let Some(path) = ca_file else { return Ok(Arc::clone(&SYSTEM)) };
    let private = authorities(path).map_err(|error| DialError::ca_file(path, cause(&error)))?;
    let mut roots = RootCertStore::clone(&SYSTEM);
    roots.extend(private.roots);
    Ok(Arc::new(roots))
}

/// TLS 1.2 and 1.3 with `roots`, without client certificates.
pub(super) fn client_config(roots: Arc<RootCertStore>) -> Result<ClientConfig, DialError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| DialError::http_client(&e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn cause(error: &AuthorityError) -> Cause {
    match error {
        AuthorityError::Read(e) => Cause::of_io(e),
        AuthorityError::NotPem => Cause::BadCaFile,
        AuthorityError::Empty => Cause::EmptyCaFile,
    }
}
