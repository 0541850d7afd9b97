"""The AWS account behind one endpoint: its clients, and what each of its resources is called."""

import urllib.request

import boto3
from botocore.config import Config

REGION = "us-east-1"
ACCOUNT = "123456789012"

# What is in the legacy VPC, by its tag Name: it is tagged env=staging, all else env=prod.
STAGING = {"legacy", "legacy-a", "app-old", "ip-old", "old"}

# The first segment of a logical name says the kind, and the ARN where AWS's API gives none. What
# airdig does not scan has no kind: such a thing is only an end of edges.
KINDS = {
    "vpc": ("AWS::EC2::VPC", "vpc"),
    "subnet": ("AWS::EC2::Subnet", "subnet"),
    "rtb": ("AWS::EC2::RouteTable", "route-table"),
    "igw": ("AWS::EC2::InternetGateway", "internet-gateway"),
    "nat": ("AWS::EC2::NatGateway", "natgateway"),
    "sg": ("AWS::EC2::SecurityGroup", "security-group"),
    "rule": ("AWS::EC2::SecurityGroupRule", "security-group-rule"),
    "instance": ("AWS::EC2::Instance", "instance"),
    "eni": ("AWS::EC2::NetworkInterface", "network-interface"),
    "volume": ("AWS::EC2::Volume", "volume"),
    "eip": ("AWS::EC2::EIP", "elastic-ip"),
    "lt": ("AWS::EC2::LaunchTemplate", "launch-template"),
    "asg": ("AWS::AutoScaling::AutoScalingGroup", None),
    "db": ("AWS::RDS::DBInstance", None),
    "cluster": ("AWS::RDS::DBCluster", None),
    "subgrp": ("AWS::RDS::DBSubnetGroup", None),
    "lb": ("AWS::ElasticLoadBalancingV2::LoadBalancer", None),
    "listener": ("AWS::ElasticLoadBalancingV2::Listener", None),
    "tg": ("AWS::ElasticLoadBalancingV2::TargetGroup", None),
    "lambda": ("AWS::Lambda::Function", None),
    "bucket": ("AWS::S3::Bucket", None),
    "role": ("AWS::IAM::Role", None),
    "profile": ("AWS::IAM::InstanceProfile", None),
    "key": ("AWS::KMS::Key", None),
    "zone": ("AWS::Route53::HostedZone", None),
    "record": ("AWS::Route53::RecordSet", None),
    "vpce": (None, "vpc-endpoint"),
    "pcx": (None, "vpc-peering-connection"),
    "eigw": (None, "egress-only-internet-gateway"),
    "tgw": (None, "transit-gateway"),
    "pl": (None, "prefix-list"),
    "otherkey": (None, None),
    "asgname": (None, None),
    "policy": (None, None),
    "queue": (None, None),
    "topic": (None, None),
    "ext": (None, None),
    "ip": (None, None),
}


class Cloud:
    """One account of moto, and its names: logical name → id, uid, kind."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.names = {}

    def reset(self):
        """Empties moto, default VPC included, and makes its ids the same in each run."""
        self.control("reset")
        ec2 = self.client("ec2")
        for subnet in ec2.describe_subnets()["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        for vpc in ec2.describe_vpcs()["Vpcs"]:
            ec2.delete_vpc(VpcId=vpc["VpcId"])
        self.control("seed?a=1")

    def control(self, command):
        urllib.request.urlopen(f"{self.endpoint}/moto-api/{command}", data=b"").close()

    def client(self, service, region=REGION):
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=self.endpoint,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"max_attempts": 0}, read_timeout=300),
        )

    def name(self, name, id, uid=None, **more):
        """Calls a resource by a logical name; `uid` where the API gave an ARN. Returns its id."""
        if name in self.names:
            raise ValueError(f"two things are called {name}")
        kind, resource = KINDS[name.split("/")[0]]
        uid = uid or f"arn:aws:ec2:{REGION}:{ACCOUNT}:{resource}/{id}"
        self.names[name] = {"id": id, "uid": uid} | ({"kind": kind} if kind else {}) | more
        return id

    def external(self, name, host, **more):
        """Calls a host, an address or a network by a logical name; no port belongs to it."""
        encoded = f"[{host}]" if ":" in host else host.replace("/", "%2F").replace("*", "%2A")
        self.name(name, host, f"ext://{encoded}:", **more)

    def gone(self, name):
        """AWS still lists it, but it is no more: airdig must not."""
        self.names[name]["gone"] = True

    def id(self, name):
        return self.names[name]["id"]

    def ids(self, *names):
        return [self.id(name) for name in names]

    def uid(self, name):
        return self.names[name]["uid"]

    def name_of(self, id):
        """The logical name of an id; one that nothing else has."""
        [name] = [name for name, entry in self.names.items() if entry["id"] == id]
        return name


def tags(name, team):
    return [
        {"Key": "Name", "Value": name},
        {"Key": "team", "Value": team},
        {"Key": "env", "Value": "staging" if name in STAGING else "prod"},
    ]


def tagged(resource_type, name, team):
    """The tags of a resource of EC2, as its create calls take them."""
    return [{"ResourceType": resource_type, "Tags": tags(name, team)}]
