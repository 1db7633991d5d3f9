//! A poll that reads only what is new sees every event that a poll sees that reads the whole
//! lookback, whatever the API does, and sends few requests.

mod api;
mod poller;

use proptest::{collection::vec, prelude::*, sample::select};

use api::{Api, Claims, Order, Record, Rendering, Request, SECOND, at};
use poller::{LOOKBACK, PAGE_SIZE, Poller};

/// The time from one poll to the next.
const INTERVAL: i64 = 30 * SECOND;
/// The moment of the first poll.
const FIRST: i64 = 400 * SECOND;
/// The number of polls of a run.
const POLLS: i64 = 14;
/// The end of a run.
const END: i64 = FIRST + POLLS * INTERVAL;

const ORDERS: [Order; 4] = [
    Order::NewestFirst,
    Order::OldestFirst,
    Order::Fixed,
    Order::None,
];

/// `PROPTEST_CASES` replaces the number of cases.
fn config(cases: u32) -> ProptestConfig {
    let named = std::env::var("PROPTEST_CASES").ok();
    let cases = named.and_then(|named| named.parse().ok()).unwrap_or(cases);
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    }
}

fn rendering() -> impl Strategy<Value = Rendering> {
    prop_oneof![
        40 => Just(Rendering::Plain),
        1 => Just(Rendering::NoTime),
        1 => Just(Rendering::Malformed),
        1 => Just(Rendering::Fickle),
        1 => Just(Rendering::Year9999),
    ]
}

/// The time after which the list shows an event.
fn delay() -> impl Strategy<Value = i64> {
    prop_oneof![
        20 => Just(0),
        2 => 0..10 * SECOND,
        1 => 0..LOOKBACK,
    ]
}

fn records() -> impl Strategy<Value = Vec<Record>> {
    let one = (0..END, delay(), rendering());
    let crowd = (0..END, vec((delay(), rendering()), 1..60));
    (vec(one, 0..400), vec(crowd, 0..4)).prop_map(|(ones, crowds)| {
        let crowds = crowds.into_iter().flat_map(|(created, events)| {
            let events = events.into_iter();
            events.map(move |(delay, rendering)| (created, delay, rendering))
        });
        let all = ones.into_iter().chain(crowds);
        all.map(|(created, delay, rendering)| Record {
            created,
            appears: created + delay,
            rendering,
        })
        .collect()
    })
}

fn claims() -> impl Strategy<Value = Claims> {
    prop_oneof![
        6 => Just(Claims::Honest),
        1 => Just(Claims::None),
        2 => (10..120_u64).prop_map(Claims::Capped),
        1 => (1..5_u64).prop_map(Claims::TooMany),
        1 => (1..3_u64).prop_map(Claims::TooFew),
    ]
}

prop_compose! {
    fn any_api()(
        records in records(),
        order in select(ORDERS.to_vec()),
        claims in claims(),
        clamp in prop_oneof![4 => Just(PAGE_SIZE), 1 => 3..PAGE_SIZE],
        includes in any::<(bool, bool)>(),
        ignores_end in prop::bool::weighted(0.05),
    ) -> Api {
        // Without an order and an honest number, nothing says whether all was seen.
        let order = match (order, claims) {
            (Order::None, Claims::Honest) => order,
            (Order::None, _) => Order::Fixed,
            _ => order,
        };
        let mut records = records;
        if order == Order::None {
            // Events of a list without an order are found by their number alone.
            let is_countable = |record: &Record| {
                !matches!(record.rendering, Rendering::Fickle | Rendering::Year9999)
            };
            records.retain(is_countable);
        }
        Api { records, order, claims, clamp, includes, ignores_end }
    }
}

/// Returns the places of the events that a poll had to see.
fn due(api: &Api, from: i64, began: i64) -> Vec<usize> {
    let request = Request {
        from: at(from),
        to: None,
        page: 1,
        size: 1,
    };
    let mut due = api.listed(&request, began);
    due.retain(|place| {
        let rendering = api.records[*place].rendering;
        !matches!(rendering, Rendering::Malformed | Rendering::Fickle)
    });
    due
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn every_poll_sees_what_the_api_listed_when_it_began(
        api in any_api(),
        few in select(vec![0, 5, 40]),
        slowest in select(vec![0, 100, 2000]),
        failures in vec(prop_oneof![4 => Just(None), 1 => (0..12_usize).prop_map(Some)], 14),
    ) {
        // A number that is too high has a range cut into seconds, again and again while it
        // is read.
        let slowest = match api.claims {
            Claims::TooMany(_) => 0,
            Claims::Honest => slowest,
            _ => slowest.min(100),
        };
        let mut poller = Poller::new(&api, few, slowest, FIRST);
        for (poll, failure) in (0..POLLS).zip(failures) {
            let now = FIRST + poll * INTERVAL;
            if let Some(after) = failure {
                poller.fail(now, after);
            }
            let polled = poller.poll(now);
            for place in due(&api, polled.from, polled.began) {
                let is_told = polled.missing > 0;
                let record = api.records[place];
                prop_assert!(
                    poller.seen.contains(&place) || is_told,
                    "poll {poll} at {} did not see {place}: {record:?}", polled.began,
                );
            }
        }
    }
}

/// The number of pages that so many events fill.
fn pages(events: usize) -> usize {
    events.div_ceil(usize::try_from(PAGE_SIZE).expect("a size"))
}

prop_compose! {
    /// An API whose events appear at once.
    fn prompt_api()(
        history in vec(-600 * SECOND..FIRST, 40..400),
        news in vec(FIRST..END, 0..800),
        order in select(ORDERS[..3].to_vec()),
        includes in any::<(bool, bool)>(),
    ) -> Api {
        let created = history.into_iter().chain(news);
        let records = created.map(|created| Record {
            created,
            appears: created,
            rendering: Rendering::Plain,
        });
        Api {
            records: records.collect(),
            order,
            claims: Claims::Honest,
            clamp: PAGE_SIZE,
            includes,
            ignores_end: false,
        }
    }
}

/// Returns the number of events that were created in a span.
fn created(api: &Api, from: i64, to: i64) -> usize {
    let records = api.records.iter();
    records
        .filter(|record| (from..to).contains(&record.created))
        .count()
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn a_poll_sends_as_many_requests_as_there_is_news(api in prompt_api()) {
        const FEW: u64 = 30;
        let mut poller = Poller::new(&api, FEW, 0, FIRST);
        let mut was_many = false;
        let mut exceptions = 0;
        for poll in 0..POLLS {
            let now = FIRST + poll * INTERVAL;
            let requests = poller.poll(now).requests;
            let held = created(&api, now - LOOKBACK - INTERVAL, now);
            // The range that is read is a few seconds longer than the interval, since it is not
            // known whether bounds are included.
            let news = created(&api, now - INTERVAL - 12 * SECOND, now - 4 * SECOND);
            let tail = created(&api, now - 7 * SECOND, now + 1);
            if was_many {
                // The news, the number, the open end, and a claim that is doubted.
                let most = pages(news).max(1) + 1 + pages(tail).max(1) + 1;
                // A number of events that may be a limit is checked once.
                exceptions += usize::from(requests > most);
                prop_assert!(requests <= 3 * most, "{requests} of {most} requests in poll {poll}");
            } else {
                prop_assert!(requests <= 3 * pages(held) + 20, "{requests} requests in poll {poll}");
            }
            was_many = poller.knows_lookback();
        }
        prop_assert!(exceptions <= 5, "{exceptions} polls sent more requests");
    }
}

/// An API that lists 10 events a second, with a page size and a lookback of a tenth.
fn busy(order: Order, late: Option<Record>) -> Api {
    let steady = (-END..END).step_by(1000).map(|created| Record {
        created,
        appears: created,
        rendering: Rendering::Plain,
    });
    Api {
        records: steady.chain(late).collect(),
        order,
        claims: Claims::Honest,
        clamp: PAGE_SIZE,
        includes: (true, true),
        ignores_end: false,
    }
}

#[test]
fn ten_events_a_second_take_six_requests_a_poll_in_any_order() {
    for order in ORDERS[..3].iter().copied() {
        let api = busy(order, None);
        let mut poller = Poller::new(&api, 30, 0, FIRST);
        let requests: Vec<_> = (0..POLLS)
            .map(|poll| poller.poll(FIRST + poll * INTERVAL).requests)
            .collect();
        // The second poll asks once for a wider range, since its number is the highest so far.
        assert!(requests[1] <= 7, "{order:?}: {requests:?}");
        assert!(
            requests[2..].iter().all(|requests| *requests <= 6),
            "{order:?}: {requests:?}"
        );
    }
}

#[test]
fn a_late_event_in_the_middle_of_the_lookback_is_seen_by_the_poll_that_could_see_it() {
    let poll = FIRST + 10 * INTERVAL;
    for order in ORDERS[..3].iter().copied() {
        let late = Record {
            created: poll - LOOKBACK / 2,
            appears: poll - 1,
            rendering: Rendering::Plain,
        };
        let api = busy(order, Some(late));
        let mut poller = Poller::new(&api, 30, 0, FIRST);
        for poll in 0..10 {
            poller.poll(FIRST + poll * INTERVAL);
        }
        let place = api.records.len() - 1;
        assert!(!poller.seen.contains(&place));
        let requests = poller.poll(poll).requests;
        assert!(poller.seen.contains(&place), "{order:?}");
        assert!(requests <= 20, "{order:?}: {requests}");
        let requests = poller.poll(poll + INTERVAL).requests;
        assert!(requests <= 6, "{order:?}: {requests} in the poll after");
    }
}
