//! Files of rows and columns that are no text: Parquet and XLSX.
//!
//! Each is read by a library on a thread of its own and handed over a few rows at a time, so that
//! memory stays bounded, reading can be broken off, and a defect of the library that a broken file
//! brings to light ends that thread and nothing else.

mod parquet;
mod parquet_bounds;
mod xlsx;

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use serde_json::{Map, Value};

use crate::error::ReadError;

/// Rows are handed over in batches of so many,
const ROWS_AT_ONCE: usize = 64;
/// or of so many bytes: a file may have the same long text in every row, and be small.
const BYTES_AT_ONCE: usize = 1 << 20;

/// A row as it stands in its file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TableRow {
    /// From 1; in a spreadsheet as it counts them.
    pub number: u64,
    pub cells: Cells,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cells {
    /// The texts of a spreadsheet's row; the first row may name the columns.
    Texts(Vec<String>),
    /// Values with the names of their columns.
    Named(Map<String, Value>),
}

/// What a reading thread has to tell.
pub(crate) enum Told {
    /// How many rows there are, where the file says so.
    Total(u64),
    /// Something worth knowing, a sentence.
    Note(String),
    /// The sheet of a spreadsheet that the rows after it are of.
    Sheet(String),
    Row(TableRow),
    Refused(ReadError),
}

/// The rows of a file, as they are read.
pub(crate) struct Rows {
    told: Receiver<Vec<Told>>,
    batch: std::vec::IntoIter<Told>,
    worker: Option<JoinHandle<()>>,
    pub total: Option<u64>,
    pub taken: u64,
    pub notes: Vec<String>,
    /// The sheet that is read, once its first row was taken.
    pub sheet: Option<String>,
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Rows").field("total", &self.total).field("taken", &self.taken).finish_non_exhaustive()
    }
}

/// Hands rows over, a batch at a time.
pub(crate) struct Teller {
    sender: SyncSender<Vec<Told>>,
    batch: RefCell<Vec<Told>>,
    bytes: Cell<usize>,
}

impl Teller {
    fn new(sender: SyncSender<Vec<Told>>) -> Self {
        Self { sender, batch: RefCell::default(), bytes: Cell::default() }
    }

    /// False once nobody takes rows any more.
    fn tell(&self, told: Told) -> bool {
        if let Told::Row(row) = &told {
            self.bytes.set(self.bytes.get() + row.cells.bytes());
        }
        let mut batch = self.batch.borrow_mut();
        batch.push(told);
        if batch.len() < ROWS_AT_ONCE && self.bytes.get() < BYTES_AT_ONCE {
            return true;
        }
        self.bytes.set(0);
        self.sender.send(std::mem::take(&mut batch)).is_ok()
    }

    fn tell_the_rest(self) {
        // Nobody may be there to take it.
        let _ = self.sender.send(self.batch.into_inner());
    }
}

impl Cells {
    /// Roughly what they take in memory.
    fn bytes(&self) -> usize {
        match self {
            Cells::Texts(texts) => texts.iter().map(|text| size_of::<String>() + text.len()).sum(),
            Cells::Named(cells) => cells.iter().map(|(name, value)| name.len() + bytes(value)).sum(),
        }
    }
}

fn bytes(value: &Value) -> usize {
    let inside = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(bytes).sum(),
        Value::Object(fields) => fields.iter().map(|(name, value)| name.len() + bytes(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    };
    size_of::<Value>() + inside
}

/// The names of a spreadsheet's sheets, but for hidden ones.
pub fn sheets(path: &Path) -> Result<Vec<String>, ReadError> {
    let mut told = Rows::read_by(path, xlsx::sheets);
    while told.next_row()?.is_some() {}
    Ok(told.notes)
}

impl Rows {
    pub fn parquet(path: &Path) -> Rows {
        Self::read_by(path, parquet::read)
    }

    /// Of the sheet with this name, or the first that holds something.
    pub fn xlsx(path: &Path, sheet: Option<&str>) -> Rows {
        let sheet = sheet.map(str::to_owned);
        Self::read_by(path, move |path, teller| xlsx::read(path, sheet.as_deref(), teller))
    }

    fn read_by(path: &Path, read: impl FnOnce(&Path, &Teller) -> Result<(), ReadError> + Send + 'static) -> Rows {
        // One batch is read while one waits and one is taken.
        let (sender, told) = sync_channel(1);
        let path = path.to_owned();
        let worker = std::thread::spawn(move || {
            let teller = Teller::new(sender);
            if let Err(error) = read(&path, &teller) {
                teller.tell(Told::Refused(error));
            }
            teller.tell_the_rest();
        });
        let batch = Vec::new().into_iter();
        Rows { told, batch, worker: Some(worker), total: None, taken: 0, notes: Vec::new(), sheet: None }
    }

    pub fn next_row(&mut self) -> Result<Option<TableRow>, ReadError> {
        loop {
            match self.batch.next() {
                Some(Told::Total(total)) => self.total = Some(total),
                Some(Told::Note(note)) => self.notes.push(note),
                Some(Told::Sheet(name)) => self.sheet = Some(name),
                Some(Told::Row(row)) => {
                    self.taken += 1;
                    return Ok(Some(row));
                }
                Some(Told::Refused(error)) => return Err(error),
                None => match self.told.recv() {
                    Ok(batch) => self.batch = batch.into_iter(),
                    Err(_) => break,
                },
            }
        }
        // The thread has ended: in order, or because the library could not cope with the file.
        match self.worker.take().map(JoinHandle::join) {
            Some(Err(_)) => Err(ReadError::Damaged { what: "the reader could not make sense of it".to_owned() }),
            _ => Ok(None),
        }
    }
}
