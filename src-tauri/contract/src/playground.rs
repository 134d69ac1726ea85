//! The playground: put a prompt to models side by side.

use crate::{Attachment, shapes};

shapes! {
    /// A model that can be asked now, or soon.
    #[derive(Eq)]
    pub struct PlayableModel {
        /// What is passed as the model id at inference: a base model's id, or the ARN of what answers.
        pub model_id: String,
        pub name: String,
        pub kind: PlayableKind,
        pub stand_in: bool,
        /// The job it came from.
        pub job: Option<String>,
        /// The base model it was tuned from, or itself.
        pub base_model: String,
        /// For a tuned model: the dataset whose hold-out records nobody trained on.
        pub dataset: Option<String>,
        /// Says which of several that answer for one model this is: the name of the deployment or throughput.
        pub served_as: Option<String>,
        pub takes: Takes,
    }

    #[derive(Eq, Copy)]
    pub enum PlayableKind { Base, Tuned, Imported }

    /// What a model can be given. What it does not take is not shown, and not sent.
    #[derive(Eq, Copy)]
    pub struct Takes {
        /// Turns of a conversation.
        pub chat: bool,
        /// A text to go on with, without turns.
        pub completion: bool,
        pub system: bool,
        pub top_k: bool,
        pub stop_sequences: bool,
        /// How many pictures a message of a chat may hold; 0: it takes none.
        pub images: u32,
        /// How many documents a message of a chat may hold; 0: it takes none.
        pub documents: u32,
    }

    #[derive(Eq, Copy)]
    pub enum PromptMode {
        Chat,
        /// The last turn's text is gone on with, as it stands.
        Completion,
    }

    pub struct PromptRequest {
        /// Chosen by the window; text events carry it, and cancel names it.
        pub request: String,
        pub model_id: String,
        pub mode: PromptMode,
        pub system: Option<String>,
        /// The conversation so far, the last turn is the user's.
        pub turns: Vec<PromptTurn>,
        /// 0 to 1; 0 always takes the likeliest token.
        pub temperature: f64,
        pub top_p: f64,
        /// Null: not sent.
        pub top_k: Option<u32>,
        pub max_tokens: u32,
        pub stop_sequences: Vec<String>,
    }

    /// A turn of a conversation in the playground.
    #[derive(Eq)]
    pub struct PromptTurn {
        pub role: PromptRole,
        pub text: String,
        /// Of the user's turns only, in a chat.
        pub attachments: Vec<Attachment>,
    }

    #[derive(Eq, Copy)]
    pub enum PromptRole { User, Assistant }

    /// The whole answer, after the last piece was sent as an event.
    pub struct Reply {
        pub text: String,
        /// As the endpoint spells it: `end_turn`, `max_tokens`, `stop_sequence`; `cancelled` when the person stopped it.
        pub stop_reason: String,
        /// Null where the endpoint did not tell.
        pub input_tokens: Option<u64>,
        pub output_tokens: Option<u64>,
        pub first_token_ms: Option<u64>,
        pub total_ms: u64,
        pub cost: ReplyCost,
        /// The body that was sent, as JSON; in place of what was attached stands its name and size.
        pub raw_request: String,
        /// What came back, put together from the stream, as JSON.
        pub raw_response: String,
    }

    /// What an answer cost.
    pub struct ReplyCost {
        /// Null where it is not known.
        pub usd: Option<f64>,
        /// How it came about, or why it is not known.
        pub note: String,
    }

    /// What the training prompts of a dataset have in common: the template they were made with, as far as it shows.
    #[derive(Eq)]
    pub struct PromptFrame {
        pub system: Option<String>,
        pub before: String,
        pub after: String,
        /// How many records were looked at.
        pub records: u64,
    }

    /// The same request as programs make it.
    #[derive(Eq)]
    pub struct PromptCode {
        pub cli: String,
        pub python: String,
        pub javascript: String,
        pub rust: String,
        /// What must be there for them to run.
        pub needs: String,
    }

    /// A conversation as it is kept on disk.
    pub struct Conversation {
        pub id: String,
        pub title: String,
        /// Set by the workbench.
        pub changed_at: i64,
        /// The window's own document.
        pub document: String,
    }

    pub struct ConversationSearch {
        pub text: Option<String>,
    }

    pub struct ConversationId {
        pub conversation: String,
    }

    pub struct RequestId {
        pub request: String,
    }

    /// A prompt from the hold-out split, and what the record answers.
    #[derive(Eq)]
    pub struct HoldOutPrompt {
        pub position: u64,
        pub prompt: String,
        pub completion: String,
    }

    pub struct HoldOutRequest {
        pub dataset: String,
        /// Which of the hold-out records, counted round.
        pub index: u64,
    }
}
