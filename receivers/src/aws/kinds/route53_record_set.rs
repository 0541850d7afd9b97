//! Record sets of Route 53, and the hosts to which they point.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use pipeline::uid;
use serde_json::Value as Json;

use crate::aws::api::fields::{each, take_objects, text};
use crate::aws::api::{AccountRegion, AwsService, Pager, ScanFailure};
use crate::aws::listing::{KindInfo, ListTarget, PageWriter, ResourceDraft, ResourceKind};

use super::route53_hosted_zone as zones;

pub(super) struct RecordSet;

#[async_trait]
impl ResourceKind for RecordSet {
    fn info(&self) -> KindInfo {
        let resource = "hostedzone/*/recordset/**";
        KindInfo::global("AWS::Route53::RecordSet", AwsService::ROUTE53, resource)
    }

    async fn list(
        &self,
        at: &AccountRegion,
        target: ListTarget<'_>,
        out: &mut PageWriter<'_>,
    ) -> Result<(), ScanFailure> {
        if let Some(record) = target.id_after(":hostedzone/") {
            let (zone, start) = Start::at(&record);
            return list_records(at, zone, start, target, out).await;
        }
        let pages = Pager::new(AwsService::ROUTE53, "ListHostedZones", "HostedZones");
        let all = pages.all(at, |token, capture| {
            let request = at
                .route53
                .list_hosted_zones()
                .max_items(100)
                .set_marker(token);
            request.customize().interceptor(capture).send()
        });
        for zone in all.await? {
            let Some(id) = zones::id_of(&zone) else {
                continue;
            };
            match list_records(at, id, Start::default(), target, out).await {
                // The zone was deleted after the list call.
                Err(failure) if failure.is_not_found() => {}
                result => result?,
            }
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &AccountRegion) -> Option<ResourceDraft> {
        let zone = &item["HostedZoneId"];
        let (name, id) = (plain(text(&item["Name"])?), id_of(item)?);
        let of_zone = zones::uid_of(text(zone)?, at);
        let mut record = ResourceDraft::new(uid_of(item, at)?, item);
        // The id is unique only within its zone: a private zone may contain the same names as a public one.
        record.alias_within(zone, "id", &id.into());
        record.name(&name.as_str().into());
        record.edge(kind::PART_OF, Some(of_zone));
        let target = text(&item["AliasTarget"]["DNSName"]);
        let is_host = matches!(text(&item["Type"]), Some("A" | "AAAA" | "CNAME"));
        if is_host {
            record.alias("dns", &name.into());
        }
        let values = each(&item["ResourceRecords"]).filter_map(|value| text(&value["Value"]));
        for to in target.into_iter().chain(values.filter(|_| is_host)) {
            record.edge(
                kind::DNS_POINTS_TO,
                Some(uid::external(host(&plain(to)), None)),
            );
        }
        Some(record)
    }
}

/// The part of the uid after the zone. A set identifier distinguishes records with the same name and type.
fn id_of(item: &Json) -> Option<String> {
    let (name, of_type) = (plain(text(&item["Name"])?), text(&item["Type"])?);
    Some(match text(&item["SetIdentifier"]) {
        Some(set) => format!("{name}/{of_type}/{set}"),
        None => format!("{name}/{of_type}"),
    })
}

fn uid_of(item: &Json, at: &AccountRegion) -> Option<String> {
    let zone = zones::uid_of(text(&item["HostedZoneId"])?, at);
    Some(format!("{zone}/recordset/{}", id_of(item)?))
}

/// The first record of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Start {
    name: Option<String>,
    of_type: Option<String>,
    set: Option<String>,
}

impl Start {
    /// Parses the zone and the record of `Z/recordset/NAME/TYPE[/SET]`.
    fn at(record: &str) -> (&str, Start) {
        let (zone, record) = record.split_once("/recordset/").unwrap_or((record, ""));
        let mut parts = record.splitn(3, '/').map(str::to_owned);
        let start = Start {
            name: parts.next(),
            of_type: parts.next(),
            set: parts.next(),
        };
        (zone, start)
    }

    /// The start of the next page.
    fn next(response: &Json) -> Start {
        let field = |name: &str| text(&response[name]).map(str::to_owned);
        Start {
            name: field("NextRecordName"),
            of_type: field("NextRecordType"),
            set: field("NextRecordIdentifier"),
        }
    }
}

/// Lists the records of a zone from `start` on, or the target alone. `start` is then the target itself.
async fn list_records(
    at: &AccountRegion,
    zone: &str,
    mut start: Start,
    target: ListTarget<'_>,
    out: &mut PageWriter<'_>,
) -> Result<(), ScanFailure> {
    loop {
        let from = start.clone();
        let request = at.route53.list_resource_record_sets();
        let request = request.hosted_zone_id(zone).max_items(300);
        let request = request.set_start_record_name(from.name);
        let request = request.set_start_record_type(from.of_type.as_deref().map(Into::into));
        let request = request.set_start_record_identifier(from.set);
        let response = at.call(AwsService::ROUTE53, "ListResourceRecordSets", |capture| {
            request.customize().interceptor(capture).send()
        });
        let response = response.await?;
        let call = (AwsService::ROUTE53, "ListResourceRecordSets");
        let mut records = at.require_field(call, response.clone(), "ResourceRecordSets")?;
        let mut records = take_objects(&mut records);
        for record in &mut records {
            record["HostedZoneId"] = zone.into();
        }
        // The page also contains records after the target.
        records.retain(|record| target.is_all() || uid_of(record, at) == target.uid());
        out.write(records).await?;
        if response["IsTruncated"] != true || !target.is_all() {
            return Ok(());
        }
        let next = Start::next(&response);
        if next == start {
            let call = at.api_call(AwsService::ROUTE53, "ListResourceRecordSets");
            return Err(ScanFailure::malformed(
                call,
                "the token of the next page is that of the page itself",
            ));
        }
        start = next;
    }
}

/// A name in lower case, without the final dot, and with `*` in place of Route 53's `\052`.
fn plain(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.replace("\\052", "*").to_ascii_lowercase()
}

/// The name of the host to which a record points. A load balancer has a second name with this prefix, which resolves to
/// IPv4 and IPv6 addresses.
fn host(name: &str) -> &str {
    name.strip_prefix("dualstack.").unwrap_or(name)
}
