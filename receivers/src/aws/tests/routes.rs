//! The subnets to which a main route table applies.

use std::sync::{Arc, Mutex};

use pipeline::resource::ResourceRow;
use pipeline::rows::Rows;
use pipeline::{Delivery, Signal};
use serde_json::json;

use super::fake::{ACCOUNT, FakeAws, RecordingSink, Reply, Request, subnets};

const MAIN: &str = "<item><routeTableId>rtb-main</routeTableId><vpcId>vpc-1</vpcId><associationSet>\
                    <item><main>true</main></item></associationSet></item>";
const OWN: &str = "<item><routeTableId>rtb-own</routeTableId><vpcId>vpc-1</vpcId><associationSet>\
                   <item><subnetId>s-2</subnetId></item></associationSet></item>";

/// The first page has a main table, and the second one the table of the subnet s-2. Listing subnets fails while
/// `fails` is true.
async fn tables(fails: Arc<Mutex<bool>>) -> FakeAws {
    FakeAws::new(move |request: &Request| {
        let tables = |items: &str, next: &str| {
            Reply::Xml(format!("<routeTableSet>{items}</routeTableSet>{next}"))
        };
        if request["Action"] == "DescribeSubnets" {
            return match *fails.lock().unwrap() {
                true => Reply::Error(500, "InternalError"),
                false => subnets(&["s-1", "s-2"], None),
            };
        }
        let target = request.get("RouteTableId.1").map(String::as_str);
        match (target, request.get("NextToken")) {
            (Some("rtb-main"), _) => tables(MAIN, ""),
            (Some(_), _) => tables(OWN, ""),
            (None, None) => tables(MAIN, "<nextToken>two</nextToken>"),
            (None, Some(_)) => tables(OWN, ""),
        }
    })
    .await
}

/// The `ATTACHED_TO` edges in the rows since the last call, as `table subnet`.
fn attached(sink: &RecordingSink) -> Vec<String> {
    let batches = std::mem::take(&mut *sink.batches.lock().unwrap());
    let id = |uid: &str| uid.rsplit('/').next().unwrap().to_owned();
    let mut edges: Vec<String> = Vec::new();
    for row in batches.iter().flat_map(ResourceRow::all) {
        for (kind, to, ..) in row.relations.into_iter().flat_map(|it| it.relations()) {
            if kind == "ATTACHED_TO" {
                edges.push(format!("{} {}", id(row.uid.unwrap()), id(to)));
            }
        }
    }
    edges.sort();
    edges
}

#[tokio::test]
async fn main_route_table_is_attached_to_the_subnets_that_no_page_names() {
    let fails = Arc::new(Mutex::new(false));
    let fake = tables(fails.clone()).await;
    let settings = json!({"kinds": {"include": ["AWS::EC2::RouteTable"]}});
    let scanner = fake.scanner(settings).await;
    let sink = RecordingSink::default();
    scanner.scan(&sink).await;
    assert_eq!(attached(&sink), ["rtb-main s-1", "rtb-own s-2"]);

    let mut rows = Rows::new(Signal::RefreshRequests);
    for id in ["rtb-main", "rtb-own"] {
        let uid = format!("arn:aws:ec2:us-east-1:{ACCOUNT}:route-table/{id}");
        rows.push(None, Some(&uid), "test", &[]);
    }
    let requests = rows.finish(Delivery::untracked());
    scanner.refresh(&requests, &sink).await;
    assert_eq!(attached(&sink), ["rtb-main s-1", "rtb-own s-2"]);

    // While subnets cannot be listed, the last report of the main table stays.
    *fails.lock().unwrap() = true;
    sink.lines();
    scanner.scan(&sink).await;
    assert_eq!(sink.lines(), ["complete AWS::EC2::RouteTable 2"]);
    let failures = sink.failures();
    assert!(failures[0].starts_with("ec2:DescribeSubnets in us-east-1"));
}
