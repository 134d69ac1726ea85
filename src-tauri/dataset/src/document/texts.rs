//! Which records have another text than the file gives them, and where in the journal it stands.
//!
//! Only places are held in memory, eight bytes a changed record; the texts stay on disk.

use std::sync::Arc;

use crate::ids::{FIRST_ADDED, RecordId};

/// Where a text stands in the journal; 0 for the text that the file gives.
pub(crate) type TextRef = u64;

pub(crate) const OF_FILE: TextRef = 0;

/// Ids that share a page. Small, so that scattered edits do not cost much more than themselves.
const PAGE: usize = 16;

type Page = Arc<[TextRef; PAGE]>;

#[derive(Debug, Clone, Default)]
pub(crate) struct Texts {
    /// By id of the file's records; as long as the highest that was changed needs.
    pages: Vec<Option<Page>>,
    /// By number of the added record.
    added: Vec<TextRef>,
}

impl Texts {
    pub fn get(&self, id: RecordId) -> TextRef {
        if id >= FIRST_ADDED {
            return self.added.get((id - FIRST_ADDED) as usize).copied().unwrap_or(OF_FILE);
        }
        let page = self.pages.get(id as usize / PAGE).and_then(Option::as_ref);
        page.map_or(OF_FILE, |page| page[id as usize % PAGE])
    }

    pub fn set(&mut self, id: RecordId, text: TextRef) {
        if id >= FIRST_ADDED {
            let number = (id - FIRST_ADDED) as usize;
            if self.added.len() <= number {
                self.added.resize(number + 1, OF_FILE);
            }
            self.added[number] = text;
            return;
        }
        let (page, place) = (id as usize / PAGE, id as usize % PAGE);
        if self.pages.len() <= page {
            if text == OF_FILE {
                return;
            }
            self.pages.resize(page + 1, None);
        }
        let page = self.pages[page].get_or_insert_with(|| Arc::new([OF_FILE; PAGE]));
        Arc::make_mut(page)[place] = text;
    }

    /// The records whose text is not the file's, in ascending order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (RecordId, TextRef)> + '_ {
        let pages = self.pages.iter().enumerate().filter_map(|(page, texts)| Some((page, texts.as_ref()?)));
        let changed = pages.flat_map(|(page, texts)| {
            texts.iter().enumerate().map(move |(place, text)| ((page * PAGE + place) as RecordId, *text))
        });
        let added = self.added.iter().enumerate().map(|(number, text)| (FIRST_ADDED + number as RecordId, *text));
        changed.chain(added).filter(|(_, text)| *text != OF_FILE)
    }
}
