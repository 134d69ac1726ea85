//! Datasets: records, the file formats they come in, the rules they must keep, edits and splits.
//!
//! A [`Record`] is the one shape in memory, whatever the file looked like. [`sniff`] says what a file
//! is, [`read`] or a [`RecordReader`] brings its records in, a [`Document`] keeps them on disk with
//! every edit, [`check_record`], [`validate::validate`] and [`check_file`] hold them to a base model's
//! rules, [`split`] sets validation and hold-out records aside, [`write_jsonl`] writes what a base
//! model is trained from.
//!
//! The state of an opened dataset is owned by its [`Document`]; everything else is a function.
//!
//! Deliberately absent: any network, any window, any knowledge of jobs. The file that a person opened
//! is only ever read.

mod convert;
mod document;
mod error;
mod file_check;
mod filter;
mod find;
mod formats;
mod ids;
mod input;
mod record;
mod rules;
mod split;
mod statistics;
mod template;
pub mod validate;
mod view;
mod watch;
mod write;

pub use convert::{Conversion, ConvertError, ConvertOptions, Converter, LossCount, Packed, Target, convert};
pub use document::{
    Diff, DiffCounts, DiffEntry, DiffKind, Document, DocumentError, DocumentMeta, DocumentWriter, Edit, ExportedFile,
    FileLayer, FileState, IndexJob, IndexState, InterruptedSave, RealFiles, Recovery, Reloaded, Row, Run, SaveJob,
    Saved, SnapshotInfo, SplitCounts, State, Undone, diff,
};
pub use error::{ReadError, ReadProblem};
pub use file_check::{FileCheck, LineCheck, check_file, check_line};
pub use filter::{Completion, Completions, Filter, FilterError, FilterInput, complete};
pub use find::{Find, FindError, FindField, Finder, Found, FoundMatch, Match, MatchChoice};
pub use formats::{
    Compression, Detected, Dialect, Encoding, Fitted, Format, Imported, Item, Loss, LossKind, MAX_RECORD_BYTES,
    Mapping, PROBLEM_CAP, ReadOptions, ReadOutcome, RecordReader, Schema, ShapeError, ShapeKind, Source, Table,
    import_jsonl, read, sheets, sniff, sniff_with,
};
pub use ids::{FIRST_ADDED, IdSet, RecordId};
pub use record::{Block, Record, Role, SourcedRecord, Turn};
pub use rules::{
    Encounter, Example, FileFacts, Finding, Fix, Intent, Kinds, Mend, Resemblance, Rule, RuleKind, Severity, Span,
    SplitTotals, Tally, check_counts, check_file_facts, check_record, fix, language, line_rules, near_duplicates,
    neighbour_rules, outlier_bounds, record_rules, rules, tally_rules,
};
pub use split::{Share, SplitBy, SplitError, SplitKey, SplitKind, SplitPlan, split};
pub use statistics::{Lengths, Statistics, StatisticsBuilder, TokenCounter};
pub use template::{Compiled, Preview, Template, TemplateError, TemplateFault, preview};
pub use view::{Column, View, sort};
pub use watch::{Unwatched, Watch};
pub use write::{SystemHandling, WriteError, fitting_format, write_jsonl, write_record};
