//! Listeners of load balancers.

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::iter;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::fields::{arn, each};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{
    CONCURRENT_CALLS, KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind,
    without_details,
};

use super::tags::tag_elb;

pub(super) struct Listener;

#[async_trait]
impl ResourceKind for Listener {
    fn info(&self) -> KindInfo {
        let resource = "listener/*/*/*/*";
        KindInfo::regional(
            "AWS::ElasticLoadBalancingV2::Listener",
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
        let mut listeners = Vec::new();
        if target.is_all() {
            let balancers = list_balancers(at).await?;
            let lists: Vec<_> = balancers
                .iter()
                .map(|balancer| list_listeners(at, target, arn(&balancer["LoadBalancerArn"])))
                .collect();
            let mut lists = iter(lists).buffered(CONCURRENT_CALLS);
            while let Some(list) = lists.next().await {
                match list {
                    Ok(list) => listeners.extend(list),
                    // The load balancer was deleted after the list call.
                    Err(failure) if failure.is_not_found() => {}
                    Err(failure) => return Err(failure),
                }
            }
        } else {
            listeners = list_listeners(at, target, None).await?;
        }
        let mut listeners = without_details(listeners);
        tag_elb(at, out, &mut listeners, "ListenerArn").await;
        out.write_detailed(listeners).await
    }

    fn draft(&self, item: &Json, _: &AccountRegion) -> Option<ResourceDraft> {
        let uid = arn(&item["ListenerArn"])?;
        let id = uid.split_once(":listener/").map(|(_, id)| id.to_owned());
        let mut listener = ResourceDraft::new(uid, item);
        listener.id(&id.into());
        listener.edge(kind::PART_OF, arn(&item["LoadBalancerArn"]));
        for action in each(&item["DefaultActions"]) {
            let weighted = each(&action["ForwardConfig"]["TargetGroups"]);
            for group in [action].into_iter().chain(weighted) {
                listener.edge(kind::ROUTES_TO, arn(&group["TargetGroupArn"]));
            }
        }
        Some(listener)
    }
}

async fn list_balancers(at: &AccountRegion) -> Result<Vec<Json>, ScanFailure> {
    let pages = Pager::new(AwsService::ELB, "DescribeLoadBalancers", "LoadBalancers");
    let send = |token, capture| {
        let request = at
            .elb
            .describe_load_balancers()
            .page_size(400)
            .set_marker(token);
        request.customize().interceptor(capture).send()
    };
    pages.all(at, send).await
}

/// Lists all listeners of a load balancer, or the target alone.
async fn list_listeners(
    at: &AccountRegion,
    target: ListTarget<'_>,
    balancer: Option<String>,
) -> Result<Vec<Json>, ScanFailure> {
    let pages = Pager::new(AwsService::ELB, "DescribeListeners", "Listeners");
    let send = |token, capture| {
        let request = at.elb.describe_listeners().set_listener_arns(target.uids());
        let request = request.set_load_balancer_arn(balancer.clone());
        let request = request
            .set_page_size(target.page_size(400))
            .set_marker(token);
        request.customize().interceptor(capture).send()
    };
    pages.all(at, send).await
}
