//! What the targets of the readers share.

use std::io::Write;
use std::ops::ControlFlow;

use whetstone_dataset::{Item, ReadOptions, RecordReader, import_jsonl, sniff};

/// Reads bytes as the file that has this name, in each way the app does, and holds what comes of it to
/// what is promised: a clear refusal, or records and problems in order, and an import whose every line
/// is read back as the record it was written from.
pub fn read_file(name: &str, bytes: &[u8]) {
    let folder = FOLDER.with(|folder| folder.path().to_owned());
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("the folder is in memory");
    let options = ReadOptions::default();
    if let Err(error) = sniff(&path) {
        assert!(!error.to_string().is_empty() && !error.hint().is_empty());
    }
    let Ok(mut reader) = RecordReader::open(&path, &options) else { return };
    let schema = reader.line_schema();
    let mut lines = 0_u64;
    loop {
        match reader.next_item() {
            Ok(Some(Item::Record(record))) => {
                let line = reader.line(&record.record);
                assert!(!line.contains(&b'\n'));
                // A line of another schema among the others is kept as it was.
                if let Ok(read) = schema.parse(&line) {
                    assert_eq!(read.turns, record.record.turns);
                }
                lines += 1;
            }
            Ok(Some(Item::Problem(problem))) => {
                assert!(problem.line >= 1 && !problem.message.is_empty() && !problem.hint.is_empty());
            }
            Ok(None) => break,
            Err(error) => {
                assert!(!error.hint().is_empty());
                return;
            }
        }
    }
    let mut written = Lines(0);
    if let Ok(imported) = import_jsonl(&path, &options, &mut written, &mut |_, _| ControlFlow::Continue(())) {
        assert_eq!(imported.records, lines);
        assert_eq!(written.0, lines);
    }
}

/// Counts the lines that are written to it: on a person's machine they would go to its disk.
struct Lines(u64);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Lets a library panic on the thread that the reader gave it, where the reader makes a refusal of it.
/// A panic anywhere else is a finding.
pub fn expect_panics_off_the_main_thread() {
    let main = std::thread::current().id();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().id() == main {
            eprintln!("{panic}");
            std::process::abort();
        }
    }));
}

thread_local! {
    static FOLDER: tempfile::TempDir = tempfile::tempdir_in("/dev/shm").expect("there is a file system in memory");
}
