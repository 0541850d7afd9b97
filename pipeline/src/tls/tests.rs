//! Tests of TLS settings, their errors, and the reload of certificates.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use super::ClientConfig;
use super::identity::TlsIdentity;

fn parse(yaml: Value) -> Result<ClientConfig, String> {
    serde_json::from_value(yaml).map_err(|error| error.to_string())
}

/// A file in the folder for temporary files, removed when dropped.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(name: &str, text: &str) -> TemporaryFile {
        let path = std::env::temp_dir().join(format!("airdig-tls-{}-{name}", std::process::id()));
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        TemporaryFile(path)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn self_signed() -> (String, String) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

#[test]
fn invalid_settings_are_rejected_with_their_key() {
    let wrong = [
        (json!({"ca_file": "a", "ca_pem": "b"}), "ca_file and ca_pem"),
        (json!({"cert_file": "a"}), "cert_file without key_file"),
        (json!({"key_pem": "a"}), "key_pem without cert_file"),
        (json!({"min_version": "1.1"}), "tls.min_version is \"1.1\""),
        (
            json!({"min_version": "1.3", "max_version": "1.2"}),
            "above tls.max_version",
        ),
        (
            json!({"server_name_override": "a b"}),
            "server_name_override",
        ),
        (json!({"cipher_suites": []}), "cipher_suites"),
    ];
    for (yaml, named) in wrong {
        let error = parse(yaml).unwrap_err();
        assert!(error.contains(named), "{error}");
    }
}

#[test]
fn missing_file_is_reported_with_its_key_and_path() {
    let error = parse(json!({"ca_file": "/nowhere/ca.pem"}))
        .unwrap()
        .load("exporters.otlp.tls")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read /nowhere/ca.pem, the file of exporters.otlp.tls.ca_file"
    );
}

#[test]
fn file_without_the_expected_pem_is_reported() {
    let (certificate, _) = self_signed();
    let noise = TemporaryFile::new("noise.pem", "not PEM");
    let not_key = TemporaryFile::new("cert.pem", &certificate);
    let error = parse(json!({"ca_file": noise.0})).unwrap().load("x.tls");
    assert!(error.unwrap_err().reason.contains("no certificate in PEM"));
    let mixed = json!({"ca_pem": certificate, "cert_file": not_key.0, "key_file": not_key.0});
    let error = parse(mixed).unwrap().load("x.tls").unwrap_err();
    assert!(error.reason.contains("no private key in PEM"), "{error}");
}

#[test]
fn key_of_another_certificate_is_reported() {
    let ((certificate, _), (_, key)) = (self_signed(), self_signed());
    let yaml = json!({"ca_pem": certificate, "cert_pem": certificate, "key_pem": key});
    let error = parse(yaml).unwrap().load("x.tls").unwrap_err();
    assert_eq!(
        error.reason,
        "x.tls.cert_pem and x.tls.key_pem do not match"
    );
}

#[test]
fn debug_does_not_show_private_keys() {
    let (certificate, key) = self_signed();
    let yaml = json!({"ca_pem": certificate, "cert_pem": certificate, "key_pem": key});
    let config = parse(yaml).unwrap();
    assert!(!format!("{config:?}").contains("PRIVATE"));
    assert!(config.load("x.tls").is_ok());
}

#[test]
fn insecure_with_an_authority_means_tls() {
    assert!(parse(json!({"insecure": true})).unwrap().is_plain_text());
    let (certificate, _) = self_signed();
    let named = parse(json!({"insecure": true, "ca_pem": certificate})).unwrap();
    assert!(!named.is_plain_text());
    assert!(!ClientConfig::default().is_plain_text());
}

#[test]
fn certificate_is_reloaded_and_stays_in_use_if_the_reload_fails() {
    let ((first, first_key), (second, second_key)) = (self_signed(), self_signed());
    let certificate = TemporaryFile::new("reload.pem", &first);
    let key = TemporaryFile::new("reload.key", &first_key);
    let load = |interval| {
        let (cert_file, key_file) = (Some(certificate.0.clone()), Some(key.0.clone()));
        let identity = TlsIdentity::of(cert_file, None, key_file, None, interval);
        identity.unwrap().unwrap().load("x.tls").unwrap()
    };
    let (forever, always) = (load(Duration::ZERO), load(Duration::from_nanos(1)));
    let before = always.current().cert.clone();
    assert_eq!(forever.current().cert, before);

    std::fs::write(&certificate.0, &second).unwrap();
    // The certificate is new, but the key is still the old one.
    assert_eq!(always.current().cert, before);
    std::fs::write(&key.0, &second_key).unwrap();
    assert_ne!(always.current().cert, before);
    assert_eq!(forever.current().cert, before);
}
