//! Any bytes as a file `data.json`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| whetstone_fuzz::read_file("data.json", bytes));
