//! A buffered reader that knows its place in the text, and bounds what one line may take.

use std::io::Read;

const BUFFER: usize = 256 * 1024;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A text with the byte and line of what is read next. A byte order mark is passed over.
#[derive(Debug)]
pub(crate) struct Input<R> {
    inner: R,
    buffer: Vec<u8>,
    /// Place of the next byte in the buffer.
    at: usize,
    /// From here on the buffer is kept, so that one may go back.
    mark: Option<usize>,
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
        let mut input =
            Input { inner, buffer: Vec::new(), at: 0, mark: None, byte: 0, line: 1, line_start: 0, after_cr: false };
        // A reader may give less than the mark at first.
        while input.buffer.len() < BOM.len() && input.fill()? > 0 {}
        if input.buffer.starts_with(BOM) {
            input.at = BOM.len();
            input.byte = BOM.len() as u64;
            input.line_start = input.byte;
        }
        Ok(input)
    }

    /// Reads more behind what is held, and says how much.
    fn fill(&mut self) -> std::io::Result<usize> {
        let kept = self.mark.unwrap_or(self.at);
        if kept > 0 && kept == self.buffer.len() {
            self.buffer.clear();
        } else if kept >= BUFFER {
            self.buffer.drain(..kept);
        }
        let dropped = if self.buffer.is_empty() || kept >= BUFFER { kept } else { 0 };
        self.at -= dropped;
        self.mark = self.mark.map(|mark| mark - dropped);
        let held = self.buffer.len();
        self.buffer.resize(held + BUFFER, 0);
        let read = loop {
            match self.inner.read(&mut self.buffer[held..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(held + *read.as_ref().unwrap_or(&0));
        read
    }

    /// The bytes at hand, at least one unless the text has ended.
    pub fn peek(&mut self) -> std::io::Result<&[u8]> {
        if self.at == self.buffer.len() {
            self.fill()?;
        }
        Ok(&self.buffer[self.at..])
    }

    /// Takes one byte that was seen by [`Input::peek`]. `\n`, `\r\n` and a lone `\r` each end a line.
    pub fn take(&mut self, byte: u8) {
        self.at += 1;
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
        self.at += length;
        self.byte += length as u64;
        self.after_cr = false;
    }

    /// Column of the next byte, in bytes from 1.
    pub fn column(&self) -> u64 {
        self.byte - self.line_start + 1
    }

    /// Keeps what is read from here on, so that [`Input::go_back`] can be called.
    pub fn set_mark(&mut self) {
        self.mark = Some(self.at);
    }

    pub fn clear_mark(&mut self) {
        self.mark = None;
    }

    /// Goes back to the beginning of a line that was read after the mark.
    pub fn go_back(&mut self, byte: u64, line: u64) {
        self.at -= (self.byte - byte) as usize;
        self.byte = byte;
        self.line = line;
        self.line_start = byte;
        self.after_cr = false;
    }

    /// Reads up to the next `\n`, holding no more than `limit` bytes.
    pub fn read_line(&mut self, into: &mut Vec<u8>, limit: usize) -> std::io::Result<LineRead> {
        into.clear();
        // One byte more than the bound tells a line that is too long; another may be a `\r`.
        let most = limit + 2;
        let mut taken = 0;
        loop {
            let at_hand = self.peek()?;
            if at_hand.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', at_hand);
            let run = end.unwrap_or(at_hand.len());
            let room = most - into.len();
            into.extend_from_slice(&at_hand[..run.min(room)]);
            let step = run + usize::from(end.is_some());
            self.at += step;
            taken += step as u64;
            if end.is_some() {
                break;
            }
        }
        if taken == 0 {
            return Ok(LineRead::End);
        }
        self.byte += taken;
        self.line += 1;
        self.line_start = self.byte;
        self.after_cr = false;
        if into.last() == Some(&b'\r') {
            into.pop();
        }
        Ok(if into.len() > limit { LineRead::TooLong } else { LineRead::Line })
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

    /// Gives its bytes one at a time.
    struct Slow(Cursor<Vec<u8>>);

    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(&mut into[..1])
        }
    }

    #[test]
    fn what_was_read_after_the_mark_can_be_read_again() {
        let text: Vec<u8> = (0..100_000_u32).flat_map(|number| format!("{number}\n").into_bytes()).collect();
        let mut slow = Input::new(Slow(Cursor::new(b"\xEF\xBB\xBFab\ncd\n".to_vec()))).unwrap();
        let mut fast = Input::new(Cursor::new(text)).unwrap();
        let mut line = Vec::new();
        slow.set_mark();
        slow.read_line(&mut line, 9).unwrap();
        slow.read_line(&mut line, 9).unwrap();
        slow.go_back(3, 1);
        slow.read_line(&mut line, 9).unwrap();
        assert_eq!((&line[..], slow.line), (&b"ab"[..], 2));
        for _ in 0..50_000 {
            fast.read_line(&mut line, 9).unwrap();
        }
        fast.set_mark();
        let (byte, number) = (fast.byte, fast.line);
        while fast.read_line(&mut line, 9).unwrap() == LineRead::Line {}
        fast.go_back(byte, number);
        fast.read_line(&mut line, 9).unwrap();
        assert_eq!(line, b"50000");
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
