//! How a check is written: what was asked, what was answered, and what mends it.

use serde_json::Value;
use whetstone_cloud::{CloudError, CloudErrorCode};
use whetstone_contract::{Check, CheckId, CheckState, Mend};

use super::policies;
use crate::errors::from_cloud;

pub fn check(id: CheckId, asked: &str) -> Check {
    Check {
        id,
        title: title(id).to_owned(),
        state: CheckState::Skipped,
        asked: asked.to_owned(),
        answered: String::new(),
        mend: None,
    }
}

fn title(id: CheckId) -> &'static str {
    match id {
        CheckId::Credentials => "Credentials",
        CheckId::Identity => "Identity",
        CheckId::Clock => "Clock",
        CheckId::Region => "Region",
        CheckId::Bedrock => "Bedrock",
        CheckId::Model => "Base model",
        CheckId::ModelAccess => "Access to the model",
        CheckId::CallerPermissions => "What you may do",
        CheckId::RoleTrust => "Role: trust",
        CheckId::RolePermissions => "Role: permissions",
        CheckId::PassRole => "Handing the role over",
        CheckId::BucketRegion => "Bucket: Region",
        CheckId::BucketList => "Bucket: listing",
        CheckId::BucketWrite => "Bucket: writing",
        CheckId::Key => "Encryption key",
        CheckId::Quotas => "Quotas",
    }
}

pub trait Answered: Sized {
    fn answer(self, state: CheckState, words: impl Into<String>) -> Self;
    fn mend(self, words: impl Into<String>) -> Self;
    /// With the statement, or the whole document, that is missing.
    fn policy(self, words: impl Into<String>, policy: &Value) -> Self;
    fn page(self, page: impl Into<String>) -> Self;

    fn ok(self, words: impl Into<String>) -> Self {
        self.answer(CheckState::Ok, words)
    }

    fn warning(self, words: impl Into<String>) -> Self {
        self.answer(CheckState::Warning, words)
    }

    fn failed(self, words: impl Into<String>) -> Self {
        self.answer(CheckState::Failed, words)
    }

    fn skipped(self, words: impl Into<String>) -> Self {
        self.answer(CheckState::Skipped, words)
    }

    fn unknown(self, words: impl Into<String>) -> Self {
        self.answer(CheckState::Unknown, words)
    }
}

impl Answered for Check {
    fn answer(mut self, state: CheckState, words: impl Into<String>) -> Self {
        self.state = state;
        self.answered = words.into();
        self
    }

    fn mend(mut self, words: impl Into<String>) -> Self {
        self.mend = Some(Mend { words: words.into(), policy: None, page: None });
        self
    }

    fn policy(mut self, words: impl Into<String>, policy: &Value) -> Self {
        self.mend = Some(Mend { words: words.into(), policy: Some(policies::text(policy)), page: None });
        self
    }

    fn page(mut self, page: impl Into<String>) -> Self {
        if let Some(mend) = &mut self.mend {
            mend.page = Some(page.into());
        }
        self
    }
}

/// What AWS said, with its code.
pub fn said(error: &CloudError) -> String {
    match &error.aws_code {
        Some(code) => format!("{code}: {}", error.message),
        None => error.message.clone(),
    }
}

/// A call that was refused where it should have been let through: missing a permission is told with the statement.
pub fn refused(check: Check, error: &CloudError, statement: &Value) -> Check {
    if error.code == CloudErrorCode::AccessDenied {
        return check
            .failed(said(error))
            .policy("Give yourself this permission, or ask your administrator for it.", statement);
    }
    let hint = from_cloud(error).hint.unwrap_or_default();
    check.failed(said(error)).mend(hint)
}

/// A question about permissions that could not be asked says nothing about the permissions.
pub fn unasked(check: Check, error: &CloudError, statement: &Value) -> Check {
    let check = check.unknown(said(error));
    if error.code == CloudErrorCode::AccessDenied {
        return check.policy("To have this looked at, too, you need this permission. Jobs do not need it.", statement);
    }
    check
}
