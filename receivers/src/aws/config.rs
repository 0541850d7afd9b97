//! The YAML of `aws`.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use pipeline::component::StoreRef;
use pipeline::config::{Secret, duration};
use schemars::JsonSchema;
use serde::Deserialize;

use super::filter::{Kinds, Tags};
use super::kinds;
use super::limits::Rates;

/// What is scanned, how often, and with which credentials.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(try_from = "Document")]
pub struct Config {
    pub(super) regions: Vec<String>,
    pub(super) accounts: Vec<Account>,
    pub(super) profile: Option<String>,
    pub(super) endpoint: Option<String>,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) max_attempts: NonZeroU32,
    pub(super) concurrency: NonZeroUsize,
    pub(super) rate_limits: Rates,
    pub(super) kinds: Kinds,
    pub(super) tags: Tags,
    pub(super) store: Option<StoreRef>,
}

/// The same as it is written.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Document {
    /// `[eu-west-1, us-east-1]`, or `[all]` for all that are enabled; that of the environment where
    /// none is named.
    regions: Vec<String>,
    /// Which accounts; the one of the credentials alone where none is named.
    accounts: Vec<Account>,
    /// A profile of the shared configuration, whose credentials alone are taken; the default chain of
    /// credentials where none is named.
    profile: Option<String>,
    /// Who answers in AWS's place, for all services: `http://localhost:4566`.
    endpoint: Option<String>,
    /// How long from the beginning of one scan to that of the next.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    interval: Duration,
    /// How long one try of a call may take.
    #[serde(deserialize_with = "duration::deserialize")]
    #[schemars(with = "duration::Text")]
    timeout: Duration,
    /// Tries of a call that is throttled or not answered.
    max_attempts: NonZeroU32,
    /// Scopes (a kind in one account and region) that are scanned at once.
    concurrency: NonZeroUsize,
    /// Calls a second by service, in each account and region: `{ec2: 20}`.
    rate_limits: Rates,
    /// Which kinds.
    kinds: Kinds,
    /// Which resources of them.
    tags: Tags,
    /// The exporter that keeps the graph: what it knows is not told again after a restart, and what is
    /// not scanned any more is released. Receivers over one store that scan different things need
    /// different names.
    store: Option<StoreRef>,
}

/// An account; of an empty one the credentials are those of the environment.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Account {
    /// A role in it that may be assumed.
    pub(super) role_arn: Option<String>,
    /// What its trust policy asks for.
    pub(super) external_id: Option<Secret>,
    /// What its CloudTrail calls airdig.
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
            rate_limits: Rates::new(),
            kinds: Kinds::default(),
            tags: Tags::default(),
            store: None,
        }
    }
}

/// What the types alone do not say.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    #[error("interval must be at least 1s, not {0:?}")]
    Interval(Duration),
    #[error("timeout must be at least 100ms, not {0:?}")]
    Timeout(Duration),
    #[error("endpoint must be a URL such as http://localhost:4566, not {0:?}")]
    Endpoint(String),
    #[error("role_arn must be an ARN such as arn:aws:iam::123456789012:role/airdig, not {0:?}")]
    Role(String),
    #[error("regions: {0:?} is no region such as eu-west-1")]
    Region(String),
    #[error("regions: {0} stands there twice")]
    SameRegion(String),
    #[error("external_id is of use only with a role_arn")]
    ExternalId,
    #[error("no kind fits {pattern:?}; did you mean {nearest}?")]
    Kind { pattern: String, nearest: String },
    #[error("rate_limits: no service is called {service:?}; there are {known}")]
    Service { service: String, known: String },
}

impl TryFrom<Document> for Config {
    type Error = Invalid;

    fn try_from(document: Document) -> Result<Config, Invalid> {
        if document.interval < Duration::from_secs(1) {
            return Err(Invalid::Interval(document.interval));
        }
        if document.timeout < Duration::from_millis(100) {
            return Err(Invalid::Timeout(document.timeout));
        }
        let is_url = |text: &&String| {
            let url: Result<http::Uri, _> = text.parse();
            url.is_ok_and(|url| url.scheme().is_some() && url.host().is_some())
        };
        if let Some(endpoint) = document.endpoint.as_ref().filter(|text| !is_url(text)) {
            return Err(Invalid::Endpoint(endpoint.clone()));
        }
        check_regions(&document.regions)?;
        for account in &document.accounts {
            account.check()?;
        }
        check_kinds(&document.kinds)?;
        check_services(&document.rate_limits)?;
        let accounts = match document.accounts.is_empty() {
            true => vec![Account::default()],
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

impl Account {
    /// The account that the role is in; empty where there is none.
    pub(super) fn named(&self) -> &str {
        let role = self.role_arn.as_deref().unwrap_or_default();
        role.split(':').nth(4).unwrap_or_default()
    }

    fn check(&self) -> Result<(), Invalid> {
        match &self.role_arn {
            Some(role) if !(role.starts_with("arn:") && role.contains(":role/")) => {
                Err(Invalid::Role(role.clone()))
            }
            None if self.external_id.is_some() => Err(Invalid::ExternalId),
            _ => Ok(()),
        }
    }
}

fn check_regions(regions: &[String]) -> Result<(), Invalid> {
    for (index, region) in regions.iter().enumerate() {
        let is_name =
            |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-';
        if region.is_empty() || !region.chars().all(is_name) {
            return Err(Invalid::Region(region.clone()));
        }
        if regions[..index].contains(region) {
            return Err(Invalid::SameRegion(region.clone()));
        }
    }
    Ok(())
}

fn check_kinds(filter: &Kinds) -> Result<(), Invalid> {
    let known: Vec<&'static str> = kinds::ALL.iter().map(|kind| kind.name()).collect();
    let Some(pattern) = filter.useless(&known) else {
        return Ok(());
    };
    let nearest = pipeline::config::nearest(pattern, known.iter().copied());
    Err(Invalid::Kind {
        pattern: pattern.to_owned(),
        nearest: nearest.unwrap_or(known[0]).to_owned(),
    })
}

fn check_services(rates: &Rates) -> Result<(), Invalid> {
    let mut known: Vec<&str> = kinds::ALL.iter().map(|kind| kind.service().0).collect();
    known.push("sts");
    known.sort_unstable();
    known.dedup();
    let unknown = rates
        .keys()
        .find(|service| !known.contains(&service.as_str()));
    match unknown {
        None => Ok(()),
        Some(service) => Err(Invalid::Service {
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
    fn nothing_need_be_set() {
        let config = parse(json!({})).unwrap();
        assert_eq!(config.accounts.len(), 1);
        assert_eq!(config.accounts[0].role_arn, None);
    }

    #[test]
    fn what_cannot_work_is_an_error_that_names_the_key() {
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
                "external_id is of use",
            ),
            (
                json!({"kinds": {"include": ["AWS::EC2::Vpc"]}}),
                "AWS::EC2::VPC",
            ),
            (
                json!({"rate_limits": {"ec3": 5}}),
                "no service is called \"ec3\"",
            ),
            (json!({"region": "eu-west-1"}), "unknown field `region`"),
            (json!({"regions": ["eu_west_1"]}), "is no region"),
            (
                json!({"regions": ["eu-west-1", "eu-west-1"]}),
                "stands there twice",
            ),
        ];
        for (yaml, named) in wrong {
            let error = parse(yaml).unwrap_err();
            assert!(error.contains(named), "{error}");
        }
    }
}
