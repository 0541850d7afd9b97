"""Fills moto with many resources, for a benchmark: big.py --endpoint URL [--resources 5000].

Resets moto first. An account consists of cells of 1,000 resources, each with its own VPC, in the proportions of
CELL. Prints one JSON object: kind → number of resources.
"""

import argparse
import json

from access import trust
from cloud import KINDS, REGION, Cloud, tagged, tags
from compute import AMI
from storage import python_code

# The resources of one cell, by the first segment of their logical names. AWS creates an interface and a volume
# with each instance, a group and a route table with each VPC, and a rule with each group.
CELL = {
    "vpc": 1,
    "subnet": 10,
    "rtb": 1 + 2,
    "igw": 1,
    "nat": 1,
    "eip": 1,
    "sg": 1 + 20,
    "rule": 21 + 60,
    "instance": 257,
    "eni": 257 + 1,
    "volume": 257 + 20,
    "lt": 1,
    "asg": 1,
    "db": 4,
    "subgrp": 1,
    "lb": 2,
    "listener": 3,
    "tg": 4,
    "lambda": 10,
    "bucket": 5,
    "role": 10,
    "profile": 2,
    "key": 3,
    "zone": 1,
    "record": 2 + 40,
}
SIZE = sum(CELL.values())

# Instances that one call creates: one reservation in one subnet.
BATCH = 26


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--endpoint", required=True)
    arguments.add_argument("--resources", type=int, default=5 * SIZE)
    given = arguments.parse_args()
    cells, rest = divmod(given.resources, SIZE)
    if rest or not cells:
        arguments.error(f"--resources must be a multiple of {SIZE}, the size of a cell")
    cloud = Cloud(given.endpoint.rstrip("/"))
    cloud.reset()
    clients = {
        service: cloud.client(service)
        for service in [
            "ec2", "autoscaling", "rds", "elbv2", "lambda", "s3", "iam", "kms", "route53"
        ]
    }
    for number in range(cells):
        Cell(clients, number).build()
    print(json.dumps({KINDS[name][0]: count * cells for name, count in CELL.items()}, indent=1))


class Cell:
    """One VPC with its resources, and the global resources that belong to it."""

    def __init__(self, clients, number):
        self.clients = clients
        self.name = f"cell-{number}"
        self.number = number

    def build(self):
        self.access()
        self.network()
        self.groups()
        self.instances()
        self.balancers()
        self.databases()
        self.functions_and_buckets()
        self.dns()

    def tagged(self, resource_type, name):
        return tagged(resource_type, f"{self.name}-{name}", f"team-{self.number % 7}")

    def access(self):
        iam, kms = self.clients["iam"], self.clients["kms"]
        policy = trust("ec2.amazonaws.com", "lambda.amazonaws.com")
        self.roles = [
            iam.create_role(RoleName=f"{self.name}-{n}", AssumeRolePolicyDocument=policy)["Role"]
            for n in range(CELL["role"])
        ]
        for n in range(CELL["profile"]):
            name = f"{self.name}-{n}"
            iam.create_instance_profile(InstanceProfileName=name)
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        self.keys = [
            kms.create_key(Description=f"{self.name}-{n}")["KeyMetadata"]["Arn"]
            for n in range(CELL["key"])
        ]

    def network(self):
        ec2 = self.clients["ec2"]
        made = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=self.tagged("vpc", "vpc"))
        self.vpc = made["Vpc"]["VpcId"]
        self.subnets = [
            ec2.create_subnet(
                VpcId=self.vpc,
                CidrBlock=f"10.0.{n * 8}.0/21",
                AvailabilityZone=REGION + "abc"[n % 3],
                TagSpecifications=self.tagged("subnet", f"subnet-{n}"),
            )["Subnet"]["SubnetId"]
            for n in range(CELL["subnet"])
        ]
        igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=igw, VpcId=self.vpc)
        eip = ec2.allocate_address(Domain="vpc")
        self.address = eip["PublicIp"]
        made = ec2.create_nat_gateway(SubnetId=self.subnets[0], AllocationId=eip["AllocationId"])
        nat = made["NatGateway"]["NatGatewayId"]
        half = len(self.subnets) // 2
        for target, subnets in [
            ({"GatewayId": igw}, self.subnets[:half]),
            ({"NatGatewayId": nat}, self.subnets[half:]),
        ]:
            rtb = ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
            ec2.create_route(RouteTableId=rtb, DestinationCidrBlock="0.0.0.0/0", **target)
            for subnet in subnets:
                ec2.associate_route_table(RouteTableId=rtb, SubnetId=subnet)

    def groups(self):
        """Each group allows traffic from two other groups and one network."""
        ec2 = self.clients["ec2"]
        count = CELL["sg"] - 1
        self.security_groups = [
            ec2.create_security_group(
                GroupName=f"{self.name}-{n}",
                Description="a group",
                VpcId=self.vpc,
                TagSpecifications=self.tagged("security-group", f"sg-{n}"),
            )["GroupId"]
            for n in range(count)
        ]
        for n, group in enumerate(self.security_groups):
            others = [self.security_groups[(n + step) % count] for step in [1, 7]]
            ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": 8080,
                    "ToPort": 8090,
                    "UserIdGroupPairs": [{"GroupId": other} for other in others],
                },
                {
                    "IpProtocol": "tcp",
                    "FromPort": 443,
                    "ToPort": 443,
                    "IpRanges": [{"CidrIp": f"192.168.{n}.0/24"}],
                },
            ])

    def instances(self):
        ec2 = self.clients["ec2"]
        self.machines = []
        while len(self.machines) < CELL["instance"]:
            batch = len(self.machines) // BATCH
            count = min(BATCH, CELL["instance"] - len(self.machines))
            made = ec2.run_instances(
                ImageId=AMI,
                InstanceType="t3.micro",
                MinCount=count,
                MaxCount=count,
                SubnetId=self.subnets[batch % len(self.subnets)],
                SecurityGroupIds=self.security_groups[batch * 2:batch * 2 + 2],
                IamInstanceProfile={"Name": f"{self.name}-{batch % CELL['profile']}"},
                TagSpecifications=self.tagged("instance", f"batch-{batch}"),
            )
            self.machines += [instance["InstanceId"] for instance in made["Instances"]]
        for n in range(CELL["volume"] - CELL["instance"]):
            volume = ec2.create_volume(
                AvailabilityZone=f"{REGION}a",
                Size=100,
                Encrypted=True,
                KmsKeyId=self.keys[n % len(self.keys)],
                TagSpecifications=self.tagged("volume", f"volume-{n}"),
            )["VolumeId"]
            ec2.attach_volume(VolumeId=volume, InstanceId=self.machines[n], Device="/dev/sdf")
        template = ec2.create_launch_template(
            LaunchTemplateName=self.name,
            LaunchTemplateData={"ImageId": AMI, "SecurityGroupIds": self.security_groups[:1]},
        )["LaunchTemplate"]["LaunchTemplateId"]
        self.clients["autoscaling"].create_auto_scaling_group(
            AutoScalingGroupName=self.name,
            MinSize=0,
            MaxSize=9,
            LaunchTemplate={"LaunchTemplateId": template},
            VPCZoneIdentifier=",".join(self.subnets[:2]),
        )

    def balancers(self):
        elb = self.clients["elbv2"]
        balancers = [
            elb.create_load_balancer(
                Name=f"{self.name}-{n}",
                Subnets=self.subnets[:2],
                SecurityGroups=self.security_groups[:1],
            )["LoadBalancers"][0]
            for n in range(CELL["lb"])
        ]
        self.balancer = balancers[0]["DNSName"]
        groups = []
        for n in range(CELL["tg"]):
            made = elb.create_target_group(
                Name=f"{self.name}-{n}", Protocol="HTTP", Port=8080, VpcId=self.vpc
            )
            groups.append(made["TargetGroups"][0]["TargetGroupArn"])
            elb.register_targets(
                TargetGroupArn=groups[n],
                Targets=[{"Id": id} for id in self.machines[n * 10:n * 10 + 10]],
            )
        for n in range(CELL["listener"]):
            elb.create_listener(
                LoadBalancerArn=balancers[n % len(balancers)]["LoadBalancerArn"],
                Protocol="HTTP",
                Port=8000 + n,
                DefaultActions=[{"Type": "forward", "TargetGroupArn": groups[n]}],
            )

    def databases(self):
        rds = self.clients["rds"]
        rds.create_db_subnet_group(
            DBSubnetGroupName=self.name,
            DBSubnetGroupDescription="databases",
            SubnetIds=self.subnets[-2:],
        )
        for n in range(CELL["db"]):
            name = f"{self.name}-{n}"
            rds.create_db_instance(
                DBInstanceIdentifier=name,
                DBInstanceClass="db.t3.micro",
                Engine="postgres",
                AllocatedStorage=20,
                MasterUsername="root",
                MasterUserPassword="not-secret",
                DBSubnetGroupName=self.name,
                VpcSecurityGroupIds=self.security_groups[-1:],
                Tags=tags(name, "data"),
            )

    def functions_and_buckets(self):
        for n in range(CELL["lambda"]):
            self.clients["lambda"].create_function(
                FunctionName=f"{self.name}-{n}",
                Runtime="python3.12",
                Role=self.roles[n % len(self.roles)]["Arn"],
                Handler="main.main",
                Code={"ZipFile": python_code()},
            )
        for n in range(CELL["bucket"]):
            self.clients["s3"].create_bucket(Bucket=f"airdig-{self.name}-{n}")

    def dns(self):
        route53 = self.clients["route53"]
        domain = f"{self.name}.example.com"
        made = route53.create_hosted_zone(Name=domain, CallerReference=self.name)
        targets = [("A", self.address), ("CNAME", self.balancer)]
        changes = []
        for n in range(CELL["record"] - 2):
            type, target = targets[n % 2]
            changes.append({
                "Action": "CREATE",
                "ResourceRecordSet": {
                    "Name": f"host-{n}.{domain}",
                    "Type": type,
                    "TTL": 60,
                    "ResourceRecords": [{"Value": target}],
                },
            })
        route53.change_resource_record_sets(
            HostedZoneId=made["HostedZone"]["Id"], ChangeBatch={"Changes": changes}
        )


if __name__ == "__main__":
    main()
