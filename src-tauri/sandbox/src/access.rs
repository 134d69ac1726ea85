//! What the account's roles may do: the questions that jobs ask before they read, write or begin.
//!
//! Everything that is decided about roles is decided behind these functions, so that the operations need not know how.
//! Each answers a refusal in words for a failure message.

use crate::app::App;

/// A service role that Bedrock has taken on.
pub(crate) struct ServiceRole;

impl ServiceRole {
    /// Whether the role's policies let it do `action` (`s3:GetObject`) on the resource of this ARN.
    pub(crate) fn may(&self, _action: &str, _resource: &str) -> Result<(), String> {
        Ok(())
    }
}

/// Takes a role on for the thing of `source` (the ARN of a job), as its trust policy allows.
pub(crate) fn assume(app: &App, role: &str, _source: &str) -> Result<ServiceRole, String> {
    if role == app.keys().role_arn() {
        return Ok(ServiceRole);
    }
    Err(format!(
        "Could not assume the role {role}. Check that the role exists and that its trust policy lets \
         bedrock.amazonaws.com assume it."
    ))
}
