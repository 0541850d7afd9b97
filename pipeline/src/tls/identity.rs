//! The own certificate chain and private key, reloaded when they are old.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tracing::warn;

use super::pem::Pem;
use super::{Invalid, provider};
use crate::component::{Chain, StartError};
use crate::config::Secret;

/// A certificate chain with its key, as configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    certificates: Pem,
    key: Pem,
    /// Reload files that were read longer ago than this; 0 never reloads.
    reload_interval: Duration,
}

impl Identity {
    /// None where neither a certificate nor a key is given.
    pub(super) fn of(
        cert_file: Option<PathBuf>,
        cert_pem: Option<Secret>,
        key_file: Option<PathBuf>,
        key_pem: Option<Secret>,
        reload_interval: Duration,
    ) -> Result<Option<Identity>, Invalid> {
        let certificates = Pem::of(("cert_file", cert_file), ("cert_pem", cert_pem))?;
        let key = Pem::of(("key_file", key_file), ("key_pem", key_pem))?;
        match (certificates, key) {
            (None, None) => Ok(None),
            (Some(certificates), Some(key)) => Ok(Some(Identity {
                certificates,
                key,
                reload_interval,
            })),
            (Some(given), None) => Err(Invalid::Half {
                given: given.key(),
                missing: "key_file",
            }),
            (None, Some(given)) => Err(Invalid::Half {
                given: given.key(),
                missing: "cert_file",
            }),
        }
    }

    /// Reads both; `at` is the path of the settings in the configuration.
    pub(super) fn load(self, at: &str) -> Result<LoadedIdentity, StartError> {
        let first = self.read(at)?;
        Ok(LoadedIdentity {
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

/// The certificate and key that were read last.
pub(super) struct LoadedIdentity {
    identity: Identity,
    at: String,
    current: Mutex<(Arc<CertifiedKey>, Instant)>,
}

impl LoadedIdentity {
    /// The certificate for a new connection. A reload reads two small files within the handshake, as the
    /// Collector does; if it fails, the earlier certificate stays in use.
    pub(super) fn current(&self) -> Arc<CertifiedKey> {
        let Identity {
            certificates,
            key,
            reload_interval,
        } = &self.identity;
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let from_files = certificates.is_file() || key.is_file();
        let due = !reload_interval.is_zero() && current.1.elapsed() >= *reload_interval;
        if from_files && due {
            current.1 = Instant::now();
            match self.identity.read(&self.at) {
                Ok(read) => current.0 = read,
                Err(error) => {
                    warn!(error = %Chain(&error), "cannot reload the certificate, the earlier one stays in use");
                }
            }
        }
        current.0.clone()
    }
}

impl ResolvesClientCert for LoadedIdentity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for LoadedIdentity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl fmt::Debug for LoadedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedIdentity")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
