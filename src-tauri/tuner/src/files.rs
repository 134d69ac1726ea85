//! Writing files so that a crash leaves the old content or the new, never a part.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

/// Writes `bytes` to `path`: beside it first, synced to the disk, then renamed over it.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("part");
    write_synced(&beside, bytes)?;
    fs::rename(&beside, path)?;
    sync_parent(path)
}

/// Writes `bytes` to `path` and waits until they are on the disk.
pub(crate) fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Waits until the folder that holds `path` has the new name on the disk.
pub(crate) fn sync_parent(path: &Path) -> io::Result<()> {
    // Windows cannot open a folder as a file; there the rename itself is the whole promise.
    #[cfg(unix)]
    if let Some(parent) = path.parent() {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}
