use std::borrow::Cow;

use super::*;
use crate::event::{AuditEvent, Element, Labels};

const SIZE: u64 = 2;

/// What an API claims on its pages: `(total_pages, total_elements)`.
type Claims = (Option<u64>, Option<u64>);

/// What the pages hold.
type Shown = &'static [&'static [u32]];

fn event(id: u32) -> Element<'static> {
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

fn page(ids: &[u32], (total_pages, total_elements): Claims) -> Page<'static> {
    Page {
        elements: ids.iter().copied().map(event).collect(),
        raw: Vec::new(),
        total_elements,
        total_pages,
    }
}

fn honest(pages: &[&[u32]]) -> Claims {
    let elements = pages.iter().map(|ids| ids.len() as u64).sum();
    (Some(pages.len() as u64), Some(elements))
}

/// Reads to the end from an API whose pages do not change, beyond the last of
/// which `beyond` is served; gives the numbers of the pages asked for.
fn read_all(pages: &[&[u32]], claims: Claims, beyond: &[u32]) -> (Vec<u64>, Step) {
    let mut sweep = Sweep::new(SIZE);
    let mut asked = Vec::new();
    loop {
        match sweep.step() {
            Step::Read(number) => {
                asked.push(number);
                assert!(asked.len() < 1000, "reads for ever: {claims:?}");
                let place = usize::try_from(number - 1).expect("a small number");
                sweep.take(&page(pages.get(place).unwrap_or(&beyond), claims));
            }
            Step::ReadAgain => sweep.read_again(),
            end => return (asked, end),
        }
    }
}

#[test]
fn an_honest_api_is_read_once() {
    let cases: [(&[&[u32]], &[u64]); 4] = [
        (&[&[]], &[1]),
        (&[&[1]], &[1]),
        (&[&[1, 2]], &[1]),
        (&[&[1, 2], &[3, 4], &[5]], &[1, 2, 3]),
    ];
    for (pages, asked) in cases {
        let expected = (asked.to_vec(), Step::Whole);
        assert_eq!(read_all(pages, honest(pages), &[]), expected, "{pages:?}");
    }
}

#[test]
fn claims_that_lie_or_are_missing() {
    let three: &[&[u32]] = &[&[1, 2], &[3, 4], &[5]];
    let cases: [(&str, Claims, &[u64]); 8] = [
        ("no page, none needed", (Some(0), Some(5)), &[1, 2, 3]),
        ("too few pages", (Some(1), Some(5)), &[1, 2, 3]),
        ("no pages claimed", (None, Some(5)), &[1, 2, 3]),
        ("too many pages", (Some(5), Some(5)), &[1, 2, 3, 4]),
        ("huge", (Some(u64::MAX), Some(5)), &[1, 2, 3, 4]),
        ("too few elements", (Some(3), Some(1)), &[1, 2, 3]),
        ("no elements claimed", (Some(3), None), &[1, 2, 3]),
        (
            "nothing claimed: on after a full page",
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
fn an_api_that_serves_smaller_pages_than_asked_for() {
    let one_each: &[&[u32]] = &[&[1], &[2], &[3]];
    assert_eq!(
        read_all(one_each, (Some(3), Some(3)), &[]),
        (vec![1, 2, 3], Step::Whole)
    );
}

#[test]
fn too_many_elements_claimed_is_short_after_bounded_reads() {
    let cases: [(Shown, Claims, usize, u64); 4] = [
        (&[&[1, 2], &[3]], (Some(2), Some(4)), 8, 1),
        (&[&[1, 2], &[3]], (None, Some(u64::MAX)), 12, u64::MAX - 3),
        (&[&[]], (Some(1), Some(7)), 4, 7),
        // One event listed twice and counted twice looks like one that is missing.
        (&[&[1, 1]], (Some(1), Some(2)), 4, 1),
    ];
    for (pages, claims, requests, missing) in cases {
        let (asked, end) = read_all(pages, claims, &[]);
        let expected = (requests, Step::Short { missing });
        assert_eq!((asked.len(), end), expected, "{claims:?}");
    }
}

#[test]
fn an_api_that_repeats_its_last_page_comes_to_an_end() {
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
    sweep.take(&page(&[4, 3], (Some(2), Some(4))));
    assert_eq!(sweep.step(), Step::Read(2));
    // Newest first, and 5 arrived: page 2 begins with what page 1 ended with.
    sweep.take(&page(&[3, 2], (Some(3), Some(5))));
    assert_eq!(sweep.step(), Step::Read(3));
    sweep.take(&page(&[1], (Some(3), Some(5))));
    assert_eq!(sweep.step(), Step::ReadAgain);
    sweep.read_again();
    assert_eq!(sweep.step(), Step::Read(1));
    sweep.take(&page(&[5, 4], (Some(3), Some(5))));
    sweep.take(&page(&[3, 2], (Some(3), Some(5))));
    sweep.take(&page(&[1], (Some(3), Some(5))));
    assert_eq!((sweep.step(), sweep.distinct()), (Step::Whole, 5));
}

#[test]
fn a_whole_page_of_repetitions_is_no_end() {
    let mut sweep = Sweep::new(SIZE);
    sweep.take(&page(&[4, 3], (Some(2), Some(4))));
    // Exactly one page of events arrived.
    sweep.take(&page(&[4, 3], (Some(3), Some(6))));
    assert_eq!(sweep.step(), Step::Read(3));
    sweep.take(&page(&[2, 1], (Some(3), Some(6))));
    assert_eq!(sweep.step(), Step::ReadAgain);
}

#[test]
fn an_empty_answer_in_the_middle_is_no_end() {
    let mut sweep = Sweep::new(SIZE);
    sweep.take(&page(&[1, 2], (Some(3), Some(5))));
    // A 204, which claims that there is nothing at all.
    sweep.take(&page(&[], (Some(0), Some(0))));
    assert_eq!(sweep.step(), Step::ReadAgain);
}

#[test]
fn an_answer_without_counts_in_the_middle_is_no_end() {
    let mut sweep = Sweep::new(SIZE);
    sweep.take(&page(&[1, 2], (Some(3), Some(5))));
    sweep.take(&page(&[3], (None, None)));
    assert_eq!(sweep.step(), Step::Read(3));
}

#[test]
fn a_claim_of_an_earlier_reading_does_not_last() {
    let mut sweep = Sweep::new(SIZE);
    sweep.take(&page(&[1], (Some(1), Some(9))));
    assert_eq!(sweep.step(), Step::Read(2));
    sweep.take(&page(&[], (Some(1), Some(9))));
    assert_eq!(sweep.step(), Step::ReadAgain);
    sweep.read_again();
    sweep.take(&page(&[1], (Some(1), Some(1))));
    assert_eq!(sweep.step(), Step::Whole);
}

#[test]
fn events_that_arrive_while_pages_are_read_are_read_too() {
    let mut sweep = Sweep::new(SIZE);
    sweep.take(&page(&[1, 2], (Some(1), Some(2))));
    assert_eq!(sweep.step(), Step::Whole);
    let mut sweep = Sweep::new(SIZE);
    sweep.take(&page(&[1, 2], (Some(2), Some(3))));
    // Oldest first, and two more arrived.
    sweep.take(&page(&[3, 4], (Some(3), Some(5))));
    assert_eq!(sweep.step(), Step::Read(3));
    sweep.take(&page(&[5], (Some(3), Some(5))));
    assert_eq!(sweep.step(), Step::Whole);
}

#[test]
fn what_a_wider_range_showed_makes_up_for_nothing_in_a_narrower_one() {
    let mut sweep = Sweep::new(SIZE);
    // Without order: 3 and 4 arrived, 2 was not shown.
    sweep.take(&page(&[1, 3], (Some(2), Some(4))));
    sweep.take(&page(&[3, 4], (Some(2), Some(4))));
    assert_eq!(sweep.step(), Step::ReadAgain);
    sweep.read_again_narrower();
    sweep.take(&page(&[1, 1], (Some(1), Some(2))));
    assert_eq!(sweep.step(), Step::ReadAgain);
    sweep.read_again();
    sweep.take(&page(&[2], (Some(1), Some(2))));
    assert_eq!((sweep.step(), sweep.distinct()), (Step::Whole, 2));
}

#[test]
fn narrower_readings_are_bounded_too() {
    let mut sweep = Sweep::new(SIZE);
    for _ in 1..MIN_READS {
        sweep.take(&page(&[], (Some(1), Some(1))));
        assert_eq!(sweep.step(), Step::ReadAgain);
        sweep.read_again_narrower();
    }
    sweep.take(&page(&[], (Some(1), Some(1))));
    assert_eq!(sweep.step(), Step::Short { missing: 1 });
}

#[test]
fn while_each_reading_brings_something_new_the_count_is_believed() {
    let mut sweep = Sweep::new(1000);
    for id in 1..MAX_READS {
        sweep.take(&page(&[id], (Some(1), Some(1000))));
        assert_eq!(sweep.step(), Step::ReadAgain, "reading {id}");
        sweep.read_again();
    }
    sweep.take(&page(&[MAX_READS], (Some(1), Some(1000))));
    let missing = 1000 - u64::from(MAX_READS);
    assert_eq!(sweep.step(), Step::Short { missing });
}

#[test]
fn pages_are_asked_for_several_at_once_after_the_first() {
    let mut sweep = Sweep::new(SIZE);
    assert_eq!(sweep.next_page(), Some(1));
    assert_eq!(
        sweep.next_page(),
        None,
        "how many there are is not known yet"
    );
    sweep.take(&page(&[1, 2], (Some(3), Some(6))));
    assert_eq!(
        (sweep.next_page(), sweep.next_page(), sweep.next_page()),
        (Some(2), Some(3), None)
    );
    sweep.take(&page(&[5, 6], (Some(4), Some(7))));
    assert_eq!(
        (sweep.next_page(), sweep.next_page()),
        (Some(4), None),
        "one more was claimed"
    );
    sweep.take(&page(&[7], (Some(4), Some(7))));
    sweep.take(&page(&[3, 4], (Some(4), Some(7))));
    assert_eq!((sweep.next_page(), sweep.step()), (None, Step::Whole));
}
