//! Certificates and keys in PEM, from a file or from the configuration itself.

use std::path::PathBuf;

use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::InvalidTlsConfig;
use crate::component::StartError;
use crate::config::Secret;

/// The source of a PEM text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pem {
    File { key: &'static str, path: PathBuf },
    Text { key: &'static str, text: Secret },
}

impl Pem {
    /// Selects the file or the text, whichever is given. An empty value means that it is not given.
    pub(super) fn of(
        (file_key, file): (&'static str, Option<PathBuf>),
        (text_key, text): (&'static str, Option<Secret>),
    ) -> Result<Option<Pem>, InvalidTlsConfig> {
        let file = file.filter(|path| !path.as_os_str().is_empty());
        let text = text.filter(|text| !text.expose().is_empty());
        match (file, text) {
            (None, None) => Ok(None),
            (Some(path), None) => Ok(Some(Pem::File {
                key: file_key,
                path,
            })),
            (None, Some(text)) => Ok(Some(Pem::Text {
                key: text_key,
                text,
            })),
            (Some(_), Some(_)) => Err(InvalidTlsConfig::FileAndPem {
                file: file_key,
                pem: text_key,
            }),
        }
    }

    /// The configuration key.
    pub(super) fn key(&self) -> &'static str {
        match self {
            Pem::File { key, .. } | Pem::Text { key, .. } => key,
        }
    }

    /// Whether the source is a file.
    pub(super) fn is_file(&self) -> bool {
        matches!(self, Pem::File { .. })
    }

    /// Reads all certificates, in order. There is at least one. `at` is the path of the settings in the configuration:
    /// `exporters.otlp.tls`.
    pub(super) fn certificates(
        &self,
        at: &str,
    ) -> Result<Vec<CertificateDer<'static>>, StartError> {
        let pem = self.read(at)?;
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        match certificates {
            Ok(certificates) if certificates.is_empty() => {
                Err(self.invalid(at, "no certificate in PEM", pem::Error::NoItemsFound))
            }
            Ok(certificates) => Ok(certificates),
            Err(error) => Err(self.invalid(at, "no certificate in PEM", error)),
        }
    }

    /// Reads all certificates as trusted authorities.
    pub(super) fn authorities(&self, at: &str) -> Result<RootCertStore, StartError> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates(at)? {
            roots.add(certificate).map_err(|error| {
                let reason = format!("{at}.{} contains no certificate authority", self.key());
                StartError::because(reason, error)
            })?;
        }
        Ok(roots)
    }

    /// Reads the first private key.
    pub(super) fn private_key(&self, at: &str) -> Result<PrivateKeyDer<'static>, StartError> {
        let pem = self.read(at)?;
        PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|error| self.invalid(at, "no private key in PEM", error))
    }

    fn read(&self, at: &str) -> Result<Vec<u8>, StartError> {
        match self {
            Pem::Text { text, .. } => Ok(text.expose().as_bytes().to_vec()),
            Pem::File { key, path } => std::fs::read(path).map_err(|error| {
                let reason = format!("cannot read {}, the file of {at}.{key}", path.display());
                StartError::because(reason, error)
            }),
        }
    }

    fn invalid(&self, at: &str, problem: &str, error: pem::Error) -> StartError {
        let key = self.key();
        let reason = match self {
            Pem::Text { .. } => format!("{at}.{key} contains {problem}"),
            Pem::File { path, .. } => {
                format!("{} contains {problem}; set {at}.{key}", path.display())
            }
        };
        StartError::because(reason, error)
    }
}
