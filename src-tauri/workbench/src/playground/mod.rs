//! The playground: which models can be asked, and asking one, with the answer streamed as it is sampled.
//!
//! Owns the answers under way, so that one can be cancelled, the prompt library, and the conversations on disk, whose form
//! is the window's. What was attached to prompts is kept beside them.
//!
//! | file | what it does |
//! | --- | --- |
//! | here | the answers under way, and the conversations that are kept |
//! | `models.rs` | which models answer here, and what each takes |
//! | `asking.rs` | one answer: asked, waited for, streamed, told with its cost |
//! | `library.rs` | prompts that are kept by name, with every version |
//! | `attachments.rs` | pictures and documents that go with prompts, and the copies of them |
//! | `code.rs` | the same request as the AWS CLI, Python, JavaScript and Rust make it |

mod asking;
mod attachments;
mod code;
mod library;
mod models;

pub use attachments::{Attachments, attaches_as, extensions};
pub use code::write_code;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use whetstone_contract::{AppError, Conversation, HoldOutPrompt, HoldOutRequest};

use crate::Workbench;
use crate::errors::from_store;

/// A store kind.
const CONVERSATION: &str = "conversation";

pub struct Playground {
    under_way: Mutex<HashMap<String, oneshot::Sender<()>>>,
    /// Held while a prompt of the library gets another version.
    library: Mutex<()>,
    attachments: Arc<Attachments>,
}

impl Playground {
    pub fn new(attachments: Attachments) -> Self {
        Self { under_way: Mutex::default(), library: Mutex::default(), attachments: Arc::new(attachments) }
    }

    fn begin(&self, request: &str) -> oneshot::Receiver<()> {
        let (cancel, cancelled) = oneshot::channel();
        self.lock().insert(request.to_owned(), cancel);
        cancelled
    }

    fn end(&self, request: &str) {
        self.lock().remove(request);
    }

    /// Cancelling an answer that has ended is no error: the two crossed on the way.
    pub fn cancel(&self, request: &str) {
        if let Some(cancel) = self.lock().remove(request) {
            let _ = cancel.send(());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, oneshot::Sender<()>>> {
        self.under_way.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Workbench {
    /// A record that no training has seen, counted round so that "next" never ends.
    pub async fn hold_out(&self, asked: HoldOutRequest) -> Result<Option<HoldOutPrompt>, AppError> {
        self.datasets.hold_out_record(asked.dataset, asked.index).await
    }

    pub(crate) fn list_conversations(&self, text: Option<&str>) -> Result<Vec<Conversation>, AppError> {
        let mut all: Vec<Conversation> = self.store.documents(CONVERSATION).map_err(|error| from_store(&error))?;
        if let Some(text) = text.map(|text| text.trim().to_lowercase()).filter(|text| !text.is_empty()) {
            // In a document a line break and a quote stand as JSON writes them, and so they are looked for.
            let written = serde_json::Value::String(text.clone()).to_string();
            let written = written.trim_matches('"');
            all.retain(|one| one.title.to_lowercase().contains(&text) || one.document.to_lowercase().contains(written));
        }
        Ok(all)
    }

    pub(crate) fn keep_conversation(&self, mut conversation: Conversation) -> Result<(), AppError> {
        conversation.changed_at = self.host.now_ms();
        let saved = self.store.save_document(CONVERSATION, &conversation.id, conversation.changed_at, &conversation);
        saved.map_err(|error| from_store(&error))
    }

    pub(crate) fn forget_conversation(&self, id: &str) -> Result<(), AppError> {
        self.store.delete_document(CONVERSATION, id).map_err(|error| from_store(&error))?;
        self.sweep_attachments()
    }

    /// Deletes the copies of attachments that no conversation has any more.
    pub(crate) fn sweep_attachments(&self) -> Result<(), AppError> {
        let documents = || Ok(self.list_conversations(None)?.into_iter().map(|one| one.document).collect());
        self.playground.attachments.sweep(documents)
    }
}
