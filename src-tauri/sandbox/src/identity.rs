//! Who signs: the folder's one user, by its access key or its API key, or somebody who took a role on for a while.
//!
//! Temporary credentials are not kept anywhere. A session token carries what the session is, under a seal that only the
//! folder's secret key makes, and the secret half of its key is drawn from the same secret; so both outlive a restart,
//! and none can be made up. A session ends with its time, or with its role. Deliberately absent: users beside the one,
//! sessions that are revoked by themselves, and federated ones.

use std::time::SystemTime;

use aws_sigv4::sign::v4::calculate_signature;
use aws_smithy_types::base64;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::Keys;
use crate::clock::millis;
use crate::errors::{ApiError, ErrorKind};
use crate::iam::user_arn;
use crate::ids::random_text;

/// Hexadecimal digits of a token's seal.
const SEAL: usize = 64;

/// Who makes a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The user whose key the folder holds, who may do everything.
    User,
    /// Somebody in a role, who may do what the role may.
    Session(Box<Session>),
}

/// A role that was taken on, as its token tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    /// `ASIA` and sixteen characters.
    pub(crate) access_key_id: String,
    /// The role's ARN and unique id: a role of the same name that was made later is another one.
    pub(crate) role: String,
    pub(crate) role_id: String,
    /// What the one who took it on calls the session.
    pub(crate) name: String,
    /// A policy that narrows what the role may do.
    pub(crate) policy: Option<String>,
    /// Milliseconds since the Unix epoch.
    pub(crate) expires: i64,
}

impl Session {
    /// A session of a key of its own.
    pub(crate) fn new_key() -> String {
        format!("ASIA{}", random_text(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16))
    }

    /// As AWS names whoever acts in a role.
    pub(crate) fn arn(&self, account: &str) -> String {
        let role = self.role.rsplit('/').next().unwrap_or_default();
        format!("arn:aws:sts::{account}:assumed-role/{role}/{}", self.name)
    }

    pub(crate) fn secret(&self, keys: &Keys) -> String {
        session_secret(keys, &self.access_key_id)
    }

    /// The token that says all this and that nobody else can make.
    pub(crate) fn token(&self, keys: &Keys) -> Result<String, ApiError> {
        let text = serde_json::to_string(self).map_err(ApiError::internal)?;
        Ok(base64::encode(format!("{}{text}", seal(keys, &text))))
    }

    fn of_token(keys: &Keys, token: &str) -> Option<Self> {
        let bytes = base64::decode(token).ok()?;
        let text = str::from_utf8(&bytes).ok()?;
        let (given, text) = text.split_at_checked(SEAL)?;
        let genuine = given.as_bytes().ct_eq(seal(keys, text).as_bytes()).unwrap_u8() == 1;
        genuine.then(|| serde_json::from_str(text).ok()).flatten()
    }
}

impl Caller {
    pub(crate) fn arn(&self, account: &str) -> String {
        match self {
            Self::User => user_arn(account),
            Self::Session(session) => session.arn(account),
        }
    }

    /// Whom an access key and the token beside it stand for now.
    pub(crate) fn of_key(keys: &Keys, now: SystemTime, key: &str, token: Option<&str>) -> Result<Self, ApiError> {
        let unknown =
            || ApiError::new(ErrorKind::UnrecognizedClient, "The security token included in the request is invalid.");
        let Some(token) = token else {
            let ours = key.as_bytes().ct_eq(keys.access_key_id().as_bytes()).unwrap_u8() == 1;
            return if ours { Ok(Self::User) } else { Err(unknown()) };
        };
        let session =
            Session::of_token(keys, token).filter(|session| session.access_key_id == key).ok_or_else(unknown)?;
        if session.expires <= millis(now) {
            let message = "The security token included in the request is expired";
            return Err(ApiError::new(ErrorKind::ExpiredToken, message));
        }
        Ok(Self::Session(Box::new(session)))
    }

    /// The secret half of the key that this caller signs with.
    pub(crate) fn secret(&self, keys: &Keys) -> String {
        match self {
            Self::User => keys.secret_access_key().to_owned(),
            Self::Session(session) => session.secret(keys),
        }
    }
}

/// The secret half of a temporary key. Alone it opens nothing: the key is good only beside its token.
pub(crate) fn session_secret(keys: &Keys, access_key_id: &str) -> String {
    drawn(keys, "temporary key", access_key_id)[..40].to_owned()
}

/// The Bedrock API key of the folder, in the form of AWS's long-term ones.
pub(crate) fn api_key(keys: &Keys) -> String {
    let secret = drawn(keys, "API key", keys.account());
    format!("ABSK{}", base64::encode(format!("BedrockAPIKey-{}:{secret}", keys.account())))
}

fn seal(keys: &Keys, text: &str) -> String {
    drawn(keys, "session token", text)
}

/// HMAC-SHA256 under the folder's secret, in hexadecimal digits; a purpose of its own for each use.
fn drawn(keys: &Keys, purpose: &str, text: &str) -> String {
    calculate_signature(keys.secret_access_key(), format!("whetstone {purpose}\n{text}").as_bytes())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::home::Home;

    #[test]
    fn a_token_is_good_with_its_key_until_its_time_and_cannot_be_changed() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Home::open(folder.path()).unwrap().keys().unwrap();
        let session = Session {
            access_key_id: Session::new_key(),
            role: "arn:aws:iam::123456789012:role/path/R".to_owned(),
            role_id: "AROA".to_owned(),
            name: "me".to_owned(),
            policy: None,
            expires: 1000,
        };
        let token = session.token(&keys).unwrap();
        let at = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        let of = |now, key: &str, token: &str| Caller::of_key(&keys, at(now), key, Some(token));
        let kind = |result: Result<Caller, ApiError>| result.err().map(|error| error.kind);
        let key = session.access_key_id.as_str();
        let caller = of(999, key, &token).unwrap();
        assert_eq!(caller.arn("123456789012"), "arn:aws:sts::123456789012:assumed-role/R/me");
        assert_eq!(caller.secret(&keys), session_secret(&keys, key));
        assert_eq!(kind(of(1000, key, &token)), Some(ErrorKind::ExpiredToken));
        assert_eq!(kind(of(999, keys.access_key_id(), &token)), Some(ErrorKind::UnrecognizedClient));
        assert_eq!(kind(Caller::of_key(&keys, at(999), key, None)), Some(ErrorKind::UnrecognizedClient));
        let longer = base64::decode(&token).unwrap();
        let longer = String::from_utf8(longer).unwrap().replace("\"expires\":1000", "\"expires\":9000");
        assert_eq!(kind(of(999, key, &base64::encode(longer))), Some(ErrorKind::UnrecognizedClient));
        for broken in ["", "=", "aGFsZg==", &token[1..]] {
            assert_eq!(kind(of(999, key, broken)), Some(ErrorKind::UnrecognizedClient), "{broken}");
        }
    }
}
