#![no_main]

// A poller that panics is started again. The fuzzer's own panic hook would end at each panic,
// and not only at one that breaks the property.
libfuzzer_sys::fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| ())),
    |data: &[u8]| fuzz_properties::reload::holds(data)
);
