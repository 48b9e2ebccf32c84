//! `tls_server_config`: certificates, keys and versions, checked by making what serves them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};

use super::super::authority::authorities;
use super::super::complaint::quoted;
use super::WebConfigError;
use super::text::Tls;

/// What serves TLS, and whether it lets in those alone who show a certificate. Files are relative to `folder`; each is added to `files`.
pub(super) fn server(tls: &Tls, folder: &Path, files: &mut Vec<PathBuf>) -> Result<(Arc<ServerConfig>, bool), Vec<WebConfigError>> {
    let mut file = |name: &Option<String>| {
        let path = name.as_ref().filter(|name| !name.is_empty()).map(|name| folder.join(name));
        files.extend(path.clone());
        path
    };
    let (cert, key, authority) = (file(&tls.cert_file), file(&tls.key_file), file(&tls.client_ca_file));
    let lacks = || {
        let hint = "write `cert_file` and `key_file`, or leave `tls_server_config` out";
        WebConfigError::new("tls_server_config: the certificate or its key is not named", hint)
    };
    // Each is looked at, so that all that is wrong is said at once.
    let named = (cert.is_some() && key.is_some()).then_some(()).ok_or_else(lacks);
    let clients = clients(tls.client_auth_type.as_deref(), authority.as_deref());
    let versions = versions(tls);
    let (certificates, key) = (cert.as_deref().map(certificates).transpose(), key.as_deref().map(private_key).transpose());
    let (Ok(()), Ok((verifier, knows_clients)), Ok(versions), Ok(Some(certificates)), Ok(Some(key))) =
        (&named, &clients, &versions, &certificates, &key)
    else {
        let all = [named.err(), clients.err(), versions.err(), certificates.err(), key.err()];
        return Err(all.into_iter().flatten().collect());
    };
    let unfit = |why: &dyn std::fmt::Display| {
        WebConfigError::new(format!("tls_server_config: {why}"), "the key is that of the first certificate of `cert_file`")
    };
    let builder = ServerConfig::builder_with_provider(Arc::new(default_provider())).with_protocol_versions(versions);
    let builder = builder.map_err(|error| vec![unfit(&error)])?;
    let builder = match verifier {
        Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier)),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(certificates.clone(), key.clone_key()).map_err(|error| vec![unfit(&error)])?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((Arc::new(config), *knows_clients))
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, WebConfigError> {
    let all = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(unread("cert_file", path, "it holds no certificate")),
        Err(error) => Err(unread("cert_file", path, &error.to_string())),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, WebConfigError> {
    PrivateKeyDer::from_pem_file(path).map_err(|error| unread("key_file", path, &error.to_string()))
}

fn unread(key: &str, path: &Path, why: &str) -> WebConfigError {
    let what = format!("tls_server_config.{key}: {} cannot be used: {why}", quoted(&path.display().to_string()));
    WebConfigError::new(what, "name a file in PEM form that mailcanary's user may read; relative paths begin beside the web configuration")
}

/// Whose certificates are asked for, and whether nobody is let in without one.
fn clients(kind: Option<&str>, authority: Option<&Path>) -> Result<(Option<Arc<dyn ClientCertVerifier>>, bool), WebConfigError> {
    let key = "tls_server_config.client_auth_type";
    let required = match kind.unwrap_or_default() {
        "" | "NoClientCert" if authority.is_none() => return Ok((None, false)),
        "" | "NoClientCert" => {
            let hint = "write client_auth_type: RequireAndVerifyClientCert, or leave `client_ca_file` out";
            return Err(WebConfigError::new(format!("{key}: `client_ca_file` is named, and nobody is asked for a certificate"), hint));
        }
        "RequireAndVerifyClientCert" => true,
        "VerifyClientCertIfGiven" => false,
        "RequestClientCert" | "RequireAnyClientCert" | "RequireClientCert" => {
            let hint = "write RequireAndVerifyClientCert or VerifyClientCertIfGiven";
            return Err(WebConfigError::new(format!("{key}: a certificate that nobody verifies proves nothing"), hint));
        }
        other => {
            let hint = "write NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert";
            return Err(WebConfigError::new(format!("{key}: {} is no such type", quoted(other)), hint));
        }
    };
    let Some(path) = authority else {
        return Err(WebConfigError::new(format!("{key}: there is no `client_ca_file`"), "name the authority of the clients' certificates"));
    };
    let roots = authorities(path).map_err(|error| unread("client_ca_file", path, &error.to_string()))?;
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()));
    let builder = if required { builder } else { builder.allow_unauthenticated() };
    let verifier = builder.build().map_err(|error| unread("client_ca_file", path, &error.to_string()))?;
    Ok((Some(verifier), required))
}

fn versions(tls: &Tls) -> Result<Vec<&'static SupportedProtocolVersion>, WebConfigError> {
    let version = |key: &str, text: &Option<String>, default: u8| match text.as_deref() {
        None | Some("") => Ok(default),
        Some("TLS12") => Ok(12),
        Some("TLS13") => Ok(13),
        Some(other) => {
            let what = format!("tls_server_config.{key}: {} is not spoken", quoted(other));
            Err(WebConfigError::new(what, "write TLS12 or TLS13: what is older is broken"))
        }
    };
    let (least, most) = (version("min_version", &tls.min_version, 12)?, version("max_version", &tls.max_version, 13)?);
    if least > most {
        return Err(WebConfigError::new("tls_server_config: `min_version` is newer than `max_version`", "leave `max_version` out"));
    }
    Ok([(12, &TLS12), (13, &TLS13)].into_iter().filter(|(n, _)| (least..=most).contains(n)).map(|(_, version)| version).collect())
}
