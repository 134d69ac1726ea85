//! Kinds of training and methods: the window's words, the catalog's and the person's.

use whetstone_catalog as catalog;
use whetstone_contract::{Approach, CustomizationType, JobDraft};

pub fn of(draft: &JobDraft) -> catalog::CustomizationType {
    catalog_kind(draft.customization_type)
}

pub fn catalog_kind(kind: CustomizationType) -> catalog::CustomizationType {
    match kind {
        CustomizationType::FineTuning => catalog::CustomizationType::FineTuning,
        CustomizationType::ContinuedPreTraining => catalog::CustomizationType::ContinuedPreTraining,
        CustomizationType::Distillation => catalog::CustomizationType::Distillation,
        CustomizationType::ReinforcementFineTuning => catalog::CustomizationType::ReinforcementFineTuning,
    }
}

pub fn show(kind: catalog::CustomizationType) -> CustomizationType {
    match kind {
        catalog::CustomizationType::FineTuning => CustomizationType::FineTuning,
        catalog::CustomizationType::ContinuedPreTraining => CustomizationType::ContinuedPreTraining,
        catalog::CustomizationType::Distillation => CustomizationType::Distillation,
        catalog::CustomizationType::ReinforcementFineTuning => CustomizationType::ReinforcementFineTuning,
    }
}

/// The kind that AWS spells like this, where it is one of ours.
pub fn spelled(text: &str) -> Option<catalog::CustomizationType> {
    catalog::CustomizationType::ALL.into_iter().find(|kind| kind.as_str() == text)
}

pub fn in_words(kind: catalog::CustomizationType) -> &'static str {
    match kind {
        catalog::CustomizationType::FineTuning => "fine-tuning",
        catalog::CustomizationType::ContinuedPreTraining => "continued pre-training",
        catalog::CustomizationType::Distillation => "distillation",
        catalog::CustomizationType::ReinforcementFineTuning => "reinforcement",
    }
}

pub fn approach_of(approach: Approach) -> catalog::Approach {
    match approach {
        Approach::Full => catalog::Approach::Full,
        Approach::Peft => catalog::Approach::Peft,
        Approach::Instruction => catalog::Approach::Instruction,
    }
}

pub fn show_approach(approach: catalog::Approach) -> Approach {
    match approach {
        catalog::Approach::Full => Approach::Full,
        catalog::Approach::Peft => Approach::Peft,
        catalog::Approach::Instruction => Approach::Instruction,
    }
}
