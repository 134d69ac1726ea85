//! A plan carried out: aws-config's providers at its beginning, STS for each role.
//!
//! aws-config has a provider for roles, too; it cannot ask for the code of a device, and loses AWS's error code.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_config::credential_process::CredentialProcessProvider;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::provider_config::ProviderConfig;
use aws_config::sso::SsoCredentialsProvider;
use aws_config::web_identity_token::{StaticConfiguration, WebIdentityTokenCredentialsProvider};
use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{
    self, ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future,
};

use super::Service;
use super::ini;
use super::plan::{Base, Plan, RoleStep, Sso};
use crate::CloudError;
use crate::error::last_cause;

/// A role wants the code of a device, and none was given (any more).
#[derive(Debug, thiserror::Error)]
#[error("the code of {serial} is needed")]
pub(crate) struct CodeNeeded {
    pub(crate) serial: String,
}

/// There is no single sign-on session, or it is over.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SignInNeeded(String);

/// How the calls on the way to credentials are made.
pub(crate) struct Means {
    /// With HTTP client, retries and timeouts; without credentials.
    pub(crate) config: SdkConfig,
    pub(crate) provider: ProviderConfig,
    /// A code that the person gave; good for one call.
    pub(crate) code: Option<String>,
}

pub(crate) fn of_plan(plan: Plan, means: &Means) -> SharedCredentialsProvider {
    let region = plan.region.clone().map(Region::new);
    let mut config = means.config.clone().into_builder();
    if let Some(region) = region.clone() {
        config.set_region(Some(region));
    }
    config.set_endpoint_url(plan.endpoints.get(Service::Sts).map(str::to_owned));
    let config = config.build();
    let provider =
        region.map_or_else(|| means.provider.clone(), |region| means.provider.clone().with_region(Some(region)));
    let code = Arc::new(Mutex::new(means.code.clone()));
    plan.roles.into_iter().fold(of_base(plan.base, &provider), |base, step| {
        let config = config.clone().into_builder().credentials_provider(base).build();
        let sts = aws_sdk_sts::Client::new(&config);
        SharedCredentialsProvider::new(Role { step, sts, code: Arc::clone(&code) })
    })
}

fn of_base(base: Base, config: &ProviderConfig) -> SharedCredentialsProvider {
    match base {
        Base::Keys { id, secret, session, .. } => {
            SharedCredentialsProvider::new(Credentials::new(id, secret, session, None, "profile"))
        }
        Base::Process(command) => {
            SharedCredentialsProvider::new(CredentialProcessProvider::new(without_shell(&command)))
        }
        Base::Sso(sso) => SharedCredentialsProvider::new(SignOn::new(&sso, config)),
        Base::WebIdentity { role_arn, token_file, session_name } => {
            let identity = StaticConfiguration {
                web_identity_token_file: token_file,
                role_arn,
                session_name: session_name.unwrap_or_else(session_of_now),
            };
            let provider =
                WebIdentityTokenCredentialsProvider::builder().configure(config).static_configuration(identity);
            SharedCredentialsProvider::new(provider.build())
        }
        Base::Variables => SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new()),
        Base::Container => SharedCredentialsProvider::new(EcsCredentialsProvider::builder().configure(config).build()),
        Base::Instance => SharedCredentialsProvider::new(ImdsCredentialsProvider::builder().configure(config).build()),
        Base::Surroundings => SharedCredentialsProvider::new(
            CredentialsProviderChain::first_try(
                "Container",
                EcsCredentialsProvider::builder().configure(config).build(),
            )
            .or_else("Instance", ImdsCredentialsProvider::builder().configure(config).build()),
        ),
    }
}

/// What this program's surroundings give, in the order of the AWS CLI without a profile.
pub(crate) fn of_environment(config: &ProviderConfig) -> SharedCredentialsProvider {
    let web_identity = WebIdentityTokenCredentialsProvider::builder().configure(config).build();
    SharedCredentialsProvider::new(
        CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new())
            .or_else("WebIdentity", web_identity)
            .or_else("Surroundings", of_base(Base::Surroundings, config)),
    )
}

/// aws-config hands the command to a shell, the AWS CLI to none; quoting each word makes the two the same.
fn without_shell(command: &str) -> String {
    if cfg!(windows) {
        return command.to_owned();
    }
    let quoted = |word: &String| format!("'{}'", word.replace('\'', r"'\''"));
    ini::words(command).unwrap_or_default().iter().map(quoted).collect::<Vec<_>>().join(" ")
}

fn session_of_now() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("whetstone-{seconds}")
}

/// Single sign-on, whose every refusal but that of the network is mended by signing in.
#[derive(Debug)]
struct SignOn {
    provider: SsoCredentialsProvider,
    name: String,
}

impl SignOn {
    fn new(sso: &Sso, config: &ProviderConfig) -> Self {
        let mut provider = SsoCredentialsProvider::builder()
            .configure(config)
            .account_id(&sso.account)
            .role_name(&sso.role)
            .start_url(&sso.start_url)
            .region(Region::new(sso.region.clone()));
        provider.set_session_name(sso.session.clone());
        Self { provider: provider.build(), name: sso.session.clone().unwrap_or_else(|| sso.start_url.clone()) }
    }
}

impl ProvideCredentials for SignOn {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            self.provider.provide_credentials().await.map_err(|error| {
                if crate::error::is_network(&error) {
                    return error;
                }
                let message =
                    format!("the sign-in of {} is over or was never made ({})", self.name, last_cause(&error));
                CredentialsError::provider_error(SignInNeeded(message))
            })
        })
    }
}

/// A role, taken on with the credentials of the client.
#[derive(Debug)]
struct Role {
    step: RoleStep,
    sts: aws_sdk_sts::Client,
    code: Arc<Mutex<Option<String>>>,
}

impl Role {
    async fn take_on(&self) -> provider::Result {
        let step = &self.step;
        let code = match &step.mfa_serial {
            None => None,
            Some(serial) => {
                let code = self.code.lock().unwrap_or_else(PoisonError::into_inner).take();
                let needed = || CredentialsError::provider_error(CodeNeeded { serial: serial.clone() });
                Some(code.ok_or_else(needed)?)
            }
        };
        let call = self.sts.assume_role().role_arn(&step.role_arn);
        let call = call.role_session_name(step.session_name.clone().unwrap_or_else(session_of_now));
        let call = call.set_external_id(step.external_id.clone()).set_serial_number(step.mfa_serial.clone());
        let duration = step.duration.map(|duration| i32::try_from(duration.as_secs()).unwrap_or(i32::MAX));
        let answer = call.set_token_code(code).set_duration_seconds(duration).send().await;
        let answer = answer.map_err(CloudError::of("AssumeRole")).map_err(CredentialsError::provider_error)?;
        let lacking = || CredentialsError::unhandled("STS answered without credentials");
        let given = answer.credentials.ok_or_else(lacking)?;
        let ends = SystemTime::try_from(given.expiration).map_err(CredentialsError::unhandled)?;
        let name = "AssumeRole";
        Ok(Credentials::new(given.access_key_id, given.secret_access_key, Some(given.session_token), Some(ends), name))
    }
}

impl ProvideCredentials for Role {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.take_on())
    }
}
