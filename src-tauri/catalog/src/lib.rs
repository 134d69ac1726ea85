//! Base models as data: which can be tuned, where, from what records, with which hyperparameters,
//! how a tuned copy is served and what it costs.
//!
//! The facts stand in `models/*.toml`, one file for each set of models that share data rules and
//! hyperparameters; adding a model is an entry there, listed in [`FAMILY_FILES`]. The catalog is
//! embedded, parsed once and never changes while the program runs. Models that cannot be trained on
//! this computer are in `listed/`, with the reason; `guide/` holds goals, families and methods.
//!
//! Deliberately absent: any network call (what `ListFoundationModels` adds is merged by whoever
//! asked for it) and any guess. What no source
//! confirms is said in [`BaseModel::unverified`] or [`Hyperparameter::unverified`], and a price that
//! is not known is not listed.

mod data;
mod family;
mod guide;
mod hyperparameter;
mod listed;
mod model;

pub use data::{DataFormat, DataRules, MediaKind, MediaRules, SchemaVersion, Stance};
pub use family::CatalogError;
pub use guide::{Goal, Method, ModelFamily, Suited};
pub use hyperparameter::{Hyperparameter, HyperparameterError, HyperparameterKind, Suggestion};
pub use listed::{ListedHyperparameter, ListedModel, Modality};
pub use model::{
    Approach, BaseModel, CustomizationType, Lifecycle, LifecycleStatus, Price, PriceItem, Purpose, ServingMode,
};

use std::sync::OnceLock;

/// The id of the base model that is trained as itself on this computer.
pub const TINY_V1: &str = "whetstone.tiny-v1";

/// Every embedded file with its name, in the order in which models are listed.
const FAMILY_FILES: &[(&str, &str)] = &[
    ("whetstone-tiny.toml", include_str!("../models/whetstone-tiny.toml")),
    ("nova.toml", include_str!("../models/nova.toml")),
    ("nova-2-lite.toml", include_str!("../models/nova-2-lite.toml")),
    ("llama-3-3.toml", include_str!("../models/llama-3-3.toml")),
    ("llama-3-1.toml", include_str!("../models/llama-3-1.toml")),
    ("llama-3-2.toml", include_str!("../models/llama-3-2.toml")),
    ("llama-3-2-90b.toml", include_str!("../models/llama-3-2-90b.toml")),
    ("llama-2.toml", include_str!("../models/llama-2.toml")),
    ("claude-3-haiku.toml", include_str!("../models/claude-3-haiku.toml")),
    ("claude-2.toml", include_str!("../models/claude-2.toml")),
    ("titan-text.toml", include_str!("../models/titan-text.toml")),
    ("titan-text-premier.toml", include_str!("../models/titan-text-premier.toml")),
    ("cohere-command.toml", include_str!("../models/cohere-command.toml")),
    ("cohere-command-light.toml", include_str!("../models/cohere-command-light.toml")),
];

/// All base models the app knows of itself.
#[derive(Debug)]
pub struct Catalog {
    models: Vec<BaseModel>,
    listed: Vec<ListedModel>,
    guide: guide::Guide,
}

/// The embedded catalog.
pub fn catalog() -> &'static Catalog {
    static CATALOG: OnceLock<Catalog> = OnceLock::new();
    CATALOG.get_or_init(|| {
        // The files are part of the program and a test parses each: this cannot fail once built.
        Catalog::parse(FAMILY_FILES).expect("the embedded catalog is valid")
    })
}

impl Catalog {
    /// Every model, local ones first.
    pub fn models(&self) -> &[BaseModel] {
        &self.models
    }

    /// Base models that lists show and that nothing here trains.
    pub fn listed_models(&self) -> &[ListedModel] {
        &self.listed
    }

    /// What a person may want, in the order in which it is shown.
    pub fn goals(&self) -> &[Goal] {
        &self.guide.goals
    }

    /// The methods, explained.
    pub fn methods(&self) -> &[Method] {
        &self.guide.methods
    }

    pub fn families(&self) -> &[ModelFamily] {
        &self.guide.families
    }

    /// The listed model with this id or foundation-model ARN.
    pub fn find_listed(&self, id_or_arn: &str) -> Option<&ListedModel> {
        let id = bare_id(id_or_arn)?;
        self.listed.iter().find(|model| model.id == id)
    }

    /// The model with this customization id or foundation-model ARN
    /// (`arn:aws:bedrock:us-east-1::foundation-model/ID`).
    pub fn find(&self, id_or_arn: &str) -> Option<&BaseModel> {
        let id = bare_id(id_or_arn)?;
        self.models.iter().find(|model| model.id == id)
    }

    /// The model that is *invoked* under this id or foundation-model ARN: base models are tuned
    /// under an id with a context suffix (`…:128k`) and invoked without it. Where two variants
    /// share an invocation id, the first of the catalog is given.
    pub fn find_by_invocation_id(&self, id_or_arn: &str) -> Option<&BaseModel> {
        let id = bare_id(id_or_arn)?;
        self.models.iter().find(|model| model.invocation_id() == id)
    }

    fn parse(files: &[(&str, &str)]) -> Result<Catalog, CatalogError> {
        let mut models = Vec::new();
        for (name, text) in files {
            models.extend(family::parse_family(name, text)?);
        }
        Ok(Catalog { models, listed: listed::parse(listed::FILE)?, guide: guide::parse()? })
    }
}

/// The id inside a foundation-model ARN of any partition, or the text itself where it is no ARN.
/// `None` for an ARN of anything else.
fn bare_id(id_or_arn: &str) -> Option<&str> {
    if !id_or_arn.starts_with("arn:") {
        return Some(id_or_arn);
    }
    let mut parts = id_or_arn.splitn(6, ':');
    let (_, _partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (_region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    if service != "bedrock" || !account.is_empty() {
        return None;
    }
    resource.strip_prefix("foundation-model/")
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_embedded_file_parses() {
        for file in FAMILY_FILES {
            let parsed = Catalog::parse(&[*file]);
            assert!(parsed.is_ok(), "{}: {parsed:?}", file.0);
        }
    }

    #[test]
    fn every_file_of_the_models_folder_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
        let mut on_disk: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let mut listed: Vec<&str> = FAMILY_FILES.iter().map(|(name, _)| *name).collect();
        on_disk.sort();
        listed.sort_unstable();
        assert_eq!(on_disk, listed);
    }

    #[test]
    fn ids_are_unique() {
        let mut seen = HashSet::new();
        let listed = catalog().listed_models().iter().map(|model| &model.id);
        for id in catalog().models().iter().map(|model| &model.id).chain(listed) {
            assert!(seen.insert(id), "{id} is listed twice");
        }
    }

    #[test]
    fn a_model_is_found_by_id_and_by_arn() {
        for model in catalog().models() {
            assert_eq!(catalog().find(&model.id), Some(model));
            for region in ["us-east-1", "us-west-2"] {
                let arn = model.arn(region);
                assert_eq!(catalog().find(&arn), Some(model), "{arn}");
            }
        }
        let arn = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-micro-v1:0:128k";
        assert_eq!(catalog().find(arn).unwrap().name, "Amazon Nova Micro");
    }

    #[test]
    fn what_is_no_base_model_is_not_found() {
        for unknown in [
            "",
            "anthropic.claude-v9",
            "arn:aws:bedrock:us-east-1::foundation-model/nothing",
            "arn:aws:bedrock:us-east-1:111122223333:custom-model/whetstone.tiny-v1/abcdefghijkl",
            "arn:aws:s3:::whetstone.tiny-v1",
            "arn:aws:bedrock",
            "WHETSTONE.TINY-V1",
        ] {
            assert_eq!(catalog().find(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_model_is_invoked_without_its_context_suffix() {
        let nova = catalog().find("amazon.nova-micro-v1:0:128k").unwrap();
        assert_eq!(nova.invocation_id(), "amazon.nova-micro-v1:0");
        assert_eq!(catalog().find_by_invocation_id("amazon.nova-micro-v1:0"), Some(nova));
        assert_eq!(catalog().find_by_invocation_id("amazon.nova-micro-v1:0:128k"), None);
        let tiny = catalog().find(TINY_V1).unwrap();
        assert_eq!(catalog().find_by_invocation_id(TINY_V1), Some(tiny));
        let cohere = catalog().find("cohere.command-text-v14").unwrap();
        assert_eq!(cohere.invocation_id(), "cohere.command-text-v14");
    }

    #[test]
    fn every_model_says_what_a_person_needs() {
        for model in catalog().models() {
            assert!(!model.summary.is_empty(), "{}", model.id);
            assert!(!model.sources.is_empty(), "{}", model.id);
            assert!(!model.serving.is_empty(), "{}", model.id);
            assert!(model.supports(CustomizationType::FineTuning), "{}", model.id);
            assert!(model.local || !model.tuning_regions.is_empty(), "{}", model.id);
            assert!(model.data.accepts(model.data.format), "{}", model.id);
            assert!(model.data.min_records >= 1, "{}", model.id);
            assert!(model.data.chars_per_token > 0.0, "{}", model.id);
            for parameter in &model.hyperparameters {
                assert!(parameter.why.ends_with('.'), "{} {}", model.id, parameter.key);
                assert!(parameter.suggestions.iter().all(|one| one.why.ends_with('.')), "{}", model.id);
            }
            for price in &model.prices {
                assert!(price.usd > 0.0 && !price.source.is_empty() && !price.date.is_empty());
            }
        }
    }

    #[test]
    fn every_kind_of_training_has_its_data_rules() {
        for model in catalog().models() {
            let own: Vec<_> = model.purposes.iter().map(|purpose| purpose.customization_type).collect();
            let beside: Vec<_> = model.customization_types[1..].to_vec();
            assert_eq!(own, beside, "{}", model.id);
            assert_eq!(model.customization_types[0], CustomizationType::FineTuning, "{}", model.id);
            for purpose in &model.purposes {
                assert_eq!(model.data_for(purpose.customization_type), &purpose.data);
                assert!(purpose.data.accepts(purpose.data.format), "{}", model.id);
            }
            assert_eq!(model.data_for(CustomizationType::FineTuning), &model.data);
        }
    }

    #[test]
    fn a_model_takes_the_media_of_its_own_and_not_of_its_family() {
        let takes = |id: &str, kind| catalog().find(id).unwrap().data.media(kind).is_some();
        use MediaKind::{Document, Image, Video};
        for (id, image, video, document) in [
            ("amazon.nova-micro-v1:0:128k", false, false, false),
            ("amazon.nova-pro-v1:0:300k", true, true, false),
            ("amazon.nova-2-lite-v1:0:256k", true, true, true),
            ("meta.llama3-2-3b-instruct-v1:0:128k", false, false, false),
            ("meta.llama3-2-11b-instruct-v1:0:128k", true, false, false),
            ("meta.llama3-3-70b-instruct-v1:0:128k", false, false, false),
        ] {
            assert_eq!([takes(id, Image), takes(id, Video), takes(id, Document)], [image, video, document], "{id}");
        }
    }

    #[test]
    fn what_converse_takes_beside_text_is_each_models_own() {
        let takes = |id: &str| catalog().find(id).unwrap().attachments.clone();
        assert_eq!(takes("amazon.nova-lite-v1:0:300k"), [MediaKind::Image, MediaKind::Document]);
        assert_eq!(takes("amazon.nova-micro-v1:0:128k"), []);
        assert_eq!(takes("meta.llama3-2-1b-instruct-v1:0:128k"), [MediaKind::Document]);
        assert_eq!(takes("meta.llama3-2-11b-instruct-v1:0:128k"), [MediaKind::Image, MediaKind::Document]);
        assert_eq!(takes(TINY_V1), []);
        // Whoever learns from pictures can be shown one.
        for model in catalog().models().iter().filter(|model| model.data.media(MediaKind::Image).is_some()) {
            assert!(model.attachments.contains(&MediaKind::Image), "{}", model.id);
        }
    }

    #[test]
    fn every_teacher_is_a_model_that_answers() {
        for model in catalog().models() {
            for teacher in &model.teachers {
                assert!(model.supports(CustomizationType::Distillation), "{}", model.id);
                let found = catalog().find_by_invocation_id(teacher).unwrap();
                assert_ne!(found.id, model.id, "a model is not its own teacher");
            }
        }
    }

    #[test]
    fn a_listed_model_says_why_it_is_not_trained_here() {
        let arn = "arn:aws:bedrock:us-west-2::foundation-model/ai21.j2-ultra-v1";
        assert!(catalog().find_listed(arn).is_some_and(|model| model.why.contains("AI21 Jurassic")));
        for model in catalog().listed_models() {
            assert!(!model.why.ends_with('.') && !model.sources.is_empty(), "{}", model.id);
            assert_eq!(catalog().find(&model.id), None, "{} cannot be both", model.id);
        }
    }

    #[test]
    fn only_the_bundled_model_is_trained_as_itself() {
        let local: Vec<&str> = catalog().models().iter().filter(|m| m.local).map(|m| m.id.as_str()).collect();
        assert_eq!(local, [TINY_V1]);
        assert!(catalog().find(TINY_V1).unwrap().tunable_in("eu-central-1"));
        let nova = catalog().find("amazon.nova-micro-v1:0:128k").unwrap();
        assert!(nova.tunable_in("us-east-1") && !nova.tunable_in("us-west-2"));
    }

    #[test]
    fn every_nova_refuses_the_union_of_reserved_words() {
        for model in catalog().models() {
            if model.family.starts_with("Nova") {
                assert_eq!(model.data.reserved_words.len(), 9, "{}", model.id);
                assert!(!model.data.reserved_words_match_case, "{}", model.id);
            }
        }
    }
}
