//! The column `peer_uid`.

use pipeline::component::Processor;
use pipeline::schema::traces;
use pipeline::{Signal, SignalSet};
use serde_json::json;

use super::cloud::{
    ClientSpan, Cloud, DATABASE, call, call_from, instance, now, peer, peers, record, spans, to,
};
use super::support::{at, identity, read_emitted};

#[test]
fn a_database_is_found_by_its_dns_name() {
    let cloud = Cloud::new();
    cloud.report(DATABASE, 10, &[("dns", "orders.rds.example", None)]);
    for attributes in [
        to("orders.rds.example"),
        to("ORDERS.rds.example."),
        json!({"net.peer.name": "orders.rds.example", "net.peer.port": "5432"}),
    ] {
        assert_eq!(
            peer(&cloud, call(20, attributes.clone())),
            DATABASE,
            "{attributes}"
        );
    }
    assert_eq!(
        peer(&cloud, call(9, to("orders.rds.example"))),
        "",
        "before the scan"
    );
}

/// Two networks with the same two addresses. The calling instance is `1` in `vpc-1` and `2` in `vpc-2`; the called
/// instances are `3` and `4`.
fn two_networks() -> Cloud {
    let cloud = Cloud::new();
    for (network, (caller, called)) in [("vpc-1", ("1", "3")), ("vpc-2", ("2", "4"))] {
        cloud.report_instance(caller, 10, network, "10.0.0.1");
        cloud.report_instance(called, 10, network, "10.0.0.9");
    }
    cloud
}

#[test]
fn a_private_address_is_resolved_in_the_network_of_the_spans_own_instance() {
    let cloud = two_networks();
    let from = |id, attributes| peer(&cloud, call_from(id, 20, attributes));
    for attributes in [
        to("10.0.0.9"),
        json!({"network.peer.address": "::ffff:10.0.0.9"}),
        json!({"net.sock.peer.addr": "10.0.0.9"}),
        json!({"net.peer.ip": "10.0.0.9"}),
    ] {
        assert_eq!(from("1", attributes.clone()), instance("3"));
        assert_eq!(from("2", attributes), instance("4"));
    }
    assert_eq!(
        peer(&cloud, call(20, to("10.0.0.9"))),
        "",
        "the network of the caller is unknown"
    );
}

#[test]
fn the_instance_wins_over_the_network_interface_with_its_address() {
    let cloud = Cloud::new();
    cloud.report_instance("1", 10, "vpc-1", "10.0.0.1");
    cloud.report_instance("3", 10, "vpc-1", "10.0.0.9");
    let attached = "arn:aws:ec2:eu-west-1:42:network-interface/eni-3";
    let alone = "arn:aws:ec2:eu-west-1:42:network-interface/eni-4";
    cloud.report(attached, 10, &[("interface_ip", "10.0.0.9", Some("vpc-1"))]);
    cloud.report(alone, 10, &[("interface_ip", "10.0.0.8", Some("vpc-1"))]);
    assert_eq!(
        peer(&cloud, call_from("1", 20, to("10.0.0.9"))),
        instance("3")
    );
    assert_eq!(peer(&cloud, call_from("1", 20, to("10.0.0.8"))), alone);
}

#[test]
fn a_public_address_is_resolved_without_a_network() {
    let cloud = Cloud::new();
    let address = "arn:aws:ec2:eu-west-1:42:elastic-ip/eipalloc-1";
    let balancer = "arn:aws:ec2:eu-west-1:42:natgateway/nat-1";
    cloud.report(address, 10, &[("reserved_ip", "54.1.2.3", None)]);
    cloud.report(balancer, 10, &[("ip", "54.1.2.3", None)]);
    assert_eq!(peer(&cloud, call(20, to("54.1.2.3"))), balancer);
    cloud.report("private", 10, &[("ip", "10.9.9.9", None)]);
    assert_eq!(
        peer(&cloud, call(20, to("10.9.9.9"))),
        "",
        "a private address needs a network"
    );
}

#[test]
fn a_network_interface_wins_over_its_reserved_address() {
    let cloud = Cloud::new();
    cloud.report("interface", 10, &[("interface_ip", "54.1.2.3", None)]);
    cloud.report("reserved", 10, &[("reserved_ip", "54.1.2.3", None)]);
    cloud.report("unused", 10, &[("reserved_ip", "54.1.2.4", None)]);
    assert_eq!(peer(&cloud, call(20, to("54.1.2.3"))), "interface");
    assert_eq!(peer(&cloud, call(20, to("54.1.2.4"))), "unused");
    cloud.report("other", 10, &[("interface_ip", "54.1.2.3", None)]);
    assert_eq!(peer(&cloud, call(20, to("54.1.2.3"))), "", "ambiguous");
}

#[test]
fn of_two_dns_records_with_one_name_a_record_of_an_instance_wins_over_one_of_a_reserved_address() {
    let cloud = Cloud::new();
    cloud.report_instance("1", 10, "vpc-1", "10.0.0.1");
    cloud.report_instance("3", 10, "vpc-1", "10.0.0.9");
    let reserved = [
        ("reserved_ip", "54.1.2.3", None),
        ("same_as", "ext://54.1.2.3:", None),
    ];
    cloud.report("reserved", 10, &reserved);
    cloud.report_record("web.example", 10, &["ext://10.0.0.9:"]);
    cloud.report("public", 10, &[("dns", "web.example", None)]);
    let mut writer = cloud.index.writer().unwrap();
    let target = ["ext://54.1.2.3:"].into_iter();
    writer.put_targets("public", "aws", at(10), target);
    drop(writer);
    let found = peer(&cloud, call_from("1", 20, to("web.example")));
    assert_eq!(found, instance("3"));
}

#[test]
fn a_private_name_is_resolved_only_within_its_network() {
    let cloud = two_networks();
    let name = "ip-10-0-0-9.eu-west-1.compute.internal";
    cloud.report("named", 10, &[("dns", name, Some("vpc-1"))]);
    assert_eq!(peer(&cloud, call_from("1", 20, to(name))), "named");
    assert_eq!(peer(&cloud, call_from("2", 20, to(name))), "");
    assert_eq!(peer(&cloud, call(20, to(name))), "");
}

#[test]
fn an_address_that_moved_is_resolved_as_of_the_start_of_the_span() {
    let cloud = Cloud::new();
    cloud.report_instance("1", 10, "vpc-1", "10.0.0.1");
    cloud.report_instance("3", 10, "vpc-1", "10.0.0.9");
    cloud.delete(&instance("3"), 30);
    cloud.report_instance("4", 40, "vpc-1", "10.0.0.9");
    let calls = [20, 45, 35, 29, 40, 9].map(|second| call_from("1", second, to("10.0.0.9")));
    let (old, new) = (instance("3"), instance("4"));
    let expected = [&*old, &new, "", &old, &new, ""];
    assert_eq!(peers(&mut cloud.identity(), &calls), expected);
}

#[test]
fn unresolved_spans_are_counted_by_reason() {
    let cloud = two_networks();
    for uid in ["a", "b"] {
        cloud.report(uid, 10, &[("dns", "both.example", None)]);
    }
    let calls = [
        call(20, to("none.example")),
        call(20, to("none.example")),
        call(20, to("54.1.2.3")),
        call_from("1", 20, to("10.0.0.77")),
        call(20, to("10.0.0.9")),
        call(20, to("both.example")),
    ];
    let mut identity = cloud.identity();
    assert_eq!(peers(&mut identity, &calls), [""; 6]);
    assert_eq!(identity.peers.unresolved(), [2, 2, 1, 1]);
}

#[test]
fn a_local_host_is_neither_a_peer_nor_counted_as_unresolved() {
    let cloud = Cloud::new();
    let mut identity = cloud.identity();
    for host in [
        "localhost",
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "169.254.169.254",
        "/run/db.sock",
    ] {
        cloud.report("x", 10, &[("dns", host, None), ("ip", host, None)]);
        let attributes = json!({"server.address": host, "network.peer.address": "127.0.0.1"});
        assert_eq!(
            peers(&mut identity, &[call(20, attributes)]),
            [""],
            "{host}"
        );
    }
    assert_eq!(identity.peers.unresolved(), [0; 4]);
}

#[test]
fn the_peer_address_is_resolved_if_the_host_name_is_unknown() {
    let cloud = two_networks();
    cloud.report(DATABASE, 10, &[("dns", "orders.rds.example", None)]);
    let attributes = |host| json!({"server.address": host, "network.peer.address": "10.0.0.9"});
    let from = |host| peer(&cloud, call_from("1", 20, attributes(host)));
    assert_eq!(from("db"), instance("3"));
    assert_eq!(from("orders.rds.example"), DATABASE, "the host name wins");
    assert_eq!(from("localhost"), "");
}

#[test]
fn a_dns_record_is_resolved_to_its_target() {
    let cloud = Cloud::new();
    let same = ("same_as", "ext://orders.rds.example:", None);
    cloud.report(DATABASE, 10, &[("dns", "orders.rds.example", None), same]);
    cloud.report_record("db.shop.example", 10, &["ext://orders.rds.example:"]);
    cloud.report_record("db.example", 10, &["ext://db.shop.example:"]);
    cloud.report_record("www.example", 10, &["ext://elsewhere.example:"]);
    cloud.report_record(
        "both.example",
        10,
        &["ext://db.example:", "ext://www.example:"],
    );
    cloud.report_record("a.example", 10, &["ext://b.example:"]);
    cloud.report_record("b.example", 10, &["ext://a.example:"]);
    let of = |host| peer(&cloud, call(20, to(host)));
    assert_eq!(of("db.shop.example"), DATABASE);
    assert_eq!(of("db.example"), DATABASE, "through two records");
    assert_eq!(
        of("www.example"),
        record("www.example"),
        "the target is unknown"
    );
    assert_eq!(of("both.example"), record("both.example"));
    assert!(
        of("a.example").contains("recordset"),
        "the records point to each other"
    );
}

#[test]
fn a_dns_record_of_an_address_is_resolved_to_its_node() {
    let cloud = two_networks();
    cloud.report_record("app.example", 10, &["ext://10.0.0.9:"]);
    let from = |id| peer(&cloud, call_from(id, 20, to("app.example")));
    assert_eq!([from("1"), from("2")], [instance("3"), instance("4")]);
}

#[test]
fn queues_and_buckets_are_resolved_by_the_span_alone() {
    let cloud = Cloud::new();
    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders";
    let calls = [
        ClientSpan {
            kind: 4,
            ..call(20, json!({"aws.sqs.queue.url": url}))
        },
        call(
            20,
            json!({"aws.s3.bucket": "shop", "server.address": "shop.s3.amazonaws.com"}),
        ),
    ];
    let mut identity = cloud.identity();
    let mut made = identity.process(spans(&calls), now()).unwrap();
    let passed = made.pop().unwrap();
    let peers: Vec<_> = passed.text(traces::PEER_UID).iter().flatten().collect();
    let (queue, bucket) = (
        "arn:aws:sqs:eu-west-1:123456789012:orders",
        "arn:aws:s3:::shop",
    );
    assert_eq!(peers, [queue, bucket]);
    let nodes = read_emitted(&made).nodes;
    let of = |uid: &str| nodes.iter().find(|node| node["uid"] == uid).unwrap();
    assert_eq!(
        (&of(queue)["kind"], &of(queue)["name"]),
        (&json!("AWS::SQS::Queue"), &json!("orders"))
    );
    assert_eq!(of(bucket)["kind"], "AWS::S3::Bucket");
}

#[test]
fn only_client_and_producer_spans_without_a_peer_get_one() {
    let cloud = Cloud::new();
    cloud.report(DATABASE, 10, &[("dns", "db.example", None)]);
    let of_kind = |kind| ClientSpan {
        kind,
        ..call(20, to("db.example"))
    };
    let set = ClientSpan {
        peer_uid: Some("set"),
        ..of_kind(3)
    };
    let calls = [
        of_kind(1),
        of_kind(2),
        of_kind(3),
        set,
        of_kind(4),
        of_kind(5),
    ];
    let expected = ["", "", DATABASE, "set", DATABASE, ""];
    assert_eq!(peers(&mut cloud.identity(), &calls), expected);
}

#[test]
fn without_a_source_of_aliases_no_peer_is_looked_up() {
    let mut identity = identity(SignalSet::ALL);
    assert_eq!(peers(&mut identity, &[call(20, to("db.example"))]), [""]);
    assert_eq!(identity.peers.unresolved(), [0; 4]);
}

#[test]
fn aliases_that_pass_the_processor_resolve_the_spans_after_them() {
    use pipeline::rows::{Cell, Rows};
    use pipeline::schema::aliases;
    let mut identity = identity(SignalSet::ALL);
    let mut rows = Rows::new(Signal::Aliases);
    let cells = [
        (aliases::MODE, Cell::Text("snapshot")),
        (aliases::KIND, Cell::Text("dns")),
        (aliases::VALUE, Cell::Text("db.example")),
    ];
    rows.push(Some(super::support::at(10)), Some(DATABASE), "file", &cells);
    let batch = rows.finish(pipeline::Delivery::untracked());
    let passed = identity.process(batch, now()).unwrap();
    assert_eq!((passed.len(), passed[0].signal()), (1, Signal::Aliases));
    assert_eq!(
        peers(&mut identity, &[call(20, to("db.example"))]),
        [DATABASE]
    );
}
