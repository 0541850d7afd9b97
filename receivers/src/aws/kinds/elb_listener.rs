//! Listeners of load balancers.

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::iter;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{arn, each};
use crate::aws::found::{AT_ONCE, Found, whole};
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

use super::tags::tag_elb;

pub(super) struct Listener;

#[async_trait]
impl Kind for Listener {
    fn about(&self) -> About {
        let resource = "listener/*/*/*/*";
        About::regional(
            "AWS::ElasticLoadBalancingV2::Listener",
            Service::ELB,
            resource,
        )
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        let mut listeners = Vec::new();
        if only.is_all() {
            let balancers = balancers(at).await?;
            let of_each: Vec<_> = balancers
                .iter()
                .map(|balancer| of(at, only, arn(&balancer["LoadBalancerArn"])))
                .collect();
            let mut of_each = iter(of_each).buffered(AT_ONCE);
            while let Some(of_one) = of_each.next().await {
                match of_one {
                    Ok(of_one) => listeners.extend(of_one),
                    // The load balancer was deleted meanwhile.
                    Err(failure) if failure.is_not_found() => {}
                    Err(failure) => return Err(failure),
                }
            }
        } else {
            listeners = of(at, only, None).await?;
        }
        let mut listeners = whole(listeners);
        tag_elb(at, found, &mut listeners, "ListenerArn").await;
        found.checked(listeners).await
    }

    fn draft(&self, item: &Json, _: &Place) -> Option<Draft> {
        let uid = arn(&item["ListenerArn"])?;
        let id = uid.split_once(":listener/").map(|(_, id)| id.to_owned());
        let mut listener = Draft::new(uid, item);
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

async fn balancers(at: &Place) -> Result<Vec<Json>, Failure> {
    let pages = Pager::new(Service::ELB, "DescribeLoadBalancers", "LoadBalancers");
    let ask = |token, capture| {
        let request = at
            .elb
            .describe_load_balancers()
            .page_size(400)
            .set_marker(token);
        request.customize().interceptor(capture).send()
    };
    pages.all(at, ask).await
}

/// The listeners of a load balancer, or the one that is asked for.
async fn of(at: &Place, only: Only<'_>, balancer: Option<String>) -> Result<Vec<Json>, Failure> {
    let pages = Pager::new(Service::ELB, "DescribeListeners", "Listeners");
    let ask = |token, capture| {
        let request = at.elb.describe_listeners().set_listener_arns(only.uids());
        let request = request.set_load_balancer_arn(balancer.clone());
        let request = request.set_page_size(only.page(400)).set_marker(token);
        request.customize().interceptor(capture).send()
    };
    pages.all(at, ask).await
}
