//! The certificate chain and private key of airdig, and their reload after `reload_interval`.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tracing::warn;

use super::InvalidTlsConfig;
use super::crypto::provider;
use super::pem::Pem;
use crate::component::{ErrorChain, StartError};
use crate::config::Secret;
use crate::sync::lock;

/// A certificate chain with its private key, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TlsIdentity {
    certificates: Pem,
    key: Pem,
    /// Reload files that were read longer ago than this; 0 never reloads.
    reload_interval: Duration,
}

impl TlsIdentity {
    /// Returns `None` if neither a certificate nor a key is given.
    pub(super) fn of(
        cert_file: Option<PathBuf>,
        cert_pem: Option<Secret>,
        key_file: Option<PathBuf>,
        key_pem: Option<Secret>,
        reload_interval: Duration,
    ) -> Result<Option<TlsIdentity>, InvalidTlsConfig> {
        let certificates = Pem::of(("cert_file", cert_file), ("cert_pem", cert_pem))?;
        let key = Pem::of(("key_file", key_file), ("key_pem", key_pem))?;
        match (certificates, key) {
            (None, None) => Ok(None),
            (Some(certificates), Some(key)) => Ok(Some(TlsIdentity {
                certificates,
                key,
                reload_interval,
            })),
            (Some(given), None) => Err(InvalidTlsConfig::MissingHalf {
                given: given.key(),
                missing: "key_file",
            }),
            (None, Some(given)) => Err(InvalidTlsConfig::MissingHalf {
                given: given.key(),
                missing: "cert_file",
            }),
        }
    }

    /// Reads the certificate and key. `at` is the path of the settings in the configuration.
    pub(super) fn load(self, at: &str) -> Result<ReloadingIdentity, StartError> {
        let first = self.read(at)?;
        Ok(ReloadingIdentity {
            at: at.to_owned(),
            current: Mutex::new((first, Instant::now())),
            identity: self,
        })
    }

    fn read(&self, at: &str) -> Result<Arc<CertifiedKey>, StartError> {
        let certificates = self.certificates.certificates(at)?;
        let key = self.key.private_key(at)?;
        CertifiedKey::from_der(certificates, key, &provider())
            .map(Arc::new)
            .map_err(|error| {
                let (certificates, key) = (self.certificates.key(), self.key.key());
                let reason = format!("{at}.{certificates} and {at}.{key} do not match");
                StartError::because(reason, error)
            })
    }
}

/// The certificate and key that were read last, and the time of that read.
pub(super) struct ReloadingIdentity {
    identity: TlsIdentity,
    at: String,
    current: Mutex<(Arc<CertifiedKey>, Instant)>,
}

impl ReloadingIdentity {
    /// The certificate for a new connection. Reloads it after `reload_interval`. As in the Collector, the handshake
    /// then reads two small files. If the reload fails, the earlier certificate remains in use.
    pub(super) fn current(&self) -> Arc<CertifiedKey> {
        let TlsIdentity {
            certificates,
            key,
            reload_interval,
        } = &self.identity;
        let mut current = lock(&self.current);
        let from_files = certificates.is_file() || key.is_file();
        let is_due = !reload_interval.is_zero() && current.1.elapsed() >= *reload_interval;
        if from_files && is_due {
            current.1 = Instant::now();
            match self.identity.read(&self.at) {
                Ok(read) => current.0 = read,
                Err(error) => {
                    warn!(error = %ErrorChain(&error), "cannot reload the certificate, the earlier one remains in use");
                }
            }
        }
        current.0.clone()
    }
}

impl ResolvesClientCert for ReloadingIdentity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for ReloadingIdentity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl fmt::Debug for ReloadingIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReloadingIdentity")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
