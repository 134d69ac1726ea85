//! What a create request means: everything that depends on the base model, the account and what the sandbox can train.
//! Whatever is refused here is refused before a job exists.

use whetstone_catalog::{BaseModel, CustomizationType, DataRules, catalog};
use whetstone_tuner::Approach;

use super::job::Asked;
use super::request::{CreateJob, Teacher};
use crate::access;
use crate::app::App;
use crate::custom_models::CustomModel;
use crate::errors::ApiError;
use crate::foundation_models;
use crate::stand_in;

/// The tag of a job that says which weights of a stand-in are trained. The service has no such choice, and takes a tag
/// for what it is; so a request with it is good in both places.
const APPROACH_TAG: &str = "whetstone:approach";

/// What a job is to start from.
pub(super) struct Base {
    pub(super) model: &'static BaseModel,
    /// The custom model to tune further.
    pub(super) custom: Option<CustomModel>,
}

impl CreateJob {
    pub(super) fn resolve(&self, app: &App, region: &str) -> Result<(Base, Asked), ApiError> {
        let base = self.base(app, region)?;
        let model = base.model;
        if !model.tunable_in(region) {
            return Err(ApiError::validation(format!(
                "The base model {} cannot be customized in {region}, only in {}.",
                model.id,
                model.tuning_regions.join(" and ")
            )));
        }
        let kind = self.kind(model)?;
        let hyperparameters = self.hyper_parameters.clone().unwrap_or_default();
        let wrong = model.check_hyperparameters(kind, &hyperparameters);
        if !wrong.is_empty() {
            let wrong: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            return Err(ApiError::validation(format!("Invalid hyperparameters: {}.", wrong.join("; "))));
        }
        let role_arn = self.role_arn.clone().unwrap_or_default();
        let jobs = app.scope(region).job_arn(&model.id, "*");
        access::assume(app, &role_arn, &jobs).map_err(ApiError::validation)?;
        let teacher = self.teacher(model, kind)?;
        let asked = Asked {
            role_arn,
            customization_type: kind.as_str().to_owned(),
            training_uri: self.training_uri(kind)?,
            logs: self.training_data_config.as_ref().and_then(|data| data.invocation_logs_config.clone()),
            teacher,
            approach: self.approach(model)?,
            validation_uris: self.validation_uris(model, model.data_for(kind))?,
            output_uri: self.output_data_config.as_ref().and_then(|data| data.s3_uri.clone()).unwrap_or_default(),
            hyperparameters,
            client_token: self.client_request_token.clone(),
            kms_key: self.custom_model_kms_key_id.clone(),
            vpc: self.vpc_config.clone(),
            model_tags: self.custom_model_tags.clone().unwrap_or_default(),
        };
        Ok((base, asked))
    }

    fn base(&self, app: &App, region: &str) -> Result<Base, ApiError> {
        let id = self.base_model_identifier.as_deref().unwrap_or_default();
        let invalid = || ApiError::validation("The provided model identifier is invalid.");
        // A customization job names the model with its context suffix; the id for inference is another one.
        if let Some(model) = catalog().find(id) {
            return Ok(Base { model, custom: None });
        }
        if let Some(model) = catalog().find_listed(id) {
            return Err(ApiError::validation(format!(
                "The base model {} cannot be customized in this sandbox: {}.",
                model.id, model.why
            )));
        }
        let custom: CustomModel = app.state().find(region, id)?.ok_or_else(invalid)?;
        let model = foundation_models::find(&custom.base).ok_or_else(invalid)?;
        Ok(Base { model, custom: Some(custom) })
    }

    /// The kind of training, which the model must offer and this computer must be able to carry out.
    fn kind(&self, model: &BaseModel) -> Result<CustomizationType, ApiError> {
        let kind = match self.customization_type.as_deref() {
            None | Some("FINE_TUNING") => CustomizationType::FineTuning,
            Some("CONTINUED_PRE_TRAINING") => CustomizationType::ContinuedPreTraining,
            Some("DISTILLATION") => CustomizationType::Distillation,
            Some("REINFORCEMENT_FINE_TUNING") => {
                return Err(ApiError::validation(
                    "REINFORCEMENT_FINE_TUNING is not available in this sandbox: its rewards come from a grader that \
                     is an AWS Lambda function, and there is no Lambda here to run one. Submit this job to AWS.",
                ));
            }
            Some(other) => {
                return Err(ApiError::validation(format!("Customization type {other} cannot be requested.")));
            }
        };
        if !model.supports(kind) {
            return Err(ApiError::validation(format!(
                "The base model {} does not support {}.",
                model.id,
                kind.as_str()
            )));
        }
        let config = self.customization_config.as_ref();
        let of_distillation = config.is_some_and(|config| config.distillation_config.is_some());
        if kind == CustomizationType::Distillation && !of_distillation {
            return Err(ApiError::validation(
                "customizationConfig.distillationConfig is required for customization type DISTILLATION.",
            ));
        }
        if kind != CustomizationType::Distillation && config.is_some() {
            let kind = kind.as_str();
            return Err(ApiError::validation(format!(
                "customizationConfig is not accepted with customization type {kind}."
            )));
        }
        Ok(kind)
    }

    fn training_uri(&self, kind: CustomizationType) -> Result<String, ApiError> {
        let data = self.training_data_config.as_ref();
        let file = data.and_then(|data| data.s3_uri.clone());
        let logs = data.and_then(|data| data.invocation_logs_config.as_ref());
        match (file, logs) {
            (Some(_), Some(_)) => {
                Err(ApiError::validation("trainingDataConfig takes s3Uri or invocationLogsConfig, and not both."))
            }
            (Some(file), None) => Ok(file),
            (None, Some(logs)) if kind == CustomizationType::Distillation => {
                Ok(logs.invocation_log_source.as_ref().and_then(|source| source.s3_uri.clone()).unwrap_or_default())
            }
            (None, Some(_)) => Err(ApiError::validation(format!(
                "trainingDataConfig.invocationLogsConfig is not accepted with customization type {}.",
                kind.as_str()
            ))),
            (None, None) => {
                Err(ApiError::validation("trainingDataConfig.s3Uri is required for this customization type."))
            }
        }
    }

    /// The teacher of a distillation, which must be one that AWS pairs with the student.
    fn teacher(&self, student: &BaseModel, kind: CustomizationType) -> Result<Option<Teacher>, ApiError> {
        if kind != CustomizationType::Distillation {
            return Ok(None);
        }
        let config = self.customization_config.as_ref().and_then(|config| config.distillation_config.as_ref());
        let teacher = config.and_then(|config| config.teacher_model_config.clone());
        let id = teacher.as_ref().and_then(|teacher| teacher.teacher_model_identifier.as_deref()).unwrap_or_default();
        let found = foundation_models::find(foundation_models::of_profile(id));
        if found.is_some_and(|model| student.teachers.iter().any(|one| one == model.invocation_id())) {
            return Ok(teacher);
        }
        let pairs = match student.teachers.as_slice() {
            [] => "no teacher is paired with it".to_owned(),
            teachers => format!("it learns from {}", teachers.join(" or ")),
        };
        Err(ApiError::validation(format!("{id} is not a teacher for the student model {}: {pairs}.", student.id)))
    }

    /// Which weights of a stand-in are trained, where the job's tags say so.
    fn approach(&self, model: &BaseModel) -> Result<Option<Approach>, ApiError> {
        let wanted = self.job_tags.iter().flatten().find(|tag| tag.key == APPROACH_TAG);
        match wanted.map(|tag| tag.value.as_str()) {
            None => Ok(None),
            Some(_) if model.local => Err(ApiError::validation(format!(
                "The tag {APPROACH_TAG} is for stand-ins; {} has the hyperparameter approach.",
                model.id
            ))),
            Some("full") => Ok(Some(Approach::Full)),
            Some("peft") => Ok(Some(stand_in::ADAPTER)),
            Some(other) => {
                Err(ApiError::validation(format!("The tag {APPROACH_TAG} must be full or peft, and is {other}.")))
            }
        }
    }

    fn validation_uris(&self, model: &BaseModel, rules: &DataRules) -> Result<Vec<String>, ApiError> {
        let validators =
            self.validation_data_config.as_ref().and_then(|data| data.validators.as_deref()).unwrap_or(&[]);
        if !validators.is_empty() && !rules.validation_accepted {
            return Err(ApiError::validation(format!("The base model {} does not take validation data.", model.id)));
        }
        Ok(validators.iter().filter_map(|one| one.s3_uri.clone()).collect())
    }
}
