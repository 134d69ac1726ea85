//! Typed-in keys: in the desktop's keyring, and nowhere else.
//!
//! Where there is no keyring service they live in this program's memory for as long as it runs, and the person is told.
//! Deliberately absent: any file, and a way to hand a secret back to the window.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use keyring::Entry;
use serde::{Deserialize, Serialize};
use whetstone_cloud::Credentials;
use whetstone_contract::{AppError, ErrorCode, SecretKeeping};

use crate::errors::from_join;

/// How the keyring shows whose entries these are.
const SERVICE: &str = "whetstone";

/// As the keyring holds them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Keys {
    AccessKey { id: String, secret: String, session: Option<String> },
    ApiKey { api_key: String },
}

impl From<Keys> for Credentials {
    fn from(keys: Keys) -> Self {
        match keys {
            Keys::AccessKey { id, secret, session } => Self::Static { id, secret, session },
            Keys::ApiKey { api_key } => Self::ApiKey(api_key),
        }
    }
}

#[derive(Clone, Default)]
pub struct Secrets {
    /// What the keyring did not take, by the name of its entry.
    this_run: Arc<Mutex<HashMap<String, Keys>>>,
}

impl Secrets {
    /// Keeps the keys under a name, and says where they went.
    pub async fn keep(&self, name: String, keys: Keys) -> Result<SecretKeeping, AppError> {
        let this_run = Arc::clone(&self.this_run);
        // The keyring answers over D-Bus, or waits for the person to unlock it.
        let kept = tokio::task::spawn_blocking(move || {
            let text = serde_json::to_string(&keys).unwrap_or_default();
            match Entry::new(SERVICE, &name).and_then(|entry| entry.set_password(&text)) {
                Ok(()) => SecretKeeping::Keyring,
                Err(error) => {
                    tracing::warn!(kind = kind_of(&error), "no keyring took the keys: they are for this run only");
                    lock(&this_run).insert(name, keys);
                    SecretKeeping::ThisRun
                }
            }
        });
        kept.await.map_err(|error| from_join(&error))
    }

    /// The keys of a name, and where they were; none where the keyring does not know them.
    ///
    /// # Errors
    /// `Refused` while the keyring is locked: the keys may be there.
    pub async fn find(&self, name: String) -> Result<Option<(Keys, SecretKeeping)>, AppError> {
        let this_run = Arc::clone(&self.this_run);
        let found = tokio::task::spawn_blocking(move || {
            if let Some(keys) = lock(&this_run).get(&name) {
                return Ok(Some((keys.clone(), SecretKeeping::ThisRun)));
            }
            kept(Entry::new(SERVICE, &name).and_then(|entry| entry.get_password()))
        });
        found.await.map_err(|error| from_join(&error))?
    }

    pub async fn forget(&self, name: String) -> Result<(), AppError> {
        let this_run = Arc::clone(&self.this_run);
        let forgotten = tokio::task::spawn_blocking(move || {
            lock(&this_run).remove(&name);
            // Without a keyring there is nothing in it either.
            match Entry::new(SERVICE, &name).and_then(|entry| entry.delete_credential()) {
                Ok(()) | Err(keyring::Error::NoEntry | keyring::Error::NoDefaultStore) => {}
                Err(error) => tracing::warn!(kind = kind_of(&error), "the keyring did not forget the keys"),
            }
        });
        forgotten.await.map_err(|error| from_join(&error))
    }
}

fn kept(answer: keyring::Result<String>) -> Result<Option<(Keys, SecretKeeping)>, AppError> {
    match answer {
        Ok(text) => Ok(serde_json::from_str(&text).ok().map(|keys| (keys, SecretKeeping::Keyring))),
        Err(error @ keyring::Error::NoStorageAccess(_)) => {
            tracing::warn!(kind = kind_of(&error), "the keys could not be read");
            let message = "The keyring of your desktop is locked, and the keys of this connection are in it.";
            Err(AppError::new(ErrorCode::Refused, message).hint("Unlock the keyring, then try again."))
        }
        Err(error) => {
            tracing::warn!(kind = kind_of(&error), "the keys were not found");
            Ok(None)
        }
    }
}

/// Codes of devices that were typed in, each good for one attempt of one connection.
#[derive(Default)]
pub struct Codes(Mutex<HashMap<String, String>>);

impl Codes {
    pub fn give(&self, connection: &str, code: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(connection.to_owned(), code);
    }

    pub fn take(&self, connection: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(connection)
    }
}

/// The kind alone: the text of some errors holds what was to be kept.
fn kind_of(error: &keyring::Error) -> &'static str {
    match error {
        keyring::Error::NoDefaultStore => "no keyring service",
        keyring::Error::NoStorageAccess(_) => "the keyring is locked",
        keyring::Error::NoEntry => "no such entry",
        _ => "the keyring failed",
    }
}

fn lock(this_run: &Mutex<HashMap<String, Keys>>) -> std::sync::MutexGuard<'_, HashMap<String, Keys>> {
    this_run.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_keyring_is_not_taken_for_one_without_the_keys() {
        let locked = kept(Err(keyring::Error::NoStorageAccess("locked".into())));
        assert!(matches!(locked, Err(error) if error.code == ErrorCode::Refused && error.message.contains("locked")));
        assert!(matches!(kept(Err(keyring::Error::NoEntry)), Ok(None)));
        assert!(matches!(kept(Err(keyring::Error::NoDefaultStore)), Ok(None)));
    }
}
