"""An AWS account behind one endpoint: its clients and the logical names of its resources."""

import urllib.request

import boto3
from botocore.config import Config

REGION = "us-east-1"
ACCOUNT = "123456789012"

# Resources in the legacy VPC, by their tag Name. They are tagged env=staging, all others env=prod.
STAGING = {"legacy", "legacy-a", "app-old", "ip-old", "old"}

# First segment of a logical name → kind, and the resource type in the ARN if AWS's API returns no ARN. The kind
# is None if airdig does not scan the resource: then it is only the target of edges.
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
    """One account in moto, and `names`: logical name → id, uid, kind."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.names = {}

    def reset(self):
        """Resets moto, deletes the default VPC, and seeds the ids so that they are the same in each run."""
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
        """Records a resource under a logical name; `uid` is the ARN if the API returned one. Returns the id."""
        if name in self.names:
            raise ValueError(f"duplicate logical name {name}")
        kind, resource = KINDS[name.split("/")[0]]
        uid = uid or f"arn:aws:ec2:{REGION}:{ACCOUNT}:{resource}/{id}"
        self.names[name] = {"id": id, "uid": uid} | ({"kind": kind} if kind else {}) | more
        return id

    def external(self, name, host, **more):
        """Records a host, an address or a network, without a port, under a logical name."""
        encoded = f"[{host}]" if ":" in host else host.replace("/", "%2F").replace("*", "%2A")
        self.name(name, host, f"ext://{encoded}:", **more)

    def gone(self, name):
        """Marks a resource that AWS still lists after its deletion: airdig must not report it."""
        self.names[name]["gone"] = True

    def id(self, name):
        return self.names[name]["id"]

    def ids(self, *names):
        return [self.id(name) for name in names]

    def uid(self, name):
        return self.names[name]["uid"]

    def name_of(self, id):
        """Returns the logical name of an id that exactly one resource has."""
        [name] = [name for name, entry in self.names.items() if entry["id"] == id]
        return name


def tags(name, team):
    return [
        {"Key": "Name", "Value": name},
        {"Key": "team", "Value": team},
        {"Key": "env", "Value": "staging" if name in STAGING else "prod"},
    ]


def tagged(resource_type, name, team):
    """Returns the `TagSpecifications` of an EC2 resource."""
    return [{"ResourceType": resource_type, "Tags": tags(name, team)}]
