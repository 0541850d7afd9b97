//! Load balancers: application, network and gateway ones.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each};
use crate::aws::found::{Found, whole};
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

use super::tags::tag_elb;

pub(super) struct LoadBalancer;

#[async_trait]
impl Kind for LoadBalancer {
    fn about(&self) -> About {
        // A classic one has a name alone.
        let resource = "loadbalancer/*/*/*";
        About::regional(
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            Service::ELB,
            resource,
        )
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let mut pages = Pager::new(Service::ELB, "DescribeLoadBalancers", "LoadBalancers");
        while let Some(token) = pages.next() {
            let request = at.elb.describe_load_balancers();
            let request = request.set_load_balancer_arns(only.uids());
            let request = request.set_page_size(only.page(400)).set_marker(token);
            let answer = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            let mut balancers = whole(answer.await?);
            tag_elb(at, found, &mut balancers, "LoadBalancerArn").await;
            found.checked(balancers).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let uid = arn(&item["LoadBalancerArn"])?;
        // As metrics name it: `app/web/50dc6c495c0c9188`.
        let id = uid
            .split_once(":loadbalancer/")
            .map(|(_, id)| id.to_owned());
        let mut balancer = Draft::new(uid, item);
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
