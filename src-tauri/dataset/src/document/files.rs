//! What a document does to the disk, one small operation at a time.
//!
//! [`FileLayer`] is passed in, so that a test can stop the program between any two operations and
//! look at what is left. The real one is [`RealFiles`].

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::error::DocumentError;

/// Every operation by which a document changes the disk.
pub trait FileLayer: std::fmt::Debug + Send + Sync {
    fn create(&self, path: &Path) -> io::Result<File> {
        File::options().read(true).write(true).create(true).truncate(true).open(path)
    }

    fn write(&self, file: &mut File, bytes: &[u8]) -> io::Result<()> {
        file.write_all(bytes)
    }

    fn set_len(&self, file: &File, bytes: u64) -> io::Result<()> {
        file.set_len(bytes)
    }

    /// Makes what was written durable.
    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn hard_link(&self, original: &Path, link: &Path) -> io::Result<()> {
        std::fs::hard_link(original, link)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    /// Makes names in a folder durable. Windows has no such call, and needs none.
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        if cfg!(unix) {
            return self.sync(&File::open(folder)?);
        }
        Ok(())
    }
}

/// The disk itself.
#[derive(Debug, Clone, Copy)]
pub struct RealFiles;

impl FileLayer for RealFiles {}

/// The folder in which a file lies.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes beside, makes it durable, and puts it in the place of `path`.
pub(super) fn write_atomically(files: &dyn FileLayer, path: &Path, bytes: &[u8]) -> Result<(), DocumentError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let beside = path.with_file_name(name);
    let written = files.create(&beside).and_then(|mut file| {
        files.write(&mut file, bytes)?;
        files.sync(&file)
    });
    written
        .and_then(|()| files.rename(&beside, path))
        .and_then(|()| files.sync_folder(folder_of(path)))
        .map_err(DocumentError::io(path))
}

/// Removes a file that may not be there.
pub(super) fn remove_if_there(files: &dyn FileLayer, path: &Path) -> Result<(), DocumentError> {
    match files.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(DocumentError::io(path)(error)),
        _ => Ok(()),
    }
}

/// A new file in the folder of `path`, removed again unless it is put in place.
pub(super) fn beside(path: &Path) -> Result<NamedTempFile, DocumentError> {
    NamedTempFile::new_in(folder_of(path)).map_err(DocumentError::io(path))
}

pub(super) fn put_in_place(file: NamedTempFile, path: &Path) -> Result<(), DocumentError> {
    file.as_file().sync_all().map_err(DocumentError::io(path))?;
    file.persist(path).map_err(|error| DocumentError::io(path)(error.error))?;
    RealFiles.sync_folder(folder_of(path)).map_err(DocumentError::io(path))
}

/// Reads at a place without moving the file's own, so that threads may share it.
#[cfg(unix)]
pub(super) fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
pub(super) fn read_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, offset)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                bytes = &mut bytes[read..];
                offset += read as u64;
            }
        }
    }
    Ok(())
}
