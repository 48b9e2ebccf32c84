//! The certificate for STARTTLS.

use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::MxSettings;

/// TLS with the certificate that is configured, or with one that is made here and signed by itself: senders encrypt to it all the same, and
/// only those that check (MTA-STS, DANE) do not take it.
pub(super) fn acceptor(settings: &MxSettings) -> Result<TlsAcceptor, String> {
    let (chain, key) = match &settings.certificate {
        Some((certificate, key)) => read(certificate, key)?,
        None => made(&settings.host)?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|e| format!("the certificate cannot be used: {e}"))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn read(certificate: &Path, key: &Path) -> Result<Pair, String> {
    let failed = |path: &Path, e| format!("`{}` cannot be used for TLS: {e}", path.display());
    let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = chain.map_err(|e| failed(certificate, e))?;
    Ok((chain, PrivateKeyDer::from_pem_file(key).map_err(|e| failed(key, e))?))
}

fn made(host: &str) -> Result<Pair, String> {
    let made = rcgen::generate_simple_self_signed(vec![host.to_owned()]).map_err(|e| format!("no certificate can be made: {e}"))?;
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(str::to_owned)?;
    Ok((vec![made.cert.der().clone()], key))
}
