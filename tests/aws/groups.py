"""Security groups that refer to each other, and their rules."""

from cloud import ACCOUNT, tagged

ANYWHERE = [{"CidrIp": "0.0.0.0/0"}]
ANYWHERE_IPV6 = [{"CidrIpv6": "::/0"}]


def build(cloud):
    ec2 = cloud.client("ec2")
    for group, vpc, team in [
        ("lb", "main", "web"),
        ("web", "main", "web"),
        ("app", "main", "app"),
        ("db", "main", "data"),
        ("bastion", "main", "platform"),
        ("unused", "main", "platform"),
        ("legacy", "legacy", "app"),
        ("shared", "shared", "platform"),
    ]:
        made = ec2.create_security_group(
            GroupName=group,
            Description=f"{group} of {vpc}",
            VpcId=cloud.id(f"vpc/{vpc}"),
            TagSpecifications=tagged("security-group", group, team),
        )
        cloud.name(f"sg/{group}", made["GroupId"])
    for group in ec2.describe_security_groups()["SecurityGroups"]:
        if group["GroupName"] == "default":
            vpc = cloud.name_of(group["VpcId"]).removeprefix("vpc/")
            cloud.name(f"sg/default@{vpc}", group["GroupId"])

    def of(*groups):
        return {"UserIdGroupPairs": [{"GroupId": cloud.id(f"sg/{group}")} for group in groups]}

    def allow(group, protocol, first, last, **peers):
        ports = {} if first is None else {"FromPort": first, "ToPort": last}
        ec2.authorize_security_group_ingress(
            GroupId=cloud.id(f"sg/{group}"),
            IpPermissions=[{"IpProtocol": protocol, **ports, **peers}],
        )

    office = [{"PrefixListId": cloud.id("pl/office")}]
    allow("lb", "tcp", 80, 80, IpRanges=ANYWHERE)
    allow("lb", "tcp", 443, 443, IpRanges=ANYWHERE, Ipv6Ranges=ANYWHERE_IPV6)
    allow("web", "tcp", 80, 90, **of("lb"))
    allow("web", "tcp", 8443, 8443, **of("lb"))
    allow("web", "tcp", 22, 22, **of("bastion"))
    allow("app", "tcp", 8080, 8080, **of("web", "lb"))
    allow("app", "udp", 9000, 9100, **of("web"))
    allow("app", "-1", None, None, **of("app"))
    allow("db", "tcp", 5432, 5432, **of("app", "bastion"))
    allow("db", "tcp", 5432, 5432, IpRanges=[{"CidrIp": "10.9.0.0/16", "Description": "shared"}])
    allow("bastion", "tcp", 22, 22, PrefixListIds=office)
    allow("bastion", "icmp", -1, -1, IpRanges=ANYWHERE)
    allow("legacy", "tcp", 0, 65535, IpRanges=[{"CidrIp": "10.0.0.0/8"}])
    allow("shared", "tcp", 443, 443, UserIdGroupPairs=[
        {
            "GroupId": cloud.id("sg/app"),
            "UserId": ACCOUNT,
            "VpcId": cloud.id("vpc/main"),
            "VpcPeeringConnectionId": cloud.id("pcx/main-shared"),
        }
    ])
    # The default group allows traffic from its own members. AWS creates this rule, moto does not.
    allow("default@main", "-1", None, None, **of("default@main"))
    ec2.authorize_security_group_egress(
        GroupId=cloud.id("sg/web"),
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, **of("app")}],
    )


def name_rules(cloud):
    """Records each rule under its group and content, `rule/web:in:tcp/22:sg/bastion`, and the networks of rules."""
    for rule in cloud.client("ec2").describe_security_group_rules()["SecurityGroupRules"]:
        group = cloud.name_of(rule["GroupId"]).removeprefix("sg/")
        way = "out" if rule["IsEgress"] else "in"
        cidr = rule.get("CidrIpv4") or rule.get("CidrIpv6")
        peer = cidr or cloud.name_of(
            rule.get("PrefixListId") or rule["ReferencedGroupInfo"]["GroupId"]
        )
        name = f"rule/{group}:{way}:{ports(rule)}:{peer}"
        cloud.name(name, rule["SecurityGroupRuleId"], rule.get("SecurityGroupRuleArn"))
        if cidr and f"ext/{cidr}" not in cloud.names:
            cloud.external(f"ext/{cidr}", cidr)


def ports(rule):
    protocol, first, last = rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort")
    if protocol == "-1":
        return "all"
    if first == -1:
        return protocol
    return f"{protocol}/{first}" if first == last else f"{protocol}/{first}-{last}"
