//! The scanned accounts: their credentials, ids and regions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
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
use pipeline::sync::lock;
use tokio::sync::OnceCell;

use crate::aws::api::{AccountRegion, AwsService, Pager, RateLimits, ResourceOwners, ScanFailure};
use crate::aws::config::{AccountConfig, Config};
use crate::aws::emit::ConfiguredAccounts;

/// The timeout of a connection attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The value of `regions` that stands for all enabled regions.
const ALL_REGIONS: &str = "all";

/// An account with the credentials to scan it.
#[derive(Debug)]
pub(in crate::aws) struct ScannedAccount {
    sdk: SdkConfig,
    rates: RateLimits,
    owners: ResourceOwners,
    /// The account id in the role's ARN, which is used until STS has returned the id; empty without a role.
    role_account: String,
    /// The region whose endpoints list the global kinds.
    home: String,
    /// The account id; empty until STS has returned it.
    id: OnceCell<String>,
    clients: Mutex<HashMap<String, Arc<AccountRegion>>>,
    /// The regions of the scan that began last; empty before the first scan.
    scanned_regions: Mutex<Vec<String>>,
}

/// The accounts and regions of a configuration.
#[derive(Debug)]
pub(in crate::aws) struct Accounts {
    pub(in crate::aws) all: Vec<ScannedAccount>,
    regions: Vec<String>,
}

/// Loads the SDK configuration from the environment and the shared configuration files. The receiver's settings
/// override both. The only call is to the instance metadata service, if nothing else sets a region.
pub(in crate::aws) async fn environment(config: &Config) -> SdkConfig {
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
    if let Some(region) = config.regions.iter().find(|region| *region != ALL_REGIONS) {
        loader = loader.region(Region::new(region.clone()));
    }
    let sdk = loader.load().await;
    let Some(profile) = &config.profile else {
        return sdk;
    };
    // The credentials must come from the configured profile. The loader would prefer keys from the environment.
    let provider_config = ProviderConfig::without_region()
        .with_region(sdk.region().cloned())
        .with_use_fips(sdk.use_fips())
        .with_use_dual_stack(sdk.use_dual_stack())
        .with_http_client(http);
    let provider = ProfileFileCredentialsProvider::builder().profile_name(profile);
    let provider = SharedCredentialsProvider::new(provider.configure(&provider_config).build());
    sdk.to_builder().credentials_provider(provider).build()
}

/// The timeouts of a connection attempt and of one attempt of a call.
pub(in crate::aws) fn timeouts(config: &Config) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(config.timeout.min(CONNECT_TIMEOUT))
        .operation_attempt_timeout(config.timeout)
        .build()
}

impl Accounts {
    /// # Errors
    /// If neither the configuration nor the environment names a region.
    pub(in crate::aws) async fn new(
        sdk: &SdkConfig,
        config: &Config,
        owners: &ResourceOwners,
    ) -> Result<Accounts, StartError> {
        let Some(home) = sdk.region().map(ToString::to_string) else {
            return Err(StartError::new(
                "no AWS region is configured: set `regions` (or --region), AWS_REGION, or a profile that has a region",
            ));
        };
        let regions = match config.regions.is_empty() {
            true => vec![home.clone()],
            false => config.regions.clone(),
        };
        let mut all = Vec::with_capacity(config.accounts.len());
        for account in &config.accounts {
            all.push(ScannedAccount {
                sdk: credentials(sdk, account).await,
                rates: config.rate_limits.clone(),
                owners: owners.clone(),
                role_account: account.role_account().to_owned(),
                home: home.clone(),
                id: OnceCell::new(),
                clients: Mutex::default(),
                scanned_regions: Mutex::default(),
            });
        }
        Ok(Accounts { all, regions })
    }
}

/// The SDK configuration with the credentials of an account.
async fn credentials(sdk: &SdkConfig, account: &AccountConfig) -> SdkConfig {
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

impl ScannedAccount {
    /// The account's id. It is fetched once, and kept after the first success.
    pub(in crate::aws) async fn id(&self) -> Result<&str, ScanFailure> {
        let fetch = || async {
            let home = AccountRegion::new(
                &self.role_account,
                &self.home,
                &self.sdk,
                self.rates.clone(),
                &self.owners,
            );
            let sts = aws_sdk_sts::Client::new(&self.sdk);
            let request = sts.get_caller_identity();
            let response = home.call(AwsService::STS, "GetCallerIdentity", |capture| {
                request.customize().interceptor(capture).send()
            });
            let response = response.await?;
            match response["Account"].as_str().filter(|id| !id.is_empty()) {
                Some(id) => Ok(id.to_owned()),
                None => {
                    let call = home.api_call(AwsService::STS, "GetCallerIdentity");
                    Err(ScanFailure::malformed(call, "the response has no Account"))
                }
            }
        };
        self.id.get_or_try_init(fetch).await.map(String::as_str)
    }

    /// The clients of one region. Clients and rate limiters are kept from scan to scan.
    pub(in crate::aws) fn region(&self, id: &str, region: &str) -> Arc<AccountRegion> {
        let mut clients = lock(&self.clients);
        let new = || {
            Arc::new(AccountRegion::new(
                id,
                region,
                &self.sdk,
                self.rates.clone(),
                &self.owners,
            ))
        };
        clients.entry(region.to_owned()).or_insert_with(new).clone()
    }

    /// Sets the regions of the scan that begins.
    pub(in crate::aws) fn set_scanned_regions(&self, regions: Vec<String>) {
        *lock(&self.scanned_regions) = regions;
    }

    /// The regions of the scan that began last; empty before the first scan.
    pub(in crate::aws) fn scanned_regions(&self) -> Vec<String> {
        lock(&self.scanned_regions).clone()
    }

    /// Whether the scan that began last includes a region.
    pub(in crate::aws) fn scans_region(&self, region: &str) -> bool {
        self.scanned_regions()
            .iter()
            .any(|scanned| scanned == region)
    }

    /// The clients with which global kinds are listed.
    pub(in crate::aws) fn home_region(&self, id: &str) -> Arc<AccountRegion> {
        self.region(id, &self.home)
    }
}

impl Accounts {
    /// The accounts and regions to scan, as far as they are known.
    pub(in crate::aws) fn configured(&self) -> Arc<ConfiguredAccounts> {
        let mut configured = ConfiguredAccounts::default();
        let scans_all_regions = self.regions.iter().any(|region| region == ALL_REGIONS);
        for account in &self.all {
            let role_account = Some(account.role_account.as_str()).filter(|id| !id.is_empty());
            let Some(id) = account.id.get().map(String::as_str).or(role_account) else {
                configured.is_complete = false;
                continue;
            };
            let regions = match scans_all_regions {
                true => account.scanned_regions(),
                false => self.regions.clone(),
            };
            configured.add(id, regions);
        }
        Arc::new(configured)
    }

    /// The regions in which to scan an account: the configured ones, or all enabled ones.
    pub(in crate::aws) async fn regions(
        &self,
        account: &ScannedAccount,
        id: &str,
    ) -> Result<Vec<String>, ScanFailure> {
        if !self.regions.iter().any(|region| region == ALL_REGIONS) {
            return Ok(self.regions.clone());
        }
        let home = account.home_region(id);
        let mut regions = Vec::new();
        let mut pages = Pager::new(AwsService::EC2, "DescribeRegions", "Regions");
        while let Some(_only_one_page) = pages.next() {
            let request = home.ec2.describe_regions();
            let response = pages.call(&home, |capture| {
                request.customize().interceptor(capture).send()
            });
            let enabled = response.await?.into_iter();
            let enabled = enabled.filter(|region| region["OptInStatus"] != "not-opted-in");
            regions.extend(
                enabled.filter_map(|region| region["RegionName"].as_str().map(str::to_owned)),
            );
        }
        Ok(regions)
    }
}
