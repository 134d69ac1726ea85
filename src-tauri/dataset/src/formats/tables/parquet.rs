//! Parquet, row by row. Lists and structures become JSON lists and objects.

use std::fs::File;
use std::path::Path;

use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, Length, SerializedFileReader};
use parquet::record::reader::RowIter;
use parquet::record::{Field, Row};
use serde_json::{Map, Value};

use super::parquet_bounds::{BoundedFile, BoundedGroup};
use super::{Cells, TableRow, Teller, Told};
use crate::error::ReadError;

pub(super) fn read(path: &Path, teller: &Teller) -> Result<(), ReadError> {
    let file = BoundedFile(File::open(path).map_err(ReadError::io(path))?);
    let size = file.len();
    let reader = SerializedFileReader::new(file).map_err(|error| damaged(&error))?;
    let metadata = reader.metadata();
    let rows: i64 = metadata.row_groups().iter().map(|group| group.num_rows().max(0)).sum();
    teller.tell(Told::Total(rows.unsigned_abs()));
    let mut left_out: Vec<String> = Vec::new();
    let mut number = 0;
    for index in 0..reader.num_row_groups() {
        let group = reader.get_row_group(index).map_err(|error| damaged(&error))?;
        let group = BoundedGroup::new(group, size);
        for row in RowIter::from_row_group(None, &group).map_err(|error| damaged(&error))? {
            number += 1;
            let cells = object(&row.map_err(|error| damaged(&error))?, &mut left_out);
            if !teller.tell(Told::Row(TableRow { number, cells: Cells::Named(cells) })) {
                return Ok(());
            }
        }
    }
    if !left_out.is_empty() {
        left_out.sort();
        teller.tell(Told::Note(format!("Columns that hold no text, and are left out: {}.", left_out.join(", "))));
    }
    Ok(())
}

fn damaged(error: &ParquetError) -> ReadError {
    let what = match error {
        ParquetError::EOF(_) => "it breaks off",
        ParquetError::NYI(_) => "it is packed in a way that is not known here (snappy, gzip and zstd are)",
        _ => "what it says of itself does not fit what it holds",
    };
    ReadError::Damaged { what: what.to_owned() }
}

fn object(row: &Row, left_out: &mut Vec<String>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, field) in row.get_column_iter() {
        // What pandas adds to know its rows again.
        if name.starts_with("__index_level_") {
            continue;
        }
        match value(field, left_out) {
            Some(value) => {
                object.insert(name.clone(), value);
            }
            None if left_out.contains(name) => {}
            None => left_out.push(name.clone()),
        }
    }
    object
}

/// The value as JSON; `None` for bytes that are no text.
fn value(field: &Field, left_out: &mut Vec<String>) -> Option<Value> {
    Some(match field {
        Field::Null => Value::Null,
        Field::Bool(value) => (*value).into(),
        Field::Byte(value) => (*value).into(),
        Field::Short(value) => (*value).into(),
        Field::Int(value) => (*value).into(),
        Field::Long(value) => (*value).into(),
        Field::UByte(value) => (*value).into(),
        Field::UShort(value) => (*value).into(),
        Field::UInt(value) => (*value).into(),
        Field::ULong(value) => (*value).into(),
        Field::Float16(value) => f64::from(value.to_f32()).into(),
        // As it is written, not as its nearest double is.
        Field::Float(value) => value.to_string().parse::<f64>().map_or(Value::Null, Value::from),
        Field::Double(value) => (*value).into(),
        Field::Str(text) => text.clone().into(),
        Field::Bytes(bytes) => std::str::from_utf8(bytes.data()).ok()?.into(),
        Field::Group(row) => Value::Object(object(row, left_out)),
        Field::ListInternal(list) => {
            Value::Array(list.elements().iter().map(|item| value(item, left_out).unwrap_or_default()).collect())
        }
        Field::MapInternal(map) => {
            let pairs = map.entries().iter().map(|(key, item)| {
                let key = match value(key, left_out) {
                    Some(Value::String(text)) => text,
                    other => other.unwrap_or_default().to_string(),
                };
                (key, value(item, left_out).unwrap_or_default())
            });
            Value::Object(pairs.collect())
        }
        // Decimals, days and times as they are written.
        written => written.to_string().into(),
    })
}
