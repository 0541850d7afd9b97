//! The YAML configuration of `aws`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use pipeline::component::StoreRef;
use pipeline::config::{Secret, duration};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::aws::api::RateLimits;
use crate::aws::filter::{KindFilter, TagPatterns};
use crate::aws::kinds;

/// Which resources are scanned, how often, and with which credentials.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(try_from = "Document")]
pub struct Config {
    pub(super) regions: Vec<String>,
    pub(super) accounts: Vec<AccountConfig>,
    pub(super) profile: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) max_attempts: NonZeroU32,
    pub(super) concurrency: NonZeroUsize,
    pub(super) rate_limits: RateLimits,
    pub(super) kinds: KindFilter,
    pub(super) tags: TagPatterns,
    pub(super) store: Option<StoreRef>,
}

/// The configuration before validation.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Document {
    /// Regions to scan: `[eu-west-1, us-east-1]`, or `[all]` for all enabled regions. Default: the region of
    /// the environment.
    regions: Vec<String>,
    /// Accounts to scan. Default: the account of the credentials.
    accounts: Vec<AccountConfig>,
    /// The profile of the shared AWS configuration files that provides the credentials. Default: the default
    /// credential provider chain.
    profile: Option<String>,
    /// A URL to use in place of AWS's endpoints, for all services: `http://localhost:4566`.
    endpoint: Option<String>,
    /// The time from the start of one scan to the start of the next.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    interval: Duration,
    /// The timeout of one attempt of a call.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    timeout: Duration,
    /// The maximum number of attempts of a call that is throttled or gets no response.
    max_attempts: NonZeroU32,
    /// The maximum number of scopes (a kind in one account and region) that are scanned concurrently.
    concurrency: NonZeroUsize,
    /// Calls per second by service, in each account and region: `{ec2: 20}`.
    rate_limits: RateLimits,
    /// Which kinds of resources to scan.
    kinds: KindFilter,
    /// Which resources to report, by their tags.
    tags: TagPatterns,
    /// The exporter that stores the graph. After a restart the receiver reads its earlier reports from this store,
    /// reports only changes, and releases the scopes that the configuration no longer includes. Receivers with
    /// different configurations and the same store need different names.
    store: Option<StoreRef>,
}

/// An account to scan. Without `role_arn`: the account of the environment's credentials.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct AccountConfig {
    /// The ARN of a role to assume in the account.
    pub(super) role_arn: Option<String>,
    /// The external id that the role's trust policy requires.
    pub(super) external_id: Option<Secret>,
    /// The session name, which CloudTrail shows. Default: `airdig`.
    pub(super) session_name: Option<String>,
}

impl Default for Document {
    fn default() -> Document {
        Document {
            regions: Vec::new(),
            accounts: Vec::new(),
            profile: None,
            endpoint: None,
            interval: Duration::from_secs(300),
            timeout: Duration::from_secs(30),
            max_attempts: NonZeroU32::new(5).expect("not zero"),
            concurrency: NonZeroUsize::new(8).expect("not zero"),
            rate_limits: RateLimits::new(),
            kinds: KindFilter::default(),
            tags: TagPatterns::default(),
            store: None,
        }
    }
}

/// A configuration value that is not valid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AwsConfigError {
    #[error("interval must be at least 1s, not {0:?}")]
    Interval(Duration),
    #[error("timeout must be at least 100ms, not {0:?}")]
    Timeout(Duration),
    #[error("endpoint must be a URL such as http://localhost:4566, not {0:?}")]
    Endpoint(String),
    #[error("role_arn must be an ARN such as arn:aws:iam::123456789012:role/airdig, not {0:?}")]
    Role(String),
    #[error("regions: {0:?} is not a region name such as eu-west-1")]
    Region(String),
    #[error("regions: {0} is listed twice")]
    SameRegion(String),
    #[error("external_id requires a role_arn")]
    ExternalId,
    #[error("kinds: no kind matches {pattern:?}; did you mean {nearest}?")]
    Kind { pattern: String, nearest: String },
    #[error("rate_limits: unknown service {service:?}; known services: {known}")]
    Service { service: String, known: String },
}

impl TryFrom<Document> for Config {
    type Error = AwsConfigError;

    fn try_from(document: Document) -> Result<Config, AwsConfigError> {
        if document.interval < Duration::from_secs(1) {
            return Err(AwsConfigError::Interval(document.interval));
        }
        if document.timeout < Duration::from_millis(100) {
            return Err(AwsConfigError::Timeout(document.timeout));
        }
        let is_url = |text: &&String| {
            let url: Result<http::Uri, _> = text.parse();
            url.is_ok_and(|url| url.scheme().is_some() && url.host().is_some())
        };
        if let Some(endpoint) = document.endpoint.as_ref().filter(|text| !is_url(text)) {
            return Err(AwsConfigError::Endpoint(endpoint.clone()));
        }
        check_regions(&document.regions)?;
        for account in &document.accounts {
            account.check()?;
        }
        check_kinds(&document.kinds)?;
        check_services(&document.rate_limits)?;
        let accounts = match document.accounts.is_empty() {
            true => vec![AccountConfig::default()],
            false => document.accounts,
        };
        Ok(Config {
            regions: document.regions,
            accounts,
            profile: document.profile,
            endpoint: document.endpoint,
            interval: document.interval,
            timeout: document.timeout,
            max_attempts: document.max_attempts,
            concurrency: document.concurrency,
            rate_limits: document.rate_limits,
            kinds: document.kinds,
            tags: document.tags,
            store: document.store,
        })
    }
}

impl AccountConfig {
    /// The account id in the role's ARN; empty without a role.
    pub(super) fn role_account(&self) -> &str {
        let role = self.role_arn.as_deref().unwrap_or_default();
        role.split(':').nth(4).unwrap_or_default()
    }

    fn check(&self) -> Result<(), AwsConfigError> {
        match &self.role_arn {
            Some(role) if !(role.starts_with("arn:") && role.contains(":role/")) => {
                Err(AwsConfigError::Role(role.clone()))
            }
            None if self.external_id.is_some() => Err(AwsConfigError::ExternalId),
            _ => Ok(()),
        }
    }
}

fn check_regions(regions: &[String]) -> Result<(), AwsConfigError> {
    for (index, region) in regions.iter().enumerate() {
        let is_name =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        if region.is_empty() || !region.chars().all(is_name) {
            return Err(AwsConfigError::Region(region.clone()));
        }
        if regions[..index].contains(region) {
            return Err(AwsConfigError::SameRegion(region.clone()));
        }
    }
    Ok(())
}

fn check_kinds(filter: &KindFilter) -> Result<(), AwsConfigError> {
    let known: Vec<&'static str> = kinds::ALL.iter().map(|kind| kind.name()).collect();
    let Some(pattern) = filter.unmatched(&known) else {
        return Ok(());
    };
    let nearest = pipeline::config::nearest(pattern, known.iter().copied());
    Err(AwsConfigError::Kind {
        pattern: pattern.to_owned(),
        nearest: nearest.unwrap_or(known[0]).to_owned(),
    })
}

fn check_services(rates: &RateLimits) -> Result<(), AwsConfigError> {
    let mut known: Vec<&str> = kinds::ALL.iter().map(|kind| kind.service().0).collect();
    known.push("sts");
    known.sort_unstable();
    known.dedup();
    let unknown = rates
        .keys()
        .find(|service| !known.contains(&service.as_str()));
    match unknown {
        None => Ok(()),
        Some(service) => Err(AwsConfigError::Service {
            service: service.clone(),
            known: known.join(", "),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Config;

    fn parse(yaml: Value) -> Result<Config, String> {
        serde_json::from_value(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn all_settings_are_optional() {
        let config = parse(json!({})).unwrap();
        assert_eq!(config.accounts.len(), 1);
        assert_eq!(config.accounts[0].role_arn, None);
    }

    #[test]
    fn error_of_an_invalid_value_names_the_key() {
        let wrong = [
            (json!({"interval": "0s"}), "interval must be"),
            (json!({"timeout": "1ms"}), "timeout must be"),
            (json!({"endpoint": "localhost"}), "endpoint must be a URL"),
            (
                json!({"accounts": [{"role_arn": "airdig"}]}),
                "role_arn must be an ARN",
            ),
            (
                json!({"accounts": [{"external_id": "x"}]}),
                "external_id requires a role_arn",
            ),
            (
                json!({"kinds": {"include": ["AWS::EC2::Vpc"]}}),
                "AWS::EC2::VPC",
            ),
            (
                json!({"rate_limits": {"ec3": 5}}),
                "unknown service \"ec3\"",
            ),
            (json!({"region": "eu-west-1"}), "unknown field `region`"),
            (json!({"regions": ["eu_west_1"]}), "is not a region name"),
            (
                json!({"regions": ["eu-west-1", "eu-west-1"]}),
                "is listed twice",
            ),
        ];
        for (yaml, text) in wrong {
            let error = parse(yaml).unwrap_err();
            assert!(error.contains(text), "{error}");
        }
    }
}
