//! Who we are: a certificate chain and its private key, read again from time to time.

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

/// A certificate chain with its key, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    certificates: Pem,
    key: Pem,
    /// How old what was read may be; 0 is for ever.
    reload_interval: Duration,
}

impl Identity {
    /// Nothing, where neither a certificate nor a key is given.
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

    /// Reads both; `at` is where the settings stand.
    pub(super) fn load(self, at: &str) -> Result<Loaded, StartError> {
        let first = self.read(at)?;
        Ok(Loaded {
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
                let reason = format!("{at}.{certificates} and {at}.{key} do not fit");
                StartError::because(reason, error)
            })
    }
}

/// What was read last.
pub(super) struct Loaded {
    identity: Identity,
    at: String,
    current: Mutex<(Arc<CertifiedKey>, Instant)>,
}

impl Loaded {
    /// What holds for a new connection. Two small files are read within its handshake, as the
    /// Collector does; where that fails, the older certificate goes on.
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
                    warn!(error = %Chain(&error), "the certificate was not read again");
                }
            }
        }
        current.0.clone()
    }
}

impl ResolvesClientCert for Loaded {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

impl ResolvesServerCert for Loaded {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current())
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}
