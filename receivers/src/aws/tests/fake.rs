//! A fake AWS that replies by a script, and scanners that call it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use pipeline::counters::Counter;
use pipeline::resource::ResourceRow;
use pipeline::rows::Rows;
use pipeline::{Batch, Delivery};
use serde_json::{Value as Json, json};

use super::graph::TestGraph;
use crate::aws::api::FailureLog;
use crate::aws::config::Config;
use crate::aws::emit::{Inventory, RowSink, ScanProgress};
use crate::aws::scan::{Accounts, Leases, Scanner, timeouts};

pub(super) const ACCOUNT: &str = "123456789012";

/// The reply to a request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// The body of a successful response, without the outermost element.
    Xml(String),
    /// Status and code.
    Error(u16, &'static str),
    /// Like `Xml`, after 200 ms.
    Late(String),
    /// Like `Xml`, but the end of the outermost element is missing.
    Cut(String),
    /// A response whose body never arrives.
    Hang,
}

/// The fields of one request. The field `account` is added: the account whose credentials signed the request.
pub(super) type Request = HashMap<String, String>;

type Refused = Arc<Mutex<Option<&'static str>>>;

type Script = Arc<Mutex<dyn FnMut(&Request) -> Reply + Send>>;

/// A server of the EC2 query protocol on a free port.
pub(super) struct FakeAws {
    url: String,
    /// `AssumeRole` is denied for the roles of this account.
    pub(super) refused: Refused,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for FakeAws {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl FakeAws {
    /// The fake itself replies to `GetCallerIdentity` and `AssumeRole` (any role). The script replies to all
    /// other requests.
    pub(super) async fn new(script: impl FnMut(&Request) -> Reply + Send + 'static) -> FakeAws {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let refused = Refused::default();
        let script: Script = Arc::new(Mutex::new(script));
        let router = Router::new()
            .fallback(reply_to)
            .with_state((script, refused.clone()));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        FakeAws {
            url,
            refused,
            server,
        }
    }

    async fn sdk(&self, config: &Config) -> SdkConfig {
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(&self.url)
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                ACCOUNT, "secret", None, None, "test",
            )))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .timeout_config(timeouts(config))
            .retry_config(
                RetryConfig::standard()
                    .with_max_attempts(3)
                    .with_initial_backoff(Duration::from_millis(1)),
            );
        loader.load().await
    }

    /// A scanner of VPCs and subnets. `settings` override its configuration.
    pub(super) async fn scanner(&self, settings: Json) -> Arc<Scanner> {
        self.scanner_with_inventory(settings, Inventory::default())
            .await
    }

    pub(super) async fn scanner_with_inventory(
        &self,
        settings: Json,
        inventory: Inventory,
    ) -> Arc<Scanner> {
        let leases = Leases::default();
        self.scanner_with(settings, inventory, leases).await
    }

    pub(super) async fn scanner_with(
        &self,
        settings: Json,
        inventory: Inventory,
        leases: Leases,
    ) -> Arc<Scanner> {
        let mut document = json!({
            "kinds": {"include": ["AWS::EC2::VPC", "AWS::EC2::Subnet"]},
            "timeout": "2s",
            "rate_limits": {"ec2": 10000},
        });
        for (key, value) in settings.as_object().unwrap() {
            document[key] = value.clone();
        }
        let config: Config = serde_json::from_value(document).unwrap();
        let sdk = self.sdk(&config).await;
        let accounts = Accounts::new(&sdk, &config, &inventory.owners)
            .await
            .unwrap();
        let failures = FailureLog::new("aws", Counter::default());
        Scanner::new("aws", config, accounts, inventory, failures, leases)
    }
}

async fn reply_to(
    State((script, refused)): State<(Script, Refused)>,
    headers: HeaderMap,
    body: String,
) -> Response {
    let mut request = fields(&body);
    let account = account_of(&headers);
    let action = request["Action"].clone();
    let reply = match action.as_str() {
        "GetCallerIdentity" => Reply::Xml(format!(
            "<GetCallerIdentityResult><Account>{account}</Account></GetCallerIdentityResult>"
        )),
        "AssumeRole" => assumed(&request["RoleArn"], *refused.lock().unwrap()),
        _ => {
            request.insert("account".to_owned(), account);
            (script.lock().unwrap())(&request)
        }
    };
    match reply {
        Reply::Late(body) => {
            tokio::time::sleep(Duration::from_millis(200)).await;
            format!("<{action}Response>{body}</{action}Response>").into_response()
        }
        Reply::Xml(body) => format!("<{action}Response>{body}</{action}Response>").into_response(),
        Reply::Cut(body) => format!("<{action}Response>{body}").into_response(),
        Reply::Error(status, code) => {
            let body = format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>scripted</Message></Error></Errors></Response>"
            );
            (StatusCode::from_u16(status).unwrap(), body).into_response()
        }
        Reply::Hang => {
            let never = futures::stream::pending::<Result<&'static [u8], std::io::Error>>();
            Body::from_stream(never).into_response()
        }
    }
}

/// Credentials of a role. The access key is the id of the role's account.
fn assumed(role: &str, refused: Option<&str>) -> Reply {
    let account = role.split(':').nth(4).unwrap();
    if refused == Some(account) {
        return Reply::Error(403, "AccessDenied");
    }
    Reply::Xml(format!(
        "<AssumeRoleResult><Credentials><AccessKeyId>{account}</AccessKeyId>\
         <SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>\
         <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>"
    ))
}

/// The account whose credentials signed a request.
fn account_of(headers: &HeaderMap) -> String {
    let signed = headers["authorization"].to_str().unwrap();
    let (_, key) = signed.split_once("Credential=").unwrap();
    let (key, _) = key.split_once('/').unwrap();
    key.to_owned()
}

/// Parses a form (application/x-www-form-urlencoded).
fn fields(body: &str) -> Request {
    let decode = |text: &str| {
        let spaced = text.replace('+', " ");
        percent_encoding::percent_decode_str(&spaced)
            .decode_utf8_lossy()
            .into_owned()
    };
    let pairs = body.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (decode(key), decode(value)))
        .collect()
}

pub(super) fn vpcs(ids: &[&str]) -> Reply {
    let items = ids
        .iter()
        .map(|id| format!("<item><vpcId>{id}</vpcId></item>"));
    Reply::Xml(format!("<vpcSet>{}</vpcSet>", items.collect::<String>()))
}

/// A page of subnets of `vpc-1`, with the token of the next page.
pub(super) fn subnets(ids: &[&str], next: Option<&str>) -> Reply {
    let item = |id: &&str| format!("<item><subnetId>{id}</subnetId><vpcId>vpc-1</vpcId></item>");
    let items: String = ids.iter().map(item).collect();
    let next = next.map(|token| format!("<nextToken>{token}</nextToken>"));
    Reply::Xml(format!(
        "<subnetSet>{items}</subnetSet>{}",
        next.unwrap_or_default()
    ))
}

/// Records the rows, one line each: `created subnet/s-1`, `complete AWS::EC2::Subnet 2`.
#[derive(Debug, Default)]
pub(super) struct RecordingSink {
    pub(super) lines: Mutex<Vec<String>>,
    pub(super) failures: Mutex<Vec<String>>,
    pub(super) batches: Mutex<Vec<Batch>>,
    /// The graph that a store makes of the rows.
    pub(super) graph: TestGraph,
    /// Whether the sink rejects all rows.
    pub(super) rejects: bool,
}

impl RecordingSink {
    /// The lines since the last call. Scopes are scanned concurrently, so the lines are sorted.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = std::mem::take(&mut *self.lines.lock().unwrap());
        lines.sort();
        lines
    }

    pub(super) fn failures(&self) -> Vec<String> {
        std::mem::take(&mut *self.failures.lock().unwrap())
    }
}

fn line(row: &ResourceRow<'_>) -> String {
    let short = row.uid.map(|uid| uid.rsplit(':').next().unwrap_or(uid));
    let scope = row.scope.unwrap_or_default();
    match row.op {
        "scope_complete" => {
            let kind = scope.splitn(3, '/').nth(2).unwrap_or_default();
            let op = match row.miss {
                Some("deleted") => "complete",
                _ => "complete in part",
            };
            format!("{op} {kind} {}", row.members.unwrap_or_default().len())
        }
        _ => format!(
            "{} {}",
            row.change.unwrap_or(row.op),
            short.unwrap_or_default()
        ),
    }
}

#[async_trait]
impl RowSink for RecordingSink {
    async fn deliver(&self, mut rows: Rows) -> Result<(), String> {
        if self.rejects {
            return Err("scripted rejection".to_owned());
        }
        let batch = rows.finish(Delivery::untracked());
        self.lines
            .lock()
            .unwrap()
            .extend(ResourceRow::all(&batch).map(|row| line(&row)));
        self.graph.write(&batch).await;
        self.batches.lock().unwrap().push(batch);
        Ok(())
    }

    fn report_progress(&self, progress: ScanProgress<'_>) {
        if let ScanProgress::Failed(failure) = progress {
            self.failures.lock().unwrap().push(failure.to_string());
        }
    }
}
