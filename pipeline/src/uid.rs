//! Uids: the identifiers of the nodes of the graph.
//!
//! | node | uid |
//! |---|---|
//! | AWS | the ARN |
//! | GCP | `//compute.googleapis.com/projects/…` |
//! | Kubernetes | `k8s://{cluster_uid}/{group}/{kind}/{uid}` |
//! | service | `svc://{environment}/{namespace}/{name}` |
//! | external endpoint | `ext://{host}:{port}` |
//! | address within a network, until its resource is known | `ip://{network}/{ip}` |
//!
//! Segments are percent-encoded and keep their case. A missing segment is empty: `svc:////cart`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use xxhash_rust::xxh3::xxh3_64;

/// All characters are encoded, except the unreserved characters of RFC 3986.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn encode(segment: &str) -> impl std::fmt::Display {
    utf8_percent_encode(segment, SEGMENT)
}

/// The uid of a service, from the resource attributes `deployment.environment.name`, `service.namespace` and
/// `service.name`.
pub fn service(environment: &str, namespace: &str, name: &str) -> String {
    format!(
        "svc://{}/{}/{}",
        encode(environment),
        encode(namespace),
        encode(name)
    )
}

/// The uid of an external endpoint. An IPv6 host is in brackets.
pub fn external(host: &str, port: Option<u16>) -> String {
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        encode(host).to_string()
    };
    match port {
        Some(port) => format!("ext://{host}:{port}"),
        None => format!("ext://{host}:"),
    }
}

/// The host of an [`external`] endpoint without a port. The records of a DNS zone lead to such endpoints. `None` if the
/// uid has another form, or if the host has encoded characters.
pub fn external_host(uid: &str) -> Option<&str> {
    let host = uid.strip_prefix("ext://")?.strip_suffix(':')?;
    let host = match host.strip_prefix('[') {
        Some(address) => address.strip_suffix(']')?,
        None => host,
    };
    (!host.is_empty() && !host.contains('%')).then_some(host)
}

/// The uid of an address that is unique only within its network, a VPC.
pub fn address(network: &str, ip: &str) -> String {
    // The colons of an IPv6 address are not encoded, as in an `external` uid.
    format!("ip://{}/{ip}", encode(network))
}

/// The uid of a Kubernetes object. `group` is empty for the core group.
pub fn kubernetes(cluster: &str, group: &str, kind: &str, uid: &str) -> String {
    format!(
        "k8s://{}/{}/{}/{}",
        encode(cluster),
        encode(group),
        encode(kind),
        encode(uid)
    )
}

/// The ARN of a resource for which the API of AWS returns none, in the partition of the region.
pub fn aws(service: &str, region: &str, account: &str, resource: &str) -> String {
    format!(
        "arn:{}:{service}:{region}:{account}:{resource}",
        aws_partition(region)
    )
}

/// The partition of a region: `aws-cn` for `cn-*`, `aws-us-gov` for `us-gov-*`, else `aws`.
pub fn aws_partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// The hash of a uid (XXH3, 64 bits). A scan completion lists its members by this hash. The hash never changes between
/// versions, since stores keep it.
pub fn hash(uid: &str) -> u64 {
    xxh3_64(uid.as_bytes())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_missing_segment_is_empty() {
        assert_eq!(super::service("", "", "cart"), "svc:////cart");
    }

    #[test]
    fn segments_are_encoded_and_keep_their_case() {
        assert_eq!(
            super::service("Prod", "a/b", "Käse"),
            "svc://Prod/a%2Fb/K%C3%A4se"
        );
    }

    #[test]
    fn an_ipv6_host_is_in_brackets() {
        assert_eq!(super::external("::1", Some(5432)), "ext://[::1]:5432");
        assert_eq!(super::external("db.example", None), "ext://db.example:");
    }

    #[test]
    fn external_host_returns_the_host_of_an_endpoint_without_a_port() {
        let uids = ["db.example", "::1"].map(|host| super::external(host, None));
        let hosts = uids.each_ref().map(|uid| super::external_host(uid));
        assert_eq!(hosts, [Some("db.example"), Some("::1")]);
        let others = [
            "ext://db.example:5432",
            "ext://:",
            "ext://a%20b:",
            "svc:////a",
        ];
        assert_eq!(others.map(super::external_host), [None; 4]);
    }

    #[test]
    fn an_address_uid_contains_its_network() {
        assert_eq!(super::address("vpc-1", "10.0.0.7"), "ip://vpc-1/10.0.0.7");
        assert_eq!(super::address("a/b", "fd00::7"), "ip://a%2Fb/fd00::7");
    }

    #[test]
    fn the_partition_follows_the_region() {
        let arn = super::aws("ec2", "cn-north-1", "1", "security-group/sg-1");
        assert_eq!(arn, "arn:aws-cn:ec2:cn-north-1:1:security-group/sg-1");
    }
}
