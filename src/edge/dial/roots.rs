//! Which certificate authorities are trusted.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, RootCertStore};

use super::error::{Cause, DialError};

/// The system's authorities and those of `ca_file`. A system without any is no error.
pub(super) fn load(ca_file: Option<&Path>) -> Result<RootCertStore, DialError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        let fail = |cause| DialError::ca_file(path, cause);
        let certificates = CertificateDer::pem_file_iter(path).map_err(|e| fail(of_pem(&e)))?;
        let mut added = 0;
        for certificate in certificates {
            let certificate = certificate.map_err(|e| fail(of_pem(&e)))?;
            roots.add(certificate).or(Err(fail(Cause::BadCaFile)))?;
            added += 1;
        }
        if added == 0 {
            return Err(fail(Cause::EmptyCaFile));
        }
    }
    Ok(roots)
}

/// TLS 1.2 and 1.3 with `roots`, without client certificates.
pub(super) fn client_config(roots: RootCertStore) -> Result<ClientConfig, DialError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| DialError::http_client(&e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

fn of_pem(error: &pem::Error) -> Cause {
    if let pem::Error::Io(e) = error { Cause::of_io(e) } else { Cause::BadCaFile }
}
