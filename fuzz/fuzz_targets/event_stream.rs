//! Any bytes as the text of an event and of an error, and as a frame that somebody sent.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whetstone_sandbox::fuzzing;

fuzz_target!(|bytes: &[u8]| fuzzing::event_stream(bytes));
