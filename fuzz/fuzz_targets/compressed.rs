//! Any bytes as a packed file: by themselves, and as what a file of gzip or zstd unpacks to or breaks
//! off in.
#![no_main]

use std::io::Write;

use libfuzzer_sys::fuzz_target;
use whetstone_fuzz::read_file;

fuzz_target!(|bytes: &[u8]| {
    read_file("data.jsonl.gz", bytes);
    let Some((&first, bytes)) = bytes.split_first() else { return };
    let mut packed = match first % 2 {
        0 => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("it is written to memory")
        }
        _ => zstd::encode_all(bytes, 1).expect("it is written to memory"),
    };
    read_file("data.csv.gz", &packed);
    packed.truncate(packed.len() * usize::from(first) / 255);
    read_file("data.csv.gz", &packed);
});
