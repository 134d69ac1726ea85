//! The prompt library. A prompt is a list of versions that only grows: a save adds one, and so does bringing an older one
//! back. What a placeholder is, `{{name}}`, is the window's business; here a prompt is text.

use std::sync::PoisonError;

use serde::{Deserialize, Serialize};
use whetstone_contract::{AppError, ErrorCode, LibraryPrompt, PromptVersionId, SavePrompt};

use crate::Workbench;
use crate::errors::from_store;
use crate::names::random_id;

/// A store kind.
const PROMPT: &str = "prompt";
/// Longer names do not fit a row.
const LONGEST_NAME: usize = 120;

#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    id: String,
    /// Oldest first, never empty; the first is version 1.
    versions: Vec<Version>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Version {
    name: String,
    text: String,
    system: Option<String>,
    saved_at: i64,
}

impl Version {
    fn says_the_same(&self, other: &Self) -> bool {
        (&self.name, &self.text, &self.system) == (&other.name, &other.text, &other.system)
    }

    fn holds(&self, lower: &str) -> bool {
        let texts = [Some(&self.name), Some(&self.text), self.system.as_ref()];
        texts.into_iter().flatten().any(|text| text.to_lowercase().contains(lower))
    }
}

impl Kept {
    fn shown(&self, index: usize) -> Option<LibraryPrompt> {
        let version = self.versions.get(index)?.clone();
        Some(LibraryPrompt {
            id: self.id.clone(),
            name: version.name,
            text: version.text,
            system: version.system,
            version: u32::try_from(index + 1).unwrap_or(u32::MAX),
            changed_at: version.saved_at,
        })
    }

    fn newest(&self) -> Option<LibraryPrompt> {
        self.shown(self.versions.len().checked_sub(1)?)
    }
}

impl Workbench {
    pub(crate) fn list_prompts(&self, text: Option<&str>) -> Result<Vec<LibraryPrompt>, AppError> {
        let all: Vec<Kept> = self.store.documents(PROMPT).map_err(|error| from_store(&error))?;
        let wanted = text.map(|text| text.trim().to_lowercase()).unwrap_or_default();
        let found = all.iter().filter(|kept| kept.versions.last().is_some_and(|version| version.holds(&wanted)));
        Ok(found.filter_map(Kept::newest).collect())
    }

    /// A save that changes nothing makes no version.
    pub(crate) fn keep_prompt(&self, wanted: SavePrompt) -> Result<LibraryPrompt, AppError> {
        let refused = |why: &str| Err(AppError::new(ErrorCode::InvalidInput, why));
        let name = wanted.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            return refused(&format!("A prompt needs a name of at most {LONGEST_NAME} characters."));
        }
        if wanted.text.trim().is_empty() {
            return refused("A prompt without text is none.");
        }
        let version = Version {
            name: name.to_owned(),
            text: wanted.text,
            system: wanted.system.filter(|system| !system.trim().is_empty()),
            saved_at: self.host.now_ms(),
        };
        let _one_at_a_time = self.playground.library.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = match wanted.id {
            Some(id) => self.kept_prompt(&id)?,
            None => Kept { id: random_id(), versions: Vec::new() },
        };
        self.add_version(&mut kept, version)
    }

    pub(crate) fn versions_of_prompt(&self, id: &str) -> Result<Vec<LibraryPrompt>, AppError> {
        let kept = self.kept_prompt(id)?;
        Ok((0..kept.versions.len()).rev().filter_map(|index| kept.shown(index)).collect())
    }

    pub(crate) fn bring_prompt_back(&self, which: &PromptVersionId) -> Result<LibraryPrompt, AppError> {
        let _one_at_a_time = self.playground.library.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = self.kept_prompt(&which.id)?;
        let index = (which.version as usize).checked_sub(1);
        let Some(old) = index.and_then(|index| kept.versions.get(index)) else {
            return Err(AppError::new(ErrorCode::NotFound, format!("There is no version {}.", which.version)));
        };
        let version = Version { saved_at: self.host.now_ms(), ..old.clone() };
        self.add_version(&mut kept, version)
    }

    pub(crate) fn forget_prompt(&self, id: &str) -> Result<(), AppError> {
        self.store.delete_document(PROMPT, id).map_err(|error| from_store(&error))
    }

    fn add_version(&self, kept: &mut Kept, version: Version) -> Result<LibraryPrompt, AppError> {
        if kept.versions.last().is_none_or(|last| !last.says_the_same(&version)) {
            let saved_at = version.saved_at;
            kept.versions.push(version);
            self.store.save_document(PROMPT, &kept.id, saved_at, kept).map_err(|error| from_store(&error))?;
        }
        kept.newest().ok_or_else(|| AppError::new(ErrorCode::Bug, "The prompt has no version."))
    }

    fn kept_prompt(&self, id: &str) -> Result<Kept, AppError> {
        let kept = self.store.document(PROMPT, id).map_err(|error| from_store(&error))?;
        kept.ok_or_else(|| AppError::new(ErrorCode::NotFound, "This prompt is not in the library (any more)."))
    }
}
