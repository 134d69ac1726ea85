//! Model families: whose words a model's InvokeModel bodies are in.

/// Which family a model is of, by the id of its base model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// Claude 2: text completions as well as messages.
    Claude2,
    /// Claude 3 and later: messages only.
    Claude,
    Titan,
    Llama,
    Cohere,
    Nova,
    /// A model of this project: it takes Llama's words and Nova's, which show in the members.
    Own,
}

impl Family {
    pub(super) fn of(base: &str) -> Self {
        let is = |start: &str| base.starts_with(start);
        if is("anthropic.claude-v2") || is("anthropic.claude-instant") {
            Self::Claude2
        } else if is("anthropic.") {
            Self::Claude
        } else if is("amazon.titan-") {
            Self::Titan
        } else if is("amazon.") {
            Self::Nova
        } else if is("cohere.") {
            Self::Cohere
        } else if is("meta.") {
            Self::Llama
        } else {
            Self::Own
        }
    }

    /// What an InvokeModel body that has these members is written in.
    pub(super) fn dialect(self, has: impl Fn(&str) -> bool) -> Dialect {
        match self {
            Self::Claude2 if !has("messages") => Dialect::ClaudeText,
            Self::Claude2 | Self::Claude => Dialect::ClaudeMessages,
            Self::Titan => Dialect::Titan,
            Self::Llama => Dialect::Llama,
            Self::Cohere => Dialect::Cohere,
            Self::Nova => Dialect::Nova,
            Self::Own if has("messages") => Dialect::Nova,
            Self::Own => Dialect::Llama,
        }
    }

    /// The member of `additionalModelRequestFields` by which this family takes a top-k, where it has one.
    pub(super) fn top_k_member(self) -> Option<&'static str> {
        match self {
            Self::Claude2 | Self::Claude => Some("top_k"),
            Self::Cohere => Some("k"),
            Self::Nova | Self::Own => Some("inferenceConfig"),
            Self::Titan | Self::Llama => None,
        }
    }
}

/// The form of an InvokeModel body and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    ClaudeText,
    ClaudeMessages,
    Titan,
    Llama,
    Cohere,
    Nova,
}
