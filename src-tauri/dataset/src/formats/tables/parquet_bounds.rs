//! What a Parquet file says of itself, held to what it holds, before memory is taken for it.
//!
//! The library believes a page's header: how large it is once unpacked, how many values it has. A run of equal values
//! takes a few bytes however long it is, so a file of some kilobytes may ask for gigabytes.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, Bytes};
use parquet::basic::Encoding;
use parquet::bloom_filter::Sbbf;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, Length, RowGroupReader};
use parquet::record::reader::RowIter;
use parquet::schema::types::{ColumnDescPtr, Type};

/// The length of the metadata and a magic word, with which a file ends.
const END_OF_FILE: u64 = 8;

/// How much larger than itself a packed part may say to be; what is packed well in earnest stays far below.
const MOST_TIMES: u64 = 1000;

/// What a page may unpack to however small it is: writers close a page at about a megabyte.
const SMALL_PAGE: u64 = 8 << 20;

/// The largest page of texts that are each a part of the text before and a rest: a thousand are put together at a time,
/// and each may be as long as the page.
const LARGEST_OF_PREFIXES: usize = 2 << 20;

/// How many values of lists a row group may have however small it is, such as an empty list in every row.
const FEW_VALUES: u64 = 4 << 20;

/// A file whose pages are refused where their headers say more than they could hold.
pub(super) struct BoundedFile(pub File);

impl Length for BoundedFile {
    fn len(&self) -> u64 {
        Length::len(&self.0)
    }
}

impl ChunkReader for BoundedFile {
    type T = BufReader<File>;

    /// The headers of pages are read in this way, and the end of the file; all else comes as bytes.
    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut reader = self.0.get_read(start)?;
        if start + END_OF_FILE == Length::len(self) {
            return Ok(reader);
        }
        let (unpacked, packed) = sizes(reader.fill_buf()?).ok_or_else(implausible)?;
        if unpacked > packed.saturating_mul(MOST_TIMES).saturating_add(SMALL_PAGE) {
            return Err(implausible());
        }
        Ok(reader)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.0.get_bytes(start, length)
    }
}

/// The sizes that the header of a page begins with, after its kind: three numbers in Thrift's compact form.
fn sizes(header: &[u8]) -> Option<(u64, u64)> {
    const NEXT_FIELD_I32: u8 = 0x15;
    let mut rest = header;
    let mut field = || {
        (rest.try_get_u8().ok()? == NEXT_FIELD_I32).then_some(())?;
        let zigzag = number(&mut rest)?;
        // Odd ones are negative.
        zigzag.is_multiple_of(2).then_some(zigzag / 2)
    };
    let _kind = field()?;
    Some((field()?, field()?))
}

fn implausible() -> ParquetError {
    ParquetError::General("a page says more of itself than it can hold".to_owned())
}

/// A row group whose pages are refused where they would have more values than fit into them.
pub(super) struct BoundedGroup<'file> {
    inner: Box<dyn RowGroupReader + 'file>,
    /// Values in lists that its columns may still have, all together.
    list_values: Arc<AtomicU64>,
}

impl<'file> BoundedGroup<'file> {
    pub fn new(inner: Box<dyn RowGroupReader + 'file>, file_size: u64) -> Self {
        let packed = u64::try_from(inner.metadata().compressed_size()).unwrap_or(0).min(file_size);
        let list_values = Arc::new(AtomicU64::new(FEW_VALUES + MOST_TIMES * packed));
        Self { inner, list_values }
    }
}

impl RowGroupReader for BoundedGroup<'_> {
    fn metadata(&self) -> &RowGroupMetaData {
        self.inner.metadata()
    }

    fn num_columns(&self) -> usize {
        self.inner.num_columns()
    }

    fn get_column_page_reader(&self, i: usize) -> Result<Box<dyn PageReader>> {
        let column = self.metadata().schema_descr().column(i);
        let in_lists = column.max_rep_level() > 0;
        Ok(Box::new(BoundedPages {
            inner: self.inner.get_column_page_reader(i)?,
            list_values: in_lists.then(|| Arc::clone(&self.list_values)),
            column,
        }))
    }

    fn get_column_bloom_filter(&self, i: usize) -> Option<&Sbbf> {
        self.inner.get_column_bloom_filter(i)
    }

    fn get_row_iter(&self, projection: Option<Type>) -> Result<RowIter<'_>> {
        RowIter::from_row_group(projection, self)
    }
}

struct BoundedPages {
    inner: Box<dyn PageReader>,
    column: ColumnDescPtr,
    /// `None` for a column outside of lists: it is read a thousand rows at a time.
    list_values: Option<Arc<AtomicU64>>,
}

impl BoundedPages {
    fn check(&self, page: &Page) -> Result<()> {
        let values = u64::from(page.num_values());
        if !page.is_data_page() && values > MOST_TIMES * page.buffer().len() as u64 {
            return Err(implausible());
        }
        if let (Some(left), true) = (&self.list_values, page.is_data_page()) {
            let took = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(values));
            took.map_err(|_| implausible())?;
        }
        let lists_of_lengths = match page.encoding() {
            Encoding::DELTA_LENGTH_BYTE_ARRAY => 1,
            Encoding::DELTA_BYTE_ARRAY if page.buffer().len() > LARGEST_OF_PREFIXES => return Err(implausible()),
            Encoding::DELTA_BYTE_ARRAY => 2,
            _ => return Ok(()),
        };
        let mut data = self.behind_levels(page).ok_or_else(implausible)?;
        for _ in 0..lists_of_lengths {
            let lengths = deltas(&mut data).ok_or_else(implausible)?;
            if lengths > values {
                return Err(implausible());
            }
        }
        Ok(())
    }

    /// The values of a data page, which its levels precede.
    fn behind_levels<'page>(&self, page: &'page Page) -> Option<&'page [u8]> {
        match page {
            Page::DataPage { buf, def_level_encoding, rep_level_encoding, .. } => {
                let mut rest: &[u8] = buf;
                let levels = [
                    (self.column.max_rep_level(), rep_level_encoding),
                    (self.column.max_def_level(), def_level_encoding),
                ];
                for (_, encoding) in levels.into_iter().filter(|(most, _)| *most > 0) {
                    // The other way to pack levels is older than any writer of lists of lengths.
                    (*encoding == Encoding::RLE).then_some(())?;
                    let length = rest.try_get_u32_le().ok()?;
                    rest = rest.get(usize::try_from(length).ok()?..)?;
                }
                Some(rest)
            }
            Page::DataPageV2 { buf, def_levels_byte_len, rep_levels_byte_len, .. } => {
                buf.get(usize::try_from(def_levels_byte_len.checked_add(*rep_levels_byte_len)?).ok()?..)
            }
            Page::DictionaryPage { .. } => None,
        }
    }
}

/// Steps over a list of numbers packed as differences, and tells how many it has.
fn deltas(data: &mut &[u8]) -> Option<u64> {
    let block = number(data)?;
    let parts = number(data)?;
    let count = number(data)?;
    let _first = number(data)?;
    let in_part = block.checked_div(parts).filter(|in_part| *in_part > 0)?;
    let mut left = count.saturating_sub(1);
    while left > 0 {
        let _least = number(data)?;
        let (widths, rest) = data.split_at_checked(usize::try_from(parts).ok()?)?;
        *data = rest;
        for width in widths {
            if left == 0 {
                break;
            }
            let bytes = u64::from(*width).checked_mul(in_part)? / 8;
            *data = data.get(usize::try_from(bytes).ok()?..)?;
            left = left.saturating_sub(in_part);
        }
    }
    Some(count)
}

/// A number in groups of seven bits, the lowest first.
fn number(data: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = data.try_get_u8().ok()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

impl PageReader for BoundedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        page.as_ref().map_or(Ok(()), |page| self.check(page))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }
}

impl Iterator for BoundedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sizes_of_a_page_are_read_from_its_header() {
        // A data page of 300 bytes, packed into 5, and what comes after.
        assert_eq!(sizes(&[0x15, 0x00, 0x15, 0xd8, 0x04, 0x15, 0x0a, 0x2c]), Some((300, 5)));
        assert_eq!(sizes(&[0x15, 0x00, 0x15, 0x03, 0x15, 0x0a]), None, "negative");
        assert_eq!(sizes(&[0x15, 0x00, 0x15, 0xd8]), None, "breaks off");
        assert_eq!(sizes(&[0x1c, 0x00, 0x15, 0x02, 0x15, 0x02]), None, "another field");
    }

    #[test]
    fn a_list_of_differences_is_stepped_over() {
        // Blocks of 128 in 4 parts, 34 numbers: the first, then 32 of one bit each and one of none.
        let list = [0x80, 0x01, 0x04, 34, 0x02, 0x00, 1, 0, 0, 0, 0xaa, 0xaa, 0xaa, 0xaa, b'!'];
        let mut rest = &list[..];
        assert_eq!((deltas(&mut rest), rest), (Some(34), &b"!"[..]));
        assert_eq!(deltas(&mut &list[..12]), None, "breaks off");
        assert_eq!(deltas(&mut &[0x80, 0x01, 0x00, 34, 0x02, 0x00][..]), None, "parts of nothing");
        let one = [0x80, 0x01, 0x04, 1, 0x08];
        let mut rest = &one[..];
        assert_eq!((deltas(&mut rest), rest.len()), (Some(1), 0));
    }
}
