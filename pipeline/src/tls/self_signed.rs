//! Accepts a server with a self-signed certificate, if `ca_file` contains that certificate.
//!
//! `openssl req -x509` marks its certificates as authorities, and webpki rejects an authority as a server certificate.
//! Go accepts it, so the files of Collector users contain such certificates.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

/// Accepts the certificates that webpki accepts, and an authority that is itself one of the trusted certificates.
#[derive(Debug)]
pub(super) struct SelfSignedVerifier {
    pub(super) by_roots: Arc<WebPkiServerVerifier>,
    pub(super) trusted: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for SelfSignedVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self
            .by_roots
            .verify_server_cert(certificate, chain, name, ocsp, now);
        match verified {
            // webpki checks the dates before it rejects an authority, so the dates are valid.
            Err(error) if is_authority(&error) && self.trusted.contains(certificate) => {
                verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_roots
            .verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_roots
            .verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_roots.supported_verify_schemes()
    }
}

/// Whether the certificate was rejected because it is an authority.
fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    matches!(
        other.0.downcast_ref(),
        Some(webpki::Error::CaUsedAsEndEntity)
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
    use rustls::RootCertStore;
    use rustls::client::WebPkiServerVerifier;
    use rustls::client::danger::ServerCertVerifier;
    use rustls::pki_types::{CertificateDer, UnixTime};

    use super::SelfSignedVerifier;
    use crate::tls::crypto::provider;

    /// A certificate like those of `openssl req -x509`.
    fn self_signed(until: i32) -> CertificateDer<'static> {
        let mut params = CertificateParams::new(["tempo.test".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().into()
    }

    fn verify(
        trusted: &CertificateDer<'static>,
        shown: &CertificateDer<'static>,
        name: &str,
    ) -> Result<(), String> {
        let mut roots = RootCertStore::empty();
        roots.add(trusted.clone()).unwrap();
        let by_roots = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider());
        let verifier = SelfSignedVerifier {
            by_roots: by_roots.build().unwrap(),
            trusted: vec![trusted.clone()],
        };
        let name = name.to_owned().try_into().unwrap();
        let verified = verifier.verify_server_cert(shown, &[], &name, &[], UnixTime::now());
        verified.map(drop).map_err(|error| error.to_string())
    }

    #[test]
    fn trusted_authority_is_accepted_as_server_certificate() {
        let ours = self_signed(4000);
        assert_eq!(verify(&ours, &ours, "tempo.test"), Ok(()));
    }

    #[test]
    fn another_certificate_name_or_time_is_rejected() {
        let (ours, other, old) = (self_signed(4000), self_signed(4000), self_signed(2001));
        let error = verify(&ours, &other, "tempo.test").unwrap_err();
        assert!(error.contains("CaUsedAsEndEntity"), "{error}");
        let error = verify(&ours, &ours, "loki.test").unwrap_err();
        assert!(error.contains("not valid for name"), "{error}");
        let error = verify(&old, &old, "tempo.test").unwrap_err();
        assert!(error.contains("expired"), "{error}");
    }
}
