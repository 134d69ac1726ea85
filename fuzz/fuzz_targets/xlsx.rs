//! Any bytes as a file `data.xlsx`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whetstone_fuzz::{expect_panics_off_the_main_thread, read_file};

fuzz_target!(init: expect_panics_off_the_main_thread(), |bytes: &[u8]| read_file("data.xlsx", bytes));
