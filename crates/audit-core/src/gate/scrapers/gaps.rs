//! The gaps between the scrapes of a server, and the interval that they suggest.

use std::{collections::VecDeque, time::Duration};

/// The longest interval that is believed. No server scrapes less often: Prometheus shows a
/// sample for no longer than 5 minutes.
pub(super) const LONGEST_INTERVAL: Duration = Duration::from_mins(5);
/// The number of gaps that are kept.
const GAPS_KEPT: usize = 8;
/// The number of gaps from which an interval is known.
const GAPS_TO_KNOW: usize = 3;
/// The number of gaps that must not fit the others before [`Gaps::are_irregular`]: one may
/// come from a restart of the server.
const ODD_GAPS: usize = 2;
/// How far a gap may be from a multiple of the usual gap, as a part of the usual gap.
const TOLERANCE: f64 = 0.1;

/// The latest gaps between two scrapes in a row.
#[derive(Debug, Clone, Default)]
pub(super) struct Gaps(VecDeque<Duration>);

impl Gaps {
    pub(super) fn push(&mut self, gap: Duration) {
        self.0.push_back(gap.min(LONGEST_INTERVAL));
        if self.0.len() > GAPS_KEPT {
            self.0.pop_front();
        }
    }

    /// Returns `true` if there are enough gaps to know an interval.
    pub(super) fn are_enough(&self) -> bool {
        self.0.len() >= GAPS_TO_KNOW
    }

    /// Returns the interval that the gaps suggest: the second longest gap, since the
    /// longest may be an outage, or the only gap.
    pub(super) fn interval(&self) -> Option<Duration> {
        let mut gaps = self.sorted();
        gaps.reverse();
        gaps.get(1).or(gaps.first()).copied()
    }

    /// Returns `true` if the gaps are not those of one server. One server scrapes at a
    /// fixed interval: each gap is the usual one, or a multiple of it if scrapes were missed.
    pub(super) fn are_irregular(&self) -> bool {
        let sorted = self.sorted();
        let usual = sorted
            .get(sorted.len() / 2)
            .map_or(0.0, Duration::as_secs_f64);
        let is_odd = |gap: &&Duration| {
            let multiple = gap.as_secs_f64() / usual.max(f64::MIN_POSITIVE);
            (multiple - multiple.round().max(1.0)).abs() > TOLERANCE
        };
        self.are_enough() && sorted.iter().filter(is_odd).count() >= ODD_GAPS
    }

    fn sorted(&self) -> Vec<Duration> {
        let mut gaps: Vec<_> = self.0.iter().copied().collect();
        gaps.sort_unstable();
        gaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gaps_of_one_server_are_regular_and_those_of_two_are_not() {
        let cases: [(&str, &[u64], bool); 9] = [
            ("one server", &[15_000, 15_001, 14_998, 15_000], false),
            ("two gaps are too few", &[1_000, 15_000], false),
            (
                "missed scrapes",
                &[15_000, 30_000, 15_000, 45_000, 15_000],
                false,
            ),
            ("jitter", &[15_000, 14_000, 15_900, 14_200, 16_000], false),
            (
                "one restart",
                &[15_000, 15_000, 6_000, 15_000, 15_000],
                false,
            ),
            (
                "a longer interval from now on",
                &[15_000, 15_000, 15_000, 60_000, 60_000],
                false,
            ),
            (
                "15 s and 60 s",
                &[7_000, 8_000, 15_000, 15_000, 15_000, 7_000, 8_000],
                true,
            ),
            (
                "two at the same time",
                &[0, 60_000, 0, 60_000, 0, 60_000],
                true,
            ),
            (
                "six of 60 s",
                &[3_000, 14_000, 9_000, 21_000, 2_000, 11_000],
                true,
            ),
        ];
        for (name, milliseconds, irregular) in cases {
            let mut gaps = Gaps::default();
            for gap in milliseconds {
                gaps.push(Duration::from_millis(*gap));
            }
            assert_eq!(gaps.are_irregular(), irregular, "{name}");
        }
    }
}
