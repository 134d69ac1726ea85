//! Connections added, changed, chosen, removed.

use whetstone_contract::{
    AppError, AppEvent, Connection, ConnectionChange, ConnectionSource, DeviceCode, ErrorCode, FieldProblem, KeysAgain,
    NewConnection, Secret, TypedKeys,
};

use super::record::{ConnectionRecord, Source};
use super::secrets::Keys;
use super::{Connections, Entry, THIS_COMPUTER, gone, shown};
use crate::errors::from_store;
use crate::names::random_id;

impl Connections {
    /// Writes a connection down and makes it the current one. It is not tried here.
    pub async fn add(&self, new: NewConnection) -> Result<Connection, AppError> {
        check_region(&new.region)?;
        let endpoint = trimmed(new.endpoint);
        check_endpoint(endpoint.as_deref())?;
        let id = random_id();
        let mut account = None;
        let (source, endpoint) = match new.source {
            ConnectionSource::Profile { profile } => (Source::Profile(profile), endpoint),
            ConnectionSource::Environment => (Source::Environment, endpoint),
            ConnectionSource::Keys { keys } => {
                let entry = format!("connection-{id}");
                let keys = checked_keys(keys)?;
                let source = match keys {
                    Keys::AccessKey { .. } => Source::Keys(entry.clone()),
                    Keys::ApiKey { .. } => Source::ApiKey(entry.clone()),
                };
                self.secrets.keep(entry, keys).await?;
                (source, endpoint)
            }
            ConnectionSource::Same { connection } => {
                let other = self.read(&connection, |entry| entry.record.clone())?.ok_or_else(no_other_region)?;
                account = other.account;
                (other.source, endpoint.or(other.endpoint))
            }
        };
        if let Some(known) = self.with_source(&source, &new.region, endpoint.as_deref()) {
            return self.choose(&known);
        }
        let record = ConnectionRecord {
            name: trimmed(new.name).unwrap_or_else(|| name_of(&source)),
            created_at: self.host.now_ms(),
            source,
            region: new.region,
            endpoint,
            bucket: None,
            prefix: String::new(),
            role_arn: None,
            account,
            id,
        };
        self.store.save_connection(&record.id, record.created_at, &record).map_err(|error| from_store(&error))?;
        let id = record.id.clone();
        self.lock().push(Entry::of(shown(&record), Some(record)));
        self.choose(&id)
    }

    /// A connection with the same credentials for the same place; nobody needs two.
    fn with_source(&self, source: &Source, region: &str, endpoint: Option<&str>) -> Option<String> {
        let all = self.lock();
        let mut records = all.iter().filter_map(|entry| entry.record.as_ref());
        let same = records.find(|record| {
            record.source == *source && record.region == region && record.endpoint.as_deref() == endpoint
        });
        same.map(|record| record.id.clone())
    }

    /// Makes a connection the current one.
    pub fn choose(&self, id: &str) -> Result<Connection, AppError> {
        let mut all = self.lock();
        if !all.iter().any(|entry| entry.shown.id == id) {
            return Err(gone());
        }
        self.store.choose_connection(id).map_err(|error| from_store(&error))?;
        for entry in all.iter_mut() {
            entry.shown.current = entry.shown.id == id;
        }
        drop(all);
        self.host.emit(AppEvent::ConnectionsChanged);
        self.get(id)
    }

    pub fn change(&self, change: ConnectionChange) -> Result<Connection, AppError> {
        let ConnectionChange { connection: id, name, bucket, prefix, role_arn } = change;
        if let Some(role) = role_arn.as_deref().filter(|role| !role.trim().is_empty())
            && !role.contains(":role/")
        {
            return Err(wrong_field("roleArn", "A role is named by its ARN: arn:aws:iam::ACCOUNT:role/NAME."));
        }
        let prefix = prefix.map(|prefix| as_prefix(&prefix)).transpose()?;
        let record = self.write(&id, |record| {
            if let Some(name) = trimmed(name) {
                record.name = name;
            }
            set_choice(&mut record.bucket, bucket);
            set_choice(&mut record.role_arn, role_arn);
            if let Some(prefix) = prefix {
                record.prefix = prefix;
            }
        })?;
        let link = self.read(&id, |entry| entry.link.clone())?;
        link.send_if_modified(|settled| {
            let Some(Ok(link)) = settled else { return false };
            link.name.clone_from(&record.name);
            link.bucket.clone_from(&record.bucket);
            link.prefix.clone_from(&record.prefix);
            link.role_arn.clone_from(&record.role_arn);
            true
        });
        self.show(&id, |shown| {
            shown.name = record.name;
            shown.bucket = record.bucket;
            shown.prefix = record.prefix;
            shown.role_arn = record.role_arn;
        })
    }

    /// The person wants the account that the connection leads to now.
    pub fn accept_account(&self, id: &str) -> Result<(), AppError> {
        self.write(id, |record| record.account = None).map(|_| ())
    }

    /// Kept for the next attempt only.
    pub fn give_code(&self, code: &DeviceCode) {
        self.codes.give(&code.connection, code.code.0.trim().to_owned());
    }

    pub async fn renew_keys(&self, again: KeysAgain) -> Result<(), AppError> {
        let record = self.read(&again.connection, |entry| entry.record.clone())?;
        let keys = checked_keys(again.keys)?;
        let entry = match (record.map(|record| record.source), &keys) {
            (Some(Source::Keys(entry)), Keys::AccessKey { .. })
            | (Some(Source::ApiKey(entry)), Keys::ApiKey { .. }) => entry,
            _ => return Err(AppError::new(ErrorCode::Refused, "This connection has no keys of this kind.")),
        };
        let keeping = self.secrets.keep(entry, keys).await?;
        self.show(&again.connection, |shown| shown.keeping = Some(keeping)).map(|_| ())
    }

    /// Forgets a connection and, when no other uses them, its keys.
    pub async fn remove(&self, id: &str) -> Result<(), AppError> {
        if id == THIS_COMPUTER {
            return Err(AppError::new(ErrorCode::Refused, "This computer is always there."));
        }
        let record = self.read(id, |entry| entry.record.clone())?;
        self.store.remove_connection(id).map_err(|error| from_store(&error))?;
        let (was_current, orphaned) = {
            let mut all = self.lock();
            let was_current = all.iter().any(|entry| entry.shown.id == id && entry.shown.current);
            all.retain(|entry| entry.shown.id != id);
            let used =
                |source: &Source| all.iter().any(|other| other.record.as_ref().is_some_and(|r| r.source == *source));
            let orphaned = record.map(|record| record.source).filter(|source| !used(source));
            (was_current, orphaned)
        };
        if let Some(entry) = orphaned.as_ref().and_then(Source::entry) {
            self.secrets.forget(entry.to_owned()).await?;
        }
        if was_current {
            self.choose(THIS_COMPUTER)?;
        } else {
            self.host.emit(AppEvent::ConnectionsChanged);
        }
        Ok(())
    }
}

fn set_choice(choice: &mut Option<String>, change: Option<String>) {
    if let Some(text) = change {
        *choice = trimmed(Some(text));
    }
}

fn trimmed(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Empty, or with exactly one slash at its end and none in front; of letters that Bedrock takes in an S3 URI.
pub(super) fn as_prefix(text: &str) -> Result<String, AppError> {
    let inner = text.trim().trim_matches('/');
    let fine = |c: char| c.is_ascii_alphanumeric() || "-!_*'().".contains(c) || c == '/';
    if !inner.chars().all(fine) || inner.contains("//") {
        return Err(wrong_field(
            "prefix",
            "Bedrock takes letters, digits and - ! _ * ' ( ) . in a prefix, with single slashes.",
        ));
    }
    Ok(if inner.is_empty() { String::new() } else { format!("{inner}/") })
}

fn name_of(source: &Source) -> String {
    match source {
        Source::Profile(name) => name.clone(),
        Source::Keys(_) => "Typed-in keys".into(),
        Source::ApiKey(_) => "Bedrock API key".into(),
        Source::Environment => "Environment".into(),
    }
}

fn checked_keys(keys: TypedKeys) -> Result<Keys, AppError> {
    let (access_key_id, secret_access_key, session_token) = match keys {
        TypedKeys::AccessKey { access_key_id, secret_access_key, session_token } => {
            (access_key_id, secret_access_key, session_token)
        }
        TypedKeys::ApiKey { api_key: Secret(key) } => {
            let api_key = key.trim().to_owned();
            if api_key.is_empty() || !api_key.chars().all(|c| c.is_ascii_graphic()) {
                return Err(wrong_field("apiKey", "A Bedrock API key is one word of letters, digits and signs."));
            }
            return Ok(Keys::ApiKey { api_key });
        }
    };
    let id = access_key_id.0.trim().to_owned();
    let secret = secret_access_key.0.trim().to_owned();
    // The texts themselves must not get into an error.
    if id.len() < 16 || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return Err(wrong_field("accessKeyId", "An access key ID has 16 or more letters and digits, such as AKIA…."));
    }
    if secret.is_empty() || secret.chars().any(char::is_whitespace) {
        return Err(wrong_field("secretAccessKey", "A secret access key has no spaces in it, and is not empty."));
    }
    Ok(Keys::AccessKey { id, secret, session: trimmed(session_token.map(|token| token.0)) })
}

fn check_region(region: &str) -> Result<(), AppError> {
    if !region.is_empty() && region.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        return Ok(());
    }
    Err(wrong_field("region", "A Region is written like us-east-1."))
}

fn check_endpoint(endpoint: Option<&str>) -> Result<(), AppError> {
    match endpoint {
        Some(url) if !url.starts_with("http://") && !url.starts_with("https://") => {
            Err(wrong_field("endpoint", "An endpoint begins with http:// or https://."))
        }
        _ => Ok(()),
    }
}

fn wrong_field(field: &str, message: &str) -> AppError {
    crate::jobs::refuse(&FieldProblem { field: field.into(), message: message.into(), suggestion: None })
}

fn no_other_region() -> AppError {
    AppError::new(ErrorCode::Refused, "This computer has one Region only.").hint("Choose another connection first.")
}
