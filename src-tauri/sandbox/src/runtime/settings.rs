//! Settings of a request that name a quality of service. They are checked and said back; there is one quality here.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::constraints::Checks;
use crate::errors::ApiError;

#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) latency: Option<String>,
    pub(super) tier: Option<String>,
}

impl Settings {
    /// Checks the two beside what `checks` has gathered already.
    pub(super) fn checked(latency: Option<String>, tier: Option<String>, mut checks: Checks) -> Result<Self, ApiError> {
        checks.one_of("performanceConfig.latency", latency.as_deref(), &["standard", "optimized"]);
        checks.one_of("serviceTier.type", tier.as_deref(), &["priority", "default", "flex", "reserved"]);
        checks.finish()?;
        Ok(Self { latency, tier })
    }

    /// Adds what was asked for to an answer of Converse's.
    pub(super) fn show(&self, answer: &mut Value) {
        if let Some(latency) = &self.latency {
            answer["performanceConfig"] = json!({ "latency": latency });
        }
        if let Some(tier) = &self.tier {
            answer["serviceTier"] = json!({ "type": tier });
        }
    }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct PerformanceConfig {
    pub(super) latency: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct ServiceTier {
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}
