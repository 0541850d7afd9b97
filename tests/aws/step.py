"""Makes one change to the account of account.py: step.py --endpoint URL STEP JSON

STEP is the name of a function below, JSON an object with its arguments.
"""

import argparse
import json

import boto3


def open_group(ec2, group):
    """Opens PostgreSQL's port to the world."""
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def close_group(ec2, group):
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[rule])


def tag(ec2, id, key, value):
    ec2.create_tags(Resources=[id], Tags=[{"Key": key, "Value": value}])


def create_volume(ec2, zone):
    return ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]


def delete_volume(ec2, id):
    ec2.delete_volume(VolumeId=id)


parser = argparse.ArgumentParser()
parser.add_argument("--endpoint", required=True)
parser.add_argument("step", choices=[name for name, it in list(globals().items()) if callable(it) and it.__module__ == __name__])
parser.add_argument("arguments", type=json.loads, nargs="?", default={})
options = parser.parse_args()
client = boto3.client("ec2", endpoint_url=options.endpoint, region_name="us-east-1")
print(json.dumps(globals()[options.step](client, **options.arguments)))
