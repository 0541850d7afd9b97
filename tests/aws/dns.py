"""Route 53: a public zone, a private zone of two VPCs, and the targets of their records."""

from cloud import REGION, tags

# The hosted zone of the DNS names of load balancers in us-east-1.
BALANCERS = "Z35SXDOTRQ7X7K"


def build(cloud):
    route53 = cloud.client("route53")
    zone(cloud, route53, "public", "example.com")
    vpc = {"VPCRegion": REGION, "VPCId": cloud.id("vpc/main")}
    zone(cloud, route53, "private", "internal.example.com", VPC=vpc)
    route53.associate_vpc_with_hosted_zone(
        HostedZoneId=cloud.id("zone/private"),
        VPC={"VPCRegion": REGION, "VPCId": cloud.id("vpc/shared")},
    )

    def value(name, type, value, **more):
        values = [{"Value": value}]
        return {"Name": name, "Type": type, "TTL": 60, "ResourceRecords": values, **more}

    def alias(name, target, **more):
        target = {"HostedZoneId": BALANCERS, "DNSName": target, "EvaluateTargetHealth": False}
        return {"Name": name, "Type": "A", "AliasTarget": target, **more}

    web = cloud.names["lb/web"]["dns"]
    address = cloud.id("ext/eip/web-1")
    change(cloud, route53, "public", [
        alias("example.com", f"dualstack.{web}."),
        alias("*.apps.example.com", web),
        value("www.example.com", "CNAME", "Example.com."),
        value("bastion.example.com", "A", address),
        value("bastion.example.com", "AAAA", "2001:db8::5"),
        value("api.example.com", "A", address, SetIdentifier="blue", Weight=90),
        value("api.example.com", "A", "198.51.100.7", SetIdentifier="green", Weight=10),
        value("example.com", "TXT", '"v=spf1 -all"'),
        value("example.com", "MX", "10 mail.example.net"),
    ])
    change(cloud, route53, "private", [
        value("db.internal.example.com", "CNAME", cloud.id("ext/db/main")),
        value("orders.internal.example.com", "CNAME", cloud.id("ext/cluster/orders")),
        value("reports.internal.example.com", "CNAME", cloud.id("ext/cluster/orders/reader")),
        value("app.internal.example.com", "A", "10.0.10.21"),
        alias("lb.internal.example.com", f"{cloud.names['lb/inside']['dns']}."),
    ])
    for host in ["example.com", "2001:db8::5", "198.51.100.7", "10.0.10.21"]:
        cloud.external(f"ext/{host}", host)


def zone(cloud, route53, name, domain, **more):
    made = route53.create_hosted_zone(
        Name=domain,
        CallerReference=name,
        HostedZoneConfig={"Comment": f"the {name} zone", "PrivateZone": name == "private"},
        **more,
    )["HostedZone"]
    id = made["Id"].removeprefix("/hostedzone/")
    cloud.name(f"zone/{name}", id, f"arn:aws:route53:::hostedzone/{id}")
    route53.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=id, AddTags=tags(domain, "platform")
    )
    for type in ["NS", "SOA"]:
        record(cloud, name, {"Name": domain, "Type": type})


def change(cloud, route53, zone, records):
    route53.change_resource_record_sets(
        HostedZoneId=cloud.id(f"zone/{zone}"),
        ChangeBatch={
            "Changes": [{"Action": "CREATE", "ResourceRecordSet": record} for record in records]
        },
    )
    for made in records:
        record(cloud, zone, made)


def record(cloud, zone, record):
    """Records a record set under its name, its type and its set identifier if it has one:
    `record/www.example.com:CNAME`, `record/api.example.com:A:blue`."""
    parts = [record["Name"], record["Type"]]
    if "SetIdentifier" in record:
        parts.append(record["SetIdentifier"])
    id = "/".join(parts)
    cloud.name(f"record/{':'.join(parts)}", id, f"{cloud.uid(f'zone/{zone}')}/recordset/{id}")
