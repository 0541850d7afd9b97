//! Identifies SQS queues and S3 buckets, whose uids follow from the attributes of a span alone.

use pipeline::uid;

use super::attributes::PeerAttributes;
use crate::identity::identified_node::IdentifiedNode;

/// The queue or bucket that a span names. `None` if the host does not belong to AWS, since other servers also offer
/// APIs such as that of S3.
pub(super) fn identify<'a>(peer: &PeerAttributes<'a>) -> Option<IdentifiedNode<'a>> {
    match peer.queue {
        Some(url) => queue(url),
        None => bucket(peer.bucket?, peer.host?),
    }
}

/// The queue with the URL `https://sqs.{region}.amazonaws.com/{account}/{name}`.
fn queue(url: &str) -> Option<IdentifiedNode<'_>> {
    let rest = url.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/')?;
    let (account, name) = path.split_once('/')?;
    let region = aws_prefix(host)?.strip_prefix("sqs.")?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if !is_account || name.is_empty() || name.contains('/') || region.contains('.') {
        return None;
    }
    Some(IdentifiedNode {
        uid: uid::aws("sqs", region, account, name).into(),
        kind: Some("AWS::SQS::Queue"),
        name: Some(name),
        provider: Some("aws"),
        account: Some(account),
        region: Some(region),
        ..IdentifiedNode::default()
    })
}

/// The bucket at the host `{bucket}.s3.{region}.amazonaws.com` or `s3.{region}.amazonaws.com`, or at a variant of these
/// hosts: without a region, with `s3-{region}`, or with `s3.dualstack`.
fn bucket<'a>(name: &'a str, host: &str) -> Option<IdentifiedNode<'a>> {
    let service = aws_prefix(host)?;
    let service = service.strip_prefix(name).unwrap_or(service);
    let service = service.strip_prefix('.').unwrap_or(service);
    if !service.starts_with("s3") || name.contains([':', '/']) {
        return None;
    }
    let region = service.rsplit('.').next().unwrap_or_default();
    let region = region.strip_prefix("s3-").unwrap_or(region);
    let partition = match host.ends_with(".cn") {
        true => "aws-cn",
        false => uid::aws_partition(region),
    };
    Some(IdentifiedNode {
        uid: format!("arn:{partition}:s3:::{name}").into(),
        kind: Some("AWS::S3::Bucket"),
        name: Some(name),
        provider: Some("aws"),
        ..IdentifiedNode::default()
    })
}

/// The part of the host before `.amazonaws.com` or `.amazonaws.com.cn`; `None` for other hosts.
fn aws_prefix(host: &str) -> Option<&str> {
    let host = host.strip_suffix(".cn").unwrap_or(host);
    host.strip_suffix(".amazonaws.com")
}

#[cfg(test)]
mod tests {
    use super::{PeerAttributes, identify};

    fn queue(url: &str) -> Option<String> {
        let peer = PeerAttributes {
            queue: Some(url),
            ..PeerAttributes::default()
        };
        identify(&peer).map(|node| node.uid.into_owned())
    }

    fn bucket(name: &str, host: &str) -> Option<String> {
        let peer = PeerAttributes {
            bucket: Some(name),
            host: Some(host),
            ..PeerAttributes::default()
        };
        identify(&peer).map(|node| node.uid.into_owned())
    }

    #[test]
    fn the_url_of_a_queue_gives_its_arn() {
        let of_host = |host: &str| queue(&format!("https://{host}/123456789012/orders"));
        assert_eq!(
            of_host("sqs.eu-west-1.amazonaws.com").as_deref(),
            Some("arn:aws:sqs:eu-west-1:123456789012:orders")
        );
        assert_eq!(
            of_host("sqs.cn-north-1.amazonaws.com.cn").as_deref(),
            Some("arn:aws-cn:sqs:cn-north-1:123456789012:orders")
        );
        for host in [
            "localhost:4566",
            "sqs.example.com",
            "sns.eu-west-1.amazonaws.com",
        ] {
            assert_eq!(of_host(host), None, "{host}");
        }
        for url in ["orders", "https://sqs.eu-west-1.amazonaws.com/orders"] {
            assert_eq!(queue(url), None, "{url}");
        }
    }

    #[test]
    fn a_bucket_gets_an_arn_only_at_a_host_of_aws() {
        for host in [
            "shop.s3.eu-west-1.amazonaws.com",
            "s3.amazonaws.com",
            "s3-eu-west-1.amazonaws.com",
            "s3.eu-west-1.amazonaws.com",
            "shop.s3.dualstack.eu-west-1.amazonaws.com",
        ] {
            assert_eq!(
                bucket("shop", host).as_deref(),
                Some("arn:aws:s3:::shop"),
                "{host}"
            );
        }
        let of_cn = bucket("shop", "shop.s3.cn-north-1.amazonaws.com.cn");
        assert_eq!(of_cn.as_deref(), Some("arn:aws-cn:s3:::shop"));
        for host in [
            "s3.us-gov-west-1.amazonaws.com",
            "s3-us-gov-west-1.amazonaws.com",
        ] {
            let of_gov = bucket("shop", host);
            assert_eq!(of_gov.as_deref(), Some("arn:aws-us-gov:s3:::shop"));
        }
        for host in [
            "minio.shop.internal",
            "sqs.eu-west-1.amazonaws.com",
            "amazonaws.com",
        ] {
            assert_eq!(bucket("shop", host), None, "{host}");
        }
        assert_eq!(
            bucket("arn:aws:s3:eu-west-1:1:accesspoint/a", "s3.amazonaws.com"),
            None
        );
    }
}
