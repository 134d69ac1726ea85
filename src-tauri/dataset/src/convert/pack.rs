//! Packing what is written, with what [`crate::formats`] unpacks.

use std::io::{self, Write};

use flate2::write::GzEncoder;

use crate::formats::Compression;

/// Packs what is written to it. The file is whole after [`Packed::finish`] only.
pub enum Packed<W: Write> {
    Plain(W),
    Gzip(GzEncoder<W>),
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> Packed<W> {
    pub fn new(out: W, with: Option<Compression>) -> io::Result<Packed<W>> {
        Ok(match with {
            None => Packed::Plain(out),
            Some(Compression::Gzip) => Packed::Gzip(GzEncoder::new(out, flate2::Compression::default())),
            // Its own default.
            Some(Compression::Zstd) => Packed::Zstd(zstd::Encoder::new(out, 0)?),
        })
    }

    pub fn finish(self) -> io::Result<W> {
        match self {
            Packed::Plain(out) => Ok(out),
            Packed::Gzip(encoder) => encoder.finish(),
            Packed::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Packed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Packed::Plain(out) => out.write(bytes),
            Packed::Gzip(encoder) => encoder.write(bytes),
            Packed::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Packed::Plain(out) => out.flush(),
            Packed::Gzip(encoder) => encoder.flush(),
            Packed::Zstd(encoder) => encoder.flush(),
        }
    }
}
