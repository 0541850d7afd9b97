//! The columns of `changes`: one row for each action (a CloudTrail record, a deploy). `uid` is the changed node, `time`
//! the time of the action.

use super::{columns, types};

columns! {
    /// The id of the event, unique for ever (CloudTrail `eventID`). A replayed event adds no record.
    ID "id": types::text();
    /// The action: `AuthorizeSecurityGroupIngress`, `deploy`.
    EVENT_NAME "event_name": types::text();
    /// The service that was called: `ec2.amazonaws.com`.
    EVENT_SOURCE "event_source": types::word() => nullable;
    /// AWS account id, GCP project id, Kubernetes cluster.
    ACCOUNT "account": types::word() => nullable;
    /// Region of the call.
    REGION "region": types::word() => nullable;
    /// The actor: the ARN of a principal, a user name; null if it is unknown.
    ACTOR "actor": types::text() => nullable;
    /// Address from which the call came; null if the source does not report it.
    SOURCE_IP "source_ip": types::text() => nullable;
    /// Program that made the call; null if the source does not report it.
    USER_AGENT "user_agent": types::text() => nullable;
    /// Whether the session was authenticated with a second factor; null if the source does not report it.
    MFA "mfa": types::boolean() => nullable;
    /// Whether the call only reads; null if the source does not report it.
    READ_ONLY "read_only": types::boolean() => nullable;
    /// Error of a failed call; null if the call succeeded. A failed call changed nothing.
    ERROR_CODE "error_code": types::text() => nullable;
    /// Every uid that the call names, `uid` included.
    RESOURCES "resources": types::list(types::text()) => nullable;
    /// Parameters of the call, as the source reports them.
    REQUEST "request": types::attributes() => nullable;
    /// Response to the call, as the source reports it.
    RESPONSE "response": types::attributes() => nullable;
    /// Impact of the change: count, depth, top, truncated; null until it is computed, and for calls that changed
    /// nothing.
    IMPACT "impact": types::attributes() => nullable;
}
