//! Addresses that stand in place of AWS's own, for all services or for one.

use std::collections::BTreeMap;

use super::files::{ConfigFiles, Profile, Surroundings};
use super::ini;
use super::plan::Refusal;

/// A service as the configuration files spell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    Bedrock,
    BedrockRuntime,
    S3,
    Sts,
    Iam,
    ServiceQuotas,
    Pricing,
    Sso,
    SsoOidc,
}

impl Service {
    pub const ALL: [Self; 9] = [
        Self::Bedrock,
        Self::BedrockRuntime,
        Self::S3,
        Self::Sts,
        Self::Iam,
        Self::ServiceQuotas,
        Self::Pricing,
        Self::Sso,
        Self::SsoOidc,
    ];

    pub fn spelled(self) -> &'static str {
        match self {
            Self::Bedrock => "bedrock",
            Self::BedrockRuntime => "bedrock_runtime",
            Self::S3 => "s3",
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::ServiceQuotas => "service_quotas",
            Self::Pricing => "pricing",
            Self::Sso => "sso",
            Self::SsoOidc => "sso_oidc",
        }
    }
}

/// Which services are elsewhere; those that are not named are at AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints(BTreeMap<Service, String>);

impl Endpoints {
    /// One address for everything.
    pub fn all(url: &str) -> Self {
        Self(Service::ALL.into_iter().map(|service| (service, url.to_owned())).collect())
    }

    pub fn get(&self, service: Service) -> Option<&str> {
        self.0.get(&service).map(String::as_str)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// What the environment says, whatever the files say.
    pub fn of_environment(surroundings: &Surroundings) -> Self {
        let ignored = surroundings.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        if ignored.is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return Self::default();
        }
        let found = Service::ALL.into_iter().filter_map(|service| {
            let name = format!("AWS_ENDPOINT_URL_{}", service.spelled().to_uppercase());
            let url = surroundings.variable(&name).or_else(|| surroundings.variable("AWS_ENDPOINT_URL"))?;
            Some((service, url.to_owned()))
        });
        Self(found.collect())
    }

    /// The environment first, then the profile's services, then the profile.
    pub(super) fn of(files: &ConfigFiles, profile: &Profile) -> Result<Self, Refusal> {
        let ignored = files.surroundings.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
        let ignored = ignored.or_else(|| profile.get("ignore_configured_endpoint_urls"));
        if ignored.is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return Ok(Self::default());
        }
        let services = match profile.get("services") {
            None => None,
            Some(name) => Some(
                files
                    .named_section("services", name)
                    .ok_or_else(|| Refusal::of(profile, format!("there is no [services {name}]")))?,
            ),
        };
        let mut found = Self::of_environment(&files.surroundings).0;
        for service in Service::ALL {
            let own = services.and_then(|section| section.get(service.spelled())).and_then(|value| {
                ini::nested(value).into_iter().find(|(key, _)| key == "endpoint_url").map(|(_, url)| url)
            });
            let url = own.or_else(|| profile.get("endpoint_url").map(str::to_owned)).filter(|url| !url.is_empty());
            if let Some(url) = url {
                found.entry(service).or_insert(url);
            }
        }
        Ok(Self(found))
    }
}
