//! The memory and the descriptors of the exporter over a run.

use std::fs;
use std::time::Duration;

/// How far the highest value of the last fifth may be above that of the third fifth: a
/// process that was killed begins anew, and memory is used in steps.
const MOST_GROWTH: f64 = 1.2;
/// How many descriptors more may be open: connections of strangers and servers.
const MORE_DESCRIPTORS: u64 = 40;

/// What the process used at one time.
#[derive(Debug, Clone, Copy)]
struct Use {
    at: Duration,
    kilobytes: u64,
    descriptors: u64,
}

/// What the processes of a run used.
#[derive(Debug, Default)]
pub(super) struct Resources {
    uses: Vec<Use>,
}

impl Resources {
    /// Looks at the process with this number, unless it has just ended.
    pub(super) fn look(&mut self, at: Duration, process: u32) {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes =
            resident.and_then(|text| text.trim().strip_suffix("kB")?.trim().parse().ok());
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).map(Iterator::count);
        if let (Some(kilobytes), Ok(descriptors)) = (kilobytes, descriptors) {
            let descriptors = u64::try_from(descriptors).unwrap_or(u64::MAX);
            self.uses.push(Use {
                at,
                kilobytes,
                descriptors,
            });
        }
    }

    /// Returns the highest memory, in kilobytes, and the highest number of descriptors in
    /// each fifth of the run.
    pub(super) fn by_fifth(&self, duration: Duration) -> [(u64, u64); 5] {
        let mut fifths = [(0, 0); 5];
        for Use {
            at,
            kilobytes,
            descriptors,
        } in &self.uses
        {
            let place = (at.as_secs() * 5 / duration.as_secs().max(1)).min(4);
            let fifth = &mut fifths[usize::try_from(place).unwrap_or(4)];
            *fifth = (fifth.0.max(*kilobytes), fifth.1.max(*descriptors));
        }
        fifths
    }

    /// Returns what still rises in the second half of the run.
    pub(super) fn growth(&self, duration: Duration) -> Vec<String> {
        let [_, _, middle, _, last] = self.by_fifth(duration);
        let mut growth = Vec::new();
        #[expect(clippy::cast_precision_loss, reason = "kilobytes of memory")]
        let ratio = last.0 as f64 / middle.0.max(1) as f64;
        if ratio > MOST_GROWTH {
            growth.push(format!("memory rose from {} to {} kB", middle.0, last.0));
        }
        if last.1 > middle.1 + MORE_DESCRIPTORS {
            growth.push(format!("descriptors rose from {} to {}", middle.1, last.1));
        }
        growth
    }
}
