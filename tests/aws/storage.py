"""Lambda functions, S3 buckets, and the queue and topic that get bucket notifications."""

import io
import zipfile

from access import allow
from cloud import ACCOUNT, REGION, tags

# Bucket names are unique across all accounts.
PREFIX = "airdig"
OTHER_REGION = "eu-west-1"


def build(cloud):
    functions(cloud)
    buckets(cloud)


def functions(cloud):
    api = cloud.client("lambda")
    inside = {
        "VpcConfig": {
            "SubnetIds": cloud.ids("subnet/private-a", "subnet/private-b"),
            "SecurityGroupIds": cloud.ids("sg/app"),
        },
        "KMSKeyArn": cloud.uid("key/lambda"),
    }
    for name, more in [("api", inside), ("thumbnails", {})]:
        made = api.create_function(
            FunctionName=name,
            Runtime="python3.12",
            Role=cloud.uid("role/lambda"),
            Handler="main.main",
            Code={"ZipFile": python_code()},
            # A scan must not report it.
            Environment={"Variables": {"DB_PASSWORD": "hunter2"}},
            Tags={tag["Key"]: tag["Value"] for tag in tags(name, "app")},
            **more,
        )
        cloud.name(f"lambda/{name}", name, made["FunctionArn"])


def python_code():
    """Returns a zip archive with a function that does nothing."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        # ZipInfo has the earliest date of the format, so the hash is the same in each run.
        entry = zipfile.ZipInfo("main.py")
        archive.writestr(entry, "def main(event, context):\n    return {}\n")
    return code.getvalue()


def buckets(cloud):
    s3 = cloud.client("s3")
    cloud.client("sqs").create_queue(QueueName="uploads")
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:uploads"
    cloud.name("queue/uploads", queue, queue)
    topic = cloud.client("sns").create_topic(Name="deletions")["TopicArn"]
    cloud.name("topic/deletions", topic, topic)

    for name in ["assets", "uploads", "bare"]:
        s3.create_bucket(Bucket=f"{PREFIX}-{name}")
        cloud.name(f"bucket/{name}", f"{PREFIX}-{name}", f"arn:aws:s3:::{PREFIX}-{name}")
    name = f"{PREFIX}-backups"
    cloud.client("s3", OTHER_REGION).create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": OTHER_REGION}
    )
    cloud.name("bucket/backups", name, f"arn:aws:s3:::{name}")
    made = cloud.client("kms", OTHER_REGION).create_key()["KeyMetadata"]
    cloud.name(f"otherkey/{OTHER_REGION}", made["KeyId"], made["Arn"])

    # A bucket refers to a key by ARN, or by the id of a key in the bucket's region.
    for name, key in [
        ("assets", cloud.id("key/s3")),
        ("uploads", cloud.uid("key/s3")),
        ("backups", made["KeyId"]),
    ]:
        s3.put_bucket_tagging(
            Bucket=f"{PREFIX}-{name}", Tagging={"TagSet": tags(name, "web")}
        )
        s3.put_bucket_encryption(
            Bucket=f"{PREFIX}-{name}",
            ServerSideEncryptionConfiguration={
                "Rules": [
                    {
                        "ApplyServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": key,
                        }
                    }
                ]
            },
        )
    assets = f"{PREFIX}-assets"
    s3.put_bucket_policy(
        Bucket=assets,
        Policy=allow(Principal="*", Action="s3:GetObject", Resource=f"arn:aws:s3:::{assets}/*"),
    )
    s3.put_public_access_block(
        Bucket=assets,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        },
    )
    s3.put_bucket_notification_configuration(
        Bucket=f"{PREFIX}-uploads",
        NotificationConfiguration={
            "QueueConfigurations": [
                {"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]},
                {"QueueArn": queue, "Events": ["s3:ObjectRestore:Post"]},
            ],
            "TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectRemoved:*"]}],
            "LambdaFunctionConfigurations": [
                {
                    "LambdaFunctionArn": cloud.uid("lambda/thumbnails"),
                    "Events": ["s3:ObjectCreated:Put"],
                }
            ],
        },
    )
