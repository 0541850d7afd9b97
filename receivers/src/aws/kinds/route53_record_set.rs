//! Record sets of Route 53, and where they point.

use async_trait::async_trait;
use pipeline::schema::edges::kind;
use pipeline::uid;
use serde_json::Value as Json;

use crate::aws::call::Pager;
use crate::aws::draft::Draft;
use crate::aws::failure::Failure;
use crate::aws::fields::{each, text};
use crate::aws::found::{Found, objects};
use crate::aws::kind::{About, Kind, Only};
use crate::aws::place::Place;
use crate::aws::service::Service;

use super::route53_hosted_zone as zones;

pub(super) struct RecordSet;

#[async_trait]
impl Kind for RecordSet {
    fn about(&self) -> About {
        let resource = "hostedzone/*/recordset/**";
        About::global("AWS::Route53::RecordSet", Service::ROUTE53, resource)
    }

    async fn list(&self, at: &Place, only: Only<'_>, found: &mut Found<'_>) -> Result<(), Failure> {
        if let Some(record) = only.behind(":hostedzone/") {
            let (zone, start) = Start::at(&record);
            return of(at, zone, start, only, found).await;
        }
        let pages = Pager::new(Service::ROUTE53, "ListHostedZones", "HostedZones");
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
            match of(at, id, Start::default(), only, found).await {
                // The zone was deleted meanwhile.
                Err(failure) if failure.is_not_found() => {}
                told => told?,
            }
        }
        Ok(())
    }

    fn draft(&self, item: &Json, at: &Place) -> Option<Draft> {
        let zone = &item["HostedZoneId"];
        let (name, id) = (plain(text(&item["Name"])?), id_of(item)?);
        let of_zone = zones::uid_of(text(zone)?, at);
        let mut record = Draft::new(uid_of(item, at)?, item);
        // A private zone may have the names of a public one.
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

/// What stands behind its zone in its uid; the set's own identifier where it is one of several.
fn id_of(item: &Json) -> Option<String> {
    let (name, of_type) = (plain(text(&item["Name"])?), text(&item["Type"])?);
    Some(match text(&item["SetIdentifier"]) {
        Some(set) => format!("{name}/{of_type}/{set}"),
        None => format!("{name}/{of_type}"),
    })
}

fn uid_of(item: &Json, at: &Place) -> Option<String> {
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
    /// The zone and the record of `Z/recordset/NAME/TYPE[/SET]`.
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

    /// Of the page behind this one.
    fn behind(answer: &Json) -> Start {
        let field = |name: &str| text(&answer[name]).map(str::to_owned);
        Start {
            name: field("NextRecordName"),
            of_type: field("NextRecordType"),
            set: field("NextRecordIdentifier"),
        }
    }
}

/// The records of a zone, or those from the one on that is asked for.
async fn of(
    at: &Place,
    zone: &str,
    mut start: Start,
    only: Only<'_>,
    found: &mut Found<'_>,
) -> Result<(), Failure> {
    loop {
        let from = start.clone();
        let request = at.route53.list_resource_record_sets();
        let request = request.hosted_zone_id(zone).max_items(300);
        let request = request.set_start_record_name(from.name);
        let request = request.set_start_record_type(from.of_type.as_deref().map(Into::into));
        let request = request.set_start_record_identifier(from.set);
        let answer = at.call(Service::ROUTE53, "ListResourceRecordSets", |capture| {
            request.customize().interceptor(capture).send()
        });
        let answer = answer.await?;
        let asked = (Service::ROUTE53, "ListResourceRecordSets");
        let mut records = at.must_have(asked, answer.clone(), "ResourceRecordSets")?;
        let mut records = objects(&mut records);
        for record in &mut records {
            record["HostedZoneId"] = zone.into();
        }
        // Those that follow the one that is asked for come with it.
        records.retain(|record| only.is_all() || uid_of(record, at) == only.uid());
        found.page(records).await?;
        if answer["IsTruncated"] != true || !only.is_all() {
            return Ok(());
        }
        let next = Start::behind(&answer);
        if next == start {
            let call = at.named(Service::ROUTE53, "ListResourceRecordSets");
            return Err(Failure::malformed(call, "a page leads to itself"));
        }
        start = next;
    }
}

/// A name as the world writes it: Route 53 writes `\052.example.com.`
fn plain(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    name.replace("\\052", "*").to_ascii_lowercase()
}

/// The host that a record points to: a load balancer has a second name, under which it has IPv6 too.
fn host(name: &str) -> &str {
    name.strip_prefix("dualstack.").unwrap_or(name)
}
