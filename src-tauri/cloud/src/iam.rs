//! Roles for customization jobs, and what IAM says that someone may do, without doing it.
//!
//! IAM has no client tokens; a role's name is what makes its creation happen once.

use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};

use crate::{Cloud, CloudError};

/// A role, with the document that says who may take it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    pub name: String,
    pub arn: String,
    pub trust: String,
}

/// What IAM's simulation decided for one action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    pub action: String,
    pub resource: String,
    pub allowed: bool,
    /// Some statement denies it; without one, none allows it.
    pub denied_explicitly: bool,
}

/// Roles are listed up to this many; an account has at most a few thousand.
const MOST_ROLES: usize = 2000;

impl Cloud {
    /// A role by its name.
    ///
    /// # Errors
    /// `NotFound`, or what the call met with.
    pub async fn role(&self, name: &str) -> Result<Role, CloudError> {
        let answer = self.iam.get_role().role_name(name).send().await.map_err(CloudError::of("GetRole"))?;
        answer.role.map(shown).ok_or_else(|| CloudError::unreadable("GetRole"))
    }

    /// The account's roles, by name.
    ///
    /// # Errors
    /// What the call met with.
    pub async fn roles(&self) -> Result<Vec<Role>, CloudError> {
        let mut roles = Vec::new();
        let mut pages = self.iam.list_roles().into_paginator().send();
        while let Some(page) = pages.next().await {
            roles.extend(page.map_err(CloudError::of("ListRoles"))?.roles.into_iter().map(shown));
            if roles.len() >= MOST_ROLES {
                break;
            }
        }
        Ok(roles)
    }

    /// Creates a role and answers its ARN.
    ///
    /// # Errors
    /// `Conflict` where there is one of this name.
    pub async fn create_role(&self, name: &str, trust: &str, description: &str) -> Result<String, CloudError> {
        let call = self.iam.create_role().role_name(name).assume_role_policy_document(trust).description(description);
        let answer = call.send().await.map_err(CloudError::of("CreateRole"))?;
        answer.role.map(|role| role.arn).ok_or_else(|| CloudError::unreadable("CreateRole"))
    }

    /// Writes a policy of a role's own; one of the same name is replaced.
    ///
    /// # Errors
    /// What the call met with.
    pub async fn put_role_policy(&self, role: &str, name: &str, document: &str) -> Result<(), CloudError> {
        let call = self.iam.put_role_policy().role_name(role).policy_name(name).policy_document(document);
        call.send().await.map(|_| ()).map_err(CloudError::of("PutRolePolicy"))
    }

    /// What a user or a role may do, by its policies. Policies of the resources and of the organization are not in it.
    ///
    /// # Errors
    /// What the call met with.
    pub async fn simulate(
        &self,
        principal: &str,
        actions: &[&str],
        resources: &[String],
        context: &[(&str, &str)],
    ) -> Result<Vec<Decision>, CloudError> {
        let mut call = self.iam.simulate_principal_policy().policy_source_arn(principal);
        call = call.set_action_names(Some(actions.iter().map(|&action| action.to_owned()).collect()));
        call = call.set_resource_arns(Some(resources.to_vec()));
        for (key, value) in context {
            let entry = ContextEntry::builder().context_key_name(*key).context_key_type(ContextKeyTypeEnum::String);
            call = call.context_entries(entry.context_key_values(*value).build());
        }
        let answer = call.send().await.map_err(CloudError::of("SimulatePrincipalPolicy"))?;
        let decisions = answer.evaluation_results.unwrap_or_default().into_iter().map(|result| Decision {
            action: result.eval_action_name,
            resource: result.eval_resource_name.unwrap_or_else(|| "*".to_owned()),
            allowed: result.eval_decision == PolicyEvaluationDecisionType::Allowed,
            denied_explicitly: result.eval_decision == PolicyEvaluationDecisionType::ExplicitDeny,
        });
        Ok(decisions.collect())
    }
}

fn shown(role: aws_sdk_iam::types::Role) -> Role {
    let trust = role.assume_role_policy_document.unwrap_or_default();
    // Documents come percent-encoded.
    let trust = percent_encoding::percent_decode_str(&trust).decode_utf8_lossy().into_owned();
    Role { name: role.role_name, arn: role.arn, trust }
}
