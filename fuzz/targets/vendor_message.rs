#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    nexmo_audit_exporter_fuzz::properties::vendor_message::holds(data)
});
