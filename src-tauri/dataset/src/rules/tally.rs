//! Rules for the dataset as a whole, over sums that whoever reads the records has made.

use std::collections::BTreeMap;

use whetstone_catalog::{MediaKind, MediaRules, Stance};
use whetstone_scan::Facts;

use super::media::{kind, s3_parts};
use super::rule::models::{PRO, TINY};
use super::{Broken, Example, Intent, Rule, RuleKind, Severity, SplitTotals};
use crate::record::{Block, Record, Role};

/// A label with fewer records than this is hardly learned.
const FEW_OF_A_LABEL: u64 = 5;
/// So many times more records of one label than of another are a lopsided dataset.
const LOPSIDED: u64 = 20;
/// A language with a smaller share of the sample than this may be a mistake of the detector.
const LANGUAGE_SHARE: f64 = 0.02;

const CRAFT: &str = "Common practice in machine learning";

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "class-balance",
        severity: Severity::Note,
        asks: "Where completions are labels, each has enough records, and none has many times more than another.",
        source: CRAFT,
        fix: None,
        needs: Facts::empty(),
        concerns: |intent| !intent.data().prompts_only,
        hold_out: true,
        kind: RuleKind::Tally(class_balance),
        examples: &[
            Example::new(
                TINY,
                "40 x {\"prompt\":\"Is # even?\",\"completion\":\"yes\"}\n4 x {\"prompt\":\"Is # odd?\",\"completion\":\"no\"}",
                "40 x {\"prompt\":\"Is # even?\",\"completion\":\"yes\"}\n5 x {\"prompt\":\"Is # odd?\",\"completion\":\"no\"}",
            ),
            Example::new(
                TINY,
                "100 x {\"prompt\":\"Is # even?\",\"completion\":\"yes\"}\n5 x {\"prompt\":\"Is # odd?\",\"completion\":\"no\"}",
                "99 x {\"prompt\":\"Is # even?\",\"completion\":\"yes\"}\n5 x {\"prompt\":\"Is # odd?\",\"completion\":\"no\"}",
            ),
        ],
    },
    Rule {
        id: "length-outlier",
        severity: Severity::Note,
        asks: "No record is many times longer, or shorter, than most.",
        source: "Tukey's outer fences over the logarithm of the number of characters, in datasets of 100 records or more",
        fix: None,
        needs: Facts::empty(),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Tally(length_outlier),
        examples: &[Example::new(
            TINY,
            "100 x {\"prompt\":\"What is number #?\",\"completion\":\"A number.\"}\n{\"prompt\":\"{p*300}\",\"completion\":\"A number.\"}",
            "100 x {\"prompt\":\"What is number #?\",\"completion\":\"A number.\"}\n{\"prompt\":\"{p*150}\",\"completion\":\"A number.\"}",
        )],
    },
    Rule {
        id: "uneven-fields",
        severity: Severity::Warning,
        asks: "A system text, media, reasoning or tools stand in all records or in none.",
        source: "AWS's two validators for Nova disagree: one demands it, the other does not look",
        fix: None,
        needs: Facts::empty(),
        concerns: |intent| intent.data().uneven_fields != Stance::Allowed,
        hold_out: false,
        kind: RuleKind::Tally(uneven_fields),
        examples: &[Example::new(
            PRO,
            "7 x {\"system\":[{\"text\":\"Be brief.\"}],\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"What is #?\"}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"A number.\"}]}]}\n{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Hi\"}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"Hello\"}]}]}",
            "8 x {\"system\":[{\"text\":\"Be brief.\"}],\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"What is #?\"}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"A number.\"}]}]}",
        )],
    },
    Rule {
        id: "images-and-videos",
        severity: Severity::Error,
        asks: "A dataset has records with images or records with videos, not both.",
        source: "Amazon Nova User Guide: fine-tune-prepare-data-understanding, and AWS's published validators for Nova",
        fix: None,
        needs: Facts::empty(),
        concerns: |intent| intent.data().media(MediaKind::Video).is_some(),
        hold_out: false,
        kind: RuleKind::Tally(images_and_videos),
        examples: &[Example::new(
            PRO,
            "7 x {\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"png\",\"source\":{\"s3Location\":{\"uri\":\"s3://pets/#.png\",\"bucketOwner\":\"111122223333\"}}}}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"A cat.\"}]}]}\n{\"messages\":[{\"role\":\"user\",\"content\":[{\"video\":{\"format\":\"mp4\",\"source\":{\"s3Location\":{\"uri\":\"s3://pets/1.mp4\",\"bucketOwner\":\"111122223333\"}}}}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"A cat.\"}]}]}",
            "8 x {\"messages\":[{\"role\":\"user\",\"content\":[{\"video\":{\"format\":\"mp4\",\"source\":{\"s3Location\":{\"uri\":\"s3://pets/#.mp4\",\"bucketOwner\":\"111122223333\"}}}}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"A cat.\"}]}]}",
        )],
    },
    Rule {
        id: "dataset-bucket",
        severity: Severity::Error,
        asks: "All media of a dataset lie in one bucket.",
        source: "Amazon Nova User Guide: fine-tune-prepare-data-understanding, and AWS's published validators for Nova",
        fix: None,
        needs: Facts::empty(),
        concerns: |intent| intent.data().media_in_same_bucket && !intent.data().media.is_empty(),
        hold_out: false,
        kind: RuleKind::Tally(dataset_bucket),
        examples: &[Example::new(
            PRO,
            "7 x {\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"png\",\"source\":{\"s3Location\":{\"uri\":\"s3://pets/#.png\",\"bucketOwner\":\"111122223333\"}}}}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"A cat.\"}]}]}\n{\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"png\",\"source\":{\"s3Location\":{\"uri\":\"s3://cats/1.png\",\"bucketOwner\":\"111122223333\"}}}}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"A cat.\"}]}]}",
            "8 x {\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"png\",\"source\":{\"s3Location\":{\"uri\":\"s3://pets/#.png\",\"bucketOwner\":\"111122223333\"}}}}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"A cat.\"}]}]}",
        )],
    },
    Rule {
        id: "media-unseen",
        severity: Severity::Note,
        asks: "What the base model asks of the media's files (bytes, pixels, seconds) is kept. It is not looked at, only said.",
        source: "Amazon Nova User Guide: fine-tune-prepare-data-understanding; Amazon Bedrock User Guide: model-customization-prepare; AWS's SDK for Nova",
        fix: None,
        needs: Facts::empty(),
        concerns: |intent| !intent.data().media.is_empty(),
        hold_out: false,
        kind: RuleKind::Tally(media_unseen),
        examples: &[Example::new(
            PRO,
            "8 x {\"messages\":[{\"role\":\"user\",\"content\":[{\"image\":{\"format\":\"png\",\"source\":{\"s3Location\":{\"uri\":\"s3://pets/#.png\",\"bucketOwner\":\"111122223333\"}}}}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"A cat.\"}]}]}",
            "8 x {\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"What is #?\"}]},{\"role\":\"assistant\",\"content\":[{\"text\":\"A number.\"}]}]}",
        )],
    },
    Rule {
        id: "language-mix",
        severity: Severity::Note,
        asks: "The records are in one language.",
        source: "Common practice in machine learning. Languages are told from a sample, and only where the text is long enough to tell",
        fix: None,
        needs: Facts::empty(),
        concerns: |_| true,
        hold_out: true,
        kind: RuleKind::Tally(language_mix),
        examples: &[Example::new(
            TINY,
            "20 x {\"prompt\":\"How do I change the address of my account number #, please? I have moved to another town.\",\"completion\":\"You can change it yourself in the settings of your account, under personal details.\"}\n4 x {\"prompt\":\"Wie ändere ich bitte die Anschrift meines Kontos Nummer #? Ich bin in eine andere Stadt gezogen.\",\"completion\":\"Das können Sie selbst in den Einstellungen Ihres Kontos unter den persönlichen Angaben ändern.\"}",
            "24 x {\"prompt\":\"How do I change the address of my account number #, please? I have moved to another town.\",\"completion\":\"You can change it yourself in the settings of your account, under personal details.\"}",
        )],
    },
];

/// What was summed up over the records of a dataset.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    pub totals: SplitTotals,
    /// How often each completion occurs, where they are short and few enough to be labels.
    pub labels: Option<Vec<(String, u64)>>,
    /// Records with a system text.
    pub systems: u64,
    /// What is in the records that hold more than text.
    pub kinds: Kinds,
    /// How many records of a sample are in which language.
    pub languages: Vec<(&'static str, u64)>,
    /// Records outside [`outlier_bounds`], with their characters; some of them, where there are many.
    pub outliers: Vec<(u64, u32)>,
    /// The bounds they are outside of.
    pub bounds: Option<(u32, u32)>,
}

/// How many records hold what, and in which buckets their media lie.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    images: u64,
    videos: u64,
    documents: u64,
    reasoning: u64,
    tool_uses: u64,
    tool_results: u64,
    buckets: BTreeMap<String, u64>,
}

impl Kinds {
    /// Counts one record. A record of plain texts changes nothing and may be left out.
    pub fn add(&mut self, record: &Record) {
        let blocks = || record.turns.iter().flat_map(|turn| &turn.content);
        let count = |test: fn(&Block) -> bool| u64::from(blocks().any(test));
        self.images += count(|block| matches!(block, Block::Image(_)));
        self.videos += count(|block| matches!(block, Block::Video(_)));
        self.documents += count(|block| matches!(block, Block::Document(_)));
        self.reasoning += count(|block| matches!(block, Block::Reasoning(_)));
        self.tool_uses += count(|block| matches!(block, Block::ToolUse(_)));
        let tool_speaks = record.turns.iter().any(|turn| turn.role == Role::Tool);
        self.tool_results += count(|block| matches!(block, Block::ToolResult(_))).max(u64::from(tool_speaks));
        for block in blocks().filter(|block| kind(block).is_some()) {
            if let Some((bucket, _)) = block.media_uri().and_then(s3_parts) {
                *self.buckets.entry(bucket.to_owned()).or_default() += 1;
            }
        }
    }

    pub fn append(&mut self, other: Kinds) {
        self.images += other.images;
        self.videos += other.videos;
        self.documents += other.documents;
        self.reasoning += other.reasoning;
        self.tool_uses += other.tool_uses;
        self.tool_results += other.tool_results;
        for (bucket, count) in other.buckets {
            *self.buckets.entry(bucket).or_default() += count;
        }
    }
}

/// The fewest and the most characters that a record may have without standing out, from the quartiles of all. `None`
/// where there are too few records to tell.
pub fn outlier_bounds(records: u64, first_quartile: u32, third_quartile: u32) -> Option<(u32, u32)> {
    if records < 100 || first_quartile == 0 {
        return None;
    }
    let (low, high) = (f64::from(first_quartile), f64::from(third_quartile));
    // Records of nearly one length would make any other stand out: at least a factor of two is natural.
    let reach = (high / low).max(2.0).powi(3);
    Some(((low / reach).floor() as u32, (high * reach).ceil().min(f64::from(u32::MAX)) as u32))
}

/// The language of a text, by its English name, where the text is long enough to tell.
pub fn language(text: &str) -> Option<&'static str> {
    let told = whatlang::detect(text)?;
    (told.is_reliable() && text.chars().nth(40).is_some()).then(|| told.lang().eng_name())
}

fn records(tally: &Tally) -> u64 {
    tally.totals.training + tally.totals.validation + tally.totals.hold_out
}

fn class_balance(tally: &Tally, _: &Intent) -> Vec<Broken> {
    let Some(labels) = tally.labels.as_ref().filter(|labels| labels.len() > 1) else { return Vec::new() };
    let sum: u64 = labels.iter().map(|(_, count)| count).sum();
    // Few different answers to many prompts are labels; otherwise they are short answers.
    if (labels.len() as u64) * 2 * FEW_OF_A_LABEL > sum {
        return Vec::new();
    }
    let (Some(most), Some(fewest)) =
        (labels.iter().max_by_key(|(_, count)| *count), labels.iter().min_by_key(|(_, count)| *count))
    else {
        return Vec::new();
    };
    if fewest.1 >= FEW_OF_A_LABEL && most.1 < fewest.1 * LOPSIDED {
        return Vec::new();
    }
    let few = labels.iter().filter(|(_, count)| *count < FEW_OF_A_LABEL).count();
    let message = format!(
        "Of {} different completions, \"{}\" stands in {} records and \"{}\" in {}; {few} stand in fewer than {FEW_OF_A_LABEL}.",
        labels.len(),
        most.0,
        most.1,
        fewest.0,
        fewest.1
    );
    vec![Broken::new(message, "Add records of the rare ones, or leave out some of the common ones.").of("completion")]
}

fn length_outlier(tally: &Tally, _: &Intent) -> Vec<Broken> {
    let Some((fewest, most)) = tally.bounds else { return Vec::new() };
    let outliers = tally.outliers.iter().map(|&(position, chars)| {
        let message = format!("The record has {chars} characters; nearly all have between {fewest} and {most}.");
        Broken::new(message, "See whether it is what you meant it to be.").in_record(position)
    });
    outliers.collect()
}

fn uneven_fields(tally: &Tally, intent: &Intent) -> Vec<Broken> {
    let Some(severity) = intent.severity(intent.data().uneven_fields) else { return Vec::new() };
    let all = records(tally);
    let kinds = &tally.kinds;
    let counts = [
        ("a system text", tally.systems),
        ("images", kinds.images),
        ("videos", kinds.videos),
        ("documents", kinds.documents),
        ("reasoning", kinds.reasoning),
        ("tool uses", kinds.tool_uses),
        ("tool results", kinds.tool_results),
    ];
    let uneven = counts.into_iter().filter(|&(_, count)| count > 0 && count < all);
    uneven
        .map(|(what, count)| {
            let message = format!("{count} of {all} records have {what}, the others have not.");
            let hint = "Give it to all or to none: one of AWS's own validators refuses the mixture.";
            Broken::new(message, hint).only(severity)
        })
        .collect()
}

fn images_and_videos(tally: &Tally, _: &Intent) -> Vec<Broken> {
    let Kinds { images, videos, .. } = tally.kinds;
    if images == 0 || videos == 0 {
        return Vec::new();
    }
    let message =
        format!("{images} records hold images and {videos} hold videos; a dataset may hold one or the other.");
    vec![Broken::new(message, "Make two datasets of it.")]
}

fn dataset_bucket(tally: &Tally, intent: &Intent) -> Vec<Broken> {
    let mut buckets: Vec<&str> = tally.kinds.buckets.keys().map(String::as_str).collect();
    if let Some(own) = intent.bucket.filter(|own| !buckets.is_empty() && !buckets.contains(own)) {
        buckets.push(own);
    }
    if buckets.len() < 2 {
        return Vec::new();
    }
    let message = format!("The media lie in {} buckets: {}.", buckets.len(), buckets.join(", "));
    vec![Broken::new(message, "Copy all of them into the bucket of the dataset.")]
}

fn media_unseen(tally: &Tally, intent: &Intent) -> Vec<Broken> {
    let count = |kind| match kind {
        MediaKind::Image => tally.kinds.images,
        MediaKind::Video => tally.kinds.videos,
        MediaKind::Document => tally.kinds.documents,
    };
    let media = intent.data().media.iter().filter(|media| count(media.kind) > 0);
    let limits = media.filter_map(|media| {
        let limits = limits(media);
        (!limits.is_empty()).then(|| {
            let what = media.kind.as_str();
            let message = format!(
                "{} records hold {what}s, whose files are not looked at; {} takes {limits}.",
                count(media.kind),
                intent.name()
            );
            Broken::new(message, "Make sure of it before the job starts.")
        })
    });
    limits.collect()
}

fn limits(media: &MediaRules) -> String {
    let parts = [
        media.max_bytes.map(|bytes| format!("at most {} MB", bytes / 1_000_000)),
        media.min_side.map(|side| format!("{side} pixels or more a side")),
        media.max_side.map(|side| format!("at most {side} pixels a side")),
        media.max_seconds.map(|seconds| format!("at most {seconds} seconds")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn language_mix(tally: &Tally, _: &Intent) -> Vec<Broken> {
    let told: u64 = tally.languages.iter().map(|(_, count)| count).sum();
    let share = |count: u64| count as f64 / told as f64;
    let mut languages: Vec<_> = tally.languages.iter().filter(|(_, n)| *n > 1 && share(*n) >= LANGUAGE_SHARE).collect();
    if languages.len() < 2 {
        return Vec::new();
    }
    languages.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    let list = languages.iter().map(|(name, count)| format!("{name} {:.0} %", share(*count) * 100.0));
    let message =
        format!("The records are in several languages: {} (of {told} looked at).", list.collect::<Vec<_>>().join(", "));
    vec![Broken::new(message, "See whether that is what you mean; a language with few records is hardly learned.")]
}
