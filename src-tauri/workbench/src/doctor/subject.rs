//! Who is looked at: a connection of the app, or what a command line names.

use whetstone_cloud::profiles::{ConfigFiles, Endpoints, Surroundings};
use whetstone_cloud::{Cloud, Credentials, Endpoint};
use whetstone_contract::{AppError, Check, ConnectionKind, DoctorReport, DoctorRequest, ErrorCode};

use super::{Subject, examine};
use crate::Workbench;
use crate::connections::{THIS_COMPUTER, from_refusal};
use crate::errors::{from_cloud, from_join};

impl Workbench {
    pub(super) async fn subject(&self, request: &DoctorRequest) -> Result<Subject, AppError> {
        let id = request.connection.clone().unwrap_or_else(|| self.connections.shown().id);
        let shown = self.connections.get(&id)?;
        let source = match shown.kind {
            ConnectionKind::ThisComputer => "the sandbox's own key".to_owned(),
            ConnectionKind::Profile => format!("profile {}", shown.profile.unwrap_or_default()),
            ConnectionKind::Keys => "the typed-in access key".to_owned(),
            ConnectionKind::Environment => "the environment".to_owned(),
            ConnectionKind::ApiKey => "a Bedrock API key".to_owned(),
        };
        let role = if id == THIS_COMPUTER {
            self.connections.link_of(&id).await.ok().and_then(|link| link.role_arn)
        } else {
            shown.role_arn
        };
        Ok(Subject {
            name: shown.name,
            source,
            region: shown.region,
            cloud: self.connections.cloud_of(&id).await,
            model: chosen(request.model.clone()),
            role_arn: chosen(request.role_arn.clone()).or(role),
            bucket: chosen(request.bucket.clone()).or(shown.bucket),
            prefix: shown.prefix,
            probe: request.probe,
            on_this_computer: shown.kind == ConnectionKind::ThisComputer,
        })
    }
}

fn chosen(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// What a command line names. No data folder is needed, so a window may be open beside it.
#[derive(Debug, Clone, Default)]
pub struct ProfileSubject {
    /// None: `AWS_PROFILE`, then what the environment gives, then the profile `default`.
    pub profile: Option<String>,
    /// None: `AWS_REGION`, `AWS_DEFAULT_REGION`, then the profile's own.
    pub region: Option<String>,
    pub model: Option<String>,
    pub role_arn: Option<String>,
    pub bucket: Option<String>,
    pub prefix: String,
    pub probe: bool,
}

/// # Errors
/// No Region is named anywhere.
pub async fn examine_profile(
    wanted: ProfileSubject,
    tell: &(dyn Fn(&Check) + Send + Sync),
) -> Result<DoctorReport, AppError> {
    let read = tokio::task::spawn_blocking(|| ConfigFiles::read(Surroundings::of_this_process()));
    let files = read.await.map_err(|error| from_join(&error))?;
    let surroundings = Surroundings::of_this_process();
    let named = wanted.profile.or_else(|| surroundings.variable("AWS_PROFILE").map(str::to_owned));
    let has_keys = surroundings.variable("AWS_ACCESS_KEY_ID").is_some();
    let profile = match named {
        Some(name) => Some(name),
        None if has_keys => None,
        None => {
            files.profiles().is_ok_and(|all| all.iter().any(|one| one.name == "default")).then(|| "default".to_owned())
        }
    };
    let plan = profile.as_deref().map(|name| files.plan(name));
    let own_region = plan.as_ref().and_then(|plan| plan.as_ref().ok()?.region.clone());
    let from_environment = surroundings.variable("AWS_REGION").or_else(|| surroundings.variable("AWS_DEFAULT_REGION"));
    let region = wanted.region.or_else(|| from_environment.map(str::to_owned)).or(own_region);
    let (source, endpoint) = match plan {
        None => {
            let endpoints = Endpoints::of_environment(&surroundings);
            ("the environment".to_owned(), Ok((endpoints, Credentials::Environment)))
        }
        Some(Ok(plan)) => {
            let source = format!("profile {} ({})", plan.profile, plan.words());
            let endpoints = plan.endpoints.clone();
            (source, Ok((endpoints, Credentials::Profile { plan: Box::new(plan), code: None })))
        }
        Some(Err(refusal)) => {
            (format!("profile {}", profile.as_deref().unwrap_or_default()), Err(from_refusal(&refusal)))
        }
    };
    // A profile that gives nothing is told whatever the Region.
    let region = match (region, &endpoint) {
        (Some(region), _) => region,
        (None, Err(_)) => "unknown".to_owned(),
        (None, Ok(_)) => {
            return Err(AppError::new(
                ErrorCode::InvalidInput,
                "No Region is named: not here, not in the environment, not in the profile.",
            )
            .hint("Name one with --region."));
        }
    };
    let cloud = endpoint.and_then(|(endpoints, credentials)| {
        let endpoint = Endpoint { region: region.clone(), endpoints, credentials };
        Cloud::connect(endpoint).map_err(|error| from_cloud(&error))
    });
    let subject = Subject {
        name: profile.unwrap_or_else(|| "environment".to_owned()),
        source,
        region,
        cloud,
        model: wanted.model,
        role_arn: wanted.role_arn,
        bucket: wanted.bucket,
        prefix: wanted.prefix,
        probe: wanted.probe,
        on_this_computer: false,
    };
    Ok(examine(&subject, tell).await)
}
