//! Where the calls go, who makes them, and how long they may take.

use std::{fmt, time::Duration};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, identity::IdentityCache, profile::ProfileFileCredentialsProvider,
    provider_config::ProviderConfig, retry::RetryConfig, stalled_stream_protection::StalledStreamProtectionConfig,
    timeout::TimeoutConfig,
};
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future};
use aws_smithy_http_client::tls;

use crate::{CloudError, CloudErrorCode, error::last_cause};

/// One account in one Region, or something that speaks the same protocols.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// Signs the requests, and tells AWS's own endpoints apart.
    pub region: String,
    /// `http://` or `https://`; none for AWS itself. With one, S3 is addressed by path, since a bucket has no host name of its own there.
    pub endpoint_url: Option<String>,
    pub credentials: Credentials,
}

/// Who makes the calls.
#[derive(Clone, PartialEq, Eq)]
pub enum Credentials {
    /// A key of its own; a session token comes with keys that end.
    Static { id: String, secret: String, session: Option<String> },
    /// A profile of the AWS configuration files, with all that can stand there: keys, single sign-on, a process, a role.
    /// It is read when the first call is made.
    Profile(String),
}

/// Keys never get into a log by way of a debug print.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static { .. } => f.write_str("Static(..)"),
            Self::Profile(name) => f.debug_tuple("Profile").field(name).finish(),
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
    pub(crate) region: String,
    pub(crate) timeouts: Timeouts,
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
        let Endpoint { region, endpoint_url, credentials } = endpoint;
        check(&region, endpoint_url.as_deref())?;
        let http = aws_smithy_http_client::Builder::new()
            .tls_provider(tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring))
            .build_https();
        let usual = TimeoutConfig::builder().connect_timeout(timeouts.connect).read_timeout(timeouts.answer).build();
        // An answer that is late may be paid for already, so the wait for a model must not end in the SDK asking again;
        // it is ended where the answer is read.
        let unhurried = TimeoutConfig::builder().connect_timeout(timeouts.connect).disable_read_timeout().build();
        let sign_in = ProviderConfig::empty()
            .with_region(Some(Region::new(region.clone())))
            .with_http_client(http.clone())
            .with_timeout_config(usual.clone());
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region.clone()))
            .credentials_provider(credentials.provider(&sign_in))
            .identity_cache(IdentityCache::lazy().load_timeout(timeouts.answer).build())
            .http_client(http)
            .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
            .timeout_config(usual)
            .stalled_stream_protection(StalledStreamProtectionConfig::enabled().grace_period(timeouts.stall).build());
        let by_path = endpoint_url.is_some();
        config.set_endpoint_url(endpoint_url);
        let config = config.build();

        Ok(Self {
            bedrock: aws_sdk_bedrock::Client::new(&config),
            runtime: aws_sdk_bedrockruntime::Client::from_conf(
                aws_sdk_bedrockruntime::config::Builder::from(&config).timeout_config(unhurried).build(),
            ),
            s3: aws_sdk_s3::Client::from_conf(
                aws_sdk_s3::config::Builder::from(&config).force_path_style(by_path).build(),
            ),
            region,
            timeouts,
        })
    }

    /// The Region that requests are signed for.
    pub fn region(&self) -> &str {
        &self.region
    }
}

fn check(region: &str, endpoint_url: Option<&str>) -> Result<(), CloudError> {
    let refuse = |message: String| Err(CloudError::new("Connect", CloudErrorCode::Validation, message));
    if region.is_empty() || !region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return refuse(format!("\"{region}\" is not the name of a Region"));
    }
    match endpoint_url {
        Some(url) if !url.starts_with("http://") && !url.starts_with("https://") => {
            refuse(format!("\"{url}\" is not an http or https address"))
        }
        _ => Ok(()),
    }
}

impl Credentials {
    fn provider(self, sign_in: &ProviderConfig) -> SharedCredentialsProvider {
        match self {
            Self::Static { id, secret, session } => SharedCredentialsProvider::new(
                aws_credential_types::Credentials::new(id, secret, session, None, "whetstone"),
            ),
            Self::Profile(name) => {
                let provider = ProfileFileCredentialsProvider::builder().configure(sign_in).profile_name(&name).build();
                SharedCredentialsProvider::new(NamedProfile { name, provider })
            }
        }
    }
}

/// A profile whose errors say which profile it is; someone may have many.
#[derive(Debug)]
struct NamedProfile {
    name: String,
    provider: ProfileFileCredentialsProvider,
}

impl ProvideCredentials for NamedProfile {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.provider.provide_credentials().await.map_err(|error| match &error {
                CredentialsError::CredentialsNotLoaded(_) => CredentialsError::not_loaded(format!(
                    "the AWS configuration files have no profile \"{}\" with credentials",
                    self.name
                )),
                _ => CredentialsError::provider_error(format!("profile \"{}\": {}", self.name, last_cause(&error))),
            })
        })
    }
}
