//! Changes of many records at once. Each is one step of undo, and answers with what became of the dataset.

use std::sync::Arc;

use whetstone_contract as contract;
use whetstone_contract::{AppError, BulkEdit, Change, EditManyRequest, MoveRequest, SelectionRequest};
use whetstone_dataset::{Block, Edit, IdSet, Record, Role, State, Turn};

use super::opened::Opened;
use super::rows::select;
use super::show::summarise;
use super::{Datasets, from_document};

impl Datasets {
    pub async fn duplicate(self: &Arc<Self>, asked: SelectionRequest) -> Result<Change, AppError> {
        self.work(asked.dataset, move |opened| {
            let set = select(opened, &asked.selection)?;
            let copies = opened.document().duplicate(&set).map_err(|error| from_document(&error))?;
            opened.arranged();
            let first = copies.first().and_then(|id| opened.document().state().position_of(*id));
            change(opened, copies.len() as u64, 0, first, true)
        })
        .await
    }

    pub async fn delete_records(self: &Arc<Self>, asked: SelectionRequest) -> Result<Change, AppError> {
        self.work(asked.dataset, move |opened| {
            let set = select(opened, &asked.selection)?;
            let before = first_of(&opened.whole()?, &set);
            let deleted = opened.document().delete(&set).map_err(|error| from_document(&error))?;
            opened.arranged();
            let left = opened.document().len();
            change(opened, deleted, 0, before.filter(|_| left > 0).map(|at| at.min(left - 1)), true)
        })
        .await
    }

    pub async fn move_records(self: &Arc<Self>, asked: MoveRequest) -> Result<Change, AppError> {
        self.work(asked.dataset, move |opened| {
            let set = select(opened, &asked.selection)?;
            let moved = opened.document().move_to(&set, asked.before).map_err(|error| from_document(&error))?;
            opened.arranged();
            let first = first_of(&opened.whole()?, &set);
            change(opened, moved, set.len() - moved, first, true)
        })
        .await
    }

    pub async fn edit_many(self: &Arc<Self>, asked: EditManyRequest) -> Result<Change, AppError> {
        self.work(asked.dataset, move |opened| {
            let set = select(opened, &asked.selection)?;
            let label = label(&asked.edit);
            let edit = asked.edit;
            let changed = opened.long_edit(label, |document, watched| {
                document.bulk(label, &set, watched, |row| match &row.record {
                    Ok(record) => edited(record, &edit).map_or(Edit::Keep, Edit::Replace),
                    Err(_) => Edit::Keep,
                })
            })?;
            opened.arranged();
            let first = first_of(&opened.whole()?, &set);
            change(opened, changed, set.len() - changed, first, false)
        })
        .await
    }

    pub async fn undo(self: &Arc<Self>, id: String) -> Result<Change, AppError> {
        self.work(id, |opened| {
            let undone = opened.document().undo().map_err(|error| from_document(&error))?;
            back_or_forth(opened, undone)
        })
        .await
    }

    pub async fn redo(self: &Arc<Self>, id: String) -> Result<Change, AppError> {
        self.work(id, |opened| {
            let redone = opened.document().redo().map_err(|error| from_document(&error))?;
            back_or_forth(opened, redone)
        })
        .await
    }
}

fn back_or_forth(opened: &Arc<Opened>, step: Option<whetstone_dataset::Undone>) -> Result<Change, AppError> {
    let Some(step) = step else { return change(opened, 0, 0, None, false) };
    opened.arranged();
    let left = opened.document().len();
    let position = (left > 0).then(|| step.position.min(left.saturating_sub(1)));
    let mut answer = change(opened, step.records, 0, position, true)?;
    answer.label = step.label;
    Ok(answer)
}

/// What became of the dataset. The label is that of the step that Undo would take back now.
pub fn change(
    opened: &Arc<Opened>,
    records: u64,
    untouched: u64,
    position: Option<u64>,
    moved: bool,
) -> Result<Change, AppError> {
    opened.tell_changed();
    let summary = summarise(opened)?;
    let label = summary.undo.clone().unwrap_or_default();
    Ok(Change { summary, label, records, untouched, position, moved })
}

/// Where the first record of a set stands.
pub fn first_of(state: &State, set: &IdSet) -> Option<u64> {
    let mut position = 0;
    for run in state.runs() {
        if let Some(id) = set.within(run.first..=run.first + (run.len - 1)).next() {
            return Some(position + u64::from(id - run.first));
        }
        position += u64::from(run.len);
    }
    None
}

fn label(edit: &BulkEdit) -> &'static str {
    match edit {
        BulkEdit::SetSystem { .. } => "Set the system text",
        BulkEdit::AppendSystem { .. } => "Add to the system text",
        BulkEdit::RemoveSystem => "Remove the system text",
        BulkEdit::Trim => "Trim white space",
    }
}

/// The record after the edit; `None` where it makes no difference.
fn edited(record: &Record, edit: &contract::BulkEdit) -> Option<Record> {
    let after = match edit {
        BulkEdit::SetSystem { text } => with_system(record, text.clone()),
        BulkEdit::AppendSystem { text } => match record.system() {
            Some(before) => with_system(record, format!("{before}\n\n{text}")),
            None => with_system(record, text.clone()),
        },
        BulkEdit::RemoveSystem => {
            let mut after = record.clone();
            after.turns.retain(|turn| turn.role != Role::System);
            after
        }
        BulkEdit::Trim => {
            let mut after = record.clone();
            for block in after.turns.iter_mut().flat_map(|turn| &mut turn.content) {
                if let Block::Text(text) = block {
                    *text = text.trim().to_owned();
                }
            }
            after
        }
    };
    (after != *record).then_some(after)
}

/// The record with this system text in the place of any that is there.
fn with_system(record: &Record, text: String) -> Record {
    let mut after = record.clone();
    after.turns.retain(|turn| turn.role != Role::System);
    after.turns.insert(0, Turn::new(Role::System, text));
    after
}
