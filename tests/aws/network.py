"""VPCs, subnets, gateways and route tables. Two VPCs, main and legacy, have the same CIDR."""

from cloud import REGION, tagged


def build(cloud):
    ec2 = cloud.client("ec2")
    for vpc, cidr in [
        ("main", "10.0.0.0/16"),
        ("legacy", "10.0.0.0/16"),
        ("shared", "10.9.0.0/16"),
    ]:
        made = ec2.create_vpc(
            CidrBlock=cidr,
            AmazonProvidedIpv6CidrBlock=vpc == "main",
            TagSpecifications=tagged("vpc", vpc, "platform"),
        )
        cloud.name(f"vpc/{vpc}", made["Vpc"]["VpcId"])
    ec2.modify_vpc_attribute(VpcId=cloud.id("vpc/main"), EnableDnsHostnames={"Value": True})

    for subnet, vpc, zone, cidr in [
        ("public-a", "main", "a", "10.0.0.0/24"),
        ("public-b", "main", "b", "10.0.1.0/24"),
        ("private-a", "main", "a", "10.0.10.0/24"),
        ("private-b", "main", "b", "10.0.11.0/24"),
        ("data-a", "main", "a", "10.0.20.0/24"),
        ("data-b", "main", "b", "10.0.21.0/24"),
        ("legacy-a", "legacy", "a", "10.0.10.0/24"),
        ("shared-a", "shared", "a", "10.9.0.0/24"),
    ]:
        made = ec2.create_subnet(
            VpcId=cloud.id(f"vpc/{vpc}"),
            AvailabilityZone=REGION + zone,
            CidrBlock=cidr,
            TagSpecifications=tagged("subnet", subnet, "platform"),
        )["Subnet"]
        cloud.name(f"subnet/{subnet}", made["SubnetId"], made["SubnetArn"])
    for subnet in ["public-a", "public-b"]:
        ec2.modify_subnet_attribute(
            SubnetId=cloud.id(f"subnet/{subnet}"), MapPublicIpOnLaunch={"Value": True}
        )

    prefix_lists(cloud, ec2)
    gateways(cloud, ec2)
    route_tables(cloud, ec2)


def prefix_lists(cloud, ec2):
    made = ec2.create_managed_prefix_list(
        PrefixListName="office",
        AddressFamily="IPv4",
        MaxEntries=5,
        Entries=[{"Cidr": "203.0.113.0/28", "Description": "the office"}],
        TagSpecifications=tagged("prefix-list", "office", "platform"),
    )["PrefixList"]
    cloud.name("pl/office", made["PrefixListId"])


def gateways(cloud, ec2):
    for igw, vpc in [("main", "main"), ("unattached", None)]:
        made = ec2.create_internet_gateway(
            TagSpecifications=tagged("internet-gateway", igw, "platform")
        )
        id = cloud.name(f"igw/{igw}", made["InternetGateway"]["InternetGatewayId"])
        if vpc:
            ec2.attach_internet_gateway(InternetGatewayId=id, VpcId=cloud.id(f"vpc/{vpc}"))

    made = ec2.create_egress_only_internet_gateway(VpcId=cloud.id("vpc/main"))
    gateway = made["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    cloud.name("eigw/main", gateway)
    made = ec2.create_transit_gateway(Description="to the data centre")
    cloud.name("tgw/main", made["TransitGateway"]["TransitGatewayId"])
    made = ec2.create_vpc_peering_connection(
        VpcId=cloud.id("vpc/main"), PeerVpcId=cloud.id("vpc/shared")
    )
    peering = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    cloud.name("pcx/main-shared", peering)
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=peering)

    for nat, subnet in [("main", "public-a"), ("deleted", "public-b")]:
        eip = ec2.allocate_address(
            Domain="vpc", TagSpecifications=tagged("elastic-ip", f"nat-{nat}", "platform")
        )
        cloud.name(f"eip/nat-{nat}", eip["AllocationId"])
        cloud.external(f"ext/eip/nat-{nat}", eip["PublicIp"], same_as=f"eip/nat-{nat}")
        made = ec2.create_nat_gateway(
            SubnetId=cloud.id(f"subnet/{subnet}"),
            AllocationId=eip["AllocationId"],
            TagSpecifications=tagged("natgateway", nat, "platform"),
        )["NatGateway"]
        cloud.name(f"nat/{nat}", made["NatGatewayId"])
        cloud.name(f"eni/nat-{nat}", made["NatGatewayAddresses"][0]["NetworkInterfaceId"])
    # AWS lists a deleted gateway for an hour; moto lists it forever, with its address and interface.
    ec2.delete_nat_gateway(NatGatewayId=cloud.id("nat/deleted"))
    cloud.gone("nat/deleted")


def route_tables(cloud, ec2):
    for vpc in ["main", "legacy", "shared"]:
        [main] = ec2.describe_route_tables(
            Filters=[
                {"Name": "vpc-id", "Values": [cloud.id(f"vpc/{vpc}")]},
                {"Name": "association.main", "Values": ["true"]},
            ]
        )["RouteTables"]
        cloud.name(f"rtb/default@{vpc}", main["RouteTableId"])

    for rtb, subnets in [
        ("public", ["public-a", "public-b"]),
        ("private", ["private-a", "private-b"]),
        ("data", ["data-a"]),
        ("edge", []),
    ]:
        made = ec2.create_route_table(
            VpcId=cloud.id("vpc/main"), TagSpecifications=tagged("route-table", rtb, "platform")
        )
        id = cloud.name(f"rtb/{rtb}", made["RouteTable"]["RouteTableId"])
        for subnet in subnets:
            ec2.associate_route_table(RouteTableId=id, SubnetId=cloud.id(f"subnet/{subnet}"))
    ec2.associate_route_table(
        RouteTableId=cloud.id("rtb/edge"), GatewayId=cloud.id("igw/main")
    )

    def route(rtb, destination, **target):
        ipv6 = ":" in destination
        key = "DestinationIpv6CidrBlock" if ipv6 else "DestinationCidrBlock"
        if destination.startswith("pl-"):
            key = "DestinationPrefixListId"
        ec2.create_route(RouteTableId=cloud.id(f"rtb/{rtb}"), **{key: destination}, **target)

    peering = {"VpcPeeringConnectionId": cloud.id("pcx/main-shared")}
    route("public", "0.0.0.0/0", GatewayId=cloud.id("igw/main"))
    route("public", "::/0", GatewayId=cloud.id("igw/main"))
    route("private", "0.0.0.0/0", NatGatewayId=cloud.id("nat/main"))
    route("private", "::/0", EgressOnlyInternetGatewayId=cloud.id("eigw/main"))
    route("private", "10.9.0.0/16", **peering)
    route("private", "172.16.0.0/12", TransitGatewayId=cloud.id("tgw/main"))
    route("data", cloud.id("pl/office"), TransitGatewayId=cloud.id("tgw/main"))
    route("default@shared", "10.0.0.0/16", **peering)

    made = ec2.create_vpc_endpoint(
        VpcId=cloud.id("vpc/main"),
        VpcEndpointType="Gateway",
        ServiceName=f"com.amazonaws.{REGION}.s3",
        RouteTableIds=cloud.ids("rtb/private", "rtb/data"),
    )
    cloud.name("vpce/s3", made["VpcEndpoint"]["VpcEndpointId"])
