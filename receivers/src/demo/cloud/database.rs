//! The database of the shop.

use pipeline::schema::aliases::kind as alias;
use pipeline::schema::edges::kind;
use pipeline::uid;
use serde_json::json;

use super::names::{DemoNames, REGION};
use super::resource::{DemoResource, aws_tags};

pub(super) fn database(names: DemoNames) -> DemoResource {
    let endpoint = names.database_endpoint();
    DemoResource {
        relations: vec![
            (kind::SECURED_BY, names.security_group("sg-database")),
            (kind::PART_OF, names.subnet('a')),
            (kind::PART_OF, names.subnet('b')),
        ],
        aliases: vec![
            ("id", "shop-db".to_owned()),
            ("dns", endpoint.clone()),
            // Spans of clients name the database only by its address.
            (alias::SAME_AS, uid::external(&endpoint, Some(5432))),
        ],
        configuration: json!({
            "DBInstanceIdentifier": "shop-db",
            "DBInstanceArn": names.database(),
            "DBInstanceClass": "db.r7g.large",
            "DBInstanceStatus": "available",
            "Engine": "postgres",
            "EngineVersion": "17.4",
            "DBName": "shop",
            "Endpoint": {"Address": endpoint, "Port": 5432},
            "AvailabilityZone": format!("{REGION}a"),
            "MultiAZ": true,
            "PubliclyAccessible": true,
            "StorageEncrypted": true,
            "VpcSecurityGroups": [
                {"VpcSecurityGroupId": names.ec2("sg", "sg-database"), "Status": "active"},
            ],
            "DBSubnetGroup": {
                "DBSubnetGroupName": "shop",
                "VpcId": names.ec2("vpc", "shop"),
                "Subnets": [
                    {"SubnetIdentifier": names.ec2("subnet", "a")},
                    {"SubnetIdentifier": names.ec2("subnet", "b")},
                ],
            },
            "TagList": aws_tags("shop-db", "data"),
        }),
        ..DemoResource::aws("AWS::RDS::DBInstance", names.database(), "shop-db", "data")
    }
}
