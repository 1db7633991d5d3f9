//! The gaps between the scrapes of a server, and the interval that they suggest.

use std::{collections::VecDeque, time::Duration};

/// The longest interval that is believed. No server scrapes less often: Prometheus shows a
/// sample for no longer than 5 minutes.
pub(super) const LONGEST_INTERVAL: Duration = Duration::from_mins(5);
/// The number of gaps that are kept.
const GAPS_KEPT: usize = 8;
/// The number of gaps from which an interval is known.
const GAPS_TO_KNOW: usize = 3;
/// The number of latest gaps among which those that fit no interval are counted.
const GAPS_COMPARED: u32 = 16;
/// The number of gaps that fit no interval from which [`Gaps::are_irregular`]: one or two
/// may come from restarts of the server.
const ODD_GAPS: u32 = 3;
/// How far a gap may be from a multiple of the usual gap, as a part of the usual gap.
const TOLERANCE: f64 = 0.1;
/// How far a gap may be from a multiple of the usual gap in any case, in seconds: a busy
/// machine delays scrapes and answers.
const LEAST_TOLERANCE: f64 = 0.3;
/// A gap is no usual gap below the interval divided by this number.
const LEAST_USUAL_DIVISOR: u32 = 10;

/// The latest gaps between two scrapes in a row.
#[derive(Debug, Clone, Default)]
pub(super) struct Gaps {
    latest: VecDeque<Duration>,
    /// The same gaps by their length, since each scrape asks for the interval of every
    /// connection.
    sorted: Vec<Duration>,
    /// One bit for each of the latest gaps, the newest lowest: 1 for a gap that did not fit
    /// the gaps before it.
    odd: u64,
}

impl Gaps {
    pub(super) fn push(&mut self, gap: Duration) {
        let gap = gap.min(LONGEST_INTERVAL);
        self.odd = (self.odd << 1 | u64::from(self.is_odd(gap))) & ((1 << GAPS_COMPARED) - 1);
        self.latest.push_back(gap);
        let place = self.sorted.partition_point(|other| *other < gap);
        self.sorted.insert(place, gap);
        if self.latest.len() > GAPS_KEPT
            && let Some(oldest) = self.latest.pop_front()
        {
            let place = self.sorted.partition_point(|other| *other < oldest);
            self.sorted.remove(place);
        }
    }

    /// Returns `true` if there are enough gaps to know an interval.
    pub(super) fn are_enough(&self) -> bool {
        self.latest.len() >= GAPS_TO_KNOW
    }

    /// Returns `true` if there are as many gaps as are kept.
    pub(super) fn are_full(&self) -> bool {
        self.latest.len() >= GAPS_KEPT
    }

    /// Returns the interval that the gaps suggest: the second longest gap, since the
    /// longest may be an outage, or the only gap.
    pub(super) fn interval(&self) -> Option<Duration> {
        let mut longest = self.sorted.iter().rev();
        let first = longest.next();
        longest.next().or(first).copied()
    }

    /// Returns `true` if the gaps are not those of one server. One server scrapes at a
    /// fixed interval: each gap is the usual one, or a multiple of it if scrapes were missed.
    pub(super) fn are_irregular(&self) -> bool {
        self.odd.count_ones() >= ODD_GAPS
    }

    /// Returns `true` if `gap` is no multiple of the usual gap.
    fn is_odd(&self, gap: Duration) -> bool {
        if !self.are_enough() {
            return false;
        }
        let least = self.interval().unwrap_or_default() / LEAST_USUAL_DIVISOR;
        let unusual = self.sorted.partition_point(|gap| *gap < least);
        let gaps = &self.sorted[unusual..];
        let Some(usual) = gaps.get(gaps.len() / 2) else {
            return false;
        };
        let (gap, usual) = (gap.as_secs_f64(), usual.as_secs_f64());
        let nearest = usual * (gap / usual).round().max(1.0);
        (gap - nearest).abs() > (usual * TOLERANCE).max(LEAST_TOLERANCE)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Returns the numbers of gaps after which they are irregular.
    fn irregular_after(milliseconds: &[u64]) -> Vec<usize> {
        let mut gaps = Gaps::default();
        let after = milliseconds.iter().enumerate().filter_map(|(place, gap)| {
            gaps.push(Duration::from_millis(*gap));
            gaps.are_irregular().then_some(place + 1)
        });
        after.collect()
    }

    #[test]
    fn the_gaps_of_one_server_are_regular() {
        let cases: [(&str, &[u64]); 8] = [
            (
                "every second on a busy machine",
                &[1_000, 1_290, 720, 990, 1_250, 760, 1_100],
            ),
            ("one server", &[15_000, 15_001, 14_998, 15_000]),
            ("three gaps are too few", &[1_000, 15_000, 7_000]),
            ("missed scrapes", &[15_000, 30_000, 15_000, 45_000, 15_000]),
            (
                "many missed scrapes",
                &[
                    15_000, 15_000, 15_000, 30_000, 15_000, 30_000, 15_000, 45_000,
                ],
            ),
            ("jitter", &[15_000, 14_000, 15_900, 14_200, 16_000]),
            ("one restart", &[15_000, 15_000, 15_000, 6_000, 15_000]),
            (
                "a longer interval",
                &[15_000, 15_000, 15_000, 60_000, 60_000],
            ),
        ];
        for (name, gaps) in cases {
            assert!(irregular_after(gaps).is_empty(), "{name}");
        }
    }

    #[test]
    fn the_gaps_of_several_servers_are_irregular() {
        let cases: [(&str, &[u64]); 5] = [
            ("15 s and 60 s", &[7_000, 8_000, 15_000, 15_000, 15_000]),
            ("1 s and 4 s", &[50, 950, 1_000, 1_000, 1_000]),
            ("two at the same time", &[0, 60_000]),
            ("three at the same time", &[0, 0, 60_000]),
            (
                "six of 60 s",
                &[3_000, 14_000, 9_000, 21_000, 2_000, 11_000],
            ),
        ];
        for (name, gaps) in cases {
            let irregular = irregular_after(&gaps.repeat(10));
            let first = irregular.first().expect(name);
            assert!(*first <= 16, "{name}: {first}");
            // From then on they always are.
            assert_eq!(irregular.len(), gaps.len() * 10 - first + 1, "{name}");
        }
    }

    #[test]
    fn three_restarts_are_forgotten_after_sixteen_gaps() {
        let mut gaps = vec![15_000; 4];
        gaps.extend([6_000, 15_000, 7_000, 15_000, 8_000]);
        gaps.extend([15_000; 20]);
        assert_eq!(irregular_after(&gaps), (9..=20).collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn the_interval_is_the_second_longest_of_the_latest_eight_gaps(
            seconds in prop::collection::vec(0..400_u64, 1..40)
        ) {
            let mut gaps = Gaps::default();
            for (place, gap) in seconds.iter().enumerate() {
                gaps.push(Duration::from_secs(*gap));
                let mut latest = seconds[(place + 1).saturating_sub(8)..=place].to_vec();
                latest.sort_unstable();
                let second = latest[latest.len().saturating_sub(2)].min(300);
                prop_assert_eq!(gaps.interval(), Some(Duration::from_secs(second)));
            }
        }
    }
}
