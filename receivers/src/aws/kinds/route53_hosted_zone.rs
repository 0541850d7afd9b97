//! Hosted zones of Route 53.

use async_trait::async_trait;
use aws_sdk_route53::types::TagResourceType;
use pipeline::schema::edges::kind;
use serde_json::Value as Json;

use crate::aws::api::fields::{each, take_field, text};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{
    DetailResults, KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind, ScanPhase,
};

use super::tags::{by_resource, tag};

pub(super) struct HostedZone;

#[async_trait]
impl ResourceKind for HostedZone {
    fn info(&self) -> KindInfo {
        KindInfo::global(
            "AWS::Route53::HostedZone",
            AwsService::ROUTE53,
            "hostedzone/*",
        )
        .phase(ScanPhase::Last)
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        if let Some(id) = target.id() {
            let call = (AwsService::ROUTE53, "GetHostedZone");
            let zone = at.require_field(call, describe(at, id).await?, "HostedZone")?;
            return write_page(at, out, vec![zone]).await;
        }
        let mut pages = Pager::new(AwsService::ROUTE53, "ListHostedZones", "HostedZones");
        while let Some(token) = pages.next() {
            let request = at
                .route53
                .list_hosted_zones()
                .max_items(100)
                .set_marker(token);
            let response = pages.call(at, |capture| {
                request.customize().interceptor(capture).send()
            });
            write_page(at, out, response.await?).await?;
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let id = id_of(item)?;
        let mut zone = ResourceDraft::new(uid_of(id, at), item);
        // A new or deleted record must not change its zone.
        zone.remove_fields(&["ResourceRecordSetCount"]);
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

/// The id `Z…` of a zone, which the API returns as `/hostedzone/Z…`.
pub(super) fn id_of(zone: &Json) -> Option<&str> {
    text(&zone["Id"])?.rsplit('/').next()
}

pub(super) fn uid_of(id: &str, at: &AccountRegion) -> String {
    at.global_arn("route53", false, &format!("hostedzone/{id}"))
}

async fn write_page(
    at: &AccountRegion,
    out: &mut PageWriter<'_>,
    zones: Vec<Json>,
) -> Result<(), ScanFailure> {
    let vpcs = |zone: &Json| {
        let is_private = zone["Config"]["PrivateZone"] == true;
        vpcs(at, id_of(zone).filter(|_| is_private).map(str::to_owned))
    };
    let mut zones = out.add_details(zones, vpcs).await;
    let id = |zone: &Json| id_of(zone).unwrap_or_default().to_owned();
    let tags = async |ids| {
        let request = at.route53.list_tags_for_resources();
        let request = request.resource_type(TagResourceType::Hostedzone);
        let request = request.set_resource_ids(Some(ids));
        let response = at.call(AwsService::ROUTE53, "ListTagsForResources", |capture| {
            request.customize().interceptor(capture).send()
        });
        Ok(by_resource(
            response.await?,
            "ResourceTagSets",
            "ResourceId",
        ))
    };
    tag(out, &mut zones, 10, id, tags).await;
    out.write_detailed(zones).await
}

/// The VPCs that resolve the names of a private zone. `private_zone` is `None` for a public zone.
async fn vpcs(at: &AccountRegion, private_zone: Option<String>) -> DetailResults {
    match private_zone {
        Some(id) => vec![("VPCs", describe(at, id).await.map(take_field("VPCs")))],
        None => Vec::new(),
    }
}

async fn describe(at: &AccountRegion, id: String) -> Result<Json, ScanFailure> {
    let request = at.route53.get_hosted_zone().id(id);
    let response = at.call(AwsService::ROUTE53, "GetHostedZone", |capture| {
        request.customize().interceptor(capture).send()
    });
    response.await
}
