use std::borrow::Cow;

use super::*;
use crate::event::{AuditEvent, Element, Labels};

pub(super) const SIZE: u64 = 2;

/// The claims on a page: `(total_pages, total_elements)`.
pub(super) type Claims = (Option<u64>, Option<u64>);

/// The ids on each page.
pub(super) type Shown = &'static [&'static [u32]];

pub(super) fn event(id: u32) -> Element<'static> {
    Element::Event(AuditEvent {
        id: EventId::from_bits(u128::from(id)),
        id_text: None,
        created_at: None,
        labels: Labels {
            event_type: Cow::Borrowed("T"),
            source: Cow::Borrowed("CD"),
            source_country: Cow::Borrowed("GB"),
        },
    })
}

pub(super) fn page(ids: &[u32], (total_pages, total_elements): Claims) -> Page<'static> {
    Page {
        elements: ids.iter().copied().map(event).collect(),
        raw: Vec::new(),
        total_elements,
        total_pages,
        has_next: false,
        unread_time: None,
        account_ids: Vec::new(),
    }
}

/// Returns the claims of an API that counts `pages` correctly.
fn correct_claims(pages: &[&[u32]]) -> Claims {
    let elements = pages.iter().map(|ids| ids.len() as u64).sum();
    (Some(pages.len() as u64), Some(elements))
}

/// Reads pages that do not change until the sweep ends; `beyond` is served after the last
/// page. Returns the numbers of the pages that were asked for, and the last step.
fn read_all(pages: &[&[u32]], claims: Claims, beyond: &[u32]) -> (Vec<u64>, Step) {
    let mut sweep = Sweep::new(SIZE);
    let mut asked = Vec::new();
    loop {
        match sweep.step() {
            Step::Read(number) => {
                asked.push(number);
                assert!(asked.len() < 1000, "the sweep does not end: {claims:?}");
                let place = usize::try_from(number - 1).expect("a small number");
                sweep.take(number, &page(pages.get(place).unwrap_or(&beyond), claims));
            }
            Step::ReadAgain => sweep.read_again(),
            end => return (asked, end),
        }
    }
}

#[test]
fn pages_with_correct_claims_are_read_once() {
    let cases: [(&[&[u32]], &[u64]); 4] = [
        (&[&[]], &[1]),
        (&[&[1]], &[1]),
        (&[&[1, 2]], &[1]),
        (&[&[1, 2], &[3, 4], &[5]], &[1, 2, 3]),
    ];
    for (pages, asked) in cases {
        let expected = (asked.to_vec(), Step::Whole);
        assert_eq!(
            read_all(pages, correct_claims(pages), &[]),
            expected,
            "{pages:?}"
        );
    }
}

#[test]
fn pages_with_wrong_or_missing_claims_are_all_read() {
    let three: &[&[u32]] = &[&[1, 2], &[3, 4], &[5]];
    let cases: [(&str, Claims, &[u64]); 8] = [
        ("zero pages claimed", (Some(0), Some(5)), &[1, 2, 3]),
        ("too few pages", (Some(1), Some(5)), &[1, 2, 3]),
        ("no pages claimed", (None, Some(5)), &[1, 2, 3]),
        ("too many pages", (Some(5), Some(5)), &[1, 2, 3, 4]),
        (
            "the largest number of pages",
            (Some(u64::MAX), Some(5)),
            &[1, 2, 3, 4],
        ),
        ("too few elements", (Some(3), Some(1)), &[1, 2, 3]),
        ("no elements claimed", (Some(3), None), &[1, 2, 3]),
        (
            "nothing claimed: a page follows each full page",
            (None, None),
            &[1, 2, 3],
        ),
    ];
    for (name, claims, asked) in cases {
        let expected = (asked.to_vec(), Step::Whole);
        assert_eq!(read_all(three, claims, &[]), expected, "{name}");
    }
}

#[test]
fn with_nothing_claimed_a_full_last_page_is_followed_by_an_empty_one() {
    let read = read_all(&[&[1, 2], &[3, 4]], (None, None), &[]);
    assert_eq!(read, (vec![1, 2, 3], Step::Whole));
}

#[test]
fn pages_that_are_smaller_than_asked_for_are_all_read() {
    let one_each: &[&[u32]] = &[&[1], &[2], &[3]];
    assert_eq!(
        read_all(one_each, (Some(3), Some(3)), &[]),
        (vec![1, 2, 3], Step::Whole)
    );
}

#[test]
fn a_claim_of_too_many_elements_ends_short_after_a_bounded_number_of_readings() {
    let cases: [(Shown, Claims, usize, u64); 4] = [
        (&[&[1, 2], &[3]], (Some(2), Some(4)), 8, 1),
        (&[&[1, 2], &[3]], (None, Some(u64::MAX)), 12, u64::MAX - 3),
        (&[&[]], (Some(1), Some(7)), 4, 7),
        // An event that is listed twice and claimed twice looks like a missing event.
        (&[&[1, 1]], (Some(1), Some(2)), 4, 1),
    ];
    for (pages, claims, requests, missing) in cases {
        let (asked, end) = read_all(pages, claims, &[]);
        let expected = (requests, Step::Short { missing });
        assert_eq!((asked.len(), end), expected, "{claims:?}");
    }
}

#[test]
fn a_sweep_ends_if_the_last_page_is_repeated() {
    let pages: &[&[u32]] = &[&[1, 2], &[3]];
    let (asked, end) = read_all(pages, (Some(u64::MAX), Some(3)), &[3]);
    assert_eq!((asked, end), (vec![1, 2, 3, 4, 5], Step::Whole));
    let (asked, end) = read_all(pages, (Some(u64::MAX), Some(u64::MAX)), &[3]);
    assert_eq!(asked.len(), 20);
    assert!(matches!(end, Step::Short { .. }), "{end:?}");
}

#[test]
fn pages_that_shifted_are_read_again() {
    let mut sweep = Sweep::new(SIZE);
    sweep.take(1, &page(&[4, 3], (Some(2), Some(4))));
    assert_eq!(sweep.step(), Step::Read(2));
    // The newest event comes first, and event 5 arrived, so page 2 begins with the event
    // with which page 1 ended.
    sweep.take(2, &page(&[3, 2], (Some(3), Some(5))));
    assert_eq!(sweep.step(), Step::Read(3));
    sweep.take(3, &page(&[1], (Some(3), Some(5))));
    assert_eq!(sweep.step(), Step::ReadAgain);
    sweep.read_again();
    assert_eq!(sweep.step(), Step::Read(1));
    sweep.take(1, &page(&[5, 4], (Some(3), Some(5))));
    sweep.take(2, &page(&[3, 2], (Some(3), Some(5))));
    sweep.take(3, &page(&[1], (Some(3), Some(5))));
    assert_eq!((sweep.step(), sweep.distinct()), (Step::Whole, 5));
}

#[test]
fn a_page_of_repetitions_does_not_end_a_reading() {
    let mut sweep = Sweep::new(SIZE);
    sweep.take(1, &page(&[4, 3], (Some(2), Some(4))));
    // As many events arrived as fill one page.
    sweep.take(2, &page(&[4, 3], (Some(3), Some(6))));
    assert_eq!(sweep.step(), Step::Read(3));
    sweep.take(3, &page(&[2, 1], (Some(3), Some(6))));
    assert_eq!(sweep.step(), Step::ReadAgain);
}

#[test]
fn an_empty_answer_in_the_middle_does_not_make_a_sweep_whole() {
    let mut sweep = Sweep::new(SIZE);
    sweep.take(1, &page(&[1, 2], (Some(3), Some(5))));
    // An answer with status 204 is read as a page that claims no events.
    sweep.take(2, &page(&[], (Some(0), Some(0))));
    assert_eq!(sweep.step(), Step::ReadAgain);
}

#[test]
fn an_answer_without_claims_in_the_middle_does_not_end_a_reading() {
    let mut sweep = Sweep::new(SIZE);
    sweep.take(1, &page(&[1, 2], (Some(3), Some(5))));
    sweep.take(2, &page(&[3], (None, None)));
    assert_eq!(sweep.step(), Step::Read(3));
}

#[test]
fn a_claim_counts_only_for_its_reading() {
    let mut sweep = Sweep::new(SIZE);
    sweep.take(1, &page(&[1], (Some(1), Some(9))));
    assert_eq!(sweep.step(), Step::Read(2));
    sweep.take(2, &page(&[], (Some(1), Some(9))));
    assert_eq!(sweep.step(), Step::ReadAgain);
    sweep.read_again();
    sweep.take(1, &page(&[1], (Some(1), Some(1))));
    assert_eq!(sweep.step(), Step::Whole);
}

#[test]
fn events_that_arrive_while_pages_are_read_are_read_too() {
    let mut sweep = Sweep::new(SIZE);
    sweep.take(1, &page(&[1, 2], (Some(1), Some(2))));
    assert_eq!(sweep.step(), Step::Whole);
    let mut sweep = Sweep::new(SIZE);
    sweep.take(1, &page(&[1, 2], (Some(2), Some(3))));
    // The oldest event comes first, and two more arrived.
    sweep.take(2, &page(&[3, 4], (Some(3), Some(5))));
    assert_eq!(sweep.step(), Step::Read(3));
    sweep.take(3, &page(&[5], (Some(3), Some(5))));
    assert_eq!(sweep.step(), Step::Whole);
}

#[test]
fn events_of_a_wider_range_do_not_count_in_a_narrower_one() {
    let mut sweep = Sweep::new(SIZE);
    // The list has no order: events 3 and 4 arrived, and event 2 was not shown.
    sweep.take(1, &page(&[1, 3], (Some(2), Some(4))));
    sweep.take(2, &page(&[3, 4], (Some(2), Some(4))));
    assert_eq!(sweep.step(), Step::ReadAgain);
    sweep.read_again_narrower(Timestamp::MAX);
    sweep.take(1, &page(&[1, 1], (Some(1), Some(2))));
    assert_eq!(sweep.step(), Step::ReadAgain);
    sweep.read_again();
    sweep.take(1, &page(&[2], (Some(1), Some(2))));
    sweep.take(2, &page(&[], (Some(1), Some(2))));
    assert_eq!((sweep.step(), sweep.distinct()), (Step::Whole, 2));
}

#[test]
fn the_number_of_narrower_readings_is_bounded_too() {
    let mut sweep = Sweep::new(SIZE);
    for _ in 1..MIN_READS {
        sweep.take(1, &page(&[], (Some(1), Some(1))));
        assert_eq!(sweep.step(), Step::ReadAgain);
        sweep.read_again_narrower(Timestamp::MAX);
    }
    sweep.take(1, &page(&[], (Some(1), Some(1))));
    assert_eq!(sweep.step(), Step::Short { missing: 1 });
}

#[test]
fn a_count_is_believed_while_each_reading_shows_a_new_event() {
    let mut sweep = Sweep::new(1000);
    for id in 1..MAX_READS {
        sweep.take(1, &page(&[id], (Some(1), Some(1000))));
        assert_eq!(sweep.step(), Step::Read(2));
        sweep.take(2, &page(&[], (Some(1), Some(1000))));
        assert_eq!(sweep.step(), Step::ReadAgain, "reading {id}");
        sweep.read_again();
    }
    sweep.take(1, &page(&[MAX_READS], (Some(1), Some(1000))));
    sweep.take(2, &page(&[], (Some(1), Some(1000))));
    let missing = 1000 - u64::from(MAX_READS);
    assert_eq!(sweep.step(), Step::Short { missing });
}

/// Reads a list of `events` events that is shuffled for every page. Returns the last step
/// and the number of readings.
fn read_shuffled(events: u32, claimed: u64, seed: u64) -> (Step, u32) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut list: Vec<u32> = (0..events).collect();
    let mut sweep = Sweep::new(10);
    let claims = (Some(claimed.div_ceil(10)), Some(claimed));
    loop {
        match sweep.step() {
            Step::Read(number) => {
                rng.shuffle(&mut list);
                let before = 10 * usize::try_from(number - 1).expect("a small number");
                let shown: Vec<_> = list.iter().skip(before).take(10).copied().collect();
                sweep.take(number, &page(&shown, claims));
            }
            Step::ReadAgain => sweep.read_again(),
            end => return (end, sweep.reads),
        }
    }
}

#[test]
fn a_list_that_is_shuffled_for_every_page_is_read_until_it_is_whole() {
    for events in [11, 15, 25, 45, 200] {
        for seed in 0..500 {
            let (end, reads) = read_shuffled(events, u64::from(events), seed);
            assert_eq!(end, Step::Whole, "{events} events, seed {seed}: {reads}");
        }
    }
}

#[test]
fn a_shuffled_list_that_is_never_whole_ends_short() {
    for events in [11, 15, 25, 45, 200] {
        for seed in 0..20 {
            let (end, reads) = read_shuffled(events, u64::from(events) + 2, seed);
            assert_eq!(end, Step::Short { missing: 2 }, "{events} events");
            assert!(reads <= MAX_READS, "{reads}");
        }
    }
}

#[test]
fn several_pages_can_be_asked_for_at_once_after_the_first() {
    let mut sweep = Sweep::new(SIZE);
    assert_eq!(sweep.next_page(), Some(1));
    assert_eq!(
        sweep.next_page(),
        None,
        "the number of pages is not known yet"
    );
    sweep.take(1, &page(&[1, 2], (Some(3), Some(6))));
    assert_eq!(
        (sweep.next_page(), sweep.next_page(), sweep.next_page()),
        (Some(2), Some(3), None)
    );
    sweep.take(2, &page(&[5, 6], (Some(4), Some(7))));
    assert_eq!(
        (sweep.next_page(), sweep.next_page()),
        (Some(4), None),
        "one more page is claimed"
    );
    sweep.take(3, &page(&[7], (Some(4), Some(7))));
    sweep.take(4, &page(&[3, 4], (Some(4), Some(7))));
    assert_eq!((sweep.next_page(), sweep.step()), (None, Step::Whole));
}

#[test]
fn a_page_behind_the_claimed_end_is_beyond_unless_it_is_linked() {
    // What page 1 claims and whether it has a link, and which of the pages 1 to 4 lie beyond.
    let cases = [
        ((Some(2), Some(4)), false, [false, false, true, true]),
        ((None, Some(2)), false, [false, true, true, true]),
        ((None, Some(2)), true, [false, false, true, true]),
        // The number of elements is unknown, or too low to be true.
        ((Some(2), None), false, [false; 4]),
        ((Some(2), Some(1)), false, [false; 4]),
    ];
    for (claims, has_next, beyond) in cases {
        let mut sweep = Sweep::new(SIZE);
        let first = Page {
            has_next,
            ..page(&[1, 2], claims)
        };
        sweep.take(1, &first);
        let are_beyond = [1, 2, 3, 4].map(|number| sweep.is_beyond(number));
        assert_eq!(are_beyond, beyond, "{claims:?} {has_next}");
    }
    let mut sweep = Sweep::new(SIZE);
    sweep.take(1, &page(&[], (None, Some(0))));
    assert!(sweep.is_beyond(2));
}

#[test]
fn page_1_was_read_once_it_was_taken() {
    let mut sweep = Sweep::new(SIZE);
    assert!(!sweep.has_first());
    sweep.take(2, &page(&[3], (None, Some(3))));
    assert!(!sweep.has_first());
    sweep.take(1, &page(&[1, 2], (None, Some(3))));
    assert!(sweep.has_first());
}

#[test]
fn a_list_that_shifts_is_read_until_enough_readings_in_a_row_show_nothing_new() {
    // The readings that show a further event, after the first one, and the last reading.
    for (new, last) in [(None, 17), (Some(5), 21), (Some(17), 33), (Some(18), 17)] {
        let mut sweep = Sweep::new(SIZE);
        loop {
            match sweep.step() {
                Step::Read(1) if sweep.reads == 1 => {
                    sweep.take(1, &page(&[1, 2], (None, Some(9))));
                }
                Step::Read(1) => {
                    let id = if new == Some(sweep.reads) { 3 } else { 1 };
                    sweep.take(1, &page(&[id], (None, Some(9))));
                }
                Step::Read(number) => sweep.refuse(number),
                Step::ReadAgain => sweep.read_again(),
                _ => break,
            }
        }
        assert_eq!(sweep.reads, last, "{new:?}");
    }
}
