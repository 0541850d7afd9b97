//! Application, network and gateway load balancers.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::fields::{arn, each};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{
    KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind, without_details,
};

use super::tags::tag_elb;

pub(super) struct LoadBalancer;

#[async_trait]
impl ResourceKind for LoadBalancer {
    fn info(&self) -> KindInfo {
        // This does not match the ARN of a classic load balancer, which has one part after `loadbalancer/`.
        let resource = "loadbalancer/*/*/*";
        KindInfo::regional(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            AwsService::ELB,
            resource,
        )
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        let mut pages = Pager::new(AwsService::ELB, "DescribeLoadBalancers", "LoadBalancers");
        while let Some(token) = pages.next() {
            let request = at.elb.describe_load_balancers();
            let request = request.set_load_balancer_arns(target.uids());
            let request = request
                .set_page_size(target.page_size(400))
                .set_marker(token);
            let response = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let mut balancers = without_details(response.await?);
            tag_elb(at, out, &mut balancers, "LoadBalancerArn").await;
            out.write_detailed(balancers).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let uid = arn(&item["LoadBalancerArn"])?;
        // The name in metrics: `app/web/50dc6c495c0c9188`.
        let id = uid
            .split_once(":loadbalancer/")
            .map(|(_, id)| id.to_owned());
        let mut balancer = ResourceDraft::new(uid, item);
        balancer.id(&id.into());
        balancer.name(&item["LoadBalancerName"]);
        for group in each(&item["SecurityGroups"]) {
            balancer.edge(kind::SECURED_BY, at.ec2_arn("security-group/", group));
        }
        for zone in each(&item["AvailabilityZones"]) {
            balancer.edge(kind::PART_OF, at.ec2_arn("subnet/", &zone["SubnetId"]));
        }
        balancer.host(&item["DNSName"], [80, 443]);
        Some(balancer)
    }
}
