//! Which models answer at this connection, and what each takes.
//!
//! What a family takes is from the User Guide's pages on inference parameters (model-parameters-*).

use whetstone_catalog::{BaseModel, LifecycleStatus, MediaKind, catalog};
use whetstone_cloud::{CustomModelSummary, DeploymentStatus, ProvisionedStatus};
use whetstone_contract::{AppError, PlayableKind, PlayableModel, Takes};

use super::attachments::{MOST_DOCUMENTS, MOST_IMAGES};
use crate::Workbench;
use crate::connections::Link;
use crate::costs::base_of;
use crate::serving::{Found, find_all, jobs_by_model};

/// The form in which a model takes a top-k.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TopK {
    /// A member of that name at the top.
    Named(&'static str),
    /// `inferenceConfig.topK`, as Nova has it.
    InConfig,
}

pub fn top_k(base: &str) -> Option<TopK> {
    let is = |start: &str| base.starts_with(start);
    if is("anthropic.") {
        Some(TopK::Named("top_k"))
    } else if is("cohere.") {
        Some(TopK::Named("k"))
    } else if is("amazon.nova") || is("whetstone.") {
        Some(TopK::InConfig)
    } else {
        None
    }
}

/// By the id of the base model, empty for an imported one, and by what Converse takes for it beside text.
fn takes(base: &str, chat: bool, attachments: &[MediaKind]) -> Takes {
    let is = |start: &str| base.starts_with(start);
    Takes {
        chat,
        // Bodies of Llama's kind; a model that takes messages only has no text to go on with.
        completion: is("meta.") || is("whetstone.") || base.is_empty(),
        // One text is all that these are given.
        system: chat && !is("amazon.titan") && !is("cohere."),
        top_k: top_k(base).is_some(),
        stop_sequences: !is("meta."),
        images: if attachments.contains(&MediaKind::Image) { MOST_IMAGES } else { 0 },
        documents: if attachments.contains(&MediaKind::Document) { MOST_DOCUMENTS } else { 0 },
    }
}

impl Workbench {
    /// The base models that answer here, then tuned and imported ones, oldest first.
    pub async fn list_playable(&self) -> Result<Vec<PlayableModel>, AppError> {
        let link = self.connections.link().await?;
        let found = find_all(&link).await?;
        let jobs = self.jobs.all()?;
        let used = |id: &str| {
            jobs.iter().any(|job| job.connection == link.connection && job.draft.base_model == id)
                || found.custom.iter().any(|model| base_of(&model.base_model_arn).is_some_and(|base| base.id == id))
        };
        // Every stand-in here is the same model, so only those that mean something to the person are offered.
        let offered = |model: &BaseModel| match (link.on_this_computer, model.local) {
            (here, true) => here,
            (true, false) => used(&model.id),
            (false, false) => model.lifecycle.status != LifecycleStatus::EndOfLife || used(&model.id),
        };
        let bases = catalog().models().iter().filter(|model| offered(model));
        let mut models: Vec<PlayableModel> = bases.map(|model| base(model, &link)).collect();
        // What the catalog does not know, the endpoint is asked about.
        let strange = |model: &CustomModelSummary| base_of(&model.base_model_arn).is_none();
        let told = if found.custom.iter().any(strange) { Some(self.endpoint_models.of(&link).await) } else { None };
        let by_model = jobs_by_model(&jobs);
        let mut answering = answering(&found);
        answering.sort_by_key(|one| one.created);
        models.extend(answering.into_iter().filter_map(|one| {
            let model = found.custom.iter().find(|model| model.arn == one.model)?;
            let base = base_of(&model.base_model_arn);
            let job = by_model.get(one.model);
            let base_id = base.map_or_else(String::new, |base| base.id.clone());
            let stand_in = link.on_this_computer && base.is_some_and(|base| !base.local);
            let attachments = match base {
                Some(base) => attachments(base, stand_in).to_vec(),
                None => told.iter().flat_map(|told| told.attachments(&model.base_model_arn)).collect(),
            };
            Some(PlayableModel {
                model_id: one.arn.to_owned(),
                name: model.name.clone(),
                kind: PlayableKind::Tuned,
                stand_in,
                job: job.map(|job| job.id.clone()),
                takes: takes(&base_id, true, &attachments),
                base_model: base_id,
                dataset: job.map(|job| job.draft.dataset.clone()).filter(|dataset| !dataset.is_empty()),
                served_as: (one.name != model.name).then(|| one.name.to_owned()),
            })
        }));
        models.extend(found.imported.iter().map(|model| PlayableModel {
            model_id: model.arn.clone(),
            name: model.name.clone(),
            kind: PlayableKind::Imported,
            stand_in: false,
            job: None,
            base_model: String::new(),
            dataset: None,
            served_as: None,
            // What an imported model can see is told nowhere.
            takes: takes("", model.instruct, &[]),
        }));
        Ok(models)
    }
}

/// What can be sent beside text to this model, or to what stands in for it: that is a model of text alone.
fn attachments(model: &BaseModel, stand_in: bool) -> &[MediaKind] {
    if stand_in { &[] } else { &model.attachments }
}

fn base(model: &BaseModel, link: &Link) -> PlayableModel {
    let stand_in = link.on_this_computer && !model.local;
    PlayableModel {
        model_id: model.invocation_id().to_owned(),
        name: model.name.clone(),
        kind: PlayableKind::Base,
        stand_in,
        job: None,
        base_model: model.id.clone(),
        dataset: None,
        served_as: None,
        takes: takes(&model.id, true, attachments(model, stand_in)),
    }
}

struct Answering<'a> {
    arn: &'a str,
    name: &'a str,
    model: &'a str,
    created: Option<std::time::SystemTime>,
}

/// What answers now. What is still being made is among them: asking it waits.
fn answering(found: &Found) -> Vec<Answering<'_>> {
    let deployments = found.deployments.iter().filter(|one| one.status != DeploymentStatus::Failed);
    let deployments = deployments.map(|one| Answering {
        arn: &one.arn,
        name: &one.name,
        model: &one.model_arn,
        created: one.created,
    });
    let provisioned = found.provisioned.iter().filter(|one| one.status != ProvisionedStatus::Failed);
    let provisioned = provisioned.map(|one| Answering {
        arn: &one.arn,
        name: &one.name,
        model: &one.model_arn,
        created: one.created,
    });
    deployments.chain(provisioned).collect()
}
