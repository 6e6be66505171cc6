//! See `src/prompts.rs`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzz::prompts::run(bytes));
