//! Base models as the window shows them: the catalog's facts, in words.

use whetstone_catalog as catalog;
use whetstone_contract::{AppError, BaseModel, ErrorCode, Hyperparameter, HyperparameterKind, Lifecycle, Price};

/// The catalog's entry for an id that came from the window.
pub fn find(id: &str) -> Result<&'static catalog::BaseModel, AppError> {
    catalog::catalog().find(id).ok_or_else(|| {
        AppError::new(ErrorCode::NotFound, format!("{id} is not a base model that Whetstone knows."))
            .hint("Choose a base model from the list.")
    })
}

pub fn listed(on_this_computer: bool) -> Vec<BaseModel> {
    // A model that is on this computer cannot be tuned elsewhere.
    let here = |model: &&catalog::BaseModel| on_this_computer || !model.local;
    catalog::catalog().models().iter().filter(here).map(|model| show(model, on_this_computer)).collect()
}

fn show(model: &catalog::BaseModel, on_this_computer: bool) -> BaseModel {
    BaseModel {
        id: model.id.clone(),
        name: model.name.clone(),
        provider: model.provider.clone(),
        family: model.family.clone(),
        summary: model.summary.clone(),
        stand_in: on_this_computer && !model.local,
        lifecycle: match model.lifecycle.status {
            catalog::LifecycleStatus::Active => Lifecycle::Active,
            catalog::LifecycleStatus::Legacy => Lifecycle::Legacy,
            catalog::LifecycleStatus::EndOfLife => Lifecycle::EndOfLife,
        },
        lifecycle_note: lifecycle_note(&model.lifecycle),
        tuning_regions: model.tuning_regions.clone(),
        data_format: format_in_words(model.data.format).into(),
        min_records: model.data.min_records,
        max_records: model.data.max_records.or(model.data.max_training_records),
        validation_accepted: model.data.validation_accepted,
        hyperparameters: model.hyperparameters.iter().map(show_hyperparameter).collect(),
        prices: model.prices.iter().map(show_price).collect(),
        unverified: model.unverified.clone(),
        sources: model.sources.clone(),
    }
}

fn lifecycle_note(lifecycle: &catalog::Lifecycle) -> Option<String> {
    let end = lifecycle.end_of_life.as_ref().map(|day| format!("End of life: {day}."));
    match (end, &lifecycle.note) {
        (Some(end), Some(note)) => Some(format!("{end} {note}")),
        (end, note) => end.or_else(|| note.clone()),
    }
}

fn format_in_words(format: catalog::DataFormat) -> &'static str {
    match format {
        catalog::DataFormat::PromptCompletion => "prompt and completion",
        catalog::DataFormat::ClaudeMessages => "Claude messages",
        catalog::DataFormat::Conversation => "conversation",
        catalog::DataFormat::Pretraining => "plain text",
        catalog::DataFormat::OpenAiChat => "chat with a reference answer",
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
    }
}

pub fn show_price(price: &catalog::Price) -> Price {
    let what = match price.what {
        catalog::PriceItem::Training => "Training",
        catalog::PriceItem::Storage => "Storage of the custom model",
        catalog::PriceItem::InputTokens => "Input tokens, on demand",
        catalog::PriceItem::OutputTokens => "Output tokens, on demand",
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
