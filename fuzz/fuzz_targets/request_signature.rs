//! Any bytes as a signed request that nobody signed, and then signed truly.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whetstone_sandbox::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::signature(bytes));
