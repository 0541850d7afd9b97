"""Instances with their interfaces and volumes, launch templates and Auto Scaling groups."""

from cloud import REGION, tagged, tags

# Amazon Linux, an image that moto has.
AMI = "ami-760aaa0f"


def build(cloud):
    ec2 = cloud.client("ec2")
    instances(cloud, ec2)
    interfaces(cloud, ec2)
    volumes(cloud, ec2)
    templates(cloud, ec2)


def instances(cloud, ec2):
    # app-old in the legacy VPC has the private address of app-1.
    for name, subnet, address, group, profile, team in [
        ("web-1", "public-a", "10.0.0.11", "web", "web", "web"),
        ("web-2", "public-b", "10.0.1.12", "web", "web", "web"),
        ("app-1", "private-a", "10.0.10.21", "app", "app", "app"),
        ("app-old", "legacy-a", "10.0.10.21", "legacy", None, "app"),
        ("bastion", "public-a", "10.0.0.5", "bastion", None, "platform"),
        ("stopped", "shared-a", "10.9.0.9", "shared", None, "platform"),
        ("terminated", "private-b", "10.0.11.99", "app", None, "app"),
    ]:
        more = {"IamInstanceProfile": {"Name": profile}} if profile else {}
        [made] = ec2.run_instances(
            ImageId=AMI,
            InstanceType="t3.micro",
            MinCount=1,
            MaxCount=1,
            SubnetId=cloud.id(f"subnet/{subnet}"),
            PrivateIpAddress=address,
            SecurityGroupIds=[cloud.id(f"sg/{group}")],
            TagSpecifications=tagged("instance", name, team) + tagged("volume", name, team),
            **more,
        )["Instances"]
        cloud.name(f"instance/{name}", made["InstanceId"])

    for name, instance in [("web-1", "web-1"), ("unused", None)]:
        made = ec2.allocate_address(
            Domain="vpc", TagSpecifications=tagged("elastic-ip", name, "web")
        )
        id = cloud.name(f"eip/{name}", made["AllocationId"])
        cloud.external(f"ext/eip/{name}", made["PublicIp"], same_as=f"eip/{name}")
        if instance:
            ec2.associate_address(AllocationId=id, InstanceId=cloud.id(f"instance/{instance}"))


def interfaces(cloud, ec2):
    made = ec2.create_network_interface(
        SubnetId=cloud.id("subnet/private-a"),
        Groups=cloud.ids("sg/app", "sg/db"),
        PrivateIpAddresses=[
            {"Primary": True, "PrivateIpAddress": "10.0.10.50"},
            {"Primary": False, "PrivateIpAddress": "10.0.10.51"},
        ],
        TagSpecifications=tagged("network-interface", "spare", "app"),
    )["NetworkInterface"]
    cloud.name("eni/spare", made["NetworkInterfaceId"])
    made = ec2.create_network_interface(
        SubnetId=cloud.id("subnet/private-a"),
        Groups=cloud.ids("sg/unused"),
        PrivateIpAddress="10.0.10.250",
        TagSpecifications=tagged("network-interface", "bastion-inside", "platform"),
    )["NetworkInterface"]
    id = cloud.name("eni/bastion-inside", made["NetworkInterfaceId"])
    ec2.attach_network_interface(
        NetworkInterfaceId=id, InstanceId=cloud.id("instance/bastion"), DeviceIndex=1
    )
    for rtb, cidr, target in [
        ("data", "192.168.1.0/24", {"NetworkInterfaceId": id}),
        ("data", "192.168.2.0/24", {"InstanceId": cloud.id("instance/bastion")}),
    ]:
        ec2.create_route(
            RouteTableId=cloud.id(f"rtb/{rtb}"), DestinationCidrBlock=cidr, **target
        )


def volumes(cloud, ec2):
    ebs = {"Encrypted": True, "KmsKeyId": cloud.uid("key/ebs")}
    for name, instance, more in [
        ("data", "web-1", ebs),
        ("plain", "app-1", {}),
        ("spare", None, {"Encrypted": True}),
    ]:
        made = ec2.create_volume(
            AvailabilityZone=f"{REGION}a",
            Size=20,
            VolumeType="gp3",
            TagSpecifications=tagged("volume", name, "data"),
            **more,
        )
        id = cloud.name(f"volume/{name}", made["VolumeId"])
        if name == "spare":
            # Without a key id AWS creates its own key, alias/aws/ebs.
            cloud.name("key/aws-ebs", made["KmsKeyId"].rpartition("/")[2], made["KmsKeyId"])
        if instance:
            ec2.attach_volume(
                VolumeId=id, InstanceId=cloud.id(f"instance/{instance}"), Device="/dev/sdf"
            )


def templates(cloud, ec2):
    made = ec2.create_launch_template(
        LaunchTemplateName="app",
        LaunchTemplateData={
            "ImageId": AMI,
            "InstanceType": "t3.small",
            "SecurityGroupIds": cloud.ids("sg/app"),
            "IamInstanceProfile": {"Arn": cloud.uid("profile/app")},
            # "hunter2" in Base64; a scan must not report it.
            "UserData": "aHVudGVyMg==",
        },
        TagSpecifications=tagged("launch-template", "app", "app"),
    )["LaunchTemplate"]
    cloud.name("lt/app", made["LaunchTemplateId"])

    # The second version is the default one; only the default version has edges.
    def data(group):
        return {
            "ImageId": AMI,
            "InstanceType": "t3.small",
            "NetworkInterfaces": [{"DeviceIndex": 0, "Groups": cloud.ids(f"sg/{group}")}],
        }

    made = ec2.create_launch_template(
        LaunchTemplateName="batch", LaunchTemplateData=data("web")
    )["LaunchTemplate"]
    id = cloud.name("lt/batch", made["LaunchTemplateId"])
    ec2.create_launch_template_version(LaunchTemplateId=id, LaunchTemplateData=data("unused"))
    ec2.modify_launch_template(LaunchTemplateId=id, DefaultVersion="2")


def scaling_groups(cloud):
    autoscaling = cloud.client("autoscaling")
    app = {"LaunchTemplateId": cloud.id("lt/app"), "Version": "$Latest"}
    batch = {"LaunchTemplateSpecification": {"LaunchTemplateName": "batch", "Version": "$Default"}}
    for name, size, subnets, team, more in [
        ("app", 2, ["private-a", "private-b"], "app", {
            "LaunchTemplate": app,
            "TargetGroupARNs": [cloud.uid("tg/app")],
        }),
        ("batch", 0, ["private-b"], "data", {
            "MixedInstancesPolicy": {"LaunchTemplate": batch},
        }),
    ]:
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=size,
            MaxSize=4,
            DesiredCapacity=size,
            VPCZoneIdentifier=",".join(cloud.id(f"subnet/{subnet}") for subnet in subnets),
            Tags=[
                {
                    "ResourceId": name,
                    "ResourceType": "auto-scaling-group",
                    "PropagateAtLaunch": True,
                    **tag,
                }
                for tag in tags(name, team)
            ],
            **more,
        )
    for group in autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]:
        name = group["AutoScalingGroupName"]
        cloud.name(f"asg/{name}", name, group["AutoScalingGroupARN"])
        head = group["AutoScalingGroupARN"].split(":autoScalingGroup:")[0]
        cloud.name(
            f"asgname/{name}", name, f"{head}:autoScalingGroup::autoScalingGroupName/{name}",
            same_as=f"asg/{name}",
        )
        for number, instance in enumerate(group["Instances"], 1):
            cloud.name(f"instance/{name}-asg-{number}", instance["InstanceId"])


def end_instances(cloud):
    """Stops one instance, which stays a target, and terminates another."""
    ec2 = cloud.client("ec2")
    ec2.stop_instances(InstanceIds=[cloud.id("instance/stopped")])
    ec2.terminate_instances(InstanceIds=[cloud.id("instance/terminated")])
    cloud.gone("instance/terminated")


def name_parts(cloud):
    """Records the interface and the volumes that were created with an instance under the instance's name."""
    ec2 = cloud.client("ec2")
    for reservation in ec2.describe_instances()["Reservations"]:
        for instance in reservation["Instances"]:
            name = cloud.name_of(instance["InstanceId"]).removeprefix("instance/")
            known = {entry["id"] for entry in cloud.names.values()}
            for interface in instance["NetworkInterfaces"]:
                if interface["NetworkInterfaceId"] not in known:
                    cloud.name(f"eni/{name}", interface["NetworkInterfaceId"])
            for device in instance["BlockDeviceMappings"]:
                if device["Ebs"]["VolumeId"] not in known:
                    cloud.name(f"volume/{name}", device["Ebs"]["VolumeId"])
