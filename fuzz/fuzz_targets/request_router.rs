//! Any bytes as a verified request: to the Bedrock operation that it names, and to each service at one path.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whetstone_sandbox::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::route(bytes));
