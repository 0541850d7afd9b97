//! The list call that most kinds of EC2 have.

/// Lists with an operation of EC2 that has pages and takes ids, a thousand a page at most:
/// `list_ec2!(at.describe_vpcs.set_vpc_ids(only) => found, "DescribeVpcs", 1000)`. The answer lists what is
/// described under its name. (A macro: the SDK has a builder of another type for each.)
macro_rules! list_ec2 {
    ($at:ident.$describe:ident.$ids:ident($only:ident) => $found:ident, $operation:literal, $page:literal) => {{
        let ask = |token, capture| {
            let request = $at.ec2.$describe().$ids($only.ids());
            let request = request.set_max_results($only.page($page));
            let request = request.set_next_token(token);
            request.customize().interceptor(capture).send()
        };
        let ec2 = crate::aws::service::Service::EC2;
        let list = $operation.trim_start_matches("Describe");
        $found.all(ec2, $operation, list, ask).await
    }};
}

pub(super) use list_ec2;
