//! A buffered reader that knows its place in the file, and bounds what one line may take.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

const BUFFER: usize = 256 * 1024;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A file with the byte and line of what is read next. A byte order mark is passed over.
#[derive(Debug)]
pub(crate) struct Input<R> {
    reader: BufReader<R>,
    /// Offset of the next byte.
    pub byte: u64,
    /// Line of the next byte, from 1.
    pub line: u64,
    /// Offset at which the current line begins.
    pub line_start: u64,
    after_cr: bool,
}

/// How a bounded line ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LineRead {
    /// There is no further line.
    End,
    /// The line is in the buffer, without its line break.
    Line,
    /// The line was longer than the bound and has been passed over; the buffer holds its beginning.
    TooLong,
}

impl<R: Read> Input<R> {
    pub fn new(inner: R) -> std::io::Result<Input<R>> {
        let mut reader = BufReader::with_capacity(BUFFER, inner);
        let mark = if reader.fill_buf()?.starts_with(BOM) { BOM.len() } else { 0 };
        reader.consume(mark);
        Ok(Input { reader, byte: mark as u64, line: 1, line_start: mark as u64, after_cr: false })
    }

    /// The bytes at hand, at least one unless the file has ended.
    pub fn peek(&mut self) -> std::io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    /// Takes one byte that was seen by [`Input::peek`]. `\n`, `\r\n` and a lone `\r` each end a line.
    pub fn take(&mut self, byte: u8) {
        self.reader.consume(1);
        self.byte += 1;
        match byte {
            b'\n' if self.after_cr => self.line_start = self.byte,
            b'\n' | b'\r' => {
                self.line += 1;
                self.line_start = self.byte;
            }
            _ => {}
        }
        self.after_cr = byte == b'\r';
    }

    /// Takes bytes that were seen by [`Input::peek`] and hold no line break.
    pub fn take_run(&mut self, length: usize) {
        self.reader.consume(length);
        self.byte += length as u64;
        self.after_cr = false;
    }

    /// Column of the next byte, in bytes from 1.
    pub fn column(&self) -> u64 {
        self.byte - self.line_start + 1
    }

    /// Reads up to the next `\n`, holding no more than `limit` bytes.
    pub fn read_line(&mut self, into: &mut Vec<u8>, limit: usize) -> std::io::Result<LineRead> {
        into.clear();
        // One byte more than the bound, and one for the line break.
        let held = (&mut self.reader).take(limit as u64 + 2).read_until(b'\n', into)?;
        if held == 0 {
            return Ok(LineRead::End);
        }
        let mut taken = held as u64;
        if into.last() == Some(&b'\n') {
            into.pop();
        } else if into.len() > limit {
            taken += self.reader.skip_until(b'\n')? as u64;
        }
        self.byte += taken;
        self.line += 1;
        self.line_start = self.byte;
        self.after_cr = false;
        if into.last() == Some(&b'\r') {
            into.pop();
        }
        if into.len() > limit {
            return Ok(LineRead::TooLong);
        }
        Ok(LineRead::Line)
    }
}

impl<R: Read + Seek> Input<R> {
    /// Goes back to the beginning of a line seen before.
    pub fn go_back(&mut self, byte: u64, line: u64) -> std::io::Result<()> {
        match i64::try_from(self.byte - byte) {
            Ok(distance) => self.reader.seek_relative(-distance)?,
            Err(_) => {
                self.reader.seek(SeekFrom::Start(byte))?;
            }
        }
        self.byte = byte;
        self.line = line;
        self.line_start = byte;
        self.after_cr = false;
        Ok(())
    }
}

/// The beginning of some bytes as text, to show a person where they are.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const SHOWN: usize = 120;
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN * 4)]);
    let mut shown: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() || bytes.len() > SHOWN * 4 {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn input(text: &[u8]) -> Input<Cursor<Vec<u8>>> {
        Input::new(Cursor::new(text.to_vec())).unwrap()
    }

    #[test]
    fn lines_are_counted_whatever_ends_them() {
        let mut input = input(b"\xEF\xBB\xBFa\r\nb\rc\nd");
        let mut places = Vec::new();
        while let Some(byte) = input.peek().unwrap().first().copied() {
            if byte.is_ascii_lowercase() {
                places.push((byte as char, input.line, input.column()));
            }
            input.take(byte);
        }
        assert_eq!(places, [('a', 1, 1), ('b', 2, 1), ('c', 3, 1), ('d', 4, 1)]);
    }

    #[test]
    fn a_line_beyond_the_bound_is_passed_over_without_being_held() {
        let mut text = vec![b'x'; 3_000_000];
        text.extend_from_slice(b"\nnext\r\n");
        let mut input = input(&text);
        let mut line = Vec::new();
        assert_eq!(input.read_line(&mut line, 1000).unwrap(), LineRead::TooLong);
        assert!(line.len() <= 1002 && line.capacity() < 10_000);
        assert_eq!(input.line, 2);
        assert_eq!(input.read_line(&mut line, 1000).unwrap(), LineRead::Line);
        assert_eq!(line, b"next");
        assert_eq!(input.read_line(&mut line, 1000).unwrap(), LineRead::End);
    }
}
