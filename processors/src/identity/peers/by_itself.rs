//! Queues and buckets, whose uids follow from what a span says.

use pipeline::uid;

use super::super::found::Node;
use super::named::Named;

/// None where anything of it is not as AWS has it: an S3 may be anybody's.
pub(super) fn of<'a>(named: &Named<'a>) -> Option<Node<'a>> {
    match named.queue {
        Some(url) => queue(url),
        None => bucket(named.bucket?, named.host?),
    }
}

/// `https://sqs.{region}.amazonaws.com/{account}/{name}`.
fn queue(url: &str) -> Option<Node<'_>> {
    let rest = url.strip_prefix("https://")?;
    let (host, path) = rest.split_once('/')?;
    let (account, name) = path.split_once('/')?;
    let region = of_amazon(host)?.strip_prefix("sqs.")?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if !is_account || name.is_empty() || name.contains('/') || region.contains('.') {
        return None;
    }
    Some(Node {
        uid: uid::aws("sqs", region, account, name).into(),
        kind: Some("AWS::SQS::Queue"),
        name: Some(name),
        provider: Some("aws"),
        account: Some(account),
        region: Some(region),
        ..Node::default()
    })
}

/// At `{bucket}.s3.{region}.amazonaws.com` or `s3.{region}.amazonaws.com`, in one of their forms.
fn bucket<'a>(name: &'a str, host: &str) -> Option<Node<'a>> {
    let service = of_amazon(host)?;
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
    Some(Node {
        uid: format!("arn:{partition}:s3:::{name}").into(),
        kind: Some("AWS::S3::Bucket"),
        name: Some(name),
        provider: Some("aws"),
        ..Node::default()
    })
}

/// What stands before AWS's own domain.
fn of_amazon(host: &str) -> Option<&str> {
    let host = host.strip_suffix(".cn").unwrap_or(host);
    host.strip_suffix(".amazonaws.com")
}

#[cfg(test)]
mod tests {
    use super::{Named, of};

    fn queue(url: &str) -> Option<String> {
        let named = Named {
            queue: Some(url),
            ..Named::default()
        };
        of(&named).map(|node| node.uid.into_owned())
    }

    fn bucket(name: &str, host: &str) -> Option<String> {
        let named = Named {
            bucket: Some(name),
            host: Some(host),
            ..Named::default()
        };
        of(&named).map(|node| node.uid.into_owned())
    }

    #[test]
    fn a_queue_is_named_by_its_url() {
        let at = |host: &str| queue(&format!("https://{host}/123456789012/orders"));
        assert_eq!(
            at("sqs.eu-west-1.amazonaws.com").as_deref(),
            Some("arn:aws:sqs:eu-west-1:123456789012:orders")
        );
        assert_eq!(
            at("sqs.cn-north-1.amazonaws.com.cn").as_deref(),
            Some("arn:aws-cn:sqs:cn-north-1:123456789012:orders")
        );
        for host in [
            "localhost:4566",
            "sqs.example.com",
            "sns.eu-west-1.amazonaws.com",
        ] {
            assert_eq!(at(host), None, "{host}");
        }
        for url in ["orders", "https://sqs.eu-west-1.amazonaws.com/orders"] {
            assert_eq!(queue(url), None, "{url}");
        }
    }

    #[test]
    fn a_bucket_is_named_where_it_is_at_aws() {
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
