//! Each id is counted once, whatever the order of events, their split into pages, their
//! repetitions, and their arrival between pages.
//!
//! The core runs against a model of the list of events. Time is an argument of both, so
//! that hours pass in microseconds.

mod api;
mod claims;
mod poller;

use proptest::{collection::vec, prelude::*, sample::select};

use api::{ApiBehavior, Order, Record, Rendering};
use poller::{Depth, Failure, Poll, Poller, Reach, Totals};

const HOUR: i64 = 3600;

/// Short, so that many ids are forgotten within one run.
const REACH: Reach = Reach {
    lookback: 60,
    deep: 300,
    retention: 600,
};

/// Long enough for the deep sweep at the end of a run to see all events.
const FAR_REACH: Reach = Reach {
    deep: 100 * HOUR,
    retention: 101 * HOUR,
    ..REACH
};

/// The span in which events are created, so short that many share a second.
const CREATED_WITHIN: i64 = 2000;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        // A failure that is worth keeping becomes a test of its own.
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

fn rendering() -> impl Strategy<Value = Rendering> {
    prop_oneof![
        8 => Just(Rendering::Plain),
        1 => Just(Rendering::NoTime),
        1 => Just(Rendering::FlickeringTime),
        1 => Just(Rendering::Year9999),
        1 => Just(Rendering::Malformed),
    ]
}

prop_compose! {
    fn record(most_late: i64)(
        appears_after in prop_oneof![Just(0), 0..=most_late, most_late - 2..=most_late],
        event_type in 0..3_u8,
        country in 0..2_u8,
        rendering in rendering(),
    ) -> Record {
        Record { created: 0, appears_after, event_type, country, rendering }
    }
}

/// Events that share one second of creation.
fn burst(most_late: i64) -> impl Strategy<Value = Vec<Record>> {
    let created = prop_oneof![0..60_i64, 0..CREATED_WITHIN];
    (created, vec(record(most_late), 1..6)).prop_map(|(created, mut records)| {
        for record in &mut records {
            record.created = created;
        }
        records
    })
}

/// Events from before the start, which are not to be counted.
fn history() -> impl Strategy<Value = Vec<Record>> {
    vec((-100..0_i64, record(2)), 0..4).prop_map(|records| {
        let old = records.into_iter().map(|(created, record)| Record {
            created,
            rendering: Rendering::Plain,
            ..record
        });
        old.collect()
    })
}

fn records(most_late: i64) -> impl Strategy<Value = Vec<Record>> {
    (history(), vec(burst(most_late), 0..12))
        .prop_map(|(history, bursts)| bursts.into_iter().flatten().chain(history).collect())
}

prop_compose! {
    fn behavior()(
        order in select(vec![Order::NewestFirst, Order::OldestFirst, Order::None]),
        restless in any::<bool>(),
        too_early in prop_oneof![Just(0), 0..200_i64],
        page_cap in 1..8_usize,
        repeated in 0..3_usize,
        seed in any::<u64>(),
    ) -> ApiBehavior {
        ApiBehavior { order, restless, too_early, page_cap, repeated, seed }
    }
}

prop_compose! {
    fn calm_poll()(
        wait in prop_oneof![0..40_i64, 0..400_i64],
        depth in prop_oneof![3 => Just(Depth::Lookback), 1 => Just(Depth::Deep)],
        behavior in behavior(),
        size in 1..8_usize,
        seconds_per_page in 0..4_i64,
        narrows in any::<bool>(),
    ) -> Poll {
        Poll { wait, depth, behavior, size, seconds_per_page, narrows, failure: None, local_ahead: 0 }
    }
}

prop_compose! {
    fn failing_poll()(
        poll in calm_poll(),
        failure in prop::option::of((
            0..6_u32,
            select(vec![Failure::Api, Failure::Crash]),
        )),
    ) -> Poll {
        Poll { failure, ..poll }
    }
}

prop_compose! {
    fn poll_with_a_wrong_clock()(
        poll in failing_poll(),
        local_ahead in prop_oneof![Just(0), -3..3_i64, select(vec![-HOUR, HOUR])],
    ) -> Poll {
        Poll { local_ahead, ..poll }
    }
}

/// The totals, and the number of malformed elements, that a poller must have counted
/// that has seen everything up to `now`.
fn truth(records: &[Record], now: i64) -> (Totals, u64) {
    let mut totals = Totals::new();
    let mut malformed = 0;
    for record in records {
        if record.created < 0 || record.appears() > now {
            continue;
        }
        if record.rendering == Rendering::Malformed {
            malformed += 1;
        } else {
            *totals.entry(record.series()).or_insert(0) += 1;
        }
    }
    (totals, malformed)
}

fn never_more_than_the_truth(poller: &Poller, records: &[Record]) -> Result<(), TestCaseError> {
    let (totals, malformed) = truth(records, poller.now);
    for (series, counted) in poller.totals() {
        let most = totals.get(&series).copied().unwrap_or(0);
        prop_assert!(counted <= most, "{series:?}: {counted} of {most}");
    }
    prop_assert!(poller.malformed() <= malformed, "malformed elements");
    Ok(())
}

/// The poll that ends a run. Nothing disturbs it, and all events have appeared.
fn last_poll(poller: &Poller, records: &[Record], depth: Depth) -> Poll {
    let last = records.iter().map(Record::appears).max().unwrap_or(0);
    Poll {
        wait: (last - poller.now).max(0),
        depth,
        behavior: ApiBehavior {
            order: Order::NewestFirst,
            restless: false,
            too_early: 0,
            page_cap: 5,
            repeated: 0,
            seed: 0,
        },
        size: 5,
        seconds_per_page: 0,
        narrows: false,
        failure: None,
        local_ahead: 0,
    }
}

/// Runs all polls and an undisturbed one at the end, and expects the truth.
fn counts_the_truth(
    reach: Reach,
    records: &[Record],
    polls: &[Poll],
    last: Depth,
) -> Result<(), TestCaseError> {
    let mut poller = Poller::new(reach);
    for poll in polls {
        poller.poll(records, poll);
        never_more_than_the_truth(&poller, records)?;
    }
    let last = Poll {
        // A clock that is wrong throughout is also wrong at the end.
        local_ahead: polls.last().map_or(0, |poll| poll.local_ahead),
        ..last_poll(&poller, records, last)
    };
    let whole = poller.poll(records, &last);
    prop_assert!(whole, "an undisturbed sweep is whole");
    let counted = (poller.totals(), poller.malformed());
    prop_assert_eq!(counted, truth(records, poller.now));
    Ok(())
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn any_order_split_repetition_and_arrival_counts_the_distinct_ids(
        records in records(REACH.lookback),
        polls in vec(calm_poll(), 0..15),
    ) {
        counts_the_truth(REACH, &records, &polls, Depth::Lookback)?;
    }

    #[test]
    fn a_failure_in_the_middle_of_a_sweep_loses_and_repeats_nothing(
        records in records(REACH.lookback),
        polls in vec(failing_poll(), 0..15),
    ) {
        counts_the_truth(REACH, &records, &polls, Depth::Lookback)?;
    }

    #[test]
    fn a_local_clock_that_is_wrong_loses_and_repeats_nothing(
        records in records(REACH.lookback),
        polls in vec(poll_with_a_wrong_clock(), 0..15),
    ) {
        counts_the_truth(REACH, &records, &polls, Depth::Lookback)?;
    }

    #[test]
    fn a_deep_sweep_finds_what_appeared_later_than_the_lookback(
        records in records(20 * REACH.lookback),
        polls in vec(failing_poll(), 0..15),
    ) {
        counts_the_truth(FAR_REACH, &records, &polls, Depth::Deep)?;
    }
}

/// One event every `every` seconds, for ten times as long as ids are kept.
fn steady_traffic(every: i64, renderings: &[Rendering]) -> Vec<Record> {
    let moments = (0..10 * REACH.retention / every).map(|number| number * every);
    moments
        .zip(renderings.iter().cycle())
        .map(|(created, rendering)| Record {
            created,
            appears_after: 0,
            event_type: 0,
            country: 0,
            rendering: *rendering,
        })
        .collect()
}

proptest! {
    #![proptest_config(config(20))]

    #[test]
    fn no_more_ids_are_remembered_than_events_are_made_while_they_are_kept(
        every in 5..20_i64,
        wait in 5..60_i64,
        behavior in behavior(),
        renderings in vec(
            select(vec![Rendering::Plain, Rendering::NoTime, Rendering::Malformed]),
            1..4,
        ),
    ) {
        let records = steady_traffic(every, &renderings);
        let mut poller = Poller::new(REACH);
        let calm = last_poll(&poller, &[], Depth::Lookback);
        // If pages are restless, a sweep may not be whole, and ids are kept for longer.
        let order = match behavior.order {
            Order::None => Order::OldestFirst,
            order => order,
        };
        let behavior = ApiBehavior { order, restless: false, ..behavior };
        let poll = Poll { wait, behavior, ..calm };
        // An event without a time is as old as the last sweep that shows it, and ids are
        // forgotten in buckets of a twenty-fourth of the retention.
        let coarse = REACH.retention / 24 + 1;
        let kept = REACH.retention + REACH.lookback + coarse + 2 * wait + every;
        while poller.now < 10 * REACH.retention {
            prop_assert!(poller.poll(&records, &poll), "an undisturbed sweep is whole");
            let remembered = i64::try_from(poller.remembered()).expect("a small number");
            prop_assert!(remembered <= kept / every + 1, "{remembered} at {}", poller.now);
        }
    }
}
