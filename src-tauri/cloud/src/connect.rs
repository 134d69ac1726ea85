//! Where the calls go, who makes them, and how long they may take.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, identity::IdentityCache, provider_config::ProviderConfig, retry::RetryConfig,
    stalled_stream_protection::StalledStreamProtectionConfig, timeout::TimeoutConfig,
};
use aws_credential_types::{
    credential_fn::provide_credentials_fn,
    provider::{self, ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use aws_sdk_bedrock::config::Token;
use aws_smithy_http_client::tls;
use aws_smithy_runtime_api::client::auth::http::HTTP_BEARER_AUTH_SCHEME_ID;

use crate::error::without_credentials;
use crate::identity::Clock;
use crate::pricing::price_list_region;
use crate::profiles::{Endpoints, Means, Plan, Service, of_environment, of_plan};
use crate::{CloudError, CloudErrorCode};

/// One account in one Region, or something that speaks the same protocols.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Signs the requests, and tells AWS's own endpoints apart.
    pub region: String,
    /// Services that are elsewhere than at AWS, by `http://` or `https://`. S3 is then addressed by path, since a bucket
    /// has no host name of its own there.
    pub endpoints: Endpoints,
    pub credentials: Credentials,
}

/// Who makes the calls.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A key of its own; a session token comes with keys that end.
    Static { id: String, secret: String, session: Option<String> },
    /// What a profile of the AWS configuration files means, and the code of a device where it wants one.
    Profile { plan: Box<Plan>, code: Option<String> },
    /// What the environment of this program gives: variables, a web identity, a container, an instance.
    Environment,
    /// A Bedrock API key: a bearer token that Bedrock and its runtime take, and no other service does.
    ApiKey(String),
}

/// What a service other than Bedrock is told in place of credentials.
#[derive(Debug, thiserror::Error)]
#[error("a Bedrock API key opens Bedrock alone")]
pub(crate) struct BedrockOnly;

/// Keys never get into a log by way of a debug print.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static { .. } => f.write_str("Static(..)"),
            Self::Profile { plan, .. } => f.debug_tuple("Profile").field(plan).finish(),
            Self::Environment => f.write_str("Environment"),
            Self::ApiKey(_) => f.write_str("ApiKey(..)"),
        }
    }
}

/// How long a call may be silent. Nothing but `transfer` limits how long a call may take while something comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection to be made.
    pub connect: Duration,
    /// For an answer to begin.
    pub answer: Duration,
    /// For the answer to a request that carries a file, with the sending of the file.
    pub transfer: Duration,
    /// For the next byte of a file, in either direction.
    pub stall: Duration,
    /// For the next words of a model.
    pub generation: Duration,
}

impl Timeouts {
    /// One that is not there after this long, on any network people work on, will not come.
    const CONNECT: Duration = Duration::from_secs(5);
    /// The services answer within a second or two; the rest is for a slow network.
    const ANSWER: Duration = Duration::from_secs(30);
    /// 16 MiB at half a megabit a second take four and a half minutes.
    const TRANSFER: Duration = Duration::from_secs(5 * 60);
    /// Long enough for a network to come back by itself, short enough to wait for.
    const STALL: Duration = Duration::from_secs(20);
    /// A long prompt, or a model that is brought into memory first, is silent for a while.
    const GENERATION: Duration = Duration::from_secs(60);
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Self::CONNECT,
            answer: Self::ANSWER,
            transfer: Self::TRANSFER,
            stall: Self::STALL,
            generation: Self::GENERATION,
        }
    }
}

/// How often one call is tried in all, with growing pauses, when the network or the service fails for a moment.
const ATTEMPTS: u32 = 3;

/// A connection. Cheap to clone; clones share connections and credentials.
#[derive(Clone)]
pub struct Cloud {
    pub(crate) bedrock: aws_sdk_bedrock::Client,
    pub(crate) runtime: aws_sdk_bedrockruntime::Client,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) sts: aws_sdk_sts::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) quotas: aws_sdk_servicequotas::Client,
    pub(crate) clock: Clock,
    pub(crate) seen: LastSeen,
    pub(crate) pricing: aws_sdk_pricing::Client,
    pub(crate) region: String,
    pub(crate) timeouts: Timeouts,
    /// Nothing else protects what is sent on its way: no TLS, and not within this computer.
    pub(crate) sign_payload: bool,
}

impl fmt::Debug for Cloud {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cloud").field("region", &self.region).finish_non_exhaustive()
    }
}

impl Cloud {
    /// Prepares a connection; nothing is sent before the first call.
    ///
    /// # Errors
    /// `Validation` for a Region or an endpoint that cannot be one.
    pub fn connect(endpoint: Endpoint) -> Result<Self, CloudError> {
        Self::connect_with(endpoint, Timeouts::default())
    }

    /// The same with other timeouts.
    ///
    /// # Errors
    /// As [`Cloud::connect`].
    pub fn connect_with(endpoint: Endpoint, timeouts: Timeouts) -> Result<Self, CloudError> {
        let Endpoint { region, endpoints, credentials } = endpoint;
        check(&region, &endpoints)?;
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build_https();
        let usual = TimeoutConfig::builder().connect_timeout(timeouts.connect).read_timeout(timeouts.answer).build();
        // An answer that is late may be paid for already, so the wait for a model must not end in the SDK asking again;
        // it is ended where the answer is read.
        let unhurried = TimeoutConfig::builder().connect_timeout(timeouts.connect).disable_read_timeout().build();
        let sign_in = ProviderConfig::without_region()
            .with_region(Some(Region::new(region.clone())))
            .with_http_client(http.clone())
            .with_timeout_config(usual.clone());
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.clone()))
            .identity_cache(IdentityCache::lazy().load_timeout(timeouts.answer).build())
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(usual)
            .stalled_stream_protection(StalledStreamProtectionConfig::enabled().grace_period(timeouts.stall).build())
            .build();
        let token = credentials.api_key();
        let seen = LastSeen::new(credentials.provider(&config, sign_in));
        let config = config.into_builder().credentials_provider(SharedCredentialsProvider::new(seen.clone())).build();
        let clock = Clock::default();
        let at = |service: Service| {
            let mut config = config.to_builder();
            config.set_endpoint_url(endpoints.get(service).map(str::to_owned));
            config.build()
        };
        let by_path = endpoints.get(Service::S3).is_some();
        let sign_payload = endpoints.get(Service::S3).is_some_and(goes_in_the_clear);
        let mut bedrock = aws_sdk_bedrock::config::Builder::from(&at(Service::Bedrock));
        let mut runtime = aws_sdk_bedrockruntime::config::Builder::from(&at(Service::BedrockRuntime));
        if let Some(token) = token {
            bedrock = bedrock.bearer_token(token.clone()).auth_scheme_preference([HTTP_BEARER_AUTH_SCHEME_ID]);
            runtime = runtime.bearer_token(token).auth_scheme_preference([HTTP_BEARER_AUTH_SCHEME_ID]);
        }
        let mut pricing = aws_sdk_pricing::config::Builder::from(&at(Service::Pricing));
        if endpoints.get(Service::Pricing).is_none() {
            // AWS has the price list in three Regions only.
            pricing = pricing.region(price_list_region(&region));
        }

        Ok(Self {
            bedrock: aws_sdk_bedrock::Client::from_conf(bedrock.build()),
            runtime: aws_sdk_bedrockruntime::Client::from_conf(runtime.timeout_config(unhurried).build()),
            s3: aws_sdk_s3::Client::from_conf(
                aws_sdk_s3::config::Builder::from(&at(Service::S3)).force_path_style(by_path).build(),
            ),
            sts: aws_sdk_sts::Client::from_conf(
                aws_sdk_sts::config::Builder::from(&at(Service::Sts)).interceptor(clock.clone()).build(),
            ),
            iam: aws_sdk_iam::Client::new(&at(Service::Iam)),
            quotas: aws_sdk_servicequotas::Client::new(&at(Service::ServiceQuotas)),
            clock,
            seen,
            pricing: aws_sdk_pricing::Client::from_conf(pricing.build()),
            region,
            timeouts,
            sign_payload,
        })
    }

    /// Has credentials, without a call that they sign.
    ///
    /// # Errors
    /// `Credentials`, `Expired`, `CodeNeeded`, or what a call on the way to them met with.
    pub async fn key_in_hand(&self) -> Result<KeyInHand, CloudError> {
        let credentials = self.seen.get().await.map_err(|error| without_credentials(&error))?;
        let id = credentials.access_key_id();
        let tail = id.get(id.len().saturating_sub(4)..).unwrap_or_default().to_owned();
        Ok(KeyInHand { tail, ends: credentials.expiry() })
    }

    /// When the credentials that signed last will end; none for those that do not end, and before the first call.
    pub fn credentials_end(&self) -> Option<SystemTime> {
        self.seen.ends()
    }

    /// The Region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.region
    }
}

fn goes_in_the_clear(endpoint_url: &str) -> bool {
    let Some(rest) = endpoint_url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host).trim_matches(['[', ']']);
    host != "localhost" && !host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn check(region: &str, endpoints: &Endpoints) -> Result<(), CloudError> {
    let refuse = |message: String| Err(CloudError::new("Connect", CloudErrorCode::Validation, message));
    if region.is_empty() || !region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return refuse(format!("\"{region}\" is not the name of a Region"));
    }
    match endpoints.iter().find(|url| !url.starts_with("http://") && !url.starts_with("https://")) {
        Some(url) => refuse(format!("\"{url}\" is not an http or https address")),
        None => Ok(()),
    }
}

impl Credentials {
    fn api_key(&self) -> Option<Token> {
        match self {
            Self::ApiKey(key) => Some(Token::new(key, None)),
            Self::Static { .. } | Self::Profile { .. } | Self::Environment => None,
        }
    }

    fn provider(self, config: &SdkConfig, provider: ProviderConfig) -> SharedCredentialsProvider {
        match self {
            Self::Static { id, secret, session } => SharedCredentialsProvider::new(
                aws_credential_types::Credentials::new(id, secret, session, None, "whetstone"),
            ),
            Self::Profile { plan, code } => of_plan(*plan, &Means { config: config.clone(), provider, code }),
            Self::Environment => of_environment(&provider),
            Self::ApiKey(_) => SharedCredentialsProvider::new(provide_credentials_fn(|| async {
                Err(CredentialsError::provider_error(BedrockOnly))
            })),
        }
    }
}

/// The access key at hand, as far as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInHand {
    /// The last four characters of its id.
    pub tail: String,
    /// None for a key that does not end.
    pub ends: Option<SystemTime>,
}

/// Credentials with less than this left are had anew.
const TOO_SHORT: Duration = Duration::from_secs(60);

/// Hands credentials through, and keeps the last ones for as long as they are good. The SDK has a cache of its own for
/// each client; this one is for all of them, so that a role is taken on once, and the code of a device asked for once.
#[derive(Debug, Clone)]
pub(crate) struct LastSeen {
    provider: SharedCredentialsProvider,
    last: Arc<tokio::sync::Mutex<Option<aws_credential_types::Credentials>>>,
    ends: Arc<Mutex<Option<SystemTime>>>,
}

impl LastSeen {
    fn new(provider: SharedCredentialsProvider) -> Self {
        Self { provider, last: Arc::default(), ends: Arc::default() }
    }

    fn ends(&self) -> Option<SystemTime> {
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn get(&self) -> provider::Result {
        let mut last = self.last.lock().await;
        let good = |ends: SystemTime| ends.duration_since(SystemTime::now()).is_ok_and(|left| left > TOO_SHORT);
        if let Some(known) = last.as_ref().filter(|known| known.expiry().is_none_or(good)) {
            return Ok(known.clone());
        }
        let credentials = self.provider.provide_credentials().await?;
        *self.ends.lock().unwrap_or_else(PoisonError::into_inner) = credentials.expiry();
        *last = Some(credentials.clone());
        Ok(credentials)
    }
}

impl ProvideCredentials for LastSeen {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }
}
