//! What a base model asks of its training data, as data: what a rule needs to know and must not know by itself.

use serde::Deserialize;

/// The JSONL a model is trained from; a line a record in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
pub enum DataFormat {
    /// `{"prompt": …, "completion": …}`
    PromptCompletion,
    /// `{"system"?: …, "messages": [{"role", "content": text}]}`
    ClaudeMessages,
    /// `{"schemaVersion": "bedrock-conversation-2024", "system"?: [{"text"}], "messages": [{"role", "content": [{"text"}]}]}`
    Conversation,
    /// `{"input": …}`, for continued pre-training
    Pretraining,
    /// `{"messages": [{"role", "content": text}], "reference_answer"?: …, "tools"?: […]}`, for reinforcement
    OpenAiChat,
    /// `{"image-ref": "s3://…", "caption": …}`
    ImageRef,
}

impl DataFormat {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PromptCompletion => "PromptCompletion",
            Self::ClaudeMessages => "ClaudeMessages",
            Self::Conversation => "Conversation",
            Self::Pretraining => "Pretraining",
            Self::OpenAiChat => "OpenAiChat",
            Self::ImageRef => "ImageRef",
        }
    }
}

/// What becomes of something that the sources do not plainly allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stance {
    Allowed,
    /// The sources disagree, or AWS refuses it in one tool and not in another.
    Doubtful,
    Refused,
}

/// What `schemaVersion` must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaVersion {
    /// Any text, or nothing.
    #[default]
    Any,
    /// The constant, where it is given.
    ConstantIfGiven,
    /// The constant, and it must be given.
    Required,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    Image,
    Video,
    Document,
}

impl MediaKind {
    /// The key of the block in the conversation format, and the word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Document => "document",
        }
    }
}

/// One kind of media that a model takes in a user turn. A limit that is `None` is not documented.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MediaRules {
    pub kind: MediaKind,
    /// As `format` spells them.
    pub formats: Vec<String>,
    pub max_per_message: Option<u32>,
    pub max_per_record: Option<u32>,
    pub max_bytes: Option<u64>,
    /// Pixels of the shorter side.
    pub min_side: Option<u32>,
    /// Pixels of the longer side.
    pub max_side: Option<u32>,
    pub max_seconds: Option<u32>,
    /// The fewest tokens that one of these is counted as.
    pub min_tokens: Option<u32>,
    /// The most tokens that one of these is counted as.
    pub max_tokens: Option<u32>,
}

/// What a model asks of its training data. A limit that is `None` is not documented.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRules {
    /// The format the app writes.
    pub format: DataFormat,
    /// All formats the model reads, the written one among them.
    #[serde(default)]
    pub accepts_formats: Vec<DataFormat>,
    #[serde(default)]
    pub schema_version: SchemaVersion,
    /// Members of a line or a message that the format does not name.
    #[serde(default = "allowed")]
    pub unknown_keys: Stance,
    /// The system list holds exactly so many items, where there is one.
    pub system_items: Option<u32>,
    /// Each message holds at most so many blocks of text.
    pub max_texts_per_message: Option<u32>,

    /// The least number of training records.
    pub min_records: u64,
    /// The greatest number of training and validation records together.
    pub max_records: Option<u64>,
    pub max_training_records: Option<u64>,
    pub min_validation_records: Option<u64>,
    pub max_validation_records: Option<u64>,
    /// False where a validation set is refused or silently not used.
    pub validation_accepted: bool,
    pub max_training_bytes: Option<u64>,
    pub max_validation_bytes: Option<u64>,

    /// Prompt, completion and system text of one record together.
    pub max_tokens_per_record: Option<u32>,
    pub max_prompt_tokens: Option<u32>,
    pub max_completion_tokens: Option<u32>,
    /// Characters of the caption of a picture.
    pub min_caption_chars: Option<u32>,
    pub max_caption_chars: Option<u32>,
    /// What the model reads at once: of a longer record only the end is trained on. Only where that is what happens
    /// instead of a refusal.
    pub context_tokens: Option<u32>,
    /// The estimate of tokens is characters divided by this.
    pub chars_per_token: f32,

    /// Turns of user and assistant in a record, at least.
    #[serde(default = "two")]
    pub min_messages: u32,
    pub max_messages: Option<u32>,
    /// A record is a prompt, which no answer need follow.
    #[serde(default)]
    pub prompts_only: bool,
    /// A record that breaks a rule of shape is left out, and the job goes on.
    #[serde(default)]
    pub drops_bad_records: bool,
    /// User and assistant not taking turns.
    #[serde(default = "refused")]
    pub alternation_broken: Stance,
    /// Roles of messages beside user and assistant.
    #[serde(default)]
    pub other_roles: Vec<String>,

    /// Texts that may occur nowhere in a record.
    #[serde(default)]
    pub reserved_words: Vec<String>,
    /// Reserved words are compared without regard to case unless this is set.
    #[serde(default)]
    pub reserved_words_match_case: bool,

    /// What a user turn may hold beside text; nothing for a text-only model.
    #[serde(default)]
    pub media: Vec<MediaRules>,
    /// A source that does not say whose the bucket is.
    #[serde(default = "allowed")]
    pub no_bucket_owner: Stance,
    /// Media must lie in the bucket of the dataset.
    #[serde(default)]
    pub media_in_same_bucket: bool,
    /// What an S3 key of media, or the dataset's file name, may hold beside letters and digits.
    pub key_punctuation: Option<String>,
    /// What the dataset's file name must end with.
    pub file_suffix: Option<String>,
    /// Reasoning blocks in answers.
    #[serde(default = "refused")]
    pub reasoning: Stance,
    /// `toolConfig`, tool uses and tool results.
    #[serde(default = "refused")]
    pub tools: Stance,
    /// A system text, media, reasoning or tools in some records and not in others.
    #[serde(default = "allowed")]
    pub uneven_fields: Stance,
}

impl DataRules {
    /// Fills in what an entry leaves to be understood.
    pub(crate) fn complete(&mut self) {
        if self.accepts_formats.is_empty() {
            self.accepts_formats = vec![self.format];
        }
    }

    pub fn accepts(&self, format: DataFormat) -> bool {
        self.accepts_formats.contains(&format)
    }

    /// The estimated number of tokens in so many characters, rounded up.
    pub fn estimate_tokens(&self, chars: usize) -> u64 {
        (chars as f64 / f64::from(self.chars_per_token)).ceil() as u64
    }

    /// What is asked of one kind of media; `None` where the model takes none of it.
    pub fn media(&self, kind: MediaKind) -> Option<&MediaRules> {
        self.media.iter().find(|media| media.kind == kind)
    }
}

fn two() -> u32 {
    2
}

fn allowed() -> Stance {
    Stance::Allowed
}

fn refused() -> Stance {
    Stance::Refused
}
