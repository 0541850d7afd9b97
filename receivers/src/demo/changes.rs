//! Writes rows of `changes`: deploys in the form of Argo CD, API calls in the form of CloudTrail.

use pipeline::attributes::map_from_json;
use pipeline::component::UnixNanos;
use pipeline::rows::{Cell, Rows};
use pipeline::schema::changes;
use serde_json::{Value, json};

use super::cloud::{ACCOUNT, DemoNames, REGION};
use super::script::ScriptedChange;
use super::shop::DEPLOYED;

/// Adds the row of a change at `time`. `run` and `round` make the id of the change unique among all runs with the same
/// seed and among the rounds of the script.
pub(super) fn push(
    rows: &mut Rows,
    names: DemoNames,
    source: &str,
    (run, round): (u64, u64),
    change: ScriptedChange,
    time: UnixNanos,
) {
    let id = names.uuid(&format!("change/{run}/{round}/{change:?}"));
    match change {
        ScriptedChange::Deploy { earlier_deploys } => {
            push_deploy(rows, source, &id, earlier_deploys, time)
        }
        ScriptedChange::Open => push_call(rows, names, source, &id, &OPENING, time),
        ScriptedChange::Close => push_call(rows, names, source, &id, &CLOSING, time),
    }
}

fn push_deploy(rows: &mut Rows, source: &str, id: &str, earlier_deploys: u64, time: UnixNanos) {
    let image = |deploys| {
        let (name, version) = (DEPLOYED.name(), DEPLOYED.version(deploys));
        format!("registry.shop.example/{name}:{version}")
    };
    let request = encode(&json!({
        "application": DEPLOYED.name(),
        "version": DEPLOYED.version(earlier_deploys + 1),
        "image": image(earlier_deploys + 1),
        "previousVersion": DEPLOYED.version(earlier_deploys),
        "previousImage": image(earlier_deploys),
    }));
    let uid = DEPLOYED.uid();
    let cells = [
        (changes::ID, Cell::Text(id)),
        (changes::EVENT_NAME, Cell::Text("deploy")),
        (changes::EVENT_SOURCE, Cell::Text("argocd.shop.example")),
        (changes::ACTOR, Cell::Text("ci@shop.example")),
        (changes::USER_AGENT, Cell::Text("argocd/v3.0.6")),
        (changes::READ_ONLY, Cell::Bool(false)),
        (changes::RESOURCES, Cell::Texts(std::slice::from_ref(&uid))),
        (changes::REQUEST, Cell::Bytes(&request)),
    ];
    rows.push(Some(time), Some(&uid), source, &cells);
}

/// An API call that changes the rules of the database's security group, and its caller.
struct ScriptedApiCall {
    event_name: &'static str,
    user: &'static str,
    source_ip: &'static str,
    user_agent: &'static str,
    mfa: bool,
}

const OPENING: ScriptedApiCall = ScriptedApiCall {
    event_name: "AuthorizeSecurityGroupIngress",
    user: "dev-intern",
    source_ip: "203.0.113.7",
    user_agent: "aws-cli/2.27.1",
    mfa: false,
};

const CLOSING: ScriptedApiCall = ScriptedApiCall {
    event_name: "RevokeSecurityGroupIngress",
    user: "on-call",
    source_ip: "203.0.113.20",
    user_agent: "console.amazonaws.com",
    mfa: true,
};

fn push_call(
    rows: &mut Rows,
    names: DemoNames,
    source: &str,
    id: &str,
    call: &ScriptedApiCall,
    time: UnixNanos,
) {
    let group = names.ec2("sg", "sg-database");
    let request = encode(&json!({
        "groupId": group,
        "ipPermissions": {"items": [{
            "ipProtocol": "tcp",
            "fromPort": 5432,
            "toPort": 5432,
            "groups": {},
            "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]},
            "ipv6Ranges": {},
            "prefixListIds": {},
        }]},
    }));
    let response = encode(&json!({"requestId": id, "_return": true}));
    let uid = names.security_group("sg-database");
    let actor = format!("arn:aws:iam::{ACCOUNT}:user/{}", call.user);
    let cells = [
        (changes::ID, Cell::Text(id)),
        (changes::EVENT_NAME, Cell::Text(call.event_name)),
        (changes::EVENT_SOURCE, Cell::Text("ec2.amazonaws.com")),
        (changes::ACCOUNT, Cell::Text(ACCOUNT)),
        (changes::REGION, Cell::Text(REGION)),
        (changes::ACTOR, Cell::Text(&actor)),
        (changes::SOURCE_IP, Cell::Text(call.source_ip)),
        (changes::USER_AGENT, Cell::Text(call.user_agent)),
        (changes::MFA, Cell::Bool(call.mfa)),
        (changes::READ_ONLY, Cell::Bool(false)),
        (changes::RESOURCES, Cell::Texts(std::slice::from_ref(&uid))),
        (changes::REQUEST, Cell::Bytes(&request)),
        (changes::RESPONSE, Cell::Bytes(&response)),
    ];
    rows.push(Some(time), Some(&uid), source, &cells);
}

fn encode(object: &Value) -> Vec<u8> {
    object.as_object().map(map_from_json).unwrap_or_default()
}
