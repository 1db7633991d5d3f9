//! The `nexmo-audit-exporter` program.

fn main() {}
