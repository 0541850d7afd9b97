"""IAM roles, instance profiles and KMS keys."""

import json

from cloud import ACCOUNT, tags

def build(cloud):
    roles(cloud)
    keys(cloud)


def roles(cloud):
    iam = cloud.client("iam")
    # moto has the AWS managed policies only if an environment variable of its process enables them.
    for policy, action, resource in [
        ("read-assets", "s3:GetObject", "arn:aws:s3:::airdig-assets/*"),
        ("session", "ssm:*", "*"),
        ("interfaces", "ec2:*NetworkInterface*", "*"),
    ]:
        made = iam.create_policy(PolicyName=policy, PolicyDocument=statement(action, resource))
        cloud.name(f"policy/{policy}", made["Policy"]["PolicyId"], made["Policy"]["Arn"])

    for role, service, team, attached in [
        ("web", "ec2", "web", ["session", "read-assets"]),
        ("app", "ec2", "app", ["session"]),
        ("lambda", "lambda", "app", ["interfaces"]),
        ("bare", "ec2", "platform", []),
    ]:
        made = iam.create_role(
            RoleName=role,
            Path="/service/" if role == "lambda" else "/",
            AssumeRolePolicyDocument=trust(f"{service}.amazonaws.com"),
            Tags=tags(role, team),
        )["Role"]
        cloud.name(f"role/{role}", made["RoleId"], made["Arn"])
        for policy in attached:
            iam.attach_role_policy(RoleName=role, PolicyArn=cloud.uid(f"policy/{policy}"))
    iam.put_role_policy(
        RoleName="app",
        PolicyName="write-orders",
        PolicyDocument=statement("sqs:SendMessage", f"arn:aws:sqs:*:{ACCOUNT}:uploads"),
    )

    for profile, role in [("web", "web"), ("app", "app"), ("empty", None)]:
        made = iam.create_instance_profile(InstanceProfileName=profile, Tags=tags(profile, profile))
        arn = made["InstanceProfile"]["Arn"]
        cloud.name(f"profile/{profile}", made["InstanceProfile"]["InstanceProfileId"], arn)
        if role:
            iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role)


def keys(cloud):
    kms = cloud.client("kms")
    for key, aliases in [
        ("ebs", ["alias/ebs"]),
        ("rds", ["alias/rds", "alias/databases"]),
        ("s3", ["alias/s3"]),
        ("lambda", ["alias/lambda"]),
        ("unused", []),
    ]:
        made = kms.create_key(
            Description=f"for {key}",
            Tags=[
                {"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags(key, "platform")
            ],
        )["KeyMetadata"]
        id = cloud.name(f"key/{key}", made["KeyId"], made["Arn"])
        for alias in aliases:
            kms.create_alias(AliasName=alias, TargetKeyId=id)
    kms.enable_key_rotation(KeyId=cloud.id("key/rds"))


def trust(*services):
    return allow(Principal={"Service": list(services)}, Action="sts:AssumeRole")


def statement(action, resource):
    return allow(Action=action, Resource=resource)


def allow(**statement_fields):
    """Returns a policy with one Allow statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement_fields}]})
