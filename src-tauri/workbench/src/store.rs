//! The app's own records: settings, connections, jobs and drafts, in one SQLite file of the data folder.
//!
//! Owns the schema. Datasets are not here: each is a folder of its own (`datasets/`). Secrets are never here.

use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use rusqlite::{Connection, OptionalExtension, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Steps that bring the file from any earlier version to this one, in order; `user_version` counts those applied.
const MIGRATIONS: &[&str] = &[
    "CREATE TABLE settings (id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL);
     CREATE TABLE jobs (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, document TEXT NOT NULL);",
    "CREATE TABLE connections (id TEXT PRIMARY KEY, created_at INTEGER NOT NULL, document TEXT NOT NULL);
     CREATE TABLE current_connection (id INTEGER PRIMARY KEY CHECK (id = 1), connection TEXT NOT NULL);",
    "CREATE TABLE drafts (id TEXT PRIMARY KEY, changed_at INTEGER NOT NULL, document TEXT NOT NULL);",
    "CREATE TABLE documents (
        kind TEXT NOT NULL, id TEXT NOT NULL, changed_at INTEGER NOT NULL, document TEXT NOT NULL,
        PRIMARY KEY (kind, id));",
];

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the app's records cannot be read or written: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("a record does not have the shape it was written with: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("the app's records were written by a newer version of Whetstone (schema {found}, this one knows {known})")]
    Newer { found: usize, known: usize },
}

pub struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A record that was acknowledged outlives a power cut.
        connection.pragma_update(None, "synchronous", "FULL")?;
        let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let found = found as usize;
        if found > MIGRATIONS.len() {
            return Err(StoreError::Newer { found, known: MIGRATIONS.len() });
        }
        for (index, step) in MIGRATIONS.iter().enumerate().skip(found) {
            connection.execute_batch(&format!("BEGIN; {step} PRAGMA user_version = {}; COMMIT;", index + 1))?;
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    pub fn settings<T: DeserializeOwned>(&self) -> Result<Option<T>, StoreError> {
        let document: Option<String> = self
            .connection()
            .query_row("SELECT document FROM settings WHERE id = 1", [], |row| row.get(0))
            .optional()?;
        Ok(document.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    pub fn save_settings<T: Serialize>(&self, settings: &T) -> Result<(), StoreError> {
        let document = serde_json::to_string(settings)?;
        self.connection().execute(
            "INSERT INTO settings (id, document) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET document = ?1",
            [document],
        )?;
        Ok(())
    }

    pub fn jobs<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT document FROM jobs ORDER BY created_at DESC, id")?;
        let documents = statement.query_map([], |row| row.get::<_, String>(0))?;
        documents.map(|document| Ok(serde_json::from_str(&document?)?)).collect()
    }

    pub fn job<T: DeserializeOwned>(&self, id: &str) -> Result<Option<T>, StoreError> {
        let document: Option<String> = self
            .connection()
            .query_row("SELECT document FROM jobs WHERE id = ?1", [id], |row| row.get(0))
            .optional()?;
        Ok(document.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    pub fn save_job<T: Serialize>(&self, id: &str, created_at: i64, job: &T) -> Result<(), StoreError> {
        let document = serde_json::to_string(job)?;
        self.connection().execute(
            "INSERT INTO jobs (id, created_at, document) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET document = ?3",
            params![id, created_at, document],
        )?;
        Ok(())
    }

    /// In the order they were added, and the id of the current one.
    pub fn connections<T: DeserializeOwned>(&self) -> Result<(Vec<T>, Option<String>), StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT document FROM connections ORDER BY created_at, id")?;
        let documents = statement.query_map([], |row| row.get::<_, String>(0))?;
        let all: Result<_, StoreError> = documents.map(|document| Ok(serde_json::from_str(&document?)?)).collect();
        let current = "SELECT connection FROM current_connection WHERE id = 1";
        Ok((all?, connection.query_row(current, [], |row| row.get(0)).optional()?))
    }

    pub fn save_connection<T: Serialize>(&self, id: &str, created_at: i64, record: &T) -> Result<(), StoreError> {
        let document = serde_json::to_string(record)?;
        self.connection().execute(
            "INSERT INTO connections (id, created_at, document) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET document = ?3",
            params![id, created_at, document],
        )?;
        Ok(())
    }

    /// The one that was changed last stands first.
    pub fn drafts<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT document FROM drafts ORDER BY changed_at DESC, id")?;
        let documents = statement.query_map([], |row| row.get::<_, String>(0))?;
        documents.map(|document| Ok(serde_json::from_str(&document?)?)).collect()
    }

    pub fn save_draft<T: Serialize>(&self, id: &str, changed_at: i64, draft: &T) -> Result<(), StoreError> {
        let document = serde_json::to_string(draft)?;
        self.connection().execute(
            "INSERT INTO drafts (id, changed_at, document) VALUES (?1, ?2, ?3)
             ON CONFLICT (id) DO UPDATE SET changed_at = ?2, document = ?3",
            params![id, changed_at, document],
        )?;
        Ok(())
    }

    pub fn remove_connection(&self, id: &str) -> Result<(), StoreError> {
        self.connection().execute("DELETE FROM connections WHERE id = ?1", [id])?;
        Ok(())
    }

    pub fn choose_connection(&self, id: &str) -> Result<(), StoreError> {
        self.connection().execute(
            "INSERT INTO current_connection (id, connection) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET connection = ?1",
            [id],
        )?;
        Ok(())
    }

    pub fn delete_draft(&self, id: &str) -> Result<(), StoreError> {
        self.connection().execute("DELETE FROM drafts WHERE id = ?1", [id])?;
        Ok(())
    }

    /// Documents of one kind, the one that was changed last first.
    pub fn documents<T: DeserializeOwned>(&self, kind: &str) -> Result<Vec<T>, StoreError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare("SELECT document FROM documents WHERE kind = ?1 ORDER BY changed_at DESC, id")?;
        let documents = statement.query_map([kind], |row| row.get::<_, String>(0))?;
        documents.map(|document| Ok(serde_json::from_str(&document?)?)).collect()
    }

    pub fn document<T: DeserializeOwned>(&self, kind: &str, id: &str) -> Result<Option<T>, StoreError> {
        let document: Option<String> = self
            .connection()
            .query_row("SELECT document FROM documents WHERE kind = ?1 AND id = ?2", [kind, id], |row| row.get(0))
            .optional()?;
        Ok(document.map(|text| serde_json::from_str(&text)).transpose()?)
    }

    pub fn save_document<T: Serialize>(
        &self,
        kind: &str,
        id: &str,
        changed_at: i64,
        value: &T,
    ) -> Result<(), StoreError> {
        let document = serde_json::to_string(value)?;
        self.connection().execute(
            "INSERT INTO documents (kind, id, changed_at, document) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (kind, id) DO UPDATE SET changed_at = ?3, document = ?4",
            params![kind, id, changed_at, document],
        )?;
        Ok(())
    }

    pub fn delete_document(&self, kind: &str, id: &str) -> Result<(), StoreError> {
        self.connection().execute("DELETE FROM documents WHERE kind = ?1 AND id = ?2", [kind, id])?;
        Ok(())
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held leaves SQLite's own transaction rolled back, so the connection stays sound.
        self.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_saved_is_there_after_opening_again() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("whetstone.db");
        let store = Store::open(&path)?;
        store.save_settings(&"dark")?;
        store.save_job("b", 2, &20)?;
        store.save_job("a", 1, &10)?;
        store.save_job("a", 1, &11)?;
        drop(store);
        let store = Store::open(&path)?;
        assert_eq!(store.settings::<String>()?.as_deref(), Some("dark"));
        assert_eq!(store.jobs::<i32>()?, [20, 11]);
        assert_eq!(store.job::<i32>("a")?, Some(11));
        assert_eq!(store.job::<i32>("c")?, None);
        Ok(())
    }

    #[test]
    fn records_of_a_newer_version_are_left_alone() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("whetstone.db");
        Connection::open(&path)?.pragma_update(None, "user_version", 99)?;
        assert!(matches!(Store::open(&path), Err(StoreError::Newer { found: 99, .. })));
        Ok(())
    }
}
