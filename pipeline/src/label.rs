//! The label that people read instead of a uid: the name of a node or, if it has none, the short id in its uid.
//!
//! | uid | short id |
//! |---|---|
//! | `arn:aws:ec2:eu-west-1:42:security-group/sg-1` | `sg-1` |
//! | `//compute.googleapis.com/projects/p/zones/z/instances/web` | `web` |
//! | `k8s://{cluster_uid}/apps/deployments/{uid}` | `{uid}` |
//! | `svc://prod/shop/K%C3%A4se` | `Käse` |
//! | `ext://db.example:5432`, `ext://db.example:` | `db.example:5432`, `db.example` |
//! | `ip://vpc/10.0.0.7` | `10.0.0.7` |

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The label of a node whose uid has no readable character.
const UNKNOWN: &str = "unknown";

/// The label of a node: its name or, if that is missing or blank, the short id in its uid. Never empty.
pub fn label<'a>(name: Option<&'a str>, uid: &'a str) -> Cow<'a, str> {
    match name.filter(|name| !is_blank(name)) {
        Some(name) => name.into(),
        None => short_id(uid),
    }
}

/// The last meaningful segment of a uid, decoded if the uid is encoded (see [`uid`](crate::uid)); the whole uid if it
/// has no such segment. Never empty.
pub fn short_id(uid: &str) -> Cow<'_, str> {
    let segment = match (uid.strip_prefix("ext://"), path_of(uid)) {
        (Some(endpoint), _) => endpoint_of(endpoint).map(decoded),
        (None, Some(path)) => last_segment(path, &['/']).map(decoded),
        // An ARN is not encoded.
        (None, None) => last_segment(uid, &['/', ':']).map(Cow::Borrowed),
    };
    match segment {
        Some(segment) => segment,
        None if is_blank(uid) => UNKNOWN.into(),
        None => uid.into(),
    }
}

/// The part of a uid after `scheme://` or `//`; `None` if the uid has another form.
fn path_of(uid: &str) -> Option<&str> {
    let (before, path) = uid.split_once("//")?;
    let is_scheme = |scheme: &str| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let is_path = before.is_empty() || before.strip_suffix(':').is_some_and(is_scheme);
    is_path.then_some(path)
}

/// `host:port`, or only the host if there is no port: then without the brackets of an IPv6 address.
fn endpoint_of(endpoint: &str) -> Option<&str> {
    let Some(host) = endpoint.strip_suffix(':') else {
        return (!is_blank(endpoint)).then_some(endpoint);
    };
    let address = host.strip_prefix('[').and_then(|ip| ip.strip_suffix(']'));
    Some(address.unwrap_or(host)).filter(|host| !is_blank(host))
}

/// The last segment that is neither blank nor `*`. The ARNs of CloudWatch's log groups end with `*`.
fn last_segment<'a>(uid: &'a str, separators: &[char]) -> Option<&'a str> {
    let mut segments = uid.rsplit(separators);
    segments.find(|segment| !is_blank(segment) && *segment != "*")
}

/// The decoded segment. A segment whose decoded form is blank or not UTF-8 stays as it is.
fn decoded(segment: &str) -> Cow<'_, str> {
    let decoded = percent_decode_str(segment).decode_utf8();
    let readable = decoded.ok().filter(|decoded| !is_blank(decoded));
    readable.unwrap_or(Cow::Borrowed(segment))
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::{label, short_id};
    use crate::uid;

    #[test]
    fn a_short_id_is_the_last_meaningful_segment() {
        for (uid, expected) in [
            ("arn:aws:ec2:eu-west-1:42:security-group/sg-1", "sg-1"),
            ("arn:aws:rds:eu-west-1:42:db:orders", "orders"),
            ("arn:aws:s3:::shop", "shop"),
            ("arn:aws:iam::42:role/service-role/web", "web"),
            (
                "arn:aws:logs:eu-west-1:42:log-group:/aws/lambda/web:*",
                "web",
            ),
            (
                "//compute.googleapis.com/projects/p/zones/z/instances/web",
                "web",
            ),
            ("/subscriptions/s/virtualMachines/web/", "web"),
            ("k8s://c/apps/deployments/7d1c", "7d1c"),
            ("svc://prod/shop/cart", "cart"),
            ("svc:////cart", "cart"),
            ("ext://db.example:5432", "db.example:5432"),
            ("ext://db.example:", "db.example"),
            ("ip://vpc-1/10.0.0.7", "10.0.0.7"),
            ("web", "web"),
        ] {
            assert_eq!(short_id(uid), expected, "{uid}");
        }
    }

    #[test]
    fn an_encoded_segment_is_decoded() {
        assert_eq!(
            short_id(&uid::service("prod", "", "a/b: Käse")),
            "a/b: Käse"
        );
        assert_eq!(short_id(&uid::kubernetes("c", "", "pod", "a b")), "a b");
        assert_eq!(short_id(&uid::external("10.0.0.0/8", None)), "10.0.0.0/8");
        assert_eq!(short_id(&uid::external("a b", Some(80))), "a b:80");
    }

    #[test]
    fn an_ipv6_address_keeps_its_colons() {
        assert_eq!(short_id(&uid::external("::1", Some(5432))), "[::1]:5432");
        assert_eq!(short_id(&uid::external("::1", None)), "::1");
        assert_eq!(short_id(&uid::address("a/b", "fd00::7")), "fd00::7");
    }

    #[test]
    fn a_segment_that_is_not_encoded_stays_as_it_is() {
        for (uid, expected) in [
            ("arn:aws:s3:::shop/100%25", "100%25"),
            ("svc:////100%", "100%"),
            ("svc:////%FF", "%FF"),
            ("svc:////%20", "%20"),
        ] {
            assert_eq!(short_id(uid), expected, "{uid}");
        }
    }

    #[test]
    fn a_label_is_the_name_if_it_is_not_blank() {
        assert_eq!(label(Some("web"), "arn:aws:s3:::shop"), "web");
        for nameless in [None, Some(""), Some("  ")] {
            assert_eq!(label(nameless, "arn:aws:s3:::shop"), "shop", "{nameless:?}");
        }
    }

    #[test]
    fn a_uid_of_separators_only_is_its_own_label() {
        for uid in [":", "///", "svc://", "ext://", "ext://:", "k8s:////", "*"] {
            assert_eq!(label(None, uid), uid);
        }
        assert_eq!(label(None, ""), "unknown");
        assert_eq!(label(Some(""), " "), "unknown");
    }

    proptest! {
        #[test]
        fn a_label_is_never_empty(name in ".{0,2}", uid in "(svc|ext|ip|arn)?[:/%* a-c]{0,12}") {
            prop_assert!(!label(Some(&name), &uid).trim().is_empty());
        }
    }
}
