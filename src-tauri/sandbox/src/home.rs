//! The sandbox's folder: which file lies where, who may use it, and the two things that outlive a run beside the
//! state itself, namely the keys and the settings (port and Region).
//!
//! ```text
//! lock            held while a sandbox runs on the folder
//! keys.json       account and access key, readable by the owner only
//! settings.json   port and Region of the last start
//! state.sqlite    jobs, custom models, deployments, client tokens
//! s3/             buckets as folders, objects as plain files (the user's data)
//! s3-meta/        what S3 keeps beside an object: ETag, type, metadata, checksums
//! s3-staging/     uploads on their way in; emptied at each start
//! s3-uploads/     multipart uploads that are not completed yet
//! jobs/ID/        working folder of one customization job
//! models/ID/      weights of one custom model
//! imported/ID/    files of one imported model
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::SandboxError;
use crate::ids::random_text;

/// Name of the service role that is there from the start. `AmazonBedrock` is part of it because the managed policy
/// AmazonBedrockFullAccess passes only roles with that text in their name.
pub(crate) const ROLE_NAME: &str = "WhetstoneAmazonBedrockRole";

/// The one account of a sandbox and its access key. Made at the first start and kept in a file of mode 0600.
#[derive(Clone, Serialize, Deserialize)]
pub struct Keys {
    account: String,
    access_key_id: String,
    secret_access_key: String,
}

impl Keys {
    /// Twelve digits, made up, the same as long as the folder lives.
    pub fn account(&self) -> &str {
        &self.account
    }

    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The secret half. It opens this sandbox and nothing else.
    pub fn secret_access_key(&self) -> &str {
        &self.secret_access_key
    }

    /// The service role that customization jobs may be given.
    pub(crate) fn role_arn(&self) -> String {
        format!("arn:aws:iam::{}:role/{ROLE_NAME}", self.account)
    }

    fn generate() -> Self {
        const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        const ALL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        Self {
            account: format!("{}{}", random_text(b"123456789", 1), random_text(b"0123456789", 11)),
            access_key_id: format!("AKIA{}", random_text(UPPER, 16)),
            secret_access_key: random_text(ALL, 40),
        }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("account", &self.account)
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// How a client reaches a sandbox.
pub(crate) struct Connection {
    pub(crate) endpoint: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) region: String,
}

/// What the last start settled on, so that the next one and `environment` agree with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) port: u16,
    pub(crate) region: String,
}

/// The folder, by name.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    root: PathBuf,
}

impl Home {
    /// Makes the folder when it is not there. It holds keys and datasets, so only its owner may look inside.
    pub(crate) fn open(root: &Path) -> Result<Self, SandboxError> {
        let folder = |source| SandboxError::Folder { path: root.to_owned(), source };
        let fresh = !root.exists();
        fs::create_dir_all(root).map_err(folder)?;
        if fresh {
            restrict(root, 0o700).map_err(folder)?;
        }
        Ok(Self { root: fs::canonicalize(root).map_err(folder)? })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub(crate) fn job(&self, id: &str) -> PathBuf {
        self.root.join("jobs").join(id)
    }

    pub(crate) fn imported(&self, id: &str) -> PathBuf {
        self.root.join("imported").join(id)
    }

    pub(crate) fn model(&self, id: &str) -> PathBuf {
        self.root.join("models").join(id)
    }

    /// Takes the folder for this process. The lock goes with the process, however that ends.
    pub(crate) fn lock(&self) -> Result<File, SandboxError> {
        let path = self.path("lock");
        let folder = |source| SandboxError::Folder { path: path.clone(), source };
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(folder)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(SandboxError::InUse { path: self.root.clone() }),
            Err(TryLockError::Error(source)) => Err(folder(source)),
        }
    }

    /// The keys of this folder, made now if it has none. Safe against another process that does the same.
    pub(crate) fn keys(&self) -> Result<Keys, SandboxError> {
        let path = self.path("keys.json");
        let failed = |source| SandboxError::Folder { path: path.clone(), source };
        if !path.exists() {
            let draft = self.path(&format!("keys.{}.tmp", random_text(b"0123456789abcdef", 16)));
            write_private(
                &draft,
                &serde_json::to_vec_pretty(&Keys::generate()).map_err(io::Error::from).map_err(failed)?,
            )
            .map_err(failed)?;
            // A hard link fails when the name is taken, which is what makes the first writer win.
            let linked = fs::hard_link(&draft, &path);
            fs::remove_file(&draft).map_err(failed)?;
            match linked {
                Err(source) if source.kind() != io::ErrorKind::AlreadyExists => return Err(failed(source)),
                _ => {}
            }
        }
        let text = fs::read(&path).map_err(failed)?;
        serde_json::from_slice(&text).map_err(|source| SandboxError::Folder { path, source: source.into() })
    }

    /// What the last start settled on; `None` on a folder that never ran.
    pub(crate) fn settings(&self) -> Option<Settings> {
        serde_json::from_slice(&fs::read(self.path("settings.json")).ok()?).ok()
    }

    pub(crate) fn remember(&self, settings: &Settings) -> Result<(), SandboxError> {
        let path = self.path("settings.json");
        let write = || -> io::Result<()> { write_atomically(&path, &serde_json::to_vec_pretty(settings)?) };
        write().map_err(|source| SandboxError::Folder { path: path.clone(), source })
    }
}

/// Writes beside, syncs and renames, so that a reader sees the old text or the new one and nothing between.
pub(crate) fn write_atomically(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = path.with_extension("tmp");
    let mut file = File::create(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&draft, path)
}

fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn restrict(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_the_same_and_are_readable_by_their_owner_only() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(&folder.path().join("sandbox")).unwrap();
        let first = home.keys().unwrap();
        let second = home.keys().unwrap();
        assert_eq!(first.secret_access_key, second.secret_access_key);
        assert_eq!(first.account().len(), 12);
        assert!(first.access_key_id().starts_with("AKIA") && first.access_key_id().len() == 20);
        assert!(!format!("{first:?}").contains(first.secret_access_key()), "the secret is not for logs");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(home.path("keys.json")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_folder_serves_one_sandbox_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path()).unwrap();
        let held = home.lock().unwrap();
        assert!(matches!(home.lock(), Err(SandboxError::InUse { .. })));
        drop(held);
        home.lock().unwrap();
    }
}
