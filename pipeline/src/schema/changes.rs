//! `changes`: one row a thing that somebody did (a CloudTrail record, a deploy). `uid` is what was
//! changed, `time` when.

use super::{columns, types};

columns! {
    /// The event's own id, unique for ever (CloudTrail `eventID`); replaying it adds nothing.
    ID "id": types::text();
    /// What was called: `AuthorizeSecurityGroupIngress`, `deploy`.
    EVENT_NAME "event_name": types::text();
    /// Whose call: `ec2.amazonaws.com`.
    EVENT_SOURCE "event_source": types::word() => nullable;
    /// AWS account id, GCP project id, Kubernetes cluster.
    ACCOUNT "account": types::word() => nullable;
    /// Region of the call.
    REGION "region": types::word() => nullable;
    /// Who did it: a principal's ARN, a user name; null where unknown.
    ACTOR "actor": types::text() => nullable;
    /// Address that the call came from; null where not given.
    SOURCE_IP "source_ip": types::text() => nullable;
    /// Program that made the call; null where not given.
    USER_AGENT "user_agent": types::text() => nullable;
    /// Whether the session was authenticated with a second factor; null where not given.
    MFA "mfa": types::boolean() => nullable;
    /// Whether the call only reads; null where not given.
    READ_ONLY "read_only": types::boolean() => nullable;
    /// Why the call failed; null where it succeeded. A failed call changed nothing.
    ERROR_CODE "error_code": types::text() => nullable;
    /// Every uid that the call names, `uid` among them.
    RESOURCES "resources": types::list(types::text()) => nullable;
    /// Parameters of the call, as the source gives them.
    REQUEST "request": types::attributes() => nullable;
    /// Answer to the call, as the source gives it.
    RESPONSE "response": types::attributes() => nullable;
    /// What it touches: count, depth, top, truncated; null until computed, and for what changed nothing.
    IMPACT "impact": types::attributes() => nullable;
}
