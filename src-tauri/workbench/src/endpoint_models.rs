//! What the endpoint itself says of base models, beside what the catalog says.
//!
//! Owns the endpoint's answer for a while, by connection. The endpoint wins where it says that a model takes no new jobs;
//! models that only it knows are listed with what it tells of them. An endpoint that does not answer takes nothing away:
//! the catalog stands, and the reason is said.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use time::OffsetDateTime;
use time::macros::format_description;
use whetstone_catalog::{self as catalog, LifecycleStatus, MediaKind};
use whetstone_cloud::FoundationModel;
use whetstone_contract::{AppError, Lifecycle, ListedModel};

use crate::connections::Link;
use crate::errors::from_cloud;
use crate::jobs::kinds;

/// Lists of models change by the week.
const FRESH: Duration = Duration::from_secs(600);
/// After a failure the endpoint is asked again soon.
const FRESH_FAILURE: Duration = Duration::from_secs(15);

#[derive(Default)]
pub struct EndpointModels {
    known: Mutex<HashMap<String, (Instant, Arc<Told>)>>,
}

/// What one endpoint told.
#[derive(Debug, Default)]
pub struct Told {
    models: Vec<FoundationModel>,
    pub problem: Option<AppError>,
}

impl EndpointModels {
    /// Asked once in a while, and never an error.
    pub async fn of(&self, link: &Link) -> Arc<Told> {
        // A connection may be given another Region or bucket; its id stays.
        let key = format!("{} {}", link.connection, link.region);
        if let Some((at, told)) = self.lock().get(&key) {
            let fresh = if told.problem.is_some() { FRESH_FAILURE } else { FRESH };
            if at.elapsed() < fresh {
                return Arc::clone(told);
            }
        }
        let told = Arc::new(match link.cloud.foundation_models().await {
            Ok(models) => Told { models, problem: None },
            Err(error) => Told { models: Vec::new(), problem: Some(from_cloud(&error)) },
        });
        self.lock().insert(key, (Instant::now(), Arc::clone(&told)));
        told
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Instant, Arc<Told>)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told {
    fn find(&self, model: &catalog::BaseModel) -> Option<&FoundationModel> {
        self.models.iter().find(|told| told.id == model.id)
    }

    /// The later of two states: the endpoint can retire a model that the catalog holds for active, not the other way.
    pub fn lifecycle_of(&self, model: &catalog::BaseModel) -> LifecycleStatus {
        let known = model.lifecycle.status;
        match self.find(model).and_then(|told| told.lifecycle.as_deref()) {
            Some("LEGACY") if known == LifecycleStatus::Active => LifecycleStatus::Legacy,
            _ => known,
        }
    }

    /// What the endpoint adds to the catalog's word on a model's life.
    pub fn note_on(&self, model: &catalog::BaseModel) -> Option<String> {
        let told = self.find(model)?;
        let retires = self.lifecycle_of(model) != model.lifecycle.status;
        match (retires, told.end_of_life.map(day)) {
            (true, Some(end)) => Some(format!("The endpoint says: legacy, and gone on {end}.")),
            (true, None) => Some("The endpoint says: legacy.".to_owned()),
            (false, Some(end)) if model.lifecycle.end_of_life.as_deref() != Some(end.as_str()) => {
                Some(format!("The endpoint says: end of life on {end}."))
            }
            (false, _) => None,
        }
    }

    /// What a model takes in a prompt beside text. Documents are not among what an endpoint tells of.
    pub fn attachments(&self, arn: &str) -> Option<MediaKind> {
        let sees = |told: &&FoundationModel| told.arn == arn && told.input_modalities.iter().any(|one| one == "IMAGE");
        self.models.iter().find(sees).map(|_| MediaKind::Image)
    }

    /// Models that can be customized and that the catalog has never heard of.
    pub fn unknown(&self) -> Vec<ListedModel> {
        let known = catalog::catalog();
        let new = self.models.iter().filter(|told| {
            !told.customizations.is_empty() && known.find(&told.id).is_none() && known.find_listed(&told.id).is_none()
        });
        new.map(|told| ListedModel {
            id: told.id.clone(),
            name: told.name.clone(),
            provider: told.provider.clone(),
            customization_types: told
                .customizations
                .iter()
                .filter_map(|kind| kinds::spelled(kind))
                .map(kinds::show)
                .collect(),
            tuning_regions: Vec::new(),
            lifecycle: told.lifecycle.as_deref().map(|status| match status {
                "LEGACY" => Lifecycle::Legacy,
                _ => Lifecycle::Active,
            }),
            lifecycle_note: told.end_of_life.map(|end| format!("End of life: {}.", day(end))),
            why:
                "The endpoint offers it, and Whetstone's catalog has no rules for its data or its hyperparameters yet."
                    .to_owned(),
            known: vec![format!("Served {}.", told.inference_types.join(" and ").to_lowercase().replace('_', " "))],
            from_endpoint: true,
        })
        .collect()
    }
}

fn day(time: SystemTime) -> String {
    OffsetDateTime::from(time).format(format_description!("[year]-[month]-[day]")).unwrap_or_default()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    fn told(id: &str, lifecycle: &str) -> FoundationModel {
        FoundationModel {
            id: id.into(),
            arn: format!("arn:aws:bedrock:us-east-1::foundation-model/{id}"),
            name: "Nova Mega".into(),
            provider: "Amazon".into(),
            customizations: vec!["FINE_TUNING".into()],
            inference_types: vec!["ON_DEMAND".into()],
            input_modalities: vec!["TEXT".into(), "IMAGE".into()],
            streaming: true,
            lifecycle: Some(lifecycle.into()),
            end_of_life: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)),
        }
    }

    #[test]
    fn the_endpoint_retires_a_model_and_adds_one_and_revives_none() {
        let known = |id: &str| catalog::catalog().find(id).unwrap();
        let (micro, haiku) = ("amazon.nova-micro-v1:0:128k", "anthropic.claude-3-haiku-20240307-v1:0:200k");
        let told = Told {
            models: vec![told(micro, "LEGACY"), told(haiku, "ACTIVE"), told("amazon.nova-mega-v1:0:1m", "ACTIVE")],
            problem: None,
        };
        assert_eq!(told.lifecycle_of(known(micro)), LifecycleStatus::Legacy);
        assert_eq!(told.note_on(known(micro)).as_deref(), Some("The endpoint says: legacy, and gone on 2027-01-15."));
        assert_eq!(told.lifecycle_of(known(haiku)), LifecycleStatus::EndOfLife);
        let new = told.unknown();
        assert_eq!(new.len(), 1);
        assert!(new[0].from_endpoint && new[0].id == "amazon.nova-mega-v1:0:1m");
    }

    #[test]
    fn the_endpoint_tells_whether_a_model_that_only_it_knows_takes_pictures() {
        let blind =
            FoundationModel { input_modalities: vec!["TEXT".into()], ..told("amazon.nova-mole-v1:0", "ACTIVE") };
        let told = Told { models: vec![told("amazon.nova-mega-v1:0:1m", "ACTIVE"), blind], problem: None };
        let takes = |id: &str| told.attachments(&format!("arn:aws:bedrock:us-east-1::foundation-model/{id}"));
        assert_eq!(takes("amazon.nova-mega-v1:0:1m"), Some(MediaKind::Image));
        assert_eq!(takes("amazon.nova-mole-v1:0"), None);
        assert_eq!(takes("amazon.nova-unheard-of-v1:0"), None);
    }
}
