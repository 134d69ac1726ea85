//! A conversation as the tuner sees it: who said what, in order.

use serde::{Deserialize, Serialize};

/// Who speaks in a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Instructions that stand above the conversation.
    System,
    /// The person.
    User,
    /// The model. A tuning run with [`crate::Objective::Completion`] learns these turns only.
    Assistant,
}

impl Role {
    /// The role's name in JSON and in chat templates.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
        }
    }
}

/// One turn of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What is said, exactly; nothing is trimmed.
    pub text: String,
}

impl Turn {
    /// A turn of the given role.
    pub fn new(role: Role, text: impl Into<String>) -> Turn {
        Turn { role, text: text.into() }
    }
}
