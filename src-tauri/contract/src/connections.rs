//! Connections: where calls go, who makes them, and what belongs to each.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::{AppError, shapes};

/// A text that no log and no error may show. It crosses from the window to the workbench, and never back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(transparent)]
#[ts(type = "string")]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

shapes! {
    /// Where calls go: this computer, or one account in one Region.
    #[derive(Eq)]
    pub struct Connection {
        pub id: String,
        /// "This computer", or a name that the person knows it by.
        pub name: String,
        pub kind: ConnectionKind,
        /// New work goes here. Exactly one is current.
        pub current: bool,
        pub region: String,
        /// Set where calls do not go to AWS itself.
        pub endpoint: Option<String>,
        /// Of this computer: the folder that holds the sandbox's state.
        pub data_folder: Option<String>,
        /// The profile of the AWS configuration files that it uses.
        pub profile: Option<String>,
        /// Of typed-in keys of either kind only.
        pub keeping: Option<SecretKeeping>,
        /// The app can sign in by itself, through the browser.
        pub signs_in: bool,
        pub state: ConnectionState,
        /// Set when it cannot be used.
        pub error: Option<AppError>,
        /// Whose credentials they are; known once it answered, and never of an API key.
        pub identity: Option<Identity>,
        /// When the credentials at hand end, in milliseconds since 1970; null where they do not, or it is not known.
        pub expires_at: Option<i64>,
        /// Where uploads and the jobs' output are kept; null until it was chosen.
        pub bucket: Option<String>,
        /// In front of every key: empty, or ending with a slash.
        pub prefix: String,
        /// The role that customization jobs take on; null until it was chosen.
        pub role_arn: Option<String>,
    }

    #[derive(Eq, Copy)]
    pub enum ConnectionKind {
        ThisComputer,
        /// A profile of the AWS configuration files.
        Profile,
        /// An access key that was typed in.
        Keys,
        /// A Bedrock API key that was typed in: it opens Bedrock, and neither S3 nor IAM.
        ApiKey,
        /// What the program's environment gives: variables, a web identity, a container, an instance.
        Environment,
    }

    #[derive(Eq, Copy)]
    pub enum ConnectionState {
        /// Not tried yet in this run of the program.
        Idle,
        Starting,
        Ready,
        Failed,
    }

    /// Where typed-in keys are kept.
    #[derive(Eq, Copy)]
    pub enum SecretKeeping {
        Keyring,
        /// There is no keyring service, so they are gone when the program ends.
        ThisRun,
        /// They were for an earlier run of the program and must be typed in again.
        Gone,
    }

    /// Whose credentials they are, as STS says.
    #[derive(Eq)]
    pub struct Identity {
        pub account: String,
        pub arn: String,
    }

    pub struct ConnectionId {
        pub connection: String,
    }

    /// A connection to be made. It is tried at once and becomes the current one.
    pub struct NewConnection {
        /// Left empty, it is named after what it uses.
        pub name: Option<String>,
        pub source: ConnectionSource,
        pub region: String,
        /// For something else than AWS that speaks its protocols.
        pub endpoint: Option<String>,
    }

    #[serde(tag = "kind")]
    #[serde(rename_all_fields = "camelCase")]
    pub enum ConnectionSource {
        Profile { profile: String },
        /// They go to the keyring, and are never sent back.
        Keys { keys: TypedKeys },
        Environment,
        /// The credentials of another connection, for another Region.
        Same { connection: String },
    }

    #[derive(Eq)]
    #[serde(tag = "kind")]
    #[serde(rename_all_fields = "camelCase")]
    pub enum TypedKeys {
        AccessKey {
            access_key_id: Secret,
            secret_access_key: Secret,
            /// Comes with keys that end.
            session_token: Option<Secret>,
        },
        /// A Bedrock API key.
        ApiKey { api_key: Secret },
    }

    pub struct KeysAgain {
        pub connection: String,
        pub keys: TypedKeys,
    }

    pub struct DeviceCode {
        pub connection: String,
        pub code: Secret,
    }

    /// The AWS configuration files, and what stands in them.
    #[derive(Eq)]
    pub struct Profiles {
        pub config_file: String,
        pub credentials_file: String,
        /// Whether either is there.
        pub found: bool,
        pub profiles: Vec<Profile>,
        /// Why the files cannot be read, or sections that mean nothing.
        pub problems: Vec<ProfileProblem>,
        /// What the environment gives without a profile, in a few words; null where it gives nothing.
        pub environment: Option<String>,
        /// `AWS_REGION` or `AWS_DEFAULT_REGION`.
        pub environment_region: Option<String>,
    }

    #[derive(Eq)]
    pub struct Profile {
        pub name: String,
        pub file: String,
        pub line: u64,
        pub region: Option<String>,
        pub endpoint: Option<String>,
        /// Where its credentials come from, in a few words: the beginning of the chain, then each role.
        pub source: String,
        /// By single sign-on: the app can sign in.
        pub sign_in: bool,
        /// The device whose code it asks for.
        pub mfa_serial: Option<String>,
        /// The last four characters of the key it gave, where that was asked for.
        pub key_tail: Option<String>,
        /// Set when it gives no credentials.
        pub problem: Option<ProfileProblem>,
    }

    #[derive(Eq)]
    pub struct ProfileProblem {
        pub message: String,
        pub file: Option<String>,
        pub line: Option<u64>,
    }

    /// What is null stays as it is; an empty text takes the choice back.
    pub struct ConnectionChange {
        pub connection: String,
        pub name: Option<String>,
        pub bucket: Option<String>,
        pub prefix: Option<String>,
        pub role_arn: Option<String>,
    }

    /// What an account has to choose from.
    #[derive(Eq)]
    pub struct PlaceChoices {
        pub buckets: Vec<String>,
        /// Those that Bedrock may take on for jobs here.
        pub roles: Vec<RoleChoice>,
        /// Why buckets cannot be listed.
        pub bucket_trouble: Option<String>,
        /// Why roles cannot be listed.
        pub roles_trouble: Option<String>,
    }

    #[derive(Eq)]
    pub struct RoleChoice {
        pub name: String,
        pub arn: String,
    }

    /// A role for customization jobs that is to be created.
    pub struct RoleWish {
        pub connection: String,
        /// Left empty, the app names it.
        pub name: Option<String>,
        pub bucket: String,
        pub prefix: String,
        /// The ARN of a key of the customer's own.
        pub kms_key: Option<String>,
        /// Jobs run inside a network of the customer's own.
        pub vpc: bool,
    }

    /// What would be created, word for word.
    #[derive(Eq)]
    pub struct RoleDraft {
        pub name: String,
        pub arn: String,
        /// Who may take it on, as JSON.
        pub trust: String,
        /// What it may do, as JSON.
        pub permissions: String,
        /// There is a role of this name; it would be given the permissions.
        pub exists: bool,
        /// For someone who may create it, when the person may not.
        pub letter: String,
    }

    pub struct BucketWish {
        pub connection: String,
        pub name: String,
    }

    #[derive(Eq)]
    pub struct PlaceChange {
        pub connection: Connection,
        /// What was done, a sentence each.
        pub done: Vec<String>,
    }

    /// A Region, and what the app knows of base models there.
    #[derive(Eq)]
    pub struct RegionChoice {
        pub region: String,
        /// Names of base models that can be tuned there today.
        pub tunable: Vec<String>,
    }
}
