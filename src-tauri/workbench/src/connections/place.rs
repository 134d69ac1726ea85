//! Bucket and role of a connection: what there is to choose from, and creating what is missing. What will be created is
//! shown before it is; doing it twice leaves one role and one bucket.

use serde_json::json;
use whetstone_cloud::{CloudError, CloudErrorCode};
use whetstone_contract::{
    AppError, BucketWish, ConnectionChange, ErrorCode, PlaceChange, PlaceChoices, RoleChoice, RoleDraft, RoleWish,
};

use super::{Connections, Link};
use crate::doctor::policies::{self, Grant, Place};
use crate::doctor::trust::{self, Trust};
use crate::errors::from_cloud;

/// AmazonBedrockFullAccess lets people hand over roles whose names contain the first word, and no others.
const NAME: &str = "AmazonBedrock-Whetstone";
const DESCRIPTION: &str = "Customization jobs of Amazon Bedrock, made by Whetstone";
/// IAM's limit for a role's name.
const LONGEST_NAME: usize = 64;

impl Connections {
    /// What the account has. What may not be listed is said, and can still be typed in.
    pub async fn place_choices(&self, id: &str) -> Result<PlaceChoices, AppError> {
        let link = self.link_of(id).await?;
        let place = place_of(&link).await?;
        let (buckets, roles) = tokio::join!(link.cloud.buckets(), link.cloud.roles());
        let trouble = |error: &CloudError| format!("{}: {}", error.operation, error.message);
        let roles_trouble = roles.as_ref().err().map(trouble);
        let bucket_trouble = buckets.as_ref().err().map(trouble);
        let fits =
            |role: &whetstone_cloud::Role| matches!(trust::read(&role.trust, &place), Trust::Narrow | Trust::Wide);
        let roles = roles.unwrap_or_default().into_iter().filter(fits);
        Ok(PlaceChoices {
            buckets: buckets.unwrap_or_default().into_iter().map(|bucket| bucket.name).collect(),
            roles: roles.map(|role| RoleChoice { name: role.name, arn: role.arn }).collect(),
            bucket_trouble,
            roles_trouble,
        })
    }

    /// The documents of a role as it would be created, and a letter for those who may not create it.
    pub async fn draft_role(&self, wish: &RoleWish) -> Result<RoleDraft, AppError> {
        let link = self.link_of(&wish.connection).await?;
        let place = place_of(&link).await?;
        let grant = grant(wish)?;
        let name = role_name(wish)?;
        let arn = format!("arn:{}:iam::{}:role/{name}", place.partition, place.account);
        let trust = policies::text(&policies::trust(&place));
        let permissions = policies::text(&policies::permissions(&place, &grant));
        let letter = letter(&place, &name, &arn, &trust, &permissions);
        let known = link.cloud.role(&name).await.ok();
        Ok(RoleDraft { name, arn, trust, permissions, exists: known.is_some(), letter })
    }

    /// Creates the role, or gives the one of this name the permissions, and chooses it together with the bucket.
    pub async fn create_role(&self, wish: RoleWish) -> Result<PlaceChange, AppError> {
        let link = self.link_of(&wish.connection).await?;
        let draft = self.draft_role(&wish).await?;
        let place = place_of(&link).await?;
        let mut done = Vec::new();
        let arn = match link.cloud.create_role(&draft.name, &draft.trust, DESCRIPTION).await {
            Ok(arn) => {
                done.push(format!("The role {} was created.", draft.name));
                arn
            }
            Err(error) if error.code == CloudErrorCode::Conflict => {
                let role = link.cloud.role(&draft.name).await.map_err(|error| from_cloud(&error))?;
                if !matches!(trust::read(&role.trust, &place), Trust::Narrow | Trust::Wide) {
                    return Err(taken(&draft.name));
                }
                done.push(format!("The role {} was there already, and trusts Bedrock.", draft.name));
                role.arn
            }
            Err(error) => return Err(ask_someone(&error)),
        };
        let policy = format!("whetstone-{}", wish.bucket.trim());
        let written = link.cloud.put_role_policy(&draft.name, &policy, &draft.permissions).await;
        written.map_err(|error| ask_someone(&error))?;
        done.push(format!("Its policy {policy} lets it use the bucket."));
        let grant = grant(&wish)?;
        let connection = self.change(ConnectionChange {
            connection: wish.connection,
            name: None,
            bucket: Some(grant.bucket),
            prefix: Some(grant.prefix),
            role_arn: Some(arn),
        })?;
        Ok(PlaceChange { connection, done })
    }

    /// Creates a bucket in the connection's Region, unless it is there, and chooses it.
    pub async fn create_bucket(&self, wish: BucketWish) -> Result<PlaceChange, AppError> {
        let link = self.link_of(&wish.connection).await?;
        let name = bucket_name(&wish.name)?;
        link.cloud.ensure_bucket(&name).await.map_err(|error| ask_someone(&error))?;
        let there = link.cloud.bucket_place(&name).await.map_err(|error| from_cloud(&error))?;
        if let Some(region) = there.region.filter(|region| *region != link.region) {
            let words =
                format!("The bucket {name} is in {region}, and jobs of this connection run in {}.", link.region);
            return Err(AppError::new(ErrorCode::Refused, words).hint("Choose another name for a bucket here."));
        }
        let done = vec![format!("The bucket {name} is there, in {}.", link.region)];
        let connection = self.change(ConnectionChange {
            connection: wish.connection,
            name: None,
            bucket: Some(name),
            prefix: None,
            role_arn: None,
        })?;
        Ok(PlaceChange { connection, done })
    }
}

async fn place_of(link: &Link) -> Result<Place, AppError> {
    let identity = link.cloud.identity().await.map_err(|error| from_cloud(&error))?;
    Ok(Place::of(&identity.arn, &link.region, &identity.account))
}

fn grant(wish: &RoleWish) -> Result<Grant, AppError> {
    let key = wish.kms_key.as_deref().map(str::trim).filter(|key| !key.is_empty());
    if key.is_some_and(|key| !key.contains(":key/")) {
        let words = "A key is named by its ARN: arn:aws:kms:REGION:ACCOUNT:key/ID. An alias cannot stand in a policy.";
        return Err(AppError::new(ErrorCode::InvalidInput, words).detail("kmsKey"));
    }
    Ok(Grant {
        bucket: bucket_name(&wish.bucket)?,
        prefix: super::editing::as_prefix(&wish.prefix)?,
        kms_key: key.map(str::to_owned),
        vpc: wish.vpc,
    })
}

/// 3 to 63 lower-case letters, digits, dots and hyphens.
fn bucket_name(text: &str) -> Result<String, AppError> {
    let name = text.trim();
    let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    if (3..=63).contains(&name.len()) && name.chars().all(fine) {
        return Ok(name.to_owned());
    }
    let words = "A bucket's name has 3 to 63 lower-case letters, digits, hyphens and dots.";
    Err(AppError::new(ErrorCode::InvalidInput, words).detail("bucket"))
}

fn role_name(wish: &RoleWish) -> Result<String, AppError> {
    let own = wish.name.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let name = own.map_or_else(|| NAME.to_owned(), str::to_owned);
    let fine = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if name.len() <= LONGEST_NAME && name.chars().all(fine) {
        return Ok(name);
    }
    let words = format!("A role's name has at most {LONGEST_NAME} letters, digits and _+=,.@-.");
    Err(AppError::new(ErrorCode::InvalidInput, words).detail("roleName"))
}

fn taken(name: &str) -> AppError {
    AppError::new(ErrorCode::Refused, format!("There is a role {name}, and it is not for Bedrock."))
        .hint("Choose another name. The app changes nobody else's role.")
}

fn ask_someone(error: &CloudError) -> AppError {
    let told = from_cloud(error);
    if error.code == CloudErrorCode::AccessDenied {
        return told.hint("Send the letter to someone who may; it holds all that is needed.");
    }
    told
}

/// What an administrator needs, with commands that do it.
fn letter(place: &Place, name: &str, arn: &str, trust: &str, permissions: &str) -> String {
    let pass = policies::text(&policies::document(&[policies::pass_role(arn)]));
    let one_line = |text: &str| {
        serde_json::from_str::<serde_json::Value>(text)
            .map_or_else(|_| json!({}).to_string(), |value| value.to_string())
    };
    format!(
        "Please create a role for fine-tuning on Amazon Bedrock in account {account}, for jobs in {region}.\n\n\
         1. The role {name}, which only Bedrock can take on, for customization jobs of this account:\n\n{trust}\n\n\
         2. Its permissions, on one bucket and nothing else:\n\n{permissions}\n\n\
         3. For me, the permission to hand this role to Bedrock:\n\n{pass}\n\n\
         With the AWS CLI, 1 and 2 are:\n\n\
         aws iam create-role --role-name {name} --assume-role-policy-document '{trust_line}'\n\
         aws iam put-role-policy --role-name {name} --policy-name whetstone --policy-document '{permissions_line}'\n",
        account = place.account,
        region = place.region,
        trust_line = one_line(trust),
        permissions_line = one_line(permissions),
    )
}
