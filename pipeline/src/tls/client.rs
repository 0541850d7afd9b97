//! TLS settings of clients.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::ServerName;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::InvalidTlsConfig;
use super::accept_any::AcceptAnyCertificate;
use super::crypto::{TlsVersions, provider, versions_between};
use super::identity::TlsIdentity;
use super::pem::Pem;
use super::self_signed::SelfSignedVerifier;
use crate::component::StartError;
use crate::config::{Secret, duration};

/// The settings `tls` of a component that connects to a server.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(try_from = "ClientTlsDocument")]
pub struct ClientConfig {
    insecure: bool,
    skip_verify: bool,
    authorities: Option<Pem>,
    /// Whether the authorities of the system are trusted besides `authorities`.
    with_system: bool,
    identity: Option<TlsIdentity>,
    server_name: Option<ServerName<'static>>,
    versions: TlsVersions,
}

/// The settings in the file, before they are checked.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ClientTlsDocument {
    /// Use plain text, unless the endpoint begins with `https://`.
    insecure: bool,
    /// Accept any certificate of the server.
    insecure_skip_verify: bool,
    /// Certificate authorities to trust, PEM. By default those of the system.
    ca_file: Option<PathBuf>,
    ca_pem: Option<Secret>,
    /// Trust the authorities of the system besides those of `ca_file`.
    include_system_ca_certs_pool: bool,
    /// Client certificate chain, PEM, for servers that request one (mTLS).
    cert_file: Option<PathBuf>,
    cert_pem: Option<Secret>,
    /// Private key of the certificate, PEM.
    key_file: Option<PathBuf>,
    key_pem: Option<Secret>,
    /// The name that the certificate of the server must have, instead of that of the endpoint.
    server_name_override: Option<String>,
    /// 1.2 or 1.3; by default 1.2.
    min_version: Option<String>,
    /// 1.2 or 1.3; by default 1.3.
    max_version: Option<String>,
    /// Reload certificate and key for a new connection when they were read longer ago than this. 0 never reloads.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    reload_interval: Duration,
}

impl TryFrom<ClientTlsDocument> for ClientConfig {
    type Error = InvalidTlsConfig;

    fn try_from(document: ClientTlsDocument) -> Result<ClientConfig, InvalidTlsConfig> {
        let name = document.server_name_override;
        let name = name.filter(|name| !name.is_empty());
        let server_name = name.map(|name| {
            ServerName::try_from(name.clone()).map_err(|_| InvalidTlsConfig::ServerName(name))
        });
        Ok(ClientConfig {
            insecure: document.insecure,
            skip_verify: document.insecure_skip_verify,
            authorities: Pem::of(("ca_file", document.ca_file), ("ca_pem", document.ca_pem))?,
            with_system: document.include_system_ca_certs_pool,
            identity: TlsIdentity::of(
                document.cert_file,
                document.cert_pem,
                document.key_file,
                document.key_pem,
                document.reload_interval,
            )?,
            server_name: server_name.transpose()?,
            versions: versions_between(
                document.min_version.as_deref(),
                document.max_version.as_deref(),
            )?,
        })
    }
}

impl JsonSchema for ClientConfig {
    fn schema_name() -> Cow<'static, str> {
        "TlsClient".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ClientTlsDocument::json_schema(generator)
    }
}

impl Default for ClientConfig {
    fn default() -> ClientConfig {
        ClientConfig::try_from(ClientTlsDocument::default()).expect("the defaults are valid")
    }
}

impl ClientConfig {
    /// Whether connections to an endpoint without a scheme are plain text. As in the Collector, `insecure` has no
    /// effect if an authority is configured.
    pub fn is_plain_text(&self) -> bool {
        self.insecure && self.authorities.is_none()
    }

    /// The name that the certificate of the server must have, if it is not that of the endpoint.
    pub fn server_name(&self) -> Option<&ServerName<'static>> {
        self.server_name.as_ref()
    }

    /// Reads all files and makes the configuration for rustls. `at` is the path of these settings in the configuration:
    /// `exporters.otlp.tls`.
    ///
    /// # Errors
    /// When a file cannot be read or is not valid; the error names its configuration key and path.
    pub fn load(&self, at: &str) -> Result<rustls::ClientConfig, StartError> {
        let provider = provider();
        let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(self.versions)
            .expect("ring supports all versions");
        let verifier: Arc<dyn ServerCertVerifier> = if self.skip_verify {
            Arc::new(AcceptAnyCertificate(provider))
        } else {
            let trusted = match &self.authorities {
                None => Vec::new(),
                Some(pem) => pem.certificates(at)?,
            };
            let roots = Arc::new(self.roots(at)?);
            let by_roots = WebPkiServerVerifier::builder_with_provider(roots, provider);
            let by_roots = by_roots.build().expect("there is at least one authority");
            Arc::new(SelfSignedVerifier { by_roots, trusted })
        };
        let builder = builder
            .dangerous()
            .with_custom_certificate_verifier(verifier);
        Ok(match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                builder.with_client_cert_resolver(Arc::new(identity.clone().load(at)?))
            }
        })
    }

    /// Reads the trusted authorities.
    fn roots(&self, at: &str) -> Result<RootCertStore, StartError> {
        let mut roots = match &self.authorities {
            None => RootCertStore::empty(),
            Some(pem) => pem.authorities(at)?,
        };
        if self.authorities.is_none() || self.with_system {
            let system = rustls_native_certs::load_native_certs();
            roots.add_parsable_certificates(system.certs);
            if roots.is_empty() {
                let reason = format!(
                    "this system has no certificate authorities; install ca-certificates, or set \
                     {at}.ca_file"
                );
                return Err(match system.errors.into_iter().next() {
                    Some(error) => StartError::because(reason, error),
                    None => StartError::new(reason),
                });
            }
        }
        Ok(roots)
    }
}
