//! The list call of most kinds of EC2.

/// Lists a kind with an operation of EC2 that has pages and accepts ids. The last argument is the page size:
/// `list_ec2!(at.describe_vpcs.set_vpc_ids(target) => out, "DescribeVpcs", 1000)`. The response lists the items in a
/// field that has the name of the operation without `Describe`. (A macro, since each operation has its own builder
/// type.)
macro_rules! list_ec2 {
    ($at:ident.$describe:ident.$ids:ident($target:ident) => $out:ident, $operation:literal, $page:literal) => {{
        let send = |token, capture| {
            let request = $at.ec2.$describe().$ids($target.ids());
            let request = request.set_max_results($target.page_size($page));
            let request = request.set_next_token(token);
            request.customize().interceptor(capture).send()
        };
        let ec2 = crate::aws::api::AwsService::EC2;
        let list = $operation.trim_start_matches("Describe");
        $out.list_all(ec2, $operation, list, send).await
    }};
}

pub(super) use list_ec2;
