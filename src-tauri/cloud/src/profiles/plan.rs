//! What a profile means: where its credentials come from, and through which roles. Decided as the AWS CLI decides it,
//! without a single call; `providers` carries it out with aws-config.
//!
//! Where aws-config's own profile chain decides otherwise (static keys beside a role, repeated sections, a profile that
//! names itself, both of `source_profile` and `credential_source`), the AWS CLI's way holds: that is what people tried
//! before they came here.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::endpoints::Endpoints;
use super::files::{ConfigFiles, Profile};
use super::ini::Section;

/// Why a profile gives no credentials, and where that stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub message: String,
    pub file: Option<PathBuf>,
    /// From 1.
    pub line: Option<usize>,
}

impl Refusal {
    pub(super) fn in_file(message: impl Into<String>, file: &Path, line: usize) -> Self {
        Self { message: message.into(), file: Some(file.to_owned()), line: (line > 0).then_some(line) }
    }

    pub(super) fn of(profile: &Profile, message: impl Into<String>) -> Self {
        Self::in_file(message, &profile.file, profile.line)
    }
}

/// What stands at the beginning of the chain.
#[derive(Clone, PartialEq, Eq)]
pub enum Base {
    Keys {
        id: String,
        secret: String,
        session: Option<String>,
        file: PathBuf,
    },
    Process(String),
    Sso(Sso),
    WebIdentity {
        role_arn: String,
        token_file: PathBuf,
        session_name: Option<String>,
    },
    Variables,
    Container,
    Instance,
    /// The profile names nothing: a container's credentials, then an instance's, are tried.
    Surroundings,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sso {
    /// None of the old way, where the start address stands in the profile itself.
    pub session: Option<String>,
    pub start_url: String,
    pub region: String,
    pub account: String,
    pub role: String,
    /// Asked for at sign-in; only of a session.
    pub scopes: Vec<String>,
}

/// A role that is taken on with what the step before gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleStep {
    /// The profile that says so.
    pub profile: String,
    pub role_arn: String,
    pub session_name: Option<String>,
    pub external_id: Option<String>,
    pub duration: Option<Duration>,
    /// The device whose code is asked for.
    pub mfa_serial: Option<String>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Plan {
    pub profile: String,
    /// As the profile itself says.
    pub region: Option<String>,
    pub base: Base,
    /// The nearest to the base first.
    pub roles: Vec<RoleStep>,
    pub endpoints: Endpoints,
}

impl Base {
    /// In a few words, for a person.
    pub fn words(&self) -> String {
        match self {
            Self::Keys { file, .. } => format!("access key in {}", file.display()),
            Self::Process(_) => "credential process".into(),
            Self::Sso(sso) => match &sso.session {
                Some(session) => format!("single sign-on, session {session}"),
                None => "single sign-on".into(),
            },
            Self::WebIdentity { role_arn, .. } => format!("web identity for {role_arn}"),
            Self::Variables => "environment variables".into(),
            Self::Container => "container".into(),
            Self::Instance => "instance".into(),
            Self::Surroundings => "container or instance".into(),
        }
    }
}

impl Plan {
    /// The single sign-on at the beginning, where there is one.
    pub fn sso(&self) -> Option<&Sso> {
        match &self.base {
            Base::Sso(sso) => Some(sso),
            _ => None,
        }
    }

    pub fn mfa_serial(&self) -> Option<&str> {
        self.roles.iter().find_map(|role| role.mfa_serial.as_deref())
    }

    /// The whole chain in a few words.
    pub fn words(&self) -> String {
        let roles = self.roles.iter().map(|role| format!(" → {}", role.role_arn));
        std::iter::once(self.base.words()).chain(roles).collect()
    }
}

/// Keys never get into a log by way of a debug print, and neither does what may be one.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("profile", &self.profile).field("chain", &self.words()).finish_non_exhaustive()
    }
}

impl ConfigFiles {
    /// What a profile means.
    ///
    /// # Errors
    /// Why it means nothing, and where in the files that stands.
    pub fn plan(&self, name: &str) -> Result<Plan, Refusal> {
        let profiles = self.profiles()?;
        let chain = Chain { files: self, profiles: &profiles };
        let profile = chain.profile(name).ok_or_else(|| {
            let message = format!("there is no profile \"{name}\"");
            Refusal { message, file: Some(self.config_path().to_owned()), line: None }
        })?;
        let (base, roles) = if takes_role(profile) {
            chain.role(profile, &mut vec![name.to_owned()])?
        } else {
            (chain.own(profile)?.unwrap_or(Base::Surroundings), Vec::new())
        };
        let region = profile.get("region").map(str::to_owned).filter(|region| !region.is_empty());
        let endpoints = Endpoints::of(self, profile)?;
        Ok(Plan { profile: name.to_owned(), region, base, roles, endpoints })
    }
}

struct Chain<'a> {
    files: &'a ConfigFiles,
    profiles: &'a [Profile],
}

/// A web identity has a role of its own, which is no step.
fn takes_role(profile: &Profile) -> bool {
    profile.has("role_arn") && !profile.has("web_identity_token_file")
}

fn has_keys(profile: &Profile) -> bool {
    profile.has("aws_access_key_id") || profile.has("aws_secret_access_key")
}

impl Chain<'_> {
    fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    /// A profile whose role is taken on with the credentials of another, or of a source.
    fn role(&self, profile: &Profile, visited: &mut Vec<String>) -> Result<(Base, Vec<RoleStep>), Refusal> {
        let step = role_step(profile);
        let (base, mut roles) = match (profile.get("source_profile"), profile.get("credential_source")) {
            (Some(_), Some(_)) => {
                return Err(Refusal::of(profile, "it has both source_profile and credential_source; one is enough"));
            }
            (None, None) => {
                let message = "it has role_arn, and neither source_profile nor credential_source to take it on with";
                return Err(Refusal::of(profile, message));
            }
            (None, Some(source)) => (named_source(profile, source)?, Vec::new()),
            (Some(source), None) => self.source(profile, source, visited)?,
        };
        roles.push(step);
        Ok((base, roles))
    }

    fn source(
        &self,
        profile: &Profile,
        name: &str,
        visited: &mut Vec<String>,
    ) -> Result<(Base, Vec<RoleStep>), Refusal> {
        let Some(source) = self.profile(name) else {
            return Err(Refusal::of(profile, format!("its source_profile \"{name}\" does not exist")));
        };
        // A profile may name itself when it has keys of its own.
        let itself = name == profile.name && has_keys(source);
        if visited.iter().any(|seen| seen == name) && !itself {
            return Err(Refusal::of(profile, format!("its source_profile \"{name}\" leads round in a circle")));
        }
        visited.push(name.to_owned());
        if takes_role(source) && !has_keys(source) {
            return self.role(source, visited);
        }
        match self.own(source)? {
            Some(base) => Ok((base, Vec::new())),
            None => Err(Refusal::of(source, format!("\"{name}\" is a source_profile and has no credentials"))),
        }
    }

    /// The credentials that a profile has without taking on a role. The order is the AWS CLI's.
    fn own(&self, profile: &Profile) -> Result<Option<Base>, Refusal> {
        if let Some(file) = profile.get("web_identity_token_file").filter(|file| !file.is_empty()) {
            return web_identity(profile, file).map(Some);
        }
        if profile.has("sso_role_name") || profile.has("sso_account_id") {
            return self.sso(profile).map(|sso| Some(Base::Sso(sso)));
        }
        if let Some(keys) = keys(profile.in_credentials.as_ref(), self.files.credentials_path())? {
            return Ok(Some(keys));
        }
        if profile.has("login_session") {
            let message = "it uses \"aws login\", which Whetstone does not know yet; use aws configure sso instead";
            return Err(Refusal::of(profile, message));
        }
        if let Some(command) = profile.get("credential_process") {
            return Ok(Some(Base::Process(command.to_owned())));
        }
        keys(profile.in_config.as_ref(), self.files.config_path())
    }

    fn sso(&self, profile: &Profile) -> Result<Sso, Refusal> {
        let session_name = profile.get("sso_session");
        let session = match session_name {
            None => None,
            Some(name) => Some(
                self.files
                    .named_section("sso-session", name)
                    .ok_or_else(|| Refusal::of(profile, format!("there is no [sso-session {name}]")))?,
            ),
        };
        if let Some(section) = session {
            same_values(profile, section)?;
        }
        let value = |key: &str| profile.get(key).or_else(|| session.and_then(|section| section.get(key)));
        let needed = ["sso_role_name", "sso_account_id", "sso_start_url", "sso_region"];
        let missing: Vec<&str> = needed.into_iter().filter(|key| value(key).is_none()).collect();
        let text = |key: &str| value(key).unwrap_or_default().to_owned();
        if !missing.is_empty() {
            let message = format!("it signs in by single sign-on, and lacks {}", missing.join(", "));
            return Err(Refusal::of(profile, message));
        }
        let scopes = text("sso_registration_scopes");
        Ok(Sso {
            session: session_name.map(str::to_owned),
            start_url: text("sso_start_url"),
            region: text("sso_region"),
            account: text("sso_account_id"),
            role: text("sso_role_name"),
            scopes: scopes.split(',').map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        })
    }
}

/// A value that stands in the profile and in its session must be the same in both.
fn same_values(profile: &Profile, session: &Section) -> Result<(), Refusal> {
    let differs =
        session.settings.iter().find(|theirs| profile.get(&theirs.key).is_some_and(|own| own != theirs.value));
    match differs {
        Some(setting) => Err(Refusal::of(profile, format!("its {} is not that of [{}]", setting.key, session.name))),
        None => Ok(()),
    }
}

fn role_step(profile: &Profile) -> RoleStep {
    let text = |key: &str| profile.get(key).map(str::to_owned);
    RoleStep {
        profile: profile.name.clone(),
        role_arn: text("role_arn").unwrap_or_default(),
        session_name: text("role_session_name"),
        external_id: text("external_id"),
        // What is no number is not sent.
        duration: profile.get("duration_seconds").and_then(|text| text.parse().ok()).map(Duration::from_secs),
        mfa_serial: text("mfa_serial"),
    }
}

fn named_source(profile: &Profile, source: &str) -> Result<Base, Refusal> {
    match source {
        "Environment" => Ok(Base::Variables),
        "EcsContainer" => Ok(Base::Container),
        "Ec2InstanceMetadata" => Ok(Base::Instance),
        _ => {
            let message = format!(
                "its credential_source \"{source}\" is none of Environment, EcsContainer and Ec2InstanceMetadata"
            );
            Err(Refusal::of(profile, message))
        }
    }
}

fn web_identity(profile: &Profile, file: &str) -> Result<Base, Refusal> {
    match profile.get("role_arn").filter(|role| !role.is_empty()) {
        Some(role) => Ok(Base::WebIdentity {
            role_arn: role.to_owned(),
            token_file: PathBuf::from(file),
            session_name: profile.get("role_session_name").map(str::to_owned),
        }),
        None => Err(Refusal::of(profile, "it has web_identity_token_file, and no role_arn")),
    }
}

/// The keys of one section. An id without its secret is refused, a secret alone is overlooked.
fn keys(section: Option<&Section>, file: &Path) -> Result<Option<Base>, Refusal> {
    let Some(section) = section else { return Ok(None) };
    let Some(id) = section.get("aws_access_key_id") else { return Ok(None) };
    let Some(secret) = section.get("aws_secret_access_key") else {
        let message = "it has aws_access_key_id, and no aws_secret_access_key beside it";
        return Err(Refusal::in_file(message, file, section.line));
    };
    let session = section.get("aws_security_token").or_else(|| section.get("aws_session_token"));
    let session = session.map(str::to_owned).filter(|token| !token.is_empty());
    Ok(Some(Base::Keys { id: id.to_owned(), secret: secret.to_owned(), session, file: file.to_owned() }))
}
