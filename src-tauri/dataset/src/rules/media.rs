//! Rules for pictures, videos, documents and reasoning: what a model takes, how much of it, and where it may stand.
//!
//! A record only names its media. How large a file is, in bytes or pixels, is not looked at here.

use std::collections::HashMap;

use serde_json::Value;
use whetstone_catalog::{MediaKind, Stance};
use whetstone_scan::Facts;

use super::rule::models::{LLAMA_32, MICRO, NOVA_2, PRO, TITAN_EMBEDDINGS, TITAN_IMAGES};
use super::{Broken, Example, Finding, Fix, Intent, Mend, Rule, RuleKind, Severity};
use crate::record::{Block, Record, Role, Turn};

const NOVA: &str =
    "Amazon Nova User Guide: fine-tune-prepare-data-understanding, and AWS's published validators for Nova";
const BOTH: &str =
    "Amazon Nova User Guide: fine-tune-prepare-data-understanding, and AWS's published validators for Nova and Llama";

/// Punctuation in the S3 URIs that Bedrock's own operations take.
pub(super) const S3_PUNCTUATION: &str = "-!_*'()./";

pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "media-kind",
        severity: Severity::Error,
        asks: "A record holds only the kinds of media that the base model takes: none for a text-only model, documents for Nova 2 Lite alone.",
        source: BOTH,
        fix: Some(Mend {
            does: "Leave the media out",
            how: |record, _, intent| {
                without(record, |block| kind(block).is_some_and(|kind| intent.data().media(kind).is_none()))
            },
        }),
        needs: Facts::UNKNOWN,
        concerns: |_| true,
        hold_out: false,
        kind: RuleKind::Record(media_kind),
        examples: &[
            Example::new(
                MICRO,
                r#"{"messages":[{"role":"user","content":[{"text":"What is it?"},{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"What is it?"}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
            ),
            Example::new(
                PRO,
                r#"{"messages":[{"role":"user","content":[{"text":"Sum it up."},{"document":{"format":"pdf","source":{"s3Location":{"uri":"s3://pets/cat.pdf","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"Cats."}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"Sum it up."},{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"Cats."}]}]}"#,
            ),
        ],
    },
    Rule {
        id: "media-in-answer",
        severity: Severity::Error,
        asks: "Media stand in user turns only.",
        source: BOTH,
        fix: Some(Mend { does: "Leave the media of these turns out", how: media_to_users }),
        needs: Facts::UNKNOWN,
        concerns: takes_media,
        hold_out: false,
        kind: RuleKind::Record(media_in_answer),
        examples: &[Example::new(
            LLAMA_32,
            r#"{"messages":[{"role":"user","content":[{"text":"Draw a cat."}]},{"role":"assistant","content":[{"text":"Here:"},{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png"}}}}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"text":"What is it?"},{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png"}}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
        )],
    },
    Rule {
        id: "media-count",
        severity: Severity::Error,
        asks: "A message, and a record, hold no more media of a kind than the base model takes.",
        source: "Amazon Nova User Guide: fine-tune-prepare-data-understanding, and AWS's published validators for Nova. Whether the one video is meant for a message or a record is not said; it is counted by message",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: takes_media,
        hold_out: false,
        kind: RuleKind::Record(media_count),
        examples: &[
            Example::new(
                PRO,
                r#"{"messages":[{"role":"user","content":[{"text":"What are they?"}{,{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png","bucketOwner":"111122223333"}}}}*11}]},{"role":"assistant","content":[{"text":"Cats."}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"What are they?"}{,{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png","bucketOwner":"111122223333"}}}}*10}]},{"role":"assistant","content":[{"text":"Cats."}]}]}"#,
            ),
            Example::new(
                PRO,
                r#"{"messages":[{"role":"user","content":[{"text":"Sum it up."}{,{"video":{"format":"mp4","source":{"s3Location":{"uri":"s3://pets/cat.mp4","bucketOwner":"111122223333"}}}}*2}]},{"role":"assistant","content":[{"text":"Cats."}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"Sum it up."}{,{"video":{"format":"mp4","source":{"s3Location":{"uri":"s3://pets/cat.mp4","bucketOwner":"111122223333"}}}}*1}]},{"role":"assistant","content":[{"text":"Cats."}]}]}"#,
            ),
            Example::new(
                NOVA_2,
                r#"{"messages":[{"role":"user","content":[{"text":"Sum it up."},{"document":{"format":"pdf","source":{"s3Location":{"uri":"s3://pets/cat.pdf","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"Cats."}]},{"role":"user","content":[{"text":"This too."},{"document":{"format":"pdf","source":{"s3Location":{"uri":"s3://pets/dog.pdf","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"Dogs."}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"Sum it up."},{"document":{"format":"pdf","source":{"s3Location":{"uri":"s3://pets/cat.pdf","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"Cats."}]}]}"#,
            ),
        ],
    },
    Rule {
        id: "media-format",
        severity: Severity::Error,
        asks: "Media are in a format that the base model takes.",
        source: "Amazon Nova User Guide, UG nova-2-sft-data-prep and AWS's published validators; for Nova 2 Lite they disagree on WebP and WebM, which are refused",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |intent| takes_media(intent) && !intent.is_captioned(),
        hold_out: false,
        kind: RuleKind::Record(media_format),
        examples: &[
            Example::new(
                PRO,
                r#"{"messages":[{"role":"user","content":[{"text":"What is it?"},{"image":{"format":"tiff","source":{"s3Location":{"uri":"s3://pets/cat.tiff","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"What is it?"},{"image":{"format":"webp","source":{"s3Location":{"uri":"s3://pets/cat.webp","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
            ),
            Example::new(
                NOVA_2,
                r#"{"messages":[{"role":"user","content":[{"text":"What is it?"},{"image":{"format":"webp","source":{"s3Location":{"uri":"s3://pets/cat.webp","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"text":"What is it?"},{"image":{"format":"gif","source":{"s3Location":{"uri":"s3://pets/cat.gif","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
            ),
        ],
    },
    Rule {
        id: "image-name",
        severity: Severity::Warning,
        asks: "The name of a picture with a caption ends as that of a PNG or JPEG file does.",
        source: "Amazon Bedrock User Guide: model-customization-prepare, which names the two formats. That the service goes by the name is not said",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.is_captioned(),
        hold_out: false,
        kind: RuleKind::Record(image_name),
        examples: &[Example::new(
            TITAN_IMAGES,
            r#"{"image-ref":"s3://pets/cat.webp","caption":"A cat."}"#,
            r#"{"image-ref":"s3://pets/cat.JPG","caption":"A cat."}"#,
        )],
    },
    Rule {
        id: "caption-length",
        severity: Severity::Error,
        asks: "The caption of a picture has neither too few nor too many characters.",
        source: "Amazon Bedrock User Guide: model-customization-prepare. For version 2 of Titan Image Generator the bounds of version 1 are assumed",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.data().min_caption_chars.is_some() || intent.data().max_caption_chars.is_some(),
        hold_out: false,
        kind: RuleKind::Record(caption_length),
        examples: &[
            Example::new(
                TITAN_IMAGES,
                r#"{"image-ref":"s3://pets/cat.png","caption":"ox"}"#,
                r#"{"image-ref":"s3://pets/cat.png","caption":"cat"}"#,
            ),
            Example::new(
                TITAN_IMAGES,
                r#"{"image-ref":"s3://pets/cat.png","caption":"{é*1025}"}"#,
                r#"{"image-ref":"s3://pets/cat.png","caption":"{é*1024}"}"#,
            ),
            Example::new(
                TITAN_EMBEDDINGS,
                r#"{"image-ref":"s3://pets/cat.png","caption":"{é*2561}"}"#,
                r#"{"image-ref":"s3://pets/cat.png","caption":"{é*2560}"}"#,
            ),
        ],
    },
    Rule {
        id: "media-mixed",
        severity: Severity::Error,
        asks: "A message with a video holds no images and no documents.",
        source: NOVA,
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.data().media(MediaKind::Video).is_some(),
        hold_out: false,
        kind: RuleKind::Record(media_mixed),
        examples: &[Example::new(
            PRO,
            r#"{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png","bucketOwner":"111122223333"}}}},{"video":{"format":"mp4","source":{"s3Location":{"uri":"s3://pets/cat.mp4","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"Cats."}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png","bucketOwner":"111122223333"}}}},{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/dog.png","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"Cats."}]}]}"#,
        )],
    },
    Rule {
        id: "media-source",
        severity: Severity::Error,
        asks: "Media are named by an S3 URI whose key holds only the characters that the base model takes.",
        source: "Amazon Nova User Guide and AWS's published validators: letters, digits and _ - / . for Nova. For other models the pattern of S3 URIs in Bedrock's own operations, which media in a record are assumed to follow (unverified)",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: takes_media,
        hold_out: false,
        kind: RuleKind::Record(media_source),
        examples: &[
            Example::new(
                PRO,
                r#"{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/my cat.png","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/my_cat-1.png","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
            ),
            Example::new(
                LLAMA_32,
                r#"{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"iVBORw0KGgo="}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
                r#"{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat(1).png"}}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
            ),
            Example::new(
                TITAN_IMAGES,
                r#"{"image-ref":"https://pets.example/cat.png","caption":"A cat."}"#,
                r#"{"image-ref":"s3://pets/cat.png","caption":"A cat."}"#,
            ),
        ],
    },
    Rule {
        id: "media-bucket",
        severity: Severity::Error,
        asks: "The media of a record lie in one bucket, that of the dataset.",
        source: NOVA,
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.data().media_in_same_bucket && takes_media(intent),
        hold_out: false,
        kind: RuleKind::Record(media_bucket),
        examples: &[Example::new(
            PRO,
            r#"{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"s3Location":{"uri":"s3://cats/1.png","bucketOwner":"111122223333"}}}},{"image":{"format":"png","source":{"s3Location":{"uri":"s3://dogs/1.png","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"A cat, a dog."}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cats/1.png","bucketOwner":"111122223333"}}}},{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/dogs/1.png","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"A cat, a dog."}]}]}"#,
        )],
    },
    Rule {
        id: "bucket-owner",
        severity: Severity::Warning,
        asks: "Media say whose the bucket is, by `bucketOwner`.",
        source: "AWS's two validators for Nova disagree: one demands it, the other does not look",
        fix: None,
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.data().no_bucket_owner != Stance::Allowed && takes_media(intent),
        hold_out: false,
        kind: RuleKind::Record(bucket_owner),
        examples: &[Example::new(
            PRO,
            r#"{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png"}}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"s3Location":{"uri":"s3://pets/cat.png","bucketOwner":"111122223333"}}}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
        )],
    },
    Rule {
        id: "reasoning-kind",
        severity: Severity::Error,
        asks: "A record holds no reasoning where the base model is not trained on it; Nova 2 Lite alone is.",
        source: "Amazon Bedrock User Guide: nova-2-sft-data-prep, and AWS's published validators for Nova",
        fix: Some(Mend { does: "Leave the reasoning out", how: |record, _, _| without(record, is_reasoning) }),
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.data().reasoning == Stance::Refused,
        hold_out: false,
        kind: RuleKind::Record(reasoning_kind),
        examples: &[Example::new(
            PRO,
            r#"{"messages":[{"role":"user","content":[{"text":"2 + 2?"}]},{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"Two and two."}}},{"text":"4"}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"text":"2 + 2?"}]},{"role":"assistant","content":[{"text":"Two and two."},{"text":"4"}]}]}"#,
        )],
    },
    Rule {
        id: "reasoning-place",
        severity: Severity::Error,
        asks: "Reasoning stands in answers only, and never in a message with media.",
        source: "AWS's published validators for Nova. The User Guide's own examples reason about a picture of the user's turn, which is allowed",
        fix: Some(Mend { does: "Leave the reasoning of these turns out", how: misplaced_reasoning_out }),
        needs: Facts::UNKNOWN,
        concerns: |intent| intent.data().reasoning != Stance::Refused,
        hold_out: false,
        kind: RuleKind::Record(reasoning_place),
        examples: &[Example::new(
            NOVA_2,
            r#"{"messages":[{"role":"user","content":[{"reasoningContent":{"reasoningText":{"text":"I need a sum."}}},{"text":"2 + 2?"}]},{"role":"assistant","content":[{"text":"4"}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"text":"2 + 2?"}]},{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"I need a sum."}}},{"text":"4"}]}]}"#,
        )],
    },
    Rule {
        id: "unknown-block",
        severity: Severity::Error,
        asks: "Every block of content is of a kind that Bedrock's formats know.",
        source: "Amazon Bedrock User Guide: model-customization-prepare",
        fix: Some(Mend {
            does: "Leave these blocks out",
            how: |record, _, _| without(record, |block| matches!(block, Block::Other(_))),
        }),
        needs: Facts::UNKNOWN,
        concerns: |_| true,
        hold_out: false,
        kind: RuleKind::Record(unknown_block),
        examples: &[Example::new(
            MICRO,
            r#"{"messages":[{"role":"user","content":[{"text":"What is it?"},{"audio":{"format":"mp3"}}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
            r#"{"messages":[{"role":"user","content":[{"text":"What is it?"},{"text":"The audio."}]},{"role":"assistant","content":[{"text":"A cat."}]}]}"#,
        )],
    },
];

fn takes_media(intent: &Intent) -> bool {
    !intent.data().media.is_empty()
}

pub(super) fn kind(block: &Block) -> Option<MediaKind> {
    match block {
        Block::Image(_) => Some(MediaKind::Image),
        Block::Video(_) => Some(MediaKind::Video),
        Block::Document(_) => Some(MediaKind::Document),
        _ => None,
    }
}

fn is_reasoning(block: &Block) -> bool {
    matches!(block, Block::Reasoning(_))
}

/// The media of a record that its model takes, in user turns: what the closer rules look at.
fn media<'a>(record: &'a Record, intent: &Intent<'a>) -> impl Iterator<Item = (usize, MediaKind, &'a Block)> {
    let data = intent.data();
    let users = record.turns.iter().enumerate().filter(|(_, turn)| turn.role == Role::User);
    let blocks = users.flat_map(|(index, turn)| turn.content.iter().map(move |block| (index, block)));
    blocks
        .filter_map(move |(index, block)| Some((index, kind(block).filter(|&kind| data.media(kind).is_some())?, block)))
}

/// The record without some blocks; `None` where a turn would have nothing left to say.
fn without(record: &Record, unwanted: impl Fn(&Block) -> bool) -> Option<Fix> {
    without_in(record, |_, block| unwanted(block))
}

fn without_in(record: &Record, unwanted: impl Fn(&Turn, &Block) -> bool) -> Option<Fix> {
    let mut mended = record.clone();
    for (turn, original) in mended.turns.iter_mut().zip(&record.turns) {
        turn.content.retain(|block| !unwanted(original, block));
    }
    let emptied = mended.turns.iter().zip(&record.turns);
    let emptied = emptied.into_iter().any(|(now, before)| now.content.is_empty() && !before.content.is_empty());
    (!emptied && mended != *record).then_some(Fix::Replace(mended))
}

/// A finding whose fix would leave a turn empty says that it has none.
fn fixable(broken: Vec<Broken>, fix: Option<&Fix>) -> Vec<Broken> {
    broken.into_iter().map(|broken| broken.fixable(fix.is_some())).collect()
}

fn media_kind(record: &Record, intent: &Intent) -> Vec<Broken> {
    let data = intent.data();
    let refused = |block: &Block| kind(block).filter(|&kind| data.media(kind).is_none());
    let blocks = record.turns.iter().enumerate().flat_map(|(index, turn)| turn.content.iter().map(move |b| (index, b)));
    let broken = blocks.filter_map(|(index, block)| {
        let kind = refused(block)?;
        let message = if data.media.is_empty() {
            format!("Turn {} holds a {}; {} is trained on text alone.", index + 1, kind.as_str(), intent.name())
        } else {
            format!("Turn {} holds a {}, which {} does not take.", index + 1, kind.as_str(), intent.name())
        };
        let hint = "Leave it out, or choose a base model that takes it.";
        Some(Broken::new(message, hint).in_turn(record, index).only(intent.refusal()))
    });
    let broken: Vec<Broken> = broken.collect();
    if broken.is_empty() { broken } else { fixable(broken, without(record, |block| refused(block).is_some()).as_ref()) }
}

fn stands_in_answer(turn: &Turn, block: &Block) -> bool {
    turn.role != Role::User && kind(block).is_some()
}

fn media_in_answer(record: &Record, intent: &Intent) -> Vec<Broken> {
    let turns = record.turns.iter().enumerate();
    let broken = turns.filter(|(_, turn)| turn.content.iter().any(|block| stands_in_answer(turn, block)));
    let broken = broken.map(|(index, turn)| {
        let message = format!("Turn {} ({}) holds media; only user turns may.", index + 1, turn.role.as_str());
        Broken::new(message, "Leave the media of this turn out.").in_turn(record, index).only(intent.refusal())
    });
    let broken: Vec<Broken> = broken.collect();
    if broken.is_empty() { broken } else { fixable(broken, without_in(record, stands_in_answer).as_ref()) }
}

fn media_to_users(record: &Record, _: &Finding, _: &Intent) -> Option<Fix> {
    without_in(record, stands_in_answer)
}

fn media_count(record: &Record, intent: &Intent) -> Vec<Broken> {
    let mut in_turn: HashMap<(usize, MediaKind), u32> = HashMap::new();
    let mut in_record: HashMap<MediaKind, u32> = HashMap::new();
    for (turn, kind, _) in media(record, intent) {
        *in_turn.entry((turn, kind)).or_default() += 1;
        *in_record.entry(kind).or_default() += 1;
    }
    let name = intent.name();
    let hint = "Leave some out, or spread them over several records.";
    let mut broken = Vec::new();
    for rules in &intent.data().media {
        let what = rules.kind.as_str();
        for turn in 0..record.turns.len() {
            let count = in_turn.get(&(turn, rules.kind)).copied().unwrap_or(0);
            if let Some(most) = rules.max_per_message.filter(|&most| count > most) {
                let message = format!("Turn {} holds {count} {what}s; {name} takes at most {most}.", turn + 1);
                broken.push(Broken::new(message, hint).in_turn(record, turn));
            }
        }
        let count = in_record.get(&rules.kind).copied().unwrap_or(0);
        if let Some(most) = rules.max_per_record.filter(|&most| count > most) {
            broken.push(Broken::new(format!("The record holds {count} {what}s; {name} takes at most {most}."), hint));
        }
    }
    broken
}

fn media_format(record: &Record, intent: &Intent) -> Vec<Broken> {
    let broken = media(record, intent).filter_map(|(turn, kind, block)| {
        let taken = &intent.data().media(kind)?.formats;
        let given = block.media_format();
        if given.is_some_and(|given| taken.iter().any(|format| format == given)) {
            return None;
        }
        let what = kind.as_str();
        let message = match given {
            Some(given) => {
                format!("The {what} is in the format {given}; {} takes {}.", intent.name(), taken.join(", "))
            }
            None => format!("The {what} has no format; {} takes {}.", intent.name(), taken.join(", ")),
        };
        Some(Broken::new(message, "Convert the file and name its format.").in_turn(record, turn))
    });
    broken.collect()
}

fn media_mixed(record: &Record, _: &Intent) -> Vec<Broken> {
    let turns = record.turns.iter().enumerate();
    let broken = turns.filter(|(_, turn)| {
        let has =
            |kinds: &[MediaKind]| turn.content.iter().any(|block| kind(block).is_some_and(|k| kinds.contains(&k)));
        has(&[MediaKind::Video]) && has(&[MediaKind::Image, MediaKind::Document])
    });
    broken
        .map(|(index, _)| {
            let message = format!("Turn {} holds a video beside images or documents.", index + 1);
            Broken::new(message, "Put the video into a record of its own.").in_turn(record, index)
        })
        .collect()
}

/// Bucket and key of an S3 URI.
pub(super) fn s3_parts(uri: &str) -> Option<(&str, &str)> {
    let (bucket, key) = uri.strip_prefix("s3://")?.split_once('/')?;
    (!bucket.is_empty() && !key.is_empty()).then_some((bucket, key))
}

fn s3_uri<'a>(block: &'a Block, intent: &Intent) -> Option<&'a str> {
    let (Block::Image(value) | Block::Video(value) | Block::Document(value)) = block else { return None };
    if intent.is_captioned() { value.as_str() } else { value["source"]["s3Location"]["uri"].as_str() }
}

fn image_name(record: &Record, intent: &Intent) -> Vec<Broken> {
    let broken = media(record, intent).filter_map(|(turn, _, block)| {
        let (_, key) = s3_parts(s3_uri(block, intent)?)?;
        let ending = key.rsplit(['/', '.']).next().unwrap_or(key).to_ascii_lowercase();
        if matches!(ending.as_str(), "png" | "jpg" | "jpeg") {
            return None;
        }
        let message =
            format!("The picture's name does not end in .png, .jpg or .jpeg; {} takes PNG and JPEG.", intent.name());
        Some(Broken::new(message, "Convert the picture, or give its object the right name.").in_turn(record, turn))
    });
    broken.collect()
}

fn caption_length(record: &Record, intent: &Intent) -> Vec<Broken> {
    let (least, most) = (intent.data().min_caption_chars, intent.data().max_caption_chars);
    let captions = record.turns.iter().enumerate().filter(|(_, turn)| turn.role == Role::Assistant);
    let broken = captions.filter_map(|(index, turn)| {
        let chars = turn.text().chars().count();
        let (bound, limit) = if least.is_some_and(|least| chars < least as usize) {
            ("at least", least?)
        } else {
            ("at most", most.filter(|&most| chars > most as usize)?)
        };
        let message = format!("The caption has {chars} characters; {} takes {bound} {limit}.", intent.name());
        Some(Broken::new(message, "Write what is to be seen in a sentence or two.").in_turn(record, index))
    });
    broken.collect()
}

fn media_source(record: &Record, intent: &Intent) -> Vec<Broken> {
    let punctuation = intent.data().key_punctuation.as_deref().unwrap_or(S3_PUNCTUATION);
    let broken = media(record, intent).filter_map(|(turn, kind, block)| {
        let what = kind.as_str();
        let Some((_, key)) = s3_uri(block, intent).and_then(s3_parts) else {
            let member = if intent.is_captioned() { "image-ref" } else { "source.s3Location.uri" };
            let message = format!("The {what} is not named by an S3 URI ({member}, s3://bucket/key).");
            let hint = "Upload the file to the bucket of the dataset and name it.";
            return Some(Broken::new(message, hint).in_turn(record, turn));
        };
        let odd = key.chars().find(|c| !c.is_ascii_alphanumeric() && !punctuation.contains(*c))?;
        let message = format!(
            "The S3 key of the {what} holds \"{}\"; {} takes letters, digits and {punctuation} only.",
            odd.escape_debug(),
            intent.name()
        );
        Some(Broken::new(message, "Rename the object and its record.").in_turn(record, turn))
    });
    broken.collect()
}

fn media_bucket(record: &Record, intent: &Intent) -> Vec<Broken> {
    let mut expected = intent.bucket;
    for (turn, kind, block) in media(record, intent) {
        let Some((bucket, _)) = s3_uri(block, intent).and_then(s3_parts) else { continue };
        let own = *expected.get_or_insert(bucket);
        if own != bucket {
            let whose = if intent.bucket.is_some() { "the dataset" } else { "the media before it" };
            let message = format!("The {} lies in the bucket {bucket}, {whose} in {own}.", kind.as_str());
            let hint = "Copy all media of the dataset into its bucket.";
            return vec![Broken::new(message, hint).in_turn(record, turn)];
        }
    }
    Vec::new()
}

fn bucket_owner(record: &Record, intent: &Intent) -> Vec<Broken> {
    let is_owner =
        |owner: &Value| owner.as_str().is_some_and(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit()));
    let broken = media(record, intent).filter_map(|(turn, kind, block)| {
        let (Block::Image(value) | Block::Video(value) | Block::Document(value)) = block else { return None };
        let location = value["source"].get("s3Location")?;
        if is_owner(&location["bucketOwner"]) {
            return None;
        }
        let message = format!("The {} does not say whose its bucket is.", kind.as_str());
        let hint = "Give \"bucketOwner\", the account's twelve digits: one of AWS's own validators demands it.";
        Some(Broken::new(message, hint).in_turn(record, turn))
    });
    broken.collect()
}

fn reasoning_kind(record: &Record, intent: &Intent) -> Vec<Broken> {
    let turns = record.turns.iter().enumerate();
    let broken = turns.filter(|(_, turn)| turn.content.iter().any(is_reasoning)).map(|(index, _)| {
        let message = format!("Turn {} holds reasoning, which {} is not trained on.", index + 1, intent.name());
        Broken::new(message, "Leave the reasoning out.").in_turn(record, index).only(intent.refusal())
    });
    let broken: Vec<Broken> = broken.collect();
    if broken.is_empty() { broken } else { fixable(broken, without(record, is_reasoning).as_ref()) }
}

fn is_misplaced_reasoning(turn: &Turn, block: &Block) -> bool {
    is_reasoning(block) && (turn.role != Role::Assistant || turn.content.iter().any(|other| kind(other).is_some()))
}

fn reasoning_place(record: &Record, _: &Intent) -> Vec<Broken> {
    let turns = record.turns.iter().enumerate();
    let broken = turns.filter(|(_, turn)| turn.content.iter().any(|block| is_misplaced_reasoning(turn, block)));
    let broken = broken.map(|(index, turn)| {
        let why = if turn.role == Role::Assistant { "beside media" } else { "outside an answer" };
        let message = format!("Turn {} ({}) holds reasoning {why}.", index + 1, turn.role.as_str());
        Broken::new(message, "Move the reasoning into the answer, or leave it out.").in_turn(record, index)
    });
    let broken: Vec<Broken> = broken.collect();
    if broken.is_empty() { broken } else { fixable(broken, without_in(record, is_misplaced_reasoning).as_ref()) }
}

fn misplaced_reasoning_out(record: &Record, _: &Finding, _: &Intent) -> Option<Fix> {
    without_in(record, is_misplaced_reasoning)
}

fn unknown_block(record: &Record, intent: &Intent) -> Vec<Broken> {
    let is_other = |block: &Block| matches!(block, Block::Other(_));
    let blocks = record.turns.iter().enumerate().flat_map(|(index, turn)| turn.content.iter().map(move |b| (index, b)));
    let broken = blocks.filter_map(|(index, block)| {
        let Block::Other(value) = block else { return None };
        let keys: Vec<&str> =
            value.as_object().into_iter().flat_map(|object| object.keys().map(String::as_str)).collect();
        let message = if keys.is_empty() {
            format!("Turn {} holds something that is not text.", index + 1)
        } else {
            format!("Turn {} holds a block that no format of Bedrock's knows: {}.", index + 1, keys.join(", "))
        };
        Some(Broken::new(message, "Make text of it, or leave it out.").in_turn(record, index).only(intent.refusal()))
    });
    let broken: Vec<Broken> = broken.collect();
    if broken.is_empty() { broken } else { fixable(broken, without(record, is_other).as_ref()) }
}
