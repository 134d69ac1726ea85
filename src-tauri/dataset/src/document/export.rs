//! Writing a dataset out as a base model's own JSONL, a file a split.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use whetstone_catalog::DataFormat;

use super::error::DocumentError;
use super::{Document, files};
use crate::formats::ShapeError;
use crate::split::SplitKind;
use crate::write::{SystemHandling, WriteError, write_record};

/// A file that an export wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedFile {
    pub split: SplitKind,
    pub path: PathBuf,
    pub records: u64,
    pub bytes: u64,
}

impl Document {
    /// Writes `training.jsonl`, `validation.jsonl` and `hold-out.jsonl` into a folder, each only where
    /// its split has records. The files appear once all of them are whole; older ones of the same name
    /// are replaced. A dataset that was not split is all for training.
    pub fn export(
        &self,
        dir: &Path,
        format: DataFormat,
        system: SystemHandling,
    ) -> Result<Vec<ExportedFile>, DocumentError> {
        let mut parts = Vec::new();
        for split in SplitKind::ALL {
            let path = dir.join(format!("{}.jsonl", split.name()));
            parts.push((split, BufWriter::new(files::beside(&path)?), path, 0_u64));
        }
        for row in self.iter() {
            let row = row?;
            let kind = row.split.unwrap_or(SplitKind::Training);
            for (split, out, _, records) in &mut parts {
                if *split == kind {
                    let broken = |error: &ShapeError| DocumentError::DoesNotFit {
                        position: row.position,
                        reason: error.message.clone(),
                    };
                    let record = row.record.as_ref().map_err(broken)?;
                    write_record(record, row.position, format, system, &mut *out)?;
                    *records += 1;
                }
            }
        }
        let mut exported = Vec::new();
        for (split, out, path, records) in parts {
            if records == 0 {
                continue;
            }
            let mut file = out.into_inner().map_err(|error| WriteError::Io(error.into_error()))?;
            file.flush().map_err(DocumentError::io(&path))?;
            let size = file.as_file().metadata();
            let bytes = size.map_err(DocumentError::io(&path))?.len();
            files::put_in_place(file, &path)?;
            exported.push(ExportedFile { split, path, records, bytes });
        }
        Ok(exported)
    }
}
