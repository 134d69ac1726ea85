//! What the sandbox remembers: jobs, custom models, deployments and client tokens, in one SQLite file.
//!
//! Each resource is a JSON document beside the few columns that are searched: kind, Region, id and name. A new kind of
//! resource needs no new table. Every change is one transaction in a write-ahead log, so a `kill -9` leaves the state
//! before it or after it. The connection is behind a mutex and no caller holds it across a wait.
//! Deliberately absent: any knowledge of what a document means.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::ids::last_segment;

/// A failure of the database itself.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("the state database failed: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("a document of the state could not be read or written: {0}")]
    Document(#[from] serde_json::Error),
}

/// A kind of thing that is kept.
pub(crate) trait Resource: Serialize + DeserializeOwned {
    const KIND: &'static str;
    /// Unique among those of its kind: the last segment of its ARN.
    fn id(&self) -> &str;
    fn arn(&self) -> &str;
    fn region(&self) -> &str;
    /// Unique among those of its kind in its Region.
    fn name(&self) -> &str;
}

/// A client's promise that two requests are the same one.
pub(crate) struct Token {
    /// The operation and Region that it counts for.
    scope: String,
    token: String,
    /// Hash of the request without the token.
    fingerprint: String,
}

impl Token {
    /// Of a create request, which leaves the token out when it is written as JSON. `None` when the client gave none.
    pub(crate) fn of(
        operation: &str,
        region: &str,
        token: Option<&String>,
        request: &impl Serialize,
    ) -> Result<Option<Self>, StateError> {
        let Some(token) = token else { return Ok(None) };
        let fingerprint = hex::encode(Sha256::digest(serde_json::to_vec(request)?));
        Ok(Some(Self { scope: format!("{operation}/{region}"), token: token.clone(), fingerprint }))
    }
}

/// What an earlier request with the same token means for this one.
pub(crate) enum Earlier {
    None,
    /// The same request: its answer.
    Same(String),
    /// Another request under the same token.
    Different,
}

pub(crate) struct State {
    connection: Mutex<Connection>,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS resources (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        region TEXT NOT NULL,
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        document TEXT NOT NULL,
        UNIQUE (kind, id),
        UNIQUE (kind, region, name)
    );
    CREATE TABLE IF NOT EXISTS tokens (
        scope TEXT NOT NULL,
        token TEXT NOT NULL,
        fingerprint TEXT NOT NULL,
        answer TEXT NOT NULL,
        PRIMARY KEY (scope, token)
    ) WITHOUT ROWID;
";

impl State {
    pub(crate) fn open(path: &Path) -> Result<Self, StateError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// One change, whole or not at all: an error from `work` takes everything back.
    pub(crate) fn change<R, E: From<StateError>>(
        &self,
        work: impl FnOnce(&Change<'_>) -> Result<R, E>,
    ) -> Result<R, E> {
        let mut connection = self.connection();
        let change =
            Change(connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StateError::from)?);
        let result = work(&change)?;
        change.0.commit().map_err(StateError::from)?;
        Ok(result)
    }

    pub(crate) fn get<T: Resource>(&self, id: &str) -> Result<Option<T>, StateError> {
        one(&self.connection(), "SELECT document FROM resources WHERE kind = ?1 AND id = ?2", params![T::KIND, id])
    }

    /// What an identifier of a request means in the Region that the request speaks to: an ARN, or a name.
    pub(crate) fn find<T: Resource>(&self, region: &str, identifier: &str) -> Result<Option<T>, StateError> {
        find(&self.connection(), region, identifier)
    }

    /// All of a kind, in every Region, oldest first.
    pub(crate) fn all<T: Resource>(&self) -> Result<Vec<T>, StateError> {
        let connection = self.connection();
        let mut query =
            connection.prepare_cached("SELECT document FROM resources WHERE kind = ?1 ORDER BY sequence")?;
        let rows = query.query_map([T::KIND], |row| row.get::<_, String>(0))?;
        rows.map(|text| Ok(serde_json::from_str(&text?)?)).collect()
    }

    /// Changes one document; `None` when there is none of that id.
    pub(crate) fn update<T: Resource, R>(
        &self,
        id: &str,
        work: impl FnOnce(&mut T) -> R,
    ) -> Result<Option<R>, StateError> {
        self.change(|change| {
            let Some(mut document) = change.get::<T>(id)? else { return Ok(None) };
            let result = work(&mut document);
            change.put(&document)?;
            Ok(Some(result))
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held rolled its transaction back, so the connection is sound.
        self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// An open transaction.
pub(crate) struct Change<'a>(Transaction<'a>);

impl Change<'_> {
    pub(crate) fn get<T: Resource>(&self, id: &str) -> Result<Option<T>, StateError> {
        one(&self.0, "SELECT document FROM resources WHERE kind = ?1 AND id = ?2", params![T::KIND, id])
    }

    /// What an identifier of a request means in a Region: an ARN, or a name.
    pub(crate) fn find<T: Resource>(&self, region: &str, identifier: &str) -> Result<Option<T>, StateError> {
        find(&self.0, region, identifier)
    }

    pub(crate) fn name_taken<T: Resource>(&self, region: &str, name: &str) -> Result<bool, StateError> {
        let query = "SELECT EXISTS (SELECT 1 FROM resources WHERE kind = ?1 AND region = ?2 AND name = ?3)";
        Ok(self.0.query_row(query, params![T::KIND, region, name], |row| row.get(0))?)
    }

    pub(crate) fn all<T: Resource>(&self) -> Result<Vec<T>, StateError> {
        let mut query = self.0.prepare_cached("SELECT document FROM resources WHERE kind = ?1 ORDER BY sequence")?;
        let rows = query.query_map([T::KIND], |row| row.get::<_, String>(0))?;
        rows.map(|text| Ok(serde_json::from_str(&text?)?)).collect()
    }

    /// Adds a document. The name must be free (`name_taken`).
    pub(crate) fn insert<T: Resource>(&self, document: &T) -> Result<(), StateError> {
        self.0.execute(
            "INSERT INTO resources (kind, region, id, name, document) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![T::KIND, document.region(), document.id(), document.name(), serde_json::to_string(document)?],
        )?;
        Ok(())
    }

    pub(crate) fn put<T: Resource>(&self, document: &T) -> Result<(), StateError> {
        self.0.execute(
            "UPDATE resources SET name = ?3, document = ?4 WHERE kind = ?1 AND id = ?2",
            params![T::KIND, document.id(), document.name(), serde_json::to_string(document)?],
        )?;
        Ok(())
    }

    pub(crate) fn delete<T: Resource>(&self, id: &str) -> Result<bool, StateError> {
        Ok(self.0.execute("DELETE FROM resources WHERE kind = ?1 AND id = ?2", params![T::KIND, id])? > 0)
    }

    pub(crate) fn earlier(&self, token: &Token) -> Result<Earlier, StateError> {
        let query = "SELECT fingerprint, answer FROM tokens WHERE scope = ?1 AND token = ?2";
        let row: Option<(String, String)> = self
            .0
            .query_row(query, params![token.scope, token.token], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        Ok(match row {
            None => Earlier::None,
            Some((fingerprint, answer)) if fingerprint == token.fingerprint => Earlier::Same(answer),
            Some(_) => Earlier::Different,
        })
    }

    pub(crate) fn remember(&self, token: &Token, answer: &str) -> Result<(), StateError> {
        self.0.execute(
            "INSERT INTO tokens (scope, token, fingerprint, answer) VALUES (?1, ?2, ?3, ?4)",
            params![token.scope, token.token, token.fingerprint, answer],
        )?;
        Ok(())
    }
}

fn find<T: Resource>(connection: &Connection, region: &str, identifier: &str) -> Result<Option<T>, StateError> {
    let found: Option<T> = if identifier.starts_with("arn:") {
        let query = "SELECT document FROM resources WHERE kind = ?1 AND id = ?2";
        one(connection, query, params![T::KIND, last_segment(identifier)])?
            .filter(|found: &T| found.arn() == identifier)
    } else {
        let query = "SELECT document FROM resources WHERE kind = ?1 AND region = ?2 AND name = ?3";
        one(connection, query, params![T::KIND, region, identifier])?
    };
    Ok(found.filter(|found| found.region() == region))
}

fn one<T: DeserializeOwned>(
    connection: &Connection,
    query: &str,
    params: impl rusqlite::Params,
) -> Result<Option<T>, StateError> {
    let text: Option<String> = connection.prepare_cached(query)?.query_row(params, |row| row.get(0)).optional()?;
    Ok(text.map(|text| serde_json::from_str(&text)).transpose()?)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Thing {
        id: String,
        arn: String,
        name: String,
        value: u32,
    }

    impl Resource for Thing {
        const KIND: &'static str = "thing";
        fn id(&self) -> &str {
            &self.id
        }
        fn arn(&self) -> &str {
            &self.arn
        }
        fn region(&self) -> &str {
            "us-east-1"
        }
        fn name(&self) -> &str {
            &self.name
        }
    }

    fn thing(id: &str, name: &str) -> Thing {
        Thing { id: id.to_owned(), arn: format!("arn:thing/{id}"), name: name.to_owned(), value: 1 }
    }

    #[test]
    fn a_change_that_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("state.sqlite")).unwrap();
        let failed: Result<(), StateError> = state.change(|change| {
            change.insert(&thing("a", "first"))?;
            change.insert(&thing("b", "first"))
        });
        assert!(failed.is_err(), "a second thing of the same name is refused");
        assert_eq!(state.all::<Thing>().unwrap(), []);
    }

    #[test]
    fn documents_come_back_after_a_restart_in_the_order_of_creation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.sqlite");
        let state = State::open(&path).unwrap();
        for (id, name) in [("z", "one"), ("a", "two")] {
            state.change(|change| change.insert(&thing(id, name))).unwrap();
        }
        state.update::<Thing, _>("a", |thing| thing.value = 7).unwrap().unwrap();
        drop(state);
        let state = State::open(&path).unwrap();
        let all = state.all::<Thing>().unwrap();
        assert_eq!(all.iter().map(|thing| (thing.id.as_str(), thing.value)).collect::<Vec<_>>(), [("z", 1), ("a", 7)]);
        for identifier in ["one", "arn:thing/z"] {
            assert_eq!(state.find::<Thing>("us-east-1", identifier).unwrap().unwrap().id, "z");
            assert_eq!(state.find::<Thing>("us-west-2", identifier).unwrap(), None);
        }
        assert_eq!(state.find::<Thing>("us-east-1", "arn:other/z").unwrap(), None, "the whole ARN counts");
        assert!(state.change(|change| change.delete::<Thing>("z")).unwrap());
        assert_eq!(state.get::<Thing>("z").unwrap(), None);
    }

    #[test]
    fn a_token_remembers_its_answer_and_knows_another_request() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::open(&folder.path().join("state.sqlite")).unwrap();
        let token = |fingerprint: &str| Token {
            scope: "CreateThing/us-east-1".to_owned(),
            token: "t1".to_owned(),
            fingerprint: fingerprint.to_owned(),
        };
        state.change(|change| change.remember(&token("f"), "answer")).unwrap();
        state
            .change(|change| {
                assert!(matches!(change.earlier(&token("f"))?, Earlier::Same(answer) if answer == "answer"));
                assert!(matches!(change.earlier(&token("g"))?, Earlier::Different));
                Ok::<_, StateError>(())
            })
            .unwrap();
    }
}
