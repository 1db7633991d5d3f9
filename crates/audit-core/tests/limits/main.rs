//! Every event is read, or told to be missing, from every API whose list has limits that it
//! does not tell.

mod api;
mod reader;

use std::collections::{BTreeMap, BTreeSet};

use audit_core::sweep::{Limits, Range};
use proptest::{collection::vec, prelude::*};

use api::{Api, Beyond, Claims, Limit, Order, PAGE_SIZE, at};
use reader::{Outcome, read};

/// The most requests that a property allows; without this bound an endless sweep would hang.
const MOST_REQUESTS: usize = 20_000;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Seconds of creation: some alone, some in crowds.
fn seconds() -> impl Strategy<Value = Vec<i64>> {
    let alone = vec(0..600_i64, 0..120);
    let crowds = vec((0..600_i64, 1..60_usize), 0..6);
    (alone, crowds).prop_map(|(mut seconds, crowds)| {
        for (second, number) in crowds {
            seconds.extend(std::iter::repeat_n(second, number));
        }
        seconds
    })
}

/// The number of requests during which events enter the list.
const GROWING: usize = 60;

/// Numbers of requests after which the list has the events: many are late, and shift the
/// pages that are being read.
fn appearances() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![2 => Just(0), 1 => 0..GROWING], 0..500)
}

fn limit() -> impl Strategy<Value = Option<Limit>> {
    prop_oneof![
        1 => Just(None),
        2 => (1..8_u64).prop_map(|pages| Some(Limit::Pages(pages))),
        2 => (20..90_u64).prop_map(|events| Some(Limit::Events(events))),
        2 => (2..8_u64).prop_map(|pages| Some(Limit::Events(pages * PAGE_SIZE))),
    ]
}

prop_compose! {
    fn any_api()(
        seconds in seconds(),
        limit in limit(),
        clamp in prop_oneof![3 => Just(PAGE_SIZE), 1 => 3..PAGE_SIZE],
        order in prop::sample::select(vec![Order::NewestFirst, Order::OldestFirst, Order::Fixed]),
        claims in prop::sample::select(vec![Claims::Honest, Claims::Honest, Claims::None, Claims::Zero]),
        links in any::<bool>(),
        beyond in prop::sample::select(vec![Beyond::Empty, Beyond::Refused]),
        includes in any::<(bool, bool)>(),
    ) -> Api {
        let limit = match limit {
            // One page that is smaller than asked for, and nothing else, is no sign of a limit.
            Some(Limit::Pages(1)) if clamp < PAGE_SIZE => Some(Limit::Pages(2)),
            limit => limit,
        };
        Api { seconds, limit, clamp, order, claims, links, beyond, includes, ..Api::plain() }
    }
}

/// Returns the number of events that no request shows: those that a second has beyond the
/// limit.
fn unreachable(api: &Api) -> u64 {
    let Some(most) = api.most_shown() else {
        return 0;
    };
    let seconds: BTreeSet<_> = api.seconds.iter().collect();
    let of = |second| api.seconds.iter().filter(|other| **other == second).count() as u64;
    seconds
        .into_iter()
        .map(|second| of(*second).saturating_sub(most))
        .sum()
}

/// Returns `true` if a second has, or had while the list grew, a number of events that may be
/// a limit: a full page or more. Nothing tells such a second from one of which the API shows
/// no more.
fn has_second_like_a_limit(api: &Api) -> bool {
    let mut numbers = BTreeMap::new();
    for second in &api.seconds {
        *numbers.entry(second).or_insert(0_u64) += 1;
    }
    let full = api.clamp.min(PAGE_SIZE);
    numbers.values().any(|number| *number >= full)
}

/// Reads the range as polls do, until the limits are known.
fn read_twice(api: &Api, range: Range) -> (BTreeSet<usize>, Outcome) {
    let mut limits = Limits::default();
    let first = read(api, range, &mut limits, MOST_REQUESTS);
    let second = read(api, range, &mut limits, MOST_REQUESTS);
    let all = first.shown.union(&second.shown).copied().collect();
    (all, second)
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn every_event_is_read_or_told_to_be_missing(api in any_api(), is_open in any::<bool>()) {
        let range = Range {
            from: at(0),
            to: (!is_open).then(|| at(600)),
        };
        let (all, last) = read_twice(&api, range);
        let missing = api.seconds.len() as u64 - all.len() as u64;
        let unreachable = unreachable(&api);
        prop_assert!(missing <= unreachable, "{} of {} missing", missing, api.seconds.len());
        if unreachable > 0 {
            prop_assert!(last.missing > 0, "{missing} missing and none told");
        }
        if unreachable > 0 && api.tells_number() {
            prop_assert_eq!(last.missing, unreachable);
        }
        if api.limit.is_none() && !has_second_like_a_limit(&api) {
            prop_assert_eq!(last.missing, 0);
        }
    }

    #[test]
    fn what_entered_the_list_while_it_was_read_is_read_by_the_next_deep_sweep(
        mut api in any_api(),
        appears_after in appearances(),
        is_open in any::<bool>(),
    ) {
        let range = Range {
            from: at(0),
            to: (!is_open).then(|| at(600)),
        };
        api.appears_after = appears_after;
        let mut limits = Limits::default();
        let mut all = BTreeSet::new();
        while api.requests.get() <= GROWING {
            all.extend(read(&api, range, &mut limits, MOST_REQUESTS).shown);
        }
        limits = limits.for_deep_sweep();
        let last = read(&api, Range { to: Some(at(600)), ..range }, &mut limits, MOST_REQUESTS);
        all.extend(&last.shown);
        let missing = api.seconds.len() as u64 - all.len() as u64;
        let unreachable = unreachable(&api);
        prop_assert!(missing <= unreachable, "{} of {} missing", missing, api.seconds.len());
        if missing > 0 {
            prop_assert!(last.missing > 0, "{missing} missing and none told");
        }
        if unreachable > 0 && api.tells_number() {
            prop_assert_eq!(last.missing, unreachable);
        }
        if api.limit.is_none() && !has_second_like_a_limit(&api) {
            prop_assert_eq!(last.missing, 0);
        }
    }
}

prop_compose! {
    /// An API that has no limit and says so badly.
    fn strange_api()(
        seconds in seconds(),
        order in prop::sample::select(vec![Order::NewestFirst, Order::OldestFirst, Order::Fixed]),
        claims in prop::sample::select(vec![Claims::Honest, Claims::None, Claims::TooMany(3), Claims::TooMany(200)]),
        links_always in any::<bool>(),
        ignores_range in any::<bool>(),
        beyond in prop::sample::select(vec![Beyond::Empty, Beyond::Refused]),
    ) -> Api {
        Api { seconds, order, claims, links_always, ignores_range, beyond, ..Api::plain() }
    }
}

proptest! {
    #![proptest_config(config(200))]

    #[test]
    fn wrong_claims_and_links_lose_nothing_and_cost_a_bounded_number_of_requests(
        api in strange_api(),
        is_open in any::<bool>(),
    ) {
        let range = Range {
            from: at(0),
            to: (!is_open).then(|| at(600)),
        };
        let mut limits = Limits::default();
        let outcome = read(&api, range, &mut limits, MOST_REQUESTS);
        prop_assert_eq!(outcome.shown.len(), api.seconds.len());
        let pages = api.seconds.len() / 10 + 2;
        // Where each page has a link to a next one and nothing says how many events there are,
        // every second may have more, which is told.
        let says_more = api.links_always && api.claims == Claims::None;
        let most = if says_more { MOST_REQUESTS } else { 40 * pages };
        prop_assert!(outcome.requests <= most, "{:?}", outcome);
        if !says_more && matches!(api.claims, Claims::None | Claims::Honest) {
            prop_assert!(outcome.missing == 0 || has_second_like_a_limit(&api));
        }
    }
}

proptest! {
    #![proptest_config(config(50))]

    #[test]
    fn a_limit_that_was_met_costs_few_requests_afterwards(
        events in 200..600_usize,
        pages in 2..6_u64,
        seed in any::<u64>(),
    ) {
        let mut rng = fastrand::Rng::with_seed(seed);
        let api = Api {
            seconds: (0..events).map(|_| rng.i64(0..600)).collect(),
            limit: Some(Limit::Pages(pages)),
            beyond: Beyond::Refused,
            ..Api::plain()
        };
        let range = Range { from: at(0), to: None };
        let mut limits = Limits::default();
        read(&api, range, &mut limits, MOST_REQUESTS);
        let again = read(&api, range, &mut limits, MOST_REQUESTS);
        prop_assert_eq!(again.refused, 0, "{:?}", again);
        let full_pages = events as u64 / PAGE_SIZE;
        prop_assert!(again.requests as u64 <= 4 * full_pages + 20, "{:?}", again);
    }
}
