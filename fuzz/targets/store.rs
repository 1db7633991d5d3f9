#![no_main]

// The store answers a panic of the database with an error. By its own hook the fuzzer
// would end at each, and not only where one comes out.
libfuzzer_sys::fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| ())),
    |data: &[u8]| fuzz_properties::store::holds(data)
);
