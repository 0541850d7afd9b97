//! Tests of the defaults and of invalid configuration.

use std::time::Duration;

use super::support::parse;
use crate::batch::Config;

#[test]
fn defaults_are_those_of_the_collector() {
    let config = Config::default();
    assert_eq!(config.timeout, Some(Duration::from_millis(200)));
    assert_eq!(config.send_batch_size, 8192);
    assert_eq!(config.send_batch_max_size, None);
    let written = [
        "send_batch_size=8192",
        "timeout=200ms",
        "send_batch_max_size=0",
        "metadata_keys=[]",
        "metadata_cardinality_limit=1000",
    ];
    assert_eq!(parse(&written), Ok(config));
}

#[test]
fn invalid_config_is_rejected_with_advice() {
    let error = parse(&["send_batch_max_size=100"]).unwrap_err();
    assert!(error.contains("set it to 8192 or more"), "{error}");
    let error = parse(&["metadata_keys=[tenant_id]"]).unwrap_err();
    assert!(error.contains("leave the list empty"), "{error}");
    let error = parse(&["linger=1s"]).unwrap_err();
    assert!(error.contains("set timeout to 1s or more"), "{error}");
    for wrong in ["send_batch_size=-1", "timeout=5", "size=1"] {
        assert!(parse(&[wrong]).is_err(), "{wrong}");
    }
    assert!(parse(&["send_batch_size=10", "send_batch_max_size=10"]).is_ok());
}
