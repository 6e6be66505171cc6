//! See `src/data_sets.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::data_sets::run(bytes));
