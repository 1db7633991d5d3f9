//! The machine of the measurement.

use std::fs;

use jiff::Timestamp;

/// Describes the machine in lines of Markdown.
pub(crate) fn lines() -> Vec<String> {
    let processors = read("/proc/cpuinfo");
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        let value = line.and_then(|line| line.split_once(':'));
        value.map_or("unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let load = read("/proc/loadavg");
    vec![
        format!("{}, {cores} cores", field(&processors, "model name")),
        format!("{} of memory", field(&read("/proc/meminfo"), "MemTotal")),
        format!("Linux {}", read("/proc/sys/kernel/osrelease").trim()),
        format!(
            "{}, load of the machine before: {}",
            Timestamp::now().strftime("%Y-%m-%d"),
            load.split(' ').next().unwrap_or_default()
        ),
    ]
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}
