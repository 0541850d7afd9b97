//! Hosted zones of Route 53.

use async_trait::async_trait;
use aws_sdk_route53::types::TagResourceType;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{each, text};
use crate::aws::found::{Answers, Found, take};
use crate::aws::kind::{About, Kind, Only, Turn};
use crate::aws::place::Place;
use crate::aws::service::Service;

use super::tags::{by_resource, tag};

pub(super) struct HostedZone;

#[async_trait]
impl Kind for HostedZone {
    fn about(&self) -> About {
        About::global("AWS::Route53::HostedZone", Service::ROUTE53, "hostedzone/*").turn(Turn::Last)
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        if let Some(id) = only.id() {
            let asked = (Service::ROUTE53, "GetHostedZone");
            let zone = at.must_have(asked, describe(at, id).await?, "HostedZone")?;
            return page(at, found, vec![zone]).await;
        }
        let mut pages = Pager::new(Service::ROUTE53, "ListHostedZones", "HostedZones");
        while let Some(token) = pages.next() {
            let request = at
                .route53
                .list_hosted_zones()
                .max_items(100)
                .set_marker(token);
            let answer = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            page(at, found, answer.await?).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let id = id_of(item)?;
        let mut zone = Draft::new(uid_of(id, at), item);
        // A record that comes or goes is no change of its zone.
        zone.without(&["ResourceRecordSetCount"]);
        zone.id(&id.into());
        zone.name(&text(&item["Name"])?.trim_end_matches('.').into());
        for vpc in each(&item["VPCs"]) {
            let region = text(&vpc["VPCRegion"]).unwrap_or(&at.region);
            let vpc = at.ec2_arn_in(region, "vpc/", &vpc["VPCId"]);
            zone.edge(kind::ATTACHED_TO, vpc);
        }
        Some(zone)
    }
}

/// A zone's id, which the API gives as `/hostedzone/Z…`.
pub(super) fn id_of(zone: &Json) -> Option<&str> {
    text(&zone["Id"])?.rsplit('/').next()
}

pub(super) fn uid_of(id: &str, at: &Place) -> String {
    at.global_arn("route53", false, &format!("hostedzone/{id}"))
}

async fn page(at: &Place, found: &mut Found<'_>, zones: Vec<Json>) -> Result<(), Failure> {
    let vpcs = |zone: &Json| {
        let is_private = zone["Config"]["PrivateZone"] == true;
        vpcs(at, id_of(zone).filter(|_| is_private).map(str::to_owned))
    };
    let mut zones = found.more(zones, vpcs).await;
    let id = |zone: &Json| id_of(zone).unwrap_or_default().to_owned();
    let tags = async |ids| {
        let request = at.route53.list_tags_for_resources();
        let request = request.resource_type(TagResourceType::Hostedzone);
        let request = request.set_resource_ids(Some(ids));
        let answer = at.call(Service::ROUTE53, "ListTagsForResources", |capture| {
            request.customize().interceptor(capture).send()
        });
        Ok(by_resource(answer.await?, "ResourceTagSets", "ResourceId"))
    };
    tag(found, &mut zones, 10, id, tags).await;
    found.checked(zones).await
}

/// The VPCs in which a private zone is heard.
async fn vpcs(at: &Place, private: Option<String>) -> Answers {
    match private {
        Some(id) => vec![("VPCs", describe(at, id).await.map(take("VPCs")))],
        None => Vec::new(),
    }
}

async fn describe(at: &Place, id: String) -> Result<Json, Failure> {
    let request = at.route53.get_hosted_zone().id(id);
    let answer = at.call(Service::ROUTE53, "GetHostedZone", |capture| {
        request.customize().interceptor(capture).send()
    });
    answer.await
}
