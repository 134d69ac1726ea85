//! The first sheet of a spreadsheet, row by row, its cells as the texts they show.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use calamine::{DataRef, ExcelDateTime, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use super::{Cells, TableRow, Teller, Told};
use crate::error::ReadError;

/// What a spreadsheet may unpack to. Its texts are held while it is read, so this bounds the memory.
const MOST_BYTES: u64 = 1 << 30;
/// The columns that a spreadsheet can have.
const MOST_COLUMNS: u32 = 16_384;

type Book = Xlsx<BufReader<File>>;

fn open(path: &Path) -> Result<Book, ReadError> {
    refuse_what_unpacks_too_far(path, MOST_BYTES)?;
    let file = File::open(path).map_err(ReadError::io(path))?;
    Xlsx::new(BufReader::new(file)).map_err(|error| damaged(&error))
}

fn visible(book: &Book) -> Vec<String> {
    let sheets = book.sheets_metadata().iter();
    let shown = sheets.filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible);
    shown.map(|sheet| sheet.name.clone()).collect()
}

/// The names of the sheets that a person sees.
pub(super) fn sheets(path: &Path, teller: &Teller) -> Result<(), ReadError> {
    for name in visible(&open(path)?) {
        teller.tell(Told::Note(name));
    }
    Ok(())
}

pub(super) fn read(path: &Path, sheet: Option<&str>, teller: &Teller) -> Result<(), ReadError> {
    let mut book = open(path)?;
    let visible = visible(&book);
    let chosen = match sheet {
        Some(name) => vec![name.to_owned()],
        None => visible.clone(),
    };
    for name in chosen {
        let rows = read_sheet(&mut book, &name, teller)?;
        if rows > 0 {
            if visible.len() > 1 {
                teller.tell(Told::Note(format!("Of {} sheets, \"{name}\" was read.", visible.len())));
            }
            break;
        }
    }
    Ok(())
}

/// The sizes that an archive states may be wrong, so it is unpacked once without being held.
fn refuse_what_unpacks_too_far(path: &Path, most: u64) -> Result<(), ReadError> {
    let file = File::open(path).map_err(ReadError::io(path))?;
    let broken = |_| ReadError::Damaged { what: "it is no whole spreadsheet file".to_owned() };
    let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    let mut names = archive.file_names().filter_map(Result::ok);
    if !names.any(|name| name.ends_with("workbook.xml")) {
        return Err(ReadError::Archive);
    }
    drop(names);
    let mut total = 0;
    let mut buffer = vec![0; 64 * 1024];
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(broken)?;
        let is_read = entry.name().is_ok_and(|name| {
            let name = name.to_ascii_lowercase();
            name.ends_with(".xml") || name.ends_with(".rels")
        });
        // Pictures and the like are not.
        if !is_read {
            continue;
        }
        loop {
            let read = entry
                .read(&mut buffer)
                .map_err(|_| ReadError::Damaged { what: "a part of it cannot be unpacked".to_owned() })?;
            total += read as u64;
            if total > most {
                return Err(ReadError::TooLarge { what: "the spreadsheet unpacks to more than 1 GB".to_owned() });
            }
            if read == 0 {
                break;
            }
        }
    }
    Ok(())
}

fn damaged(error: &XlsxError) -> ReadError {
    let what = match error {
        XlsxError::Password => "it is locked with a password",
        XlsxError::WorksheetNotFound(_) => "it has no sheet of that name",
        _ => "it is no whole spreadsheet file",
    };
    ReadError::Damaged { what: what.to_owned() }
}

/// Hands over the rows that hold something, and says how many there were.
fn read_sheet(book: &mut Xlsx<BufReader<File>>, name: &str, teller: &Teller) -> Result<u64, ReadError> {
    let mut cells = book.worksheet_cells_reader(name).map_err(|error| damaged(&error))?;
    let mut rows = 0;
    let mut number = 0;
    let mut texts: Vec<String> = Vec::new();
    loop {
        let cell = cells.next_cell().map_err(|error| damaged(&error))?;
        let place = cell.as_ref().map(calamine::Cell::get_position);
        if place.map(|(row, _)| row) != Some(number) && !texts.is_empty() {
            if rows == 0 {
                teller.tell(Told::Sheet(name.to_owned()));
            }
            rows += 1;
            let row = TableRow { number: u64::from(number) + 1, cells: Cells::Texts(std::mem::take(&mut texts)) };
            if !teller.tell(Told::Row(row)) {
                return Ok(rows);
            }
        }
        let (Some(cell), Some((row, column))) = (cell, place) else { return Ok(rows) };
        number = row;
        if column >= MOST_COLUMNS {
            return Err(ReadError::Damaged { what: "it has more columns than a spreadsheet can have".to_owned() });
        }
        let text = shown(cell.get_value());
        if !text.is_empty() {
            let column = column as usize;
            if texts.len() <= column {
                texts.resize(column + 1, String::new());
            }
            texts[column] = text;
        }
    }
}

fn shown(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Empty => String::new(),
        DataRef::Int(value) => value.to_string(),
        DataRef::Float(value) => value.to_string(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(value) => moment(*value),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => error.to_string(),
    }
}

/// A day, a time, or both.
fn moment(value: ExcelDateTime) -> String {
    if value.is_duration() {
        return value.as_f64().to_string();
    }
    let (year, month, day, hour, minute, second, _) = value.to_ymd_hms_milli();
    if (hour, minute, second) == (0, 0, 0) {
        format!("{year:04}-{month:02}-{day:02}")
    } else {
        format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use std::io::Write;

    fn archive(path: &Path, parts: &[(&str, usize)]) {
        let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        for (name, bytes) in parts {
            archive.start_file(*name, options).unwrap();
            archive.write_all(&vec![b' '; *bytes]).unwrap();
        }
        archive.finish().unwrap();
    }

    #[test]
    fn what_unpacks_too_far_or_is_no_spreadsheet_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xlsx");
        archive(&path, &[("xl/workbook.xml", 600_000), ("xl/media/a.png", 900_000), ("xl/sharedStrings.xml", 600_000)]);
        assert!(std::fs::metadata(&path).unwrap().len() < 20_000);
        assert!(refuse_what_unpacks_too_far(&path, 1_300_000).is_ok());
        let refused = refuse_what_unpacks_too_far(&path, 1_000_000).unwrap_err();
        assert!(matches!(refused, ReadError::TooLarge { .. }), "{refused}");
        archive(&path, &[("data.csv", 10)]);
        let refused = refuse_what_unpacks_too_far(&path, MOST_BYTES).unwrap_err();
        assert!(matches!(refused, ReadError::Archive), "{refused}");
    }
}
