//! The prompt library: prompts that people come back to, with every version of them.

use crate::shapes;

shapes! {
    /// A prompt as its newest version says it.
    #[derive(Eq)]
    pub struct LibraryPrompt {
        pub id: String,
        pub name: String,
        /// What is to be filled in stands as `{{name}}`.
        pub text: String,
        /// Goes with it as the system prompt.
        pub system: Option<String>,
        /// Counted from 1.
        pub version: u32,
        pub changed_at: i64,
    }

    pub struct PromptSearch {
        /// In names, texts and system prompts of the newest versions.
        pub text: Option<String>,
    }

    pub struct SavePrompt {
        /// Null for a new one.
        pub id: Option<String>,
        pub name: String,
        pub text: String,
        pub system: Option<String>,
    }

    pub struct PromptId {
        pub id: String,
    }

    pub struct PromptVersionId {
        pub id: String,
        pub version: u32,
    }
}
