//! One page of keys: prefix, delimiter, where to go on, and how many.

use s3s::S3Result;
use s3s::dto::{self, ETag};

use super::digests::ALGORITHMS;
use super::encoded;
use super::store::{Listed, ObjectStore, StoreError};

/// Largest page: S3's own limit, and its default.
const LARGEST_PAGE: i32 = 1000;

/// What a listing asks for, whichever version of the operation it came by.
pub(super) struct Query {
    pub(super) bucket: String,
    pub(super) prefix: String,
    pub(super) delimiter: Option<String>,
    /// Only what comes after this key, or common prefix.
    pub(super) after: Option<String>,
    pub(super) max_keys: Option<i32>,
    /// Whether keys are percent-encoded in the answer.
    pub(super) url: bool,
}

pub(super) struct Page {
    pub(super) contents: Vec<dto::Object>,
    pub(super) common_prefixes: Vec<dto::CommonPrefix>,
    /// The last key or prefix of this page, when there is more after it.
    pub(super) next: Option<String>,
    pub(super) max_keys: i32,
}

#[derive(Debug, PartialEq, Eq)]
enum Entry {
    Key(Listed),
    Prefix(String),
}

impl Entry {
    fn name(&self) -> &str {
        match self {
            Self::Key(listed) => &listed.key,
            Self::Prefix(prefix) => prefix,
        }
    }
}

pub(super) fn page(store: &ObjectStore, query: &Query) -> S3Result<Page> {
    let max_keys = query.max_keys.unwrap_or(LARGEST_PAGE).clamp(0, LARGEST_PAGE);
    let listed = store.list(&query.bucket, &query.prefix)?;
    let mut entries = group(listed, &query.prefix, query.delimiter.as_deref().filter(|text| !text.is_empty()));
    if let Some(after) = &query.after {
        entries.retain(|entry| entry.name() > after.as_str());
    }
    let wanted = usize::try_from(max_keys).unwrap_or_default();
    let more = entries.len() > wanted;
    entries.truncate(wanted);
    let next = if more { entries.last().map(|entry| entry.name().to_owned()) } else { None };
    let mut page = Page { contents: Vec::new(), common_prefixes: Vec::new(), next, max_keys };
    for entry in entries {
        match entry {
            Entry::Prefix(prefix) => {
                page.common_prefixes.push(dto::CommonPrefix { prefix: Some(encoded(&prefix, query.url)) });
            }
            Entry::Key(listed) => match store.object(&query.bucket, &listed.key) {
                Ok((_, meta)) => page.contents.push(dto::Object {
                    key: Some(encoded(&listed.key, query.url)),
                    size: i64::try_from(meta.size).ok(),
                    last_modified: Some(meta.modified_at().into()),
                    e_tag: Some(ETag::Strong(meta.e_tag)),
                    checksum_type: meta.checksums.kind(),
                    checksum_algorithm: ALGORITHMS
                        .into_iter()
                        .find(|one| meta.checksums.get(one).is_some())
                        .map(|one| vec![dto::ChecksumAlgorithm::from(one.to_uppercase())]),
                    storage_class: Some(dto::ObjectStorageClass::from_static(dto::ObjectStorageClass::STANDARD)),
                    ..Default::default()
                }),
                // Deleted since the walk.
                Err(StoreError::NoSuchKey) => {}
                Err(error) => return Err(error.into()),
            },
        }
    }
    Ok(page)
}

/// Keys that share the part up to the next delimiter become one entry. `listed` is sorted, so they stand together.
fn group(listed: Vec<Listed>, prefix: &str, delimiter: Option<&str>) -> Vec<Entry> {
    let Some(delimiter) = delimiter else { return listed.into_iter().map(Entry::Key).collect() };
    let mut entries: Vec<Entry> = Vec::new();
    for listed in listed {
        match listed.key[prefix.len()..].find(delimiter) {
            None => entries.push(Entry::Key(listed)),
            Some(at) => {
                let shared = &listed.key[..prefix.len() + at + delimiter.len()];
                if !matches!(entries.last(), Some(Entry::Prefix(last)) if last == shared) {
                    entries.push(Entry::Prefix(shared.to_owned()));
                }
            }
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delimiter_folds_what_lies_below_it() {
        let listed = ["a.txt", "a/1", "a/2/x", "b", "c/1"].map(|key| Listed { key: key.to_owned(), size: 0 }).to_vec();
        let names = |prefix: &str, listed: &[Listed]| -> Vec<String> {
            let listed = listed.iter().filter(|one| one.key.starts_with(prefix)).cloned().collect();
            group(listed, prefix, Some("/")).iter().map(|entry| entry.name().to_owned()).collect()
        };
        assert_eq!(names("", &listed), ["a.txt", "a/", "b", "c/"]);
        assert_eq!(names("a/", &listed), ["a/1", "a/2/"]);
    }
}
