//! A private certificate authority and what it signs.

use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};

use super::temp_dir::TempDir;

/// An authority whose certificate and signatures are files in a folder of its own.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A certificate with its key, both PEM files that anybody may read.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// The certificate.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let folder = TempDir::new("ca");
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // Two authorities of one name could not be told from one that changed its key.
        params.distinguished_name.push(DnType::CommonName, folder.path().display().to_string());
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        std::fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// Its certificate, for `ca_file`.
    pub fn file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for `names`, host names or addresses, that is valid now.
    pub fn issue(&self, names: &[&str]) -> Certificate {
        self.issue_until(names, 2096)
    }

    /// One that expired long ago.
    pub fn issue_expired(&self, names: &[&str]) -> Certificate {
        self.issue_until(names, 2001)
    }

    fn issue_until(&self, names: &[&str], year: i32) -> Certificate {
        let mut params = CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap();
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        let key = KeyPair::generate().unwrap();
        let cert = params.signed_by(&key, &self.issuer).unwrap();
        let stem = format!("{}-{year}", names.join("-").replace(['*', ':'], "_"));
        let write = |name: String, text: String| {
            let path: PathBuf = Path::new(self.folder.path()).join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        Certificate { cert: write(format!("{stem}.pem"), cert.pem()), key: write(format!("{stem}.key"), key.serialize_pem()) }
    }
}
