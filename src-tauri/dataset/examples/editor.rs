//! What a person at the editor waits for: the first rows of a file that is opened in place, its index, and what is
//! wrong with a record of 32,000 tokens after a keystroke. One line of JSON; `scripts/bench dataset` reads it.

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use whetstone_catalog::catalog;
use whetstone_dataset::{Document, DocumentMeta, Intent, Record, Schema, Turn, Unwatched, check_record};

/// As many rows as a window shows at first.
const ROWS: u64 = 50;
const TOKENS: usize = 32_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: editor FILE MODEL FOLDER";
    let file = PathBuf::from(arguments.next().ok_or(usage)?);
    let model = arguments.next().ok_or(usage)?;
    let folder = PathBuf::from(arguments.next().ok_or(usage)?);
    let intent = Intent::new(catalog().find(&model).ok_or("there is no such base model")?);

    let opened = Instant::now();
    let meta = DocumentMeta { name: "bench".to_owned(), source: "bench".to_owned(), created_at: 0 };
    let mut document = Document::open_file(&folder, &file, Schema::from(intent.data().format), meta)?;
    let index = document.index_job();
    let (first_rows, rows) = std::thread::scope(|scope| -> Result<_, Box<dyn Error>> {
        if let Some(job) = index {
            scope.spawn(move || job.run(&Unwatched));
        }
        loop {
            document.refresh()?;
            let rows = document.rows(0..ROWS.min(document.len()))?;
            if rows.len() as u64 == ROWS {
                return Ok((opened.elapsed(), rows));
            }
            std::thread::yield_now();
        }
    })?;
    let indexed = opened.elapsed();
    document.refresh()?;

    let texts = rows.iter().filter_map(|row| row.record.as_ref().ok());
    let texts: Vec<String> = texts.map(|record| format!("{} {} ", record.prompt(), record.completion())).collect();
    let chars = (TOKENS as f32 * intent.data().chars_per_token) as usize;
    let long: String = texts.concat().chars().cycle().take(chars).collect();
    let mut record = Record::new(vec![Turn::new(whetstone_dataset::Role::User, long)]);
    record.turns.push(Turn::new(whetstone_dataset::Role::Assistant, "Done."));
    let keystroke = (0..10).map(|_| check(&record, &intent)).min().unwrap_or_default();

    writeln!(
        std::io::stdout().lock(),
        r#"{{"records":{},"first_rows_seconds":{:.4},"index_seconds":{:.3},"keystroke_ms":{:.2}}}"#,
        document.len(),
        first_rows.as_secs_f64(),
        indexed.as_secs_f64(),
        keystroke.as_secs_f64() * 1000.0
    )?;
    Ok(())
}

fn check(record: &Record, intent: &Intent) -> Duration {
    let started = Instant::now();
    std::hint::black_box(check_record(record, intent));
    started.elapsed()
}
