//! The text of a file, whatever it is packed and encoded in.
//!
//! Nothing is written to disk and memory does not grow with the file: packed files are unpacked and
//! other encodings turned into UTF-8 as they are read. A small file that unpacks into a huge one is
//! broken off.

use std::fs::{File, Metadata};
use std::io::{Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use encoding_rs::Decoder;

use crate::error::ReadError;

const CHUNK: usize = 64 * 1024;
/// Bytes looked at to tell an encoding without a mark.
const ENCODING_SAMPLE: usize = 4096;

/// What a file is packed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// What a packed file is called behind the last dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Gzip => "gz",
            Self::Zstd => "zst",
        }
    }

    /// What a file of this name is packed with.
    pub fn of_name(path: &Path) -> Option<Compression> {
        let extension = path.extension()?;
        [Self::Gzip, Self::Zstd].into_iter().find(|one| extension.eq_ignore_ascii_case(one.extension()))
    }
}

/// How the characters of a text are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Or one that agrees with it in the characters of ASCII.
    Utf8,
    Utf16Le,
    Utf16Be,
    /// One of these is never told from the bytes; a person says so.
    Windows1252,
    Windows1250,
    Windows1251,
    ShiftJis,
    Gb18030,
    EucKr,
}

impl Encoding {
    pub const ALL: [Encoding; 9] = [
        Self::Utf8,
        Self::Utf16Le,
        Self::Utf16Be,
        Self::Windows1252,
        Self::Windows1250,
        Self::Windows1251,
        Self::ShiftJis,
        Self::Gb18030,
        Self::EucKr,
    ];

    pub fn id(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Windows1252 => "windows-1252",
            Self::Windows1250 => "windows-1250",
            Self::Windows1251 => "windows-1251",
            Self::ShiftJis => "shift_jis",
            Self::Gb18030 => "gb18030",
            Self::EucKr => "euc-kr",
        }
    }

    pub fn from_id(id: &str) -> Option<Encoding> {
        Self::ALL.into_iter().find(|encoding| encoding.id() == id)
    }

    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16, little-endian",
            Self::Utf16Be => "UTF-16, big-endian",
            Self::Windows1252 => "Western (Windows-1252)",
            Self::Windows1250 => "Central European (Windows-1250)",
            Self::Windows1251 => "Cyrillic (Windows-1251)",
            Self::ShiftJis => "Japanese (Shift JIS)",
            Self::Gb18030 => "Chinese (GB18030)",
            Self::EucKr => "Korean (EUC-KR)",
        }
    }

    /// What turns it into UTF-8; `None` where it is that already.
    fn decoder(self) -> Option<Decoder> {
        let encoding = match self {
            Self::Utf8 => return None,
            Self::Utf16Le => encoding_rs::UTF_16LE,
            Self::Utf16Be => encoding_rs::UTF_16BE,
            Self::Windows1252 => encoding_rs::WINDOWS_1252,
            Self::Windows1250 => encoding_rs::WINDOWS_1250,
            Self::Windows1251 => encoding_rs::WINDOWS_1251,
            Self::ShiftJis => encoding_rs::SHIFT_JIS,
            Self::Gb18030 => encoding_rs::GB18030,
            Self::EucKr => encoding_rs::EUC_KR,
        };
        Some(encoding.new_decoder_with_bom_removal())
    }
}

/// What tells a file that was written to from one that was not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub bytes: u64,
    modified: Option<SystemTime>,
}

impl Fingerprint {
    pub fn of(metadata: &Metadata) -> Fingerprint {
        Fingerprint { bytes: metadata.len(), modified: metadata.modified().ok() }
    }
}

/// A file's text as UTF-8, as far as it was text.
pub(crate) struct Unpacked {
    pub reader: Box<dyn Read + Send>,
    pub compression: Option<Compression>,
    pub encoding: Encoding,
    pub fingerprint: Fingerprint,
    /// Bytes taken from the file so far.
    pub taken: Arc<AtomicU64>,
}

/// How much may come out of how little.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Up to here nothing is asked.
    free: u64,
    /// Beyond it, so many bytes may come out of each that went in.
    ratio: u64,
}

const LIMITS: Limits = Limits { free: 1 << 30, ratio: 200 };

/// Why a packed file is not read on; carried through the readers as an I/O error.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("it unpacks to far more than its size")]
    Bomb,
    #[error("it is damaged")]
    Damaged,
}

/// The text of a file, in the encoding that it is said to be in or looks like.
pub(crate) fn unpack(path: &Path, said: Option<Encoding>) -> Result<Unpacked, ReadError> {
    let file = File::open(path).map_err(ReadError::io(path))?;
    let fingerprint = Fingerprint::of(&file.metadata().map_err(ReadError::io(path))?);
    let taken = Arc::new(AtomicU64::new(0));
    let counted = Counted { inner: file, taken: Arc::clone(&taken) };
    unpack_from(counted, fingerprint, taken, LIMITS, said).map_err(ReadError::io(path))
}

fn unpack_from(
    counted: Counted<impl Read + Send + 'static>,
    fingerprint: Fingerprint,
    taken: Arc<AtomicU64>,
    limits: Limits,
    said: Option<Encoding>,
) -> std::io::Result<Unpacked> {
    let (head, whole) = with_head(counted, 4)?;
    let compression = match head[..] {
        [0x1F, 0x8B, ..] => Some(Compression::Gzip),
        [0x28, 0xB5, 0x2F, 0xFD] => Some(Compression::Zstd),
        _ => None,
    };
    let plain: Box<dyn Read + Send> = match compression {
        None => Box::new(whole),
        Some(Compression::Gzip) => {
            let inner = Box::new(flate2::read::MultiGzDecoder::new(whole));
            Box::new(Guarded { inner, given: 0, taken: Arc::clone(&taken), limits })
        }
        Some(Compression::Zstd) => {
            let mut decoder = zstd::stream::read::Decoder::new(whole)?;
            // A frame may ask for a window of any size; this much is what the tool itself allows.
            decoder.window_log_max(27)?;
            Box::new(Guarded { inner: Box::new(decoder), given: 0, taken: Arc::clone(&taken), limits })
        }
    };
    let (head, text) = with_head(plain, ENCODING_SAMPLE)?;
    let encoding = said.filter(|_| !is_archive(&head)).unwrap_or_else(|| encoding_of(&head));
    let reader: Box<dyn Read + Send> = match encoding.decoder() {
        None => Box::new(text),
        Some(decoder) => Box::new(Transcoded::new(text, decoder)),
    };
    Ok(Unpacked { reader, compression, encoding, fingerprint, taken })
}

/// The first bytes, and a reader that gives them again.
fn with_head<R: Read>(mut reader: R, length: usize) -> std::io::Result<(Vec<u8>, impl Read)> {
    let mut head = Vec::with_capacity(length);
    (&mut reader).take(length as u64).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(reader)))
}

/// A spreadsheet or a Parquet file, whose bytes are no text in any encoding.
fn is_archive(head: &[u8]) -> bool {
    head.starts_with(b"PK") || head.starts_with(b"PAR1")
}

/// UTF-16 is told by its mark or, without one, by the zero bytes that every second byte of a Western
/// text is in it.
fn encoding_of(head: &[u8]) -> Encoding {
    let zeros = |from: usize| head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd, pairs) = (zeros(0), zeros(1), head.len() / 2);
    let many = |zeros: usize, others: usize| zeros * 10 > pairs * 3 && others * 50 <= pairs;
    match head {
        [0xFF, 0xFE, ..] => Encoding::Utf16Le,
        [0xFE, 0xFF, ..] => Encoding::Utf16Be,
        _ if is_archive(head) || pairs < 2 => Encoding::Utf8,
        _ if many(odd, even) => Encoding::Utf16Le,
        _ if many(even, odd) => Encoding::Utf16Be,
        _ => Encoding::Utf8,
    }
}

/// Counts what is taken from the file.
struct Counted<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(into)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Unpacked bytes, as long as they stay in proportion.
struct Guarded {
    inner: Box<dyn Read + Send>,
    given: u64,
    taken: Arc<AtomicU64>,
    limits: Limits,
}

impl Read for Guarded {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(into).map_err(|error| match error.raw_os_error() {
            // The disk's own errors are told as such; all others are the unpacker's.
            Some(_) => error,
            None => std::io::Error::other(Refused::Damaged),
        })?;
        self.given += read as u64;
        let fair = self.taken.load(Ordering::Relaxed).saturating_mul(self.limits.ratio);
        if self.given > self.limits.free && self.given > fair {
            return Err(std::io::Error::other(Refused::Bomb));
        }
        Ok(read)
    }
}

/// A text of another encoding as UTF-8. A unit that is no character becomes U+FFFD.
struct Transcoded<R> {
    inner: R,
    decoder: Decoder,
    source: Vec<u8>,
    from: usize,
    ended: bool,
    text: Vec<u8>,
    at: usize,
}

impl<R: Read> Transcoded<R> {
    fn new(inner: R, decoder: Decoder) -> Transcoded<R> {
        Transcoded { inner, decoder, source: Vec::new(), from: 0, ended: false, text: Vec::new(), at: 0 }
    }
}

impl<R: Read> Read for Transcoded<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.text.len() {
            if self.from == self.source.len() {
                if self.ended {
                    return Ok(0);
                }
                self.source.resize(CHUNK, 0);
                let read = self.inner.read(&mut self.source)?;
                self.source.truncate(read);
                self.from = 0;
                self.ended = read == 0;
            }
            self.text.resize(CHUNK, 0);
            let (_, read, written, _) =
                self.decoder.decode_to_utf8(&self.source[self.from..], &mut self.text, self.ended);
            self.from += read;
            self.text.truncate(written);
            self.at = 0;
        }
        let length = into.len().min(self.text.len() - self.at);
        into[..length].copy_from_slice(&self.text[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;
    use std::io::Write;

    fn unpacked(bytes: Vec<u8>, limits: Limits) -> std::io::Result<(String, Option<Compression>, Encoding)> {
        let fingerprint = Fingerprint { bytes: bytes.len() as u64, modified: None };
        let taken = Arc::new(AtomicU64::new(0));
        let counted = Counted { inner: Cursor::new(bytes), taken: Arc::clone(&taken) };
        let mut unpacked = unpack_from(counted, fingerprint, taken, limits, None)?;
        let mut text = String::new();
        unpacked.reader.read_to_string(&mut text)?;
        Ok((text, unpacked.compression, unpacked.encoding))
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn utf16(text: &str, little: bool, mark: bool) -> Vec<u8> {
        let units = mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16());
        units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    #[test]
    fn a_text_is_the_same_however_it_is_packed_and_encoded() {
        let text = "{\"prompt\":\"Où est ma carte ? 🙂\",\"completion\":\"là\"}\n".repeat(4000);
        let plain = text.as_bytes().to_vec();
        let two_members = [gzip(&plain[..1000]), gzip(&plain[1000..])].concat();
        for (bytes, compression, encoding) in [
            (plain.clone(), None, Encoding::Utf8),
            (gzip(&plain), Some(Compression::Gzip), Encoding::Utf8),
            (two_members, Some(Compression::Gzip), Encoding::Utf8),
            (zstd::encode_all(&plain[..], 1).unwrap(), Some(Compression::Zstd), Encoding::Utf8),
            (utf16(&text, true, true), None, Encoding::Utf16Le),
            (utf16(&text, false, true), None, Encoding::Utf16Be),
            (utf16(&text, true, false), None, Encoding::Utf16Le),
            (utf16(&text, false, false), None, Encoding::Utf16Be),
            (gzip(&utf16(&text, true, true)), Some(Compression::Gzip), Encoding::Utf16Le),
        ] {
            assert_eq!(unpacked(bytes, LIMITS).unwrap(), (text.clone(), compression, encoding));
        }
    }

    #[test]
    fn what_unpacks_out_of_proportion_is_broken_off() {
        let zeros = vec![b' '; 3_000_000];
        let limits = Limits { free: 1_000_000, ratio: 200 };
        for packed in [gzip(&zeros), zstd::encode_all(&zeros[..], 1).unwrap()] {
            assert_eq!(unpacked(packed.clone(), LIMITS).unwrap().0.len(), zeros.len());
            let error = unpacked(packed, limits).unwrap_err();
            assert!(matches!(error.downcast::<Refused>(), Ok(Refused::Bomb)));
        }
    }

    #[test]
    fn a_packed_file_that_breaks_off_or_is_damaged_is_refused() {
        let text = (0..3000_u32).map(|number| format!("{}\n", number.wrapping_mul(2_654_435_761))).collect::<String>();
        for packed in [gzip(text.as_bytes()), zstd::encode_all(text.as_bytes(), 1).unwrap()] {
            let mut damaged = packed.clone();
            damaged[packed.len() / 2] ^= 0xFF;
            for broken in [packed[..packed.len() / 2].to_vec(), damaged[..damaged.len() - 3].to_vec()] {
                let error = unpacked(broken, LIMITS).unwrap_err();
                assert!(matches!(error.downcast::<Refused>(), Ok(Refused::Damaged)));
            }
        }
    }
}
