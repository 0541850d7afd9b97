"""RDS: instances (one is a replica), an Aurora cluster with two members, and subnet groups."""

from cloud import tags


def build(cloud):
    rds = cloud.client("rds")
    for name, subnets in [("main", ["data-a", "data-b"]), ("legacy", ["legacy-a"])]:
        made = rds.create_db_subnet_group(
            DBSubnetGroupName=name,
            DBSubnetGroupDescription=f"{name} databases",
            SubnetIds=[cloud.id(f"subnet/{subnet}") for subnet in subnets],
            Tags=tags(name, "data"),
        )["DBSubnetGroup"]
        cloud.name(f"subgrp/{name}", name, made["DBSubnetGroupArn"])

    encrypted = {"StorageEncrypted": True, "KmsKeyId": cloud.uid("key/rds")}
    password = {"MasterUsername": "root", "MasterUserPassword": "not-secret"}
    for name, engine, group, subnets, more in [
        ("main", "postgres", "db", "main", encrypted | password),
        ("old", "mysql", "legacy", "legacy", password),
    ]:
        made = rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBInstanceClass="db.t3.micro",
            Engine=engine,
            AllocatedStorage=20,
            VpcSecurityGroupIds=[cloud.id(f"sg/{group}")],
            DBSubnetGroupName=subnets,
            Tags=tags(name, "data"),
            **more,
        )["DBInstance"]
        cloud.name(f"db/{name}", name, made["DBInstanceArn"])
    made = rds.create_db_instance_read_replica(
        DBInstanceIdentifier="replica",
        SourceDBInstanceIdentifier="main",
        Tags=tags("replica", "data"),
    )["DBInstance"]
    cloud.name("db/replica", "replica", made["DBInstanceArn"])

    made = rds.create_db_cluster(
        DBClusterIdentifier="orders",
        Engine="aurora-postgresql",
        VpcSecurityGroupIds=cloud.ids("sg/db"),
        DBSubnetGroupName="main",
        Tags=tags("orders", "data"),
        **encrypted,
        **password,
    )["DBCluster"]
    cloud.name("cluster/orders", "orders", made["DBClusterArn"])
    for name, host in [("orders", made["Endpoint"]), ("orders/reader", made["ReaderEndpoint"])]:
        cloud.external(f"ext/cluster/{name}", host, same_as="cluster/orders")
    for name in ["orders-1", "orders-2"]:
        made = rds.create_db_instance(
            DBInstanceIdentifier=name,
            DBClusterIdentifier="orders",
            DBInstanceClass="db.r6g.large",
            Engine="aurora-postgresql",
            Tags=tags(name, "data"),
        )["DBInstance"]
        cloud.name(f"db/{name}", name, made["DBInstanceArn"])
    for made in rds.describe_db_instances()["DBInstances"]:
        name = made["DBInstanceIdentifier"]
        cloud.external(f"ext/db/{name}", made["Endpoint"]["Address"], same_as=f"db/{name}")
