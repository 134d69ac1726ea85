//! What the edits made of the imported records: their order, their texts, and the way back.
//!
//! A record keeps its id through every edit: imported ones are numbered from 0, inserted ones after
//! them in the order of their making. Undone records keep theirs, so that a split, which is kept by
//! id, finds them again on redo.

use std::collections::HashMap;
use std::sync::Arc;

use super::journal::Entry;
use crate::record::Record;

/// The present state over the imported records.
#[derive(Debug)]
pub(super) struct Edits {
    imported: u32,
    /// Ids by position; `None` while it is the order of the import.
    order: Option<Vec<u32>>,
    /// Records whose text is not that of the import.
    texts: HashMap<u32, Arc<Record>>,
    next_id: u32,
    steps: Vec<Step>,
    /// How many of the steps are in force; the rest can be redone.
    done: usize,
}

/// An edit with what is needed to take it back.
#[derive(Debug)]
enum Step {
    Replace {
        at: usize,
        id: u32,
        /// `None` for the text of the import.
        before: Option<Arc<Record>>,
        after: Arc<Record>,
    },
    Insert {
        at: usize,
        id: u32,
    },
    Delete {
        at: usize,
        id: u32,
    },
}

impl Step {
    fn position(&self) -> u64 {
        match self {
            Self::Replace { at, .. } | Self::Insert { at, .. } | Self::Delete { at, .. } => *at as u64,
        }
    }
}

impl Edits {
    pub fn new(imported: u32) -> Edits {
        Edits { imported, order: None, texts: HashMap::new(), next_id: imported, steps: Vec::new(), done: 0 }
    }

    pub fn len(&self) -> u64 {
        match &self.order {
            Some(order) => order.len() as u64,
            None => u64::from(self.imported),
        }
    }

    /// One more than the highest id there ever was.
    pub fn ids(&self) -> u32 {
        self.next_id
    }

    /// The id of the record at a position that exists.
    pub fn id(&self, position: u64) -> u32 {
        match &self.order {
            Some(order) => order[position as usize],
            None => position as u32,
        }
    }

    /// The text of a record that is not as it was imported.
    pub fn text(&self, id: u32) -> Option<&Record> {
        self.texts.get(&id).map(Arc::as_ref)
    }

    pub fn can_undo(&self) -> bool {
        self.done > 0
    }

    pub fn can_redo(&self) -> bool {
        self.done < self.steps.len()
    }

    /// Whether this edit can be made now.
    pub fn allows(&self, entry: &Entry) -> bool {
        match entry {
            Entry::Replace { at, .. } | Entry::Delete { at } => *at < self.len(),
            Entry::Insert { at, .. } => *at <= self.len() && self.next_id < u32::MAX,
            Entry::Undo => self.can_undo(),
            Entry::Redo => self.can_redo(),
        }
    }

    /// Makes an edit that [`Edits::allows`], and gives the position it concerned.
    pub fn apply(&mut self, entry: Entry) -> u64 {
        match entry {
            Entry::Undo => {
                self.done -= 1;
                self.take_back(self.done);
                return self.steps[self.done].position();
            }
            Entry::Redo => {
                self.done += 1;
                self.put_in_force(self.done - 1);
                return self.steps[self.done - 1].position();
            }
            Entry::Replace { at, record } => {
                let id = self.id(at);
                self.push(Step::Replace {
                    at: at as usize,
                    id,
                    before: self.texts.get(&id).cloned(),
                    after: Arc::new(record),
                });
            }
            Entry::Insert { at, record } => {
                let id = self.next_id;
                self.next_id += 1;
                // The text stays when the insertion is undone: no other record ever has this id.
                self.texts.insert(id, Arc::new(record));
                self.push(Step::Insert { at: at as usize, id });
            }
            Entry::Delete { at } => {
                let id = self.id(at);
                self.push(Step::Delete { at: at as usize, id });
            }
        }
        self.steps[self.done - 1].position()
    }

    /// A new step; what could have been redone is gone with it.
    fn push(&mut self, step: Step) {
        self.steps.truncate(self.done);
        self.steps.push(step);
        self.done += 1;
        self.put_in_force(self.done - 1);
    }

    fn put_in_force(&mut self, step: usize) {
        match &self.steps[step] {
            Step::Replace { id, after, .. } => {
                self.texts.insert(*id, Arc::clone(after));
            }
            Step::Insert { at, id } => {
                let (at, id) = (*at, *id);
                self.order_mut().insert(at, id);
            }
            Step::Delete { at, .. } => {
                let at = *at;
                self.order_mut().remove(at);
            }
        }
    }

    fn take_back(&mut self, step: usize) {
        match &self.steps[step] {
            Step::Replace { id, before, .. } => {
                match before {
                    Some(before) => self.texts.insert(*id, Arc::clone(before)),
                    None => self.texts.remove(id),
                };
            }
            Step::Insert { at, .. } => {
                let at = *at;
                self.order_mut().remove(at);
            }
            Step::Delete { at, id } => {
                let (at, id) = (*at, *id);
                self.order_mut().insert(at, id);
            }
        }
    }

    fn order_mut(&mut self) -> &mut Vec<u32> {
        self.order.get_or_insert_with(|| (0..self.imported).collect())
    }
}
