//! Any bytes as a body of InvokeModel, in the words of each family.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whetstone_sandbox::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::invoke_body(bytes));
