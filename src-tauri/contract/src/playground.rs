//! The playground: put a prompt to models side by side.

use crate::shapes;

shapes! {
    /// A model that can be asked now, or soon.
    #[derive(Eq)]
    pub struct PlayableModel {
        /// What is passed as the model id at inference: a base model id or a deployment ARN.
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
    }

    #[derive(Eq, Copy)]
    pub enum PlayableKind { Base, Tuned }

    pub struct PromptRequest {
        /// Chosen by the window; text events carry it, and cancel names it.
        pub request: String,
        pub model_id: String,
        pub system: Option<String>,
        /// The conversation so far, the last turn is the user's.
        pub turns: Vec<PromptTurn>,
        /// 0 to 1; 0 always takes the likeliest token.
        pub temperature: f64,
        pub top_p: f64,
        pub max_tokens: u32,
        pub stop_sequences: Vec<String>,
    }

    /// A turn of a conversation in the playground, which is text alone.
    #[derive(Eq)]
    pub struct PromptTurn {
        pub role: PromptRole,
        pub text: String,
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
