//! What is written down of a connection: names and choices. Keys are not among them (`secrets.rs`).

use serde::{Deserialize, Serialize};
use whetstone_contract::ConnectionKind;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectionRecord {
    pub id: String,
    pub created_at: i64,
    pub name: String,
    pub source: Source,
    pub region: String,
    /// For something else than AWS that speaks its protocols.
    pub endpoint: Option<String>,
    pub bucket: Option<String>,
    pub prefix: String,
    pub role_arn: Option<String>,
    /// Whose it was when it was last used. Another account is not taken without asking.
    pub account: Option<String>,
}

/// Who makes the calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Source {
    /// A profile of the AWS configuration files, by name.
    Profile(String),
    /// Typed-in keys, by the name of their entry in the keyring.
    Keys(String),
    /// A Bedrock API key, likewise.
    ApiKey(String),
    Environment,
}

impl Source {
    pub fn kind(&self) -> ConnectionKind {
        match self {
            Self::Profile(_) => ConnectionKind::Profile,
            Self::Keys(_) => ConnectionKind::Keys,
            Self::ApiKey(_) => ConnectionKind::ApiKey,
            Self::Environment => ConnectionKind::Environment,
        }
    }

    pub fn profile(&self) -> Option<&str> {
        match self {
            Self::Profile(name) => Some(name),
            Self::Keys(_) | Self::ApiKey(_) | Self::Environment => None,
        }
    }

    /// The name of its entry in the keyring, where it has one.
    pub fn entry(&self) -> Option<&str> {
        match self {
            Self::Keys(entry) | Self::ApiKey(entry) => Some(entry),
            Self::Profile(_) | Self::Environment => None,
        }
    }
}
