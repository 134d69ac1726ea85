//! The AWS configuration files as the window shows them: every profile, what it means, and what is wrong with it.

use whetstone_cloud::profiles::{ConfigFiles, Profile as FileProfile, Refusal, Service, Surroundings};
use whetstone_cloud::{Cloud, Credentials, Endpoint, KeyInHand};
use whetstone_contract::{AppError, Profile, ProfileProblem, Profiles};

use super::from_refusal;
use crate::errors::{from_cloud, from_join};

/// STS is asked there where a profile names no Region.
const DEFAULT_REGION: &str = "us-east-1";

/// Read anew each time: the person may be editing them beside the app.
pub async fn profiles() -> Result<Profiles, AppError> {
    tokio::task::spawn_blocking(|| listed(Surroundings::of_this_process())).await.map_err(|error| from_join(&error))
}

fn listed(surroundings: Surroundings) -> Profiles {
    let environment = environment(&surroundings);
    let region = surroundings.variable("AWS_REGION").or_else(|| surroundings.variable("AWS_DEFAULT_REGION"));
    let environment_region = region.map(str::to_owned);
    let files = ConfigFiles::read(surroundings);
    let mut problems: Vec<ProfileProblem> = Vec::new();
    let profiles = match files.profiles() {
        Ok(profiles) => profiles.iter().map(|profile| show(&files, profile)).collect(),
        Err(refusal) => {
            problems.push(show_problem(&refusal));
            Vec::new()
        }
    };
    let file = files.config_path().display().to_string();
    problems.extend(files.misspelt().into_iter().map(|(section, line, advice)| ProfileProblem {
        message: format!("[{section}] is no profile: {advice}."),
        file: Some(file.clone()),
        line: Some(line as u64),
    }));
    Profiles {
        config_file: file,
        credentials_file: files.credentials_path().display().to_string(),
        found: files.any(),
        profiles,
        problems,
        environment,
        environment_region,
    }
}

fn show(files: &ConfigFiles, profile: &FileProfile) -> Profile {
    let plan = files.plan(&profile.name);
    Profile {
        key_tail: None,
        name: profile.name.clone(),
        file: profile.file.display().to_string(),
        line: profile.line as u64,
        region: profile.get("region").filter(|region| !region.is_empty()).map(str::to_owned),
        endpoint: plan.as_ref().ok().and_then(|plan| plan.endpoints.get(Service::Bedrock)).map(str::to_owned),
        source: plan.as_ref().map_or_else(|_| "gives no credentials".to_owned(), |plan| plan.words()),
        sign_in: plan.as_ref().is_ok_and(|plan| plan.sso().is_some()),
        mfa_serial: plan.as_ref().ok().and_then(|plan| plan.mfa_serial()).map(str::to_owned),
        problem: plan.err().map(|refusal| show_problem(&refusal)),
    }
}

/// The same, with credentials asked for: programs are run and calls are made.
pub async fn list_profiles(resolve: bool) -> Result<Profiles, AppError> {
    let mut listed = profiles().await?;
    if !resolve {
        return Ok(listed);
    }
    let surroundings = Surroundings::of_this_process();
    let files = ConfigFiles::read(surroundings);
    for profile in listed.profiles.iter_mut().filter(|profile| profile.problem.is_none()) {
        match key_of(&files, profile).await {
            Ok(key) => profile.key_tail = Some(key.tail),
            Err(error) => {
                let message = error.to_string();
                profile.problem = Some(ProfileProblem { message, file: None, line: None });
            }
        }
    }
    Ok(listed)
}

async fn key_of(files: &ConfigFiles, profile: &Profile) -> Result<KeyInHand, AppError> {
    let plan = files.plan(&profile.name).map_err(|refusal| from_refusal(&refusal))?;
    let region = plan.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
    let endpoints = plan.endpoints.clone();
    let endpoint =
        Endpoint { region, endpoints, credentials: Credentials::Profile { plan: Box::new(plan), code: None } };
    let cloud = Cloud::connect(endpoint).map_err(|error| from_cloud(&error))?;
    cloud.key_in_hand().await.map_err(|error| from_cloud(&error))
}

fn show_problem(refusal: &Refusal) -> ProfileProblem {
    ProfileProblem {
        message: refusal.message.clone(),
        file: refusal.file.as_ref().map(|file| file.display().to_string()),
        line: refusal.line.map(|line| line as u64),
    }
}

/// What the program was started with. An instance is found out by asking it, which is not done for a list.
fn environment(surroundings: &Surroundings) -> Option<String> {
    let given = |name: &str| surroundings.variable(name).is_some();
    if given("AWS_ACCESS_KEY_ID") && given("AWS_SECRET_ACCESS_KEY") {
        Some("environment variables".into())
    } else if given("AWS_WEB_IDENTITY_TOKEN_FILE") {
        Some("web identity".into())
    } else if given("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") || given("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
        Some("container".into())
    } else {
        None
    }
}
