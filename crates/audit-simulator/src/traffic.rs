//! The traffic of an account: which event happens when, and when it enters the list.
//!
//! The traffic is a pure function of its plan: it knows no clock, and does not depend on when
//! or how often it is asked for arrivals.

use crate::catalog::{COUNTRIES, COUNTRY_WEIGHT, EVENT_TYPES, TYPE_WEIGHT};
use crate::event_key;
use crate::intensity::Intensity;
use crate::random::{self, Purpose};
use crate::users;

/// Events made by the traffic have numbers below this one.
pub(crate) const FIRST_EXTRA: u32 = 1 << 31;

const DEVELOPER_API: usize = 1;
/// The percentage of dashboard events that do not come from the user's home country.
const TRAVEL_PERCENT: u32 = 10;
/// The percentage of Developer API events without a country.
const NO_COUNTRY_PERCENT: u32 = 2;

/// The plan of the traffic. Times are in milliseconds since the Unix epoch.
#[derive(Clone, Debug)]
pub(crate) struct TrafficPlan {
    pub(crate) seed: u64,
    pub(crate) start: i64,
    /// Number of events before the start.
    pub(crate) history: u32,
    /// The number of milliseconds over which those events are spread.
    pub(crate) history_span: i64,
    /// Mean events per second after the start.
    pub(crate) rate: f64,
    pub(crate) intensity: Intensity,
    /// The time at which the traffic ends.
    pub(crate) end: Option<i64>,
    /// Share of late events.
    pub(crate) late_share: f64,
    /// Longest delay of a late event, in milliseconds.
    pub(crate) late_by: i64,
}

/// An event that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// The time at which the event happens.
    pub(crate) at: i64,
    /// The time at which the event enters the list.
    pub(crate) visible_at: i64,
    pub(crate) number: u32,
    /// The number of its labels, see [`event_key::index_of`].
    pub(crate) key: u32,
}

/// The arrivals of a plan, in the order of their times and numbers.
pub(crate) struct Traffic {
    plan: TrafficPlan,
    gaps: fastrand::Rng,
    /// Milliseconds of mean traffic per unit gap.
    gap_mass: f64,
    time: f64,
    number: u32,
    next: Option<Arrival>,
}

impl Traffic {
    pub(crate) fn new(plan: TrafficPlan) -> Self {
        let start = float(plan.start);
        let begin = float(plan.start - plan.history_span);
        let gaps = random::generator(plan.seed, Purpose::HistoryGaps, 0);
        let mut traffic = Self {
            gap_mass: plan.intensity.mass(begin, start) / history_gaps(&gaps, plan.history),
            gaps,
            time: begin,
            number: 0,
            next: None,
            plan,
        };
        if traffic.plan.history == 0 {
            traffic.go_live();
        }
        traffic.next = traffic.draw();
        traffic
    }

    /// Returns the next arrival that happens up to `now`.
    pub(crate) fn next_until(&mut self, now: i64) -> Option<Arrival> {
        let arrival = self.next.filter(|arrival| arrival.at <= now)?;
        self.next = self.draw();
        Some(arrival)
    }

    /// Ends the traffic: no event happens later than `end`.
    pub(crate) fn stop(&mut self, end: i64) {
        self.plan.end = Some(self.plan.end.map_or(end, |planned| planned.min(end)));
        self.next = self.next.filter(|arrival| arrival.at <= end);
    }

    fn draw(&mut self) -> Option<Arrival> {
        if self.number == self.plan.history && self.number > 0 {
            self.go_live();
        }
        let live = self.number >= self.plan.history;
        if self.number >= FIRST_EXTRA || (live && self.plan.rate <= 0.0) {
            return None;
        }
        let until = if live {
            f64::MAX
        } else {
            float(self.plan.start)
        };
        let mass = self.gap_mass * exponential(&mut self.gaps);
        // A gap at the lowest rates may reach beyond any calendar.
        let limit = until.min(self.time + LONGEST_GAP_MS);
        self.time = self.plan.intensity.after(self.time, mass, limit);
        let at = whole(self.time);
        if self.plan.end.is_some_and(|end| at > end) {
            return None;
        }
        let number = self.number;
        self.number += 1;
        Some(Arrival {
            at,
            visible_at: at.saturating_add(delay(&self.plan, number)),
            number,
            key: draw_key(self.plan.seed, number),
        })
    }

    fn go_live(&mut self) {
        self.gaps = random::generator(self.plan.seed, Purpose::LiveGaps, 0);
        self.gap_mass = 1000.0 / self.plan.rate;
        self.time = float(self.plan.start);
    }
}

/// Ten years.
const LONGEST_GAP_MS: f64 = 3.2e11;

/// Returns the sum of the gaps between the beginning, the events and the end of the history.
fn history_gaps(gaps: &fastrand::Rng, history: u32) -> f64 {
    let mut gaps = gaps.clone();
    (0..=history).map(|_| exponential(&mut gaps)).sum()
}

/// Returns a gap between random arrivals, whose mean is 1.
fn exponential(rng: &mut fastrand::Rng) -> f64 {
    -(1.0 - rng.f64()).ln()
}

fn delay(plan: &TrafficPlan, number: u32) -> i64 {
    let mut rng = random::generator(plan.seed, Purpose::Delay, number.into());
    if rng.f64() >= plan.late_share {
        return 0;
    }
    whole(rng.f64() * float(plan.late_by)) + 1
}

fn draw_key(seed: u64, number: u32) -> u32 {
    let mut rng = random::generator(seed, Purpose::Key, number.into());
    let weights = EVENT_TYPES.iter().map(|known| known.weight);
    let event_type = random::weighted(&mut rng, TYPE_WEIGHT, weights);
    let developer_api = rng.u8(..100) < EVENT_TYPES[event_type].developer_api_percent;
    let source = if developer_api { DEVELOPER_API } else { 0 };
    let chance = rng.u32(..100);
    let country = if developer_api && chance < NO_COUNTRY_PERCENT {
        COUNTRIES.len()
    } else if !developer_api && chance < TRAVEL_PERCENT {
        let weights = COUNTRIES.iter().map(|(_, weight)| *weight);
        random::weighted(&mut rng, COUNTRY_WEIGHT, weights)
    } else {
        users::user_of(seed, number).home
    };
    event_key::index_of(event_type, source, country)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds within the calendar stay below 2^53"
)]
fn float(ms: i64) -> f64 {
    ms as f64
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "whole milliseconds are meant, and the cast saturates"
)]
fn whole(ms: f64) -> i64 {
    ms as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_key::KeyTable;
    use std::collections::{BTreeMap, BTreeSet};

    const START: i64 = 1_795_435_200_000;
    const HOUR: i64 = 3_600_000;

    fn plan() -> TrafficPlan {
        TrafficPlan {
            seed: 5,
            start: START,
            history: 500,
            history_span: 24 * HOUR,
            rate: 0.5,
            intensity: Intensity::daily(5),
            end: None,
            late_share: 0.1,
            late_by: HOUR,
        }
    }

    fn arrivals(plan: TrafficPlan, asked_at: &[i64]) -> Vec<Arrival> {
        let mut traffic = Traffic::new(plan);
        let mut all = Vec::new();
        for now in asked_at {
            while let Some(arrival) = traffic.next_until(*now) {
                all.push(arrival);
            }
        }
        all
    }

    #[test]
    fn when_it_is_asked_changes_nothing() {
        let at_once = arrivals(plan(), &[START + 3 * HOUR]);
        let often: Vec<i64> = (-30 * 60..=3 * 60)
            .map(|minute| START + minute * 60_000)
            .collect();
        assert_eq!(arrivals(plan(), &often), at_once);
        assert!(at_once.len() > 1000, "{}", at_once.len());
        let other = TrafficPlan { seed: 6, ..plan() };
        assert_ne!(arrivals(other, &[START + 3 * HOUR]), at_once);
    }

    #[test]
    fn history_lies_before_the_start_and_traffic_after_it() {
        for intensity in [Intensity::steady(), Intensity::daily(5)] {
            let all = arrivals(
                TrafficPlan {
                    intensity,
                    ..plan()
                },
                &[START + HOUR],
            );
            assert!(all.is_sorted_by_key(|arrival| (arrival.at, arrival.number)));
            let (history, live) = all.split_at(500);
            assert!(
                history
                    .iter()
                    .all(|a| (START - 24 * HOUR..=START).contains(&a.at))
            );
            assert!(live.iter().all(|a| (START..=START + HOUR).contains(&a.at)));
            assert!(history[499].at > START - 4 * HOUR);
        }
    }

    #[test]
    fn a_steady_rate_is_kept() {
        let plan = TrafficPlan {
            intensity: Intensity::steady(),
            rate: 2.0,
            history: 0,
            ..plan()
        };
        let count = arrivals(plan, &[START + 10 * HOUR]).len();
        assert!((71_000..73_000).contains(&count), "{count}");
    }

    #[test]
    fn edges_of_the_plan() {
        let none = TrafficPlan {
            history: 0,
            rate: 0.0,
            ..plan()
        };
        assert!(arrivals(none, &[i64::MAX]).is_empty());
        let instant = TrafficPlan {
            history_span: 0,
            rate: 0.0,
            ..plan()
        };
        let all = arrivals(instant, &[START]);
        assert_eq!(all.len(), 500);
        assert!(all.iter().all(|arrival| arrival.at == START));
        let rare = TrafficPlan {
            history: 0,
            rate: f64::MIN_POSITIVE,
            ..plan()
        };
        assert!(arrivals(rare, &[START + HOUR]).is_empty());
        let ended = TrafficPlan {
            end: Some(START + HOUR),
            ..plan()
        };
        let all = arrivals(ended, &[START + 100 * HOUR]);
        assert_eq!(all, arrivals(plan(), &[START + HOUR]));
    }

    #[test]
    fn late_events_are_as_many_and_as_late_as_asked() {
        let all = arrivals(
            TrafficPlan {
                history: 10_000,
                ..plan()
            },
            &[START],
        );
        let late: Vec<_> = all.iter().filter(|a| a.visible_at > a.at).collect();
        assert!((800..1200).contains(&late.len()), "{}", late.len());
        assert!(late.iter().all(|a| a.visible_at <= a.at + HOUR));
    }

    #[test]
    fn every_type_source_and_country_occurs_and_rare_ones_are_rare() {
        let table = KeyTable::new();
        let mut types = BTreeMap::new();
        let mut others = BTreeSet::new();
        for number in 0..100_000 {
            let key = table.get(draw_key(3, number));
            *types.entry(key.event_type.clone()).or_insert(0) += 1;
            others.insert(key.source.clone());
            others.insert(key.country.clone().unwrap_or_default());
        }
        assert_eq!(types.len(), EVENT_TYPES.len());
        assert_eq!(others.len(), 2 + COUNTRIES.len() + 1);
        assert!(types["USER_LOGIN"] > 500 * types["ACCOUNT_SECRET_DELETE"]);
    }
}
