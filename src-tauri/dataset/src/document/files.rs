//! Files that are either the old or the new one, whatever happens in between.

use std::io::Write;
use std::path::Path;

use tempfile::NamedTempFile;

use super::error::DocumentError;

/// Writes beside, makes it durable, and puts it in the place of `path`.
pub(super) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), DocumentError> {
    let mut beside = beside(path)?;
    beside.write_all(bytes).map_err(DocumentError::io(path))?;
    put_in_place(beside, path)
}

/// A new file in the folder of `path`, removed again unless it is put in place.
pub(super) fn beside(path: &Path) -> Result<NamedTempFile, DocumentError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    NamedTempFile::new_in(folder).map_err(DocumentError::io(path))
}

pub(super) fn put_in_place(file: NamedTempFile, path: &Path) -> Result<(), DocumentError> {
    file.as_file().sync_all().map_err(DocumentError::io(path))?;
    file.persist(path).map_err(|error| DocumentError::io(path)(error.error))?;
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Makes names in a folder durable. Windows has no such call, and needs none.
pub(super) fn sync_folder(folder: &Path) -> Result<(), DocumentError> {
    if cfg!(unix) {
        std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(DocumentError::io(folder))?;
    }
    Ok(())
}
