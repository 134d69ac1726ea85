//! Base models as the window shows them: the catalog's facts, in words.

use whetstone_catalog as catalog;
use whetstone_contract::{
    AppError, BaseModel, Catalog, DataModel, ErrorCode, Goal, Hyperparameter, HyperparameterKind, Lifecycle,
    ListedModel, Method, ModelFamily, Price, Serving, SuitedModel, Training,
};
use whetstone_dataset::Intent;

use crate::connections::Link;
use crate::endpoint_models::Told;
use crate::jobs::kinds;

/// The catalog's entry for an id that came from the window.
pub fn find(id: &str) -> Result<&'static catalog::BaseModel, AppError> {
    catalog::catalog().find(id).ok_or_else(|| {
        AppError::new(ErrorCode::NotFound, format!("{id} is not a base model that Whetstone knows."))
            .hint("Choose a base model from the list.")
    })
}

/// What data is held to for an id that came from the window: also models that cannot be tuned from here, where it is
/// known what their data must be.
pub fn intent(id: &str) -> Result<Intent<'static>, AppError> {
    match catalog::catalog().find_listed(id).and_then(Intent::of_listed) {
        Some(intent) => Ok(intent),
        None => Ok(Intent::new(find(id)?)),
    }
}

/// The models that data can be checked for.
pub fn for_data() -> Vec<DataModel> {
    let known = catalog::catalog();
    let tuned = known.models().iter().map(|model| (&model.id, &model.name, &model.provider, true));
    let checked = known.listed_models().iter().filter(|model| model.data.is_some());
    tuned
        .chain(checked.map(|model| (&model.id, &model.name, &model.provider, false)))
        .map(|(id, name, provider, tuned)| DataModel {
            id: id.clone(),
            name: name.clone(),
            provider: provider.clone(),
            tuned,
        })
        .collect()
}

pub fn listed(link: &Link, told: &Told) -> Vec<BaseModel> {
    // A model that is on this computer cannot be tuned elsewhere.
    let here = |model: &&catalog::BaseModel| link.on_this_computer || !model.local;
    catalog::catalog().models().iter().filter(here).map(|model| show(model, link, told)).collect()
}

/// Goals, methods, families, and the models that cannot be chosen.
pub fn catalog(link: &Link, told: &Told) -> Catalog {
    let known = catalog::catalog();
    Catalog {
        goals: known.goals().iter().map(|goal| show_goal(goal, link)).collect(),
        methods: known
            .methods()
            .iter()
            .map(|method| Method {
                id: kinds::show_approach(method.id),
                name: method.name.clone(),
                what: method.what.clone(),
                gains: method.gains.clone(),
                costs: method.costs.clone(),
            })
            .collect(),
        families: known.families().iter().map(show_family).collect(),
        listed: known.listed_models().iter().map(show_listed).chain(told.unknown()).collect(),
        endpoint_problem: told.problem.as_ref().map(ToString::to_string),
    }
}

/// A model that trains here as itself comes first where this computer trains; then what this Region tunes.
fn show_goal(goal: &catalog::Goal, link: &Link) -> Goal {
    let mut models: Vec<(bool, SuitedModel)> = goal
        .models
        .iter()
        .map(|suited| {
            let found = catalog::catalog().find(&suited.id);
            let active = found.is_some_and(|model| model.lifecycle.status == catalog::LifecycleStatus::Active);
            let here = link.on_this_computer || found.is_some_and(|model| model.tunable_in(&link.region) && active);
            (here, SuitedModel { id: suited.id.clone(), why: suited.why.clone() })
        })
        .collect();
    models.sort_by_key(|(here, _)| !here);
    let own = catalog::catalog()
        .models()
        .iter()
        .filter(|model| link.on_this_computer && model.local && model.supports(goal.customization_type));
    let own = own.map(|model| SuitedModel {
        id: model.id.clone(),
        why: "trains here as itself, in minutes and for nothing: the quickest way to see what tuning does".into(),
    });
    Goal {
        id: goal.id.clone(),
        title: goal.title.clone(),
        example: goal.example.clone(),
        customization_type: kinds::show(goal.customization_type),
        why: goal.why.clone(),
        data: goal.data.clone(),
        models: own.chain(models.into_iter().map(|(_, model)| model)).collect(),
    }
}

fn show_family(family: &catalog::ModelFamily) -> ModelFamily {
    let members = catalog::catalog().models().iter().filter(|model| family.holds(&model.provider, &model.id));
    ModelFamily {
        name: family.name.clone(),
        approaches: family.approaches.iter().map(|approach| kinds::show_approach(*approach)).collect(),
        note: family.note.clone(),
        models: members.map(|model| model.id.clone()).collect(),
    }
}

fn show_listed(model: &catalog::ListedModel) -> ListedModel {
    let settings = model.hyperparameters.iter().map(|one| match &one.default {
        Some(default) => format!("{}: {}, {default} by default.", one.key, one.range),
        None => format!("{}: {}; it must be given.", one.key, one.range),
    });
    ListedModel {
        id: model.id.clone(),
        name: model.name.clone(),
        provider: model.provider.clone(),
        customization_types: model.customization_types.iter().map(|kind| kinds::show(*kind)).collect(),
        tuning_regions: model.tuning_regions.clone(),
        lifecycle: Some(show_lifecycle(model.lifecycle.status)),
        lifecycle_note: lifecycle_note(&model.lifecycle),
        why: format!("It cannot be tuned here: {}.", model.why),
        known: model.limits.iter().map(|limit| format!("{limit}.")).chain(settings).collect(),
        from_endpoint: false,
    }
}

fn show(model: &catalog::BaseModel, link: &Link, told: &Told) -> BaseModel {
    BaseModel {
        id: model.id.clone(),
        name: model.name.clone(),
        provider: model.provider.clone(),
        family: model.family.clone(),
        summary: model.summary.clone(),
        stand_in: link.on_this_computer && !model.local,
        lifecycle: show_lifecycle(told.lifecycle_of(model)),
        lifecycle_note: join(lifecycle_note(&model.lifecycle), told.note_on(model)),
        customization_types: model.customization_types.iter().map(|kind| kinds::show(*kind)).collect(),
        approaches: model.approaches.iter().map(|approach| kinds::show_approach(*approach)).collect(),
        tuning_regions: model.tuning_regions.clone(),
        serving: model.serving.iter().map(|mode| show_serving(model, *mode)).collect(),
        teachers: model.teachers.clone(),
        data_format: format_in_words(model.data.format).into(),
        min_records: model.data.min_records,
        max_records: model.data.max_records.or(model.data.max_training_records),
        validation_accepted: model.data.validation_accepted,
        hyperparameters: model.hyperparameters.iter().map(show_hyperparameter).collect(),
        other_trainings: model.purposes.iter().map(|purpose| show_training(model, purpose)).collect(),
        prices: model.prices.iter().map(show_price).collect(),
        unverified: model.unverified.clone(),
        sources: model.sources.clone(),
    }
}

fn show_training(model: &catalog::BaseModel, purpose: &catalog::Purpose) -> Training {
    let hyperparameters = model.hyperparameters_for(purpose.customization_type);
    Training {
        customization_type: kinds::show(purpose.customization_type),
        data_format: format_in_words(purpose.data.format).into(),
        min_records: purpose.data.min_records,
        max_records: purpose.data.max_records.or(purpose.data.max_training_records),
        validation_accepted: purpose.data.validation_accepted,
        hyperparameters: hyperparameters.iter().map(show_hyperparameter).collect(),
    }
}

fn show_serving(model: &catalog::BaseModel, mode: catalog::ServingMode) -> Serving {
    match mode {
        catalog::ServingMode::OnDemand => Serving { on_demand: true, regions: model.on_demand_regions.clone() },
        catalog::ServingMode::Provisioned => Serving { on_demand: false, regions: Vec::new() },
    }
}

fn show_lifecycle(status: catalog::LifecycleStatus) -> Lifecycle {
    match status {
        catalog::LifecycleStatus::Active => Lifecycle::Active,
        catalog::LifecycleStatus::Legacy => Lifecycle::Legacy,
        catalog::LifecycleStatus::EndOfLife => Lifecycle::EndOfLife,
    }
}

fn lifecycle_note(lifecycle: &catalog::Lifecycle) -> Option<String> {
    let legacy = lifecycle.legacy_since.as_ref().map(|day| format!("Legacy since {day}."));
    let end = lifecycle.end_of_life.as_ref().map(|day| format!("End of life: {day}."));
    join(join(legacy, end), lifecycle.note.clone())
}

fn join(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first} {second}")),
        (first, second) => first.or(second),
    }
}

fn format_in_words(format: catalog::DataFormat) -> &'static str {
    match format {
        catalog::DataFormat::PromptCompletion => "prompt and completion",
        catalog::DataFormat::ClaudeMessages => "Claude messages",
        catalog::DataFormat::Conversation => "conversation",
        catalog::DataFormat::Pretraining => "plain text",
        catalog::DataFormat::OpenAiChat => "chat with a reference answer",
        catalog::DataFormat::ImageRef => "pictures with captions",
    }
}

fn show_hyperparameter(parameter: &catalog::Hyperparameter) -> Hyperparameter {
    Hyperparameter {
        key: parameter.key.clone(),
        label: parameter.label.clone(),
        kind: match &parameter.kind {
            catalog::HyperparameterKind::Integer { min, max } => HyperparameterKind::Integer { min: *min, max: *max },
            catalog::HyperparameterKind::Float { min, max } => HyperparameterKind::Float { min: *min, max: *max },
            catalog::HyperparameterKind::Choice { options } => HyperparameterKind::Choice { options: options.clone() },
        },
        default: parameter.default.clone(),
        why: parameter.why.clone(),
        advanced: parameter.advanced,
        unverified: parameter.unverified,
        unit: parameter.unit.clone(),
        without_validation: parameter.without_validation,
    }
}

pub fn show_price(price: &catalog::Price) -> Price {
    let what = match price.what {
        catalog::PriceItem::Training => "Training",
        catalog::PriceItem::Storage => "Storage of the custom model",
        catalog::PriceItem::InputTokens => "Input tokens, on demand",
        catalog::PriceItem::OutputTokens => "Output tokens, on demand",
        catalog::PriceItem::BaseInputTokens => "Input tokens of the base model, on demand",
        catalog::PriceItem::BaseOutputTokens => "Output tokens of the base model, on demand",
        catalog::PriceItem::ProvisionedHour => "Provisioned throughput",
    };
    Price {
        what: what.into(),
        usd: price.usd,
        unit: price.unit.clone(),
        region: price.region.clone(),
        source: price.source.clone(),
        date: price.date.clone(),
    }
}
