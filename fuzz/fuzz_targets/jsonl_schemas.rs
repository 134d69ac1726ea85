//! Any bytes as a line of each schema: a record that is written back byte for byte, or a place and
//! words for what is wrong.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whetstone_dataset::{Mapping, Schema, ShapeKind};

fuzz_target!(|line: &[u8]| {
    let fields = Schema::Fields(Mapping { prompt: "q".into(), completion: "a".into(), system: Some("s".into()) });
    for schema in Schema::ALL.into_iter().chain([fields]) {
        match schema.parse(line) {
            Ok(record) => {
                assert_eq!(schema.patch(line, &record).as_deref(), Ok(line));
                if let Ok(rendered) = schema.render(&record) {
                    schema.parse(&rendered).expect("what was written is read");
                }
            }
            Err(error) => {
                assert!(!error.message.is_empty() && !error.hint.is_empty());
                // The words of last resort: the parser refused what our own reading takes for JSON.
                assert_ne!(error.message, "This line is not valid JSON.");
                assert!(error.column.is_none_or(|column| column >= 1 && column <= line.len() as u64 + 1));
                assert!(error.kind == ShapeKind::Shape || error.field.is_none());
            }
        }
    }
    let _ = Schema::of_line(line);
});
