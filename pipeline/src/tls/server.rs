//! TLS settings of servers.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::server::WebPkiClientVerifier;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use super::InvalidTlsConfig;
use super::crypto::{TlsVersions, provider, versions_between};
use super::identity::TlsIdentity;
use super::pem::Pem;
use crate::component::StartError;
use crate::config::{Secret, duration};

/// The settings `tls` of a component that listens.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(try_from = "ServerTlsDocument")]
pub struct ServerConfig {
    identity: TlsIdentity,
    /// If set, clients without a certificate of one of these authorities are rejected.
    client_authorities: Option<Pem>,
    versions: TlsVersions,
}

/// The settings in the file, before they are checked.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ServerTlsDocument {
    /// Server certificate chain, PEM.
    cert_file: Option<PathBuf>,
    cert_pem: Option<Secret>,
    /// Private key of the certificate, PEM.
    key_file: Option<PathBuf>,
    key_pem: Option<Secret>,
    /// Accept only clients with a certificate of one of these authorities, PEM (mTLS).
    client_ca_file: Option<PathBuf>,
    /// 1.2 or 1.3; by default 1.2.
    min_version: Option<String>,
    /// 1.2 or 1.3; by default 1.3.
    max_version: Option<String>,
    /// Reload certificate and key for a new connection when they were read longer ago than this. 0 never reloads.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    reload_interval: Duration,
}

impl TryFrom<ServerTlsDocument> for ServerConfig {
    type Error = InvalidTlsConfig;

    fn try_from(document: ServerTlsDocument) -> Result<ServerConfig, InvalidTlsConfig> {
        let identity = TlsIdentity::of(
            document.cert_file,
            document.cert_pem,
            document.key_file,
            document.key_pem,
            document.reload_interval,
        )?;
        Ok(ServerConfig {
            identity: identity.ok_or(InvalidTlsConfig::NoCertificate)?,
            client_authorities: Pem::of(
                ("client_ca_file", document.client_ca_file),
                ("client_ca_pem", None),
            )?,
            versions: versions_between(
                document.min_version.as_deref(),
                document.max_version.as_deref(),
            )?,
        })
    }
}

impl JsonSchema for ServerConfig {
    fn schema_name() -> Cow<'static, str> {
        "TlsServer".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        ServerTlsDocument::json_schema(generator)
    }
}

impl ServerConfig {
    /// Reads all files and makes the configuration for rustls. `at` is the path of these settings in the configuration:
    /// `receivers.otlp.protocols.grpc.tls`. `protocols` are the ALPN names of the supported protocols, the preferred
    /// one first.
    ///
    /// # Errors
    /// When a file cannot be read or is not valid; the error names its configuration key and path.
    pub fn load(&self, at: &str, protocols: &[&str]) -> Result<rustls::ServerConfig, StartError> {
        let provider = provider();
        let builder = rustls::ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(self.versions)
            .expect("ring supports all versions");
        let builder = match &self.client_authorities {
            None => builder.with_no_client_auth(),
            Some(pem) => {
                let roots = Arc::new(pem.authorities(at)?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                let verifier = verifier.build().expect("there is at least one authority");
                builder.with_client_cert_verifier(verifier)
            }
        };
        let identity = self.identity.clone().load(at)?;
        let mut config = builder.with_cert_resolver(Arc::new(identity));
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        Ok(config)
    }
}
