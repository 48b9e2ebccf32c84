//! Private certificate authorities: what a `ca_file` holds.

use std::io;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

/// Why a `ca_file` gives no authorities.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// It cannot be read.
    #[error("the file cannot be read")]
    Read(#[source] io::Error),
    /// What stands in it is not PEM, or one of its certificates is none that can be trusted.
    #[error("no certificate in PEM form")]
    NotPem,
    /// Nothing in it is a certificate.
    #[error("it holds no certificate")]
    Empty,
}

/// Reads the certificates in the file at `path`: one at least, and each such that it can be trusted.
///
/// # Errors
/// [`AuthorityError`].
pub fn authorities(path: &Path) -> Result<RootCertStore, AuthorityError> {
    let of_pem = |error| if let pem::Error::Io(e) = error { AuthorityError::Read(e) } else { AuthorityError::NotPem };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(of_pem)? {
        roots.add(certificate.map_err(of_pem)?).or(Err(AuthorityError::NotPem))?;
    }
    if roots.is_empty() { Err(AuthorityError::Empty) } else { Ok(roots) }
}
