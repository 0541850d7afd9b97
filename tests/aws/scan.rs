//! The output of `airdig scan`.

use std::collections::BTreeSet;

use crate::support::{CREDENTIALS, Moto, airdig};

#[test]
fn the_account_is_shown_as_a_tree_and_as_graphs() {
    let moto = Moto::start();
    let names = moto.build_account();

    let tree = moto.scan(&[]);
    let vpc = format!("VPC main ({})", names.id("vpc/main"));
    assert!(tree.contains("123456789012 us-east-1: "), "{tree}");
    assert!(
        tree.contains(&vpc) && tree.contains("in no VPC: "),
        "{tree}"
    );

    let dot = moto.scan(&["-o", "dot"]);
    assert!(
        dot.starts_with("digraph aws {") && dot.trim_end().ends_with('}'),
        "{dot}"
    );
    let edge = format!(
        "{:?} -> {:?}",
        names.uid("subnet/public-a"),
        names.uid("vpc/main")
    );
    assert!(dot.contains(&edge), "{dot}");

    let mermaid = moto.scan(&["-o", "mermaid", "--kind", "AWS::EC2::*"]);
    let mut declared = BTreeSet::new();
    for line in mermaid.lines().skip(1) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [from, arrow, to] if arrow.starts_with("-->|") => {
                assert!(declared.contains(*from) && declared.contains(*to), "{line}");
            }
            _ => {
                let id = line.trim().split(['[', '(']).next().unwrap();
                assert!(declared.insert(id.to_owned()), "{line}");
            }
        }
    }
    assert!(!mermaid.contains("DBInstance"), "only the requested kinds");
}

#[test]
fn a_scope_that_cannot_be_scanned_is_reported_and_the_others_are_shown() {
    let moto = Moto::start();
    moto.build_account();
    let folder = tempfile::tempdir().unwrap();
    let denied = folder.path().join("denied");
    std::fs::write(&denied, "DescribeVolumes").unwrap();
    let gate = moto.gate(&denied);
    let output = airdig()
        .args(["scan", "--endpoint", &gate.url, "--region", "us-east-1"])
        .envs(CREDENTIALS)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("ec2:DescribeVolumes in us-east-1 of 123456789012: access denied"),
        "{errors}"
    );
    assert!(errors.contains("1 scope could not be scanned"), "{errors}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("VPC main"));
}

#[test]
fn a_named_profile_overrides_the_keys_of_the_environment() {
    let moto = Moto::start();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let profiles = format!(
        "[profile audited]\nrole_arn = arn:aws:iam::210987654321:role/audit\nsource_profile = keys\n\
         endpoint_url = {0}\n[profile keys]\naws_access_key_id = y\naws_secret_access_key = y\nendpoint_url = {0}\n",
        moto.url
    );
    std::fs::write(&config, profiles).unwrap();
    let scan = |profile: &str| {
        let arguments = ["scan", "--region", "us-east-1", "--kind", "AWS::EC2::VPC"];
        let output = airdig()
            .args(arguments)
            .args(["--endpoint", &moto.url, "--profile", profile])
            .envs(CREDENTIALS)
            .env("AWS_CONFIG_FILE", &config)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    };
    let (tree, errors) = scan("audited");
    assert!(
        tree.contains("210987654321 us-east-1: 1 resource"),
        "{tree}{errors}"
    );
    let (tree, errors) = scan("nope");
    assert!(
        !tree.contains("us-east-1") && errors.contains("nope"),
        "{tree}{errors}"
    );
}

#[test]
fn accounts_and_regions_are_scanned_with_the_role_of_each_account() {
    let moto = Moto::start();
    moto.build_account();
    let config = format!(
        "receivers:
  aws:
    endpoint: {}
    regions: [us-east-1, eu-west-1]
    accounts: [{{}}, {{role_arn: 'arn:aws:iam::210987654321:role/airdig', external_id: some}}]
    kinds: {{include: ['AWS::EC2::VPC']}}
exporters: {{debug: {{}}}}
service: {{pipelines: {{resources: {{receivers: [aws], exporters: [debug]}}}}}}
",
        moto.url
    );
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(&file, config).unwrap();
    let output = airdig()
        .args(["scan", "--config"])
        .arg(file.path())
        .envs(CREDENTIALS)
        .output()
        .unwrap();
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    // Outside of the account and region that `account.py` builds, moto has one default VPC.
    for (account, region, vpcs) in [
        ("123456789012", "us-east-1", 3),
        ("123456789012", "eu-west-1", 1),
        ("210987654321", "us-east-1", 1),
        ("210987654321", "eu-west-1", 1),
    ] {
        let noun = if vpcs == 1 { "resource" } else { "resources" };
        let head = format!("{account} {region}: {vpcs} {noun}");
        assert!(tree.contains(&head), "no {head}:\n{tree}");
    }
}
