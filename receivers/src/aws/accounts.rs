//! The accounts that are scanned: their credentials, ids and regions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use pipeline::component::StartError;
use tokio::sync::OnceCell;

use super::call::Pager;
use super::config::{Account as Named, Config};
use super::failure::Failure;
use super::limits::Rates;
use super::names::Configured;
use super::owners::Owners;
use super::place::Place;
use super::service::Service;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// In place of the regions: all that are enabled.
const ALL: &str = "all";

/// An account with the credentials that reach it.
#[derive(Debug)]
pub(super) struct Account {
    sdk: SdkConfig,
    rates: Rates,
    owners: Owners,
    /// As the role's ARN says it, for messages before it was asked; empty where there is no role.
    named: String,
    /// The region whose endpoints answer what is in no region.
    home: String,
    /// Known once somebody was asked.
    id: OnceCell<String>,
    places: Mutex<HashMap<String, Arc<Place>>>,
    /// The regions of the last scan.
    regions: Mutex<Vec<String>>,
}

/// Credentials of all accounts of a configuration, and the regions that it names.
#[derive(Debug)]
pub(super) struct Accounts {
    pub(super) all: Vec<Account>,
    regions: Vec<String>,
}

/// What the environment and the shared configuration say, with the receiver's own settings over it. It
/// calls nobody but an instance's own metadata, where nothing else says the region.
pub(super) async fn environment(config: &Config) -> SdkConfig {
    let tls = tls::Provider::Rustls(CryptoMode::Ring);
    let http = aws_smithy_http_client::Builder::new()
        .tls_provider(tls)
        .build_https();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http.clone())
        .timeout_config(timeouts(config))
        .retry_config(RetryConfig::adaptive().with_max_attempts(config.max_attempts.get()))
        .app_name(AppName::new("airdig").expect("a name without spaces"));
    if let Some(profile) = &config.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &config.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if let Some(region) = config.regions.iter().find(|region| *region != ALL) {
        loader = loader.region(Region::new(region.clone()));
    }
    let sdk = loader.load().await;
    let Some(profile) = &config.profile else {
        return sdk;
    };
    // A profile that is named counts alone: the loader takes what keys the environment has first.
    let own = ProviderConfig::without_region()
        .with_region(sdk.region().cloned())
        .with_use_fips(sdk.use_fips())
        .with_use_dual_stack(sdk.use_dual_stack())
        .with_http_client(http);
    let provider = ProfileFileCredentialsProvider::builder().profile_name(profile);
    let provider = SharedCredentialsProvider::new(provider.configure(&own).build());
    sdk.to_builder().credentials_provider(provider).build()
}

pub(super) fn timeouts(config: &Config) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(config.timeout.min(CONNECT))
        .operation_attempt_timeout(config.timeout)
        .build()
}

impl Accounts {
    pub(super) async fn of(
        sdk: &SdkConfig,
        config: &Config,
        owners: &Owners,
    ) -> Result<Accounts, StartError> {
        let Some(home) = sdk.region().map(ToString::to_string) else {
            return Err(StartError::new(
                "no region is known to ask first: name one of yours (`regions`, --region), or set AWS_REGION or a profile that has one",
            ));
        };
        let regions = match config.regions.is_empty() {
            true => vec![home.clone()],
            false => config.regions.clone(),
        };
        let mut all = Vec::with_capacity(config.accounts.len());
        for account in &config.accounts {
            all.push(Account {
                sdk: credentials(sdk, account).await,
                rates: config.rate_limits.clone(),
                owners: owners.clone(),
                named: account.named().to_owned(),
                home: home.clone(),
                id: OnceCell::new(),
                places: Mutex::default(),
                regions: Mutex::default(),
            });
        }
        Ok(Accounts { all, regions })
    }
}

/// The configuration with the credentials of an account.
async fn credentials(sdk: &SdkConfig, account: &Named) -> SdkConfig {
    let Some(role) = &account.role_arn else {
        return sdk.clone();
    };
    let mut provider = AssumeRoleProvider::builder(role)
        .session_name(account.session_name.as_deref().unwrap_or("airdig"))
        .configure(sdk);
    if let Some(id) = &account.external_id {
        provider = provider.external_id(id.expose());
    }
    let provider = SharedCredentialsProvider::new(provider.build().await);
    sdk.to_builder().credentials_provider(provider).build()
}

impl Account {
    /// Its id, asked for once.
    pub(super) async fn id(&self) -> Result<&str, Failure> {
        let ask = || async {
            let place = Place::new(
                &self.named,
                &self.home,
                &self.sdk,
                self.rates.clone(),
                &self.owners,
            );
            let sts = aws_sdk_sts::Client::new(&self.sdk);
            let request = sts.get_caller_identity();
            let answer = place.call(Service::STS, "GetCallerIdentity", |capture| {
                request.customize().interceptor(capture).send()
            });
            let answer = answer.await?;
            match answer["Account"].as_str().filter(|id| !id.is_empty()) {
                Some(id) => Ok(id.to_owned()),
                None => {
                    let call = place.named(Service::STS, "GetCallerIdentity");
                    Err(Failure::malformed(call, "it has no Account"))
                }
            }
        };
        self.id.get_or_try_init(ask).await.map(String::as_str)
    }

    /// One of its regions; clients and limits stay from scan to scan.
    pub(super) fn place(&self, id: &str, region: &str) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            Arc::new(Place::new(
                id,
                region,
                &self.sdk,
                self.rates.clone(),
                &self.owners,
            ))
        };
        places.entry(region.to_owned()).or_insert_with(make).clone()
    }

    /// These regions are scanned.
    pub(super) fn scanned(&self, regions: Vec<String>) {
        *self.regions.lock().unwrap_or_else(PoisonError::into_inner) = regions;
    }

    /// The regions that were scanned last; none before it is known which.
    pub(super) fn last_regions(&self) -> Vec<String> {
        let regions = self.regions.lock().unwrap_or_else(PoisonError::into_inner);
        regions.clone()
    }

    /// Whether a region is scanned.
    pub(super) fn scans(&self, region: &str) -> bool {
        self.last_regions().iter().any(|scanned| scanned == region)
    }

    /// Where what is in no region is asked.
    pub(super) fn home(&self, id: &str) -> Arc<Place> {
        self.place(id, &self.home)
    }
}

impl Accounts {
    /// Which accounts are to be scanned where, as far as is known.
    pub(super) fn configured(&self) -> Arc<Configured> {
        let mut configured = Configured::default();
        let is_all = self.regions.iter().any(|region| region == ALL);
        for account in &self.all {
            let named = Some(account.named.as_str()).filter(|named| !named.is_empty());
            let Some(id) = account.id.get().map(String::as_str).or(named) else {
                configured.is_complete = false;
                continue;
            };
            let regions = match is_all {
                true => account.last_regions(),
                false => self.regions.clone(),
            };
            configured.add(id, regions);
        }
        Arc::new(configured)
    }

    /// The regions of one account.
    pub(super) async fn regions(
        &self,
        account: &Account,
        id: &str,
    ) -> Result<Vec<String>, Failure> {
        if !self.regions.iter().any(|region| region == ALL) {
            return Ok(self.regions.clone());
        }
        let home = account.home(id);
        let mut regions = Vec::new();
        let mut pages = Pager::new(Service::EC2, "DescribeRegions", "Regions");
        while let Some(_only_one_page) = pages.next() {
            let request = home.ec2.describe_regions();
            let answer = pages.call(&home, |capture| {
                request.customize().interceptor(capture).send()
            });
            let enabled = answer.await?.into_iter();
            let enabled = enabled.filter(|region| region["OptInStatus"] != "not-opted-in");
            regions.extend(
                enabled.filter_map(|region| region["RegionName"].as_str().map(str::to_owned)),
            );
        }
        Ok(regions)
    }
}
