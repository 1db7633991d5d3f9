#![no_main]

// The store turns a panic of the database into an error. The fuzzer's own panic hook
// would end at each panic, and not only at one that leaves the store.
libfuzzer_sys::fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| ())),
    |data: &[u8]| fuzz_properties::store::holds(data)
);
