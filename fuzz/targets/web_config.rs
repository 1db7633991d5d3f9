#![no_main]

libfuzzer_sys::fuzz_target!(
    |data: &[u8]| nexmo_audit_exporter_fuzz::properties::web_config::holds(data)
);
