"""Load balancers with listeners, and target groups of every target type."""

from cloud import tags


def build(cloud):
    elb = cloud.client("elbv2")
    target_groups(cloud, elb)
    balancers(cloud, elb)
    listeners(cloud, elb)
    targets(cloud, elb)


def target_groups(cloud, elb):
    http = {"Protocol": "HTTP", "Port": 8080}
    for name, type, team, more in [
        ("web", "instance", "web", http | {"VpcId": cloud.id("vpc/main")}),
        ("app", "instance", "app", http | {"VpcId": cloud.id("vpc/main")}),
        ("ip", "ip", "app", http | {"VpcId": cloud.id("vpc/main")}),
        ("lambda", "lambda", "app", {}),
        ("alb", "alb", "web", {"Protocol": "TCP", "Port": 80, "VpcId": cloud.id("vpc/main")}),
        ("ip-old", "ip", "app", http | {"VpcId": cloud.id("vpc/legacy")}),
        ("idle", "instance", "platform", http | {"VpcId": cloud.id("vpc/shared")}),
    ]:
        [made] = elb.create_target_group(
            Name=name, TargetType=type, Tags=tags(name, team), **more
        )["TargetGroups"]
        cloud.name(f"tg/{name}", name, made["TargetGroupArn"])


def balancers(cloud, elb):
    for name, type, scheme, subnets, groups in [
        ("web", "application", "internet-facing", ["public-a", "public-b"], ["lb"]),
        ("inside", "network", "internal", ["private-a", "private-b"], []),
    ]:
        [made] = elb.create_load_balancer(
            Name=name,
            Type=type,
            Scheme=scheme,
            Subnets=[cloud.id(f"subnet/{subnet}") for subnet in subnets],
            SecurityGroups=[cloud.id(f"sg/{group}") for group in groups],
            Tags=tags(name, "web"),
        )["LoadBalancers"]
        cloud.name(f"lb/{name}", name, made["LoadBalancerArn"], dns=made["DNSName"])
        cloud.external(f"ext/lb/{name}", made["DNSName"], same_as=f"lb/{name}")


def listeners(cloud, elb):
    def weighted(*groups):
        return {
            "Type": "forward",
            "ForwardConfig": {
                "TargetGroups": [
                    {"TargetGroupArn": cloud.uid(f"tg/{group}"), "Weight": 1} for group in groups
                ]
            },
        }

    def forward(group):
        return {"Type": "forward", "TargetGroupArn": cloud.uid(f"tg/{group}")}

    moved = {
        "Type": "redirect",
        "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"},
    }
    for balancer, protocol, port, action in [
        ("web", "HTTP", 80, moved),
        ("web", "HTTP", 8080, forward("web")),
        ("web", "HTTP", 8081, weighted("app", "ip")),
        ("web", "HTTP", 8082, forward("lambda")),
        ("inside", "TCP", 80, forward("alb")),
    ]:
        [made] = elb.create_listener(
            LoadBalancerArn=cloud.uid(f"lb/{balancer}"),
            Protocol=protocol,
            Port=port,
            DefaultActions=[action],
            Tags=tags(f"{balancer}-{port}", "web"),
        )["Listeners"]
        cloud.name(f"listener/{balancer}:{port}", made["ListenerArn"], made["ListenerArn"])


def targets(cloud, elb):
    # 10.0.10.21 is a different interface in each VPC; 10.0.11.200 belongs to no resource.
    addresses = ["10.0.10.21", "10.0.10.51", "10.0.11.200"]
    for group, targets in [
        ("web", [{"Id": id} for id in cloud.ids("instance/web-1", "instance/web-2")]),
        ("idle", [{"Id": cloud.id("instance/stopped"), "Port": 9090}]),
        ("ip", [{"Id": address, "Port": 8080} for address in addresses]),
        ("ip-old", [{"Id": "10.0.10.21"}]),
        ("lambda", [{"Id": cloud.uid("lambda/api")}]),
        ("alb", [{"Id": cloud.uid("lb/web"), "Port": 80}]),
    ]:
        elb.register_targets(TargetGroupArn=cloud.uid(f"tg/{group}"), Targets=targets)
    for vpc, address, more in [
        ("main", "10.0.10.21", {"same_as": "eni/app-1"}),
        ("main", "10.0.10.51", {"same_as": "eni/spare"}),
        ("main", "10.0.11.200", {}),
        ("legacy", "10.0.10.21", {"same_as": "eni/app-old"}),
    ]:
        uid = f"ip://{cloud.id(f'vpc/{vpc}')}/{address}"
        cloud.name(f"ip/{vpc}/{address}", address, uid, **more)
