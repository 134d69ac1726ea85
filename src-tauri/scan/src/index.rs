//! Where lines begin: an offset for each 64th of them, so that ten million take little more than a megabyte.

use std::fs::File;
use std::io::{self, Read, Write};
use std::ops::{ControlFlow, Range};
use std::time::UNIX_EPOCH;

use rapidhash::v3::rapidhash_v3;

const MAGIC: &[u8; 8] = b"whstidx1";
const BUFFER: usize = 1024 * 1024;
/// So many bytes are read between two looks at the index.
const STEP: usize = 4 * BUFFER;
const SAMPLE: u64 = 64 * 1024;

/// Splits at line feeds; a carriage return before one is dropped, and nothing follows the last.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// The lines of a file. It can grow while the file is read, and be asked all the while.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineIndex {
    /// Where lines 0, 64, 128, … begin.
    offsets: Vec<u64>,
    lines: u64,
    bytes: u64,
    /// The last byte fed was no line feed: a line has begun that is not counted yet.
    open: bool,
    finished: bool,
}

impl LineIndex {
    /// Every so manieth line has its offset kept.
    pub const STRIDE: u64 = 64;

    pub fn new() -> LineIndex {
        LineIndex::default()
    }

    /// Takes the next bytes of the file.
    pub fn extend(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.finished = false;
        if self.bytes == 0 {
            self.offsets.push(0);
        }
        for place in memchr::memchr_iter(b'\n', bytes) {
            self.lines += 1;
            if self.lines.is_multiple_of(Self::STRIDE) {
                self.offsets.push(self.bytes + place as u64 + 1);
            }
        }
        self.bytes += bytes.len() as u64;
        self.open = bytes.last() != Some(&b'\n');
    }

    /// The file ends here: a last line without line break is a line too.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// Lines that are known to be whole.
    pub fn lines(&self) -> u64 {
        self.lines + u64::from(self.finished && self.open)
    }

    /// Bytes taken so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn is_finished(&self) -> bool {
        self.finished
    }

    /// Where to begin reading for a line (from 0): the offset of a line at or before it, and how many lines to pass
    /// over from there.
    pub fn seek(&self, line: u64) -> Option<(u64, u64)> {
        if line >= self.lines() {
            return None;
        }
        let offset = *self.offsets.get((line / Self::STRIDE) as usize)?;
        Some((offset, line % Self::STRIDE))
    }

    /// Where the block of [`LineIndex::STRIDE`] lines ends that this line is in.
    fn block_end(&self, line: u64) -> u64 {
        self.offsets.get((line / Self::STRIDE) as usize + 1).copied().unwrap_or(self.bytes)
    }

    /// Reads to the end, shows the index every few megabytes, and stops when told to.
    pub fn build(
        mut reader: impl Read,
        progress: &mut dyn FnMut(&LineIndex) -> ControlFlow<()>,
    ) -> io::Result<LineIndex> {
        let mut index = LineIndex::new();
        let mut buffer = vec![0; BUFFER];
        let mut since = 0;
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            index.extend(&buffer[..count]);
            since += count;
            if count == 0 {
                index.finish();
            }
            if count == 0 || since >= STEP {
                since = 0;
                if progress(&index).is_break() {
                    return Ok(index);
                }
            }
            if count == 0 {
                return Ok(index);
            }
        }
    }

    /// The lines of a range, without their line breaks. Lines beyond the last are left out.
    pub fn read_lines(&self, file: &File, range: Range<u64>) -> io::Result<Vec<Vec<u8>>> {
        let range = range.start..range.end.min(self.lines());
        let Some((from, skipped)) = self.seek(range.start).filter(|_| !range.is_empty()) else {
            return Ok(Vec::new());
        };
        let length = usize::try_from(self.block_end(range.end - 1) - from).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        read_at(file, &mut bytes, from)?;
        let wanted = lines(&bytes).skip(skipped as usize).take((range.end - range.start) as usize);
        Ok(wanted.map(<[u8]>::to_vec).collect())
    }

    /// Writes the index down, together with the state of the file that it belongs to.
    pub fn save(&self, mut to: impl Write, fingerprint: &Fingerprint) -> io::Result<()> {
        let mut body = Vec::with_capacity(64 + self.offsets.len() * 8);
        let state = u64::from(self.open) | u64::from(self.finished) << 1;
        for word in fingerprint.words().into_iter().chain([self.lines, self.bytes, state]).chain(self.offsets.clone()) {
            body.extend_from_slice(&word.to_le_bytes());
        }
        to.write_all(MAGIC)?;
        to.write_all(&rapidhash_v3(&body).to_le_bytes())?;
        to.write_all(&body)
    }

    /// Reads an index that was written down; `None` where it is damaged or belongs to another state of the file.
    pub fn load(mut from: impl Read, fingerprint: &Fingerprint) -> io::Result<Option<LineIndex>> {
        let mut all = Vec::new();
        from.read_to_end(&mut all)?;
        let Some((hash, body)) = all.strip_prefix(MAGIC).and_then(|rest| rest.split_first_chunk::<8>()) else {
            return Ok(None);
        };
        let (chunks, rest) = body.as_chunks::<8>();
        if u64::from_le_bytes(*hash) != rapidhash_v3(body) || !rest.is_empty() {
            return Ok(None);
        }
        let words: Vec<u64> = chunks.iter().map(|word| u64::from_le_bytes(*word)).collect();
        let Some(rest) = words.strip_prefix(&fingerprint.words()) else { return Ok(None) };
        let [lines, bytes, state, offsets @ ..] = rest else { return Ok(None) };
        Ok(Some(LineIndex {
            offsets: offsets.to_vec(),
            lines: *lines,
            bytes: *bytes,
            open: state & 1 != 0,
            finished: state & 2 != 0,
        }))
    }
}

/// By what the state of a file is known again: its length, when and where it was written, its first and last bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    pub length: u64,
    /// Nanoseconds since 1970, 0 where the system does not say.
    pub modified: u64,
    /// The number that the file system knows the file by, 0 where there is none.
    pub inode: u64,
    pub head: u64,
    pub tail: u64,
}

impl Fingerprint {
    pub fn of(file: &File) -> io::Result<Fingerprint> {
        let metadata = file.metadata()?;
        let length = metadata.len();
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let modified = modified.map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX));
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        #[cfg(not(unix))]
        let inode = 0;
        let mut sample = vec![0; length.min(SAMPLE) as usize];
        read_at(file, &mut sample, 0)?;
        let head = rapidhash_v3(&sample);
        read_at(file, &mut sample, length - length.min(SAMPLE))?;
        Ok(Fingerprint { length, modified, inode, head, tail: rapidhash_v3(&sample) })
    }

    fn words(&self) -> [u64; 5] {
        [self.length, self.modified, self.inode, self.head, self.tail]
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut offset: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let count = std::os::windows::fs::FileExt::seek_read(file, bytes, offset)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        bytes = &mut bytes[count..];
        offset += count as u64;
    }
    Ok(())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn indexed(bytes: &[u8]) -> LineIndex {
        LineIndex::build(bytes, &mut |_| ControlFlow::Continue(())).unwrap()
    }

    proptest! {
        #[test]
        fn any_window_is_what_splitting_the_whole_gives(
            texts in prop::collection::vec("[a-z\r]{0,5}", 0..300),
            ended: bool,
            cut in 0usize..2000,
            start in 0u64..320,
            count in 0u64..200,
        ) {
            let mut bytes = texts.join("\n").into_bytes();
            if ended {
                bytes.push(b'\n');
            }
            let expected: Vec<Vec<u8>> = lines(&bytes).map(<[u8]>::to_vec).collect();
            let mut index = LineIndex::new();
            let (before, after) = bytes.split_at(cut.min(bytes.len()));
            index.extend(before);
            index.extend(after);
            index.finish();
            prop_assert_eq!(index.lines(), expected.len() as u64);
            prop_assert_eq!(&index, &indexed(&bytes));
            let window = index.read_lines(&file(&bytes), start..start + count).unwrap();
            let from = (start as usize).min(expected.len());
            let to = ((start + count) as usize).min(expected.len());
            prop_assert_eq!(&window[..], &expected[from..to]);
        }
    }

    #[test]
    fn rows_can_be_read_before_the_end_is_known() {
        let mut index = LineIndex::new();
        index.extend(b"one\ntwo\nthr");
        assert_eq!(index.lines(), 2);
        assert_eq!(index.read_lines(&file(b"one\ntwo\nthree"), 0..9).unwrap(), [b"one", b"two"]);
        index.extend(b"ee");
        index.finish();
        assert_eq!(index.lines(), 3);
        index.extend(b"!\nfour");
        assert_eq!((index.lines(), index.is_finished()), (3, false));
    }

    #[test]
    fn an_index_is_known_again_and_refused_for_another_file_or_when_damaged() {
        let bytes = "line\n".repeat(1000).into_bytes();
        let (index, on_disk) = (indexed(&bytes), file(&bytes));
        let fingerprint = Fingerprint::of(&on_disk).unwrap();
        let mut saved = Vec::new();
        index.save(&mut saved, &fingerprint).unwrap();
        assert_eq!(LineIndex::load(&saved[..], &fingerprint).unwrap().as_ref(), Some(&index));
        let other = Fingerprint::of(&file(b"line\n")).unwrap();
        assert_eq!(LineIndex::load(&saved[..], &other).unwrap(), None);
        for place in 0..saved.len() {
            let mut damaged = saved.clone();
            damaged[place] ^= 1;
            assert_eq!(LineIndex::load(&damaged[..], &fingerprint).unwrap(), None, "byte {place}");
            assert_eq!(LineIndex::load(&saved[..place], &fingerprint).unwrap(), None, "cut at {place}");
        }
    }

    #[test]
    fn building_stops_when_told_to() {
        let index = LineIndex::build(io::repeat(b'x').take(1 << 30), &mut |_| ControlFlow::Break(())).unwrap();
        assert!(!index.is_finished() && index.bytes() < 8 << 20, "{}", index.bytes());
    }
}
