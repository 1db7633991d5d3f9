//! A [`Recount`] says what a poll asks of a list, request by request.

use std::{cell::Cell, fmt::Write as _};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{piece::widened, *};
use crate::event::{Keep, Page};

/// The span that each poll looks back, in seconds.
const LOOKBACK: i64 = 1000;

/// A list of an API that includes both bounds of a range, and a recount of it.
struct Polls {
    recount: Recount,
    /// The second of each event, and the one from which on it is listed.
    events: Vec<(i64, i64)>,
    /// The largest number that is claimed.
    cap: u64,
    /// `true` if the API claims no number.
    is_silent: bool,
    /// The elements that are listed in every range.
    everywhere: Vec<Value>,
    /// The elements that are listed in every range without an end.
    in_open_ranges: Vec<Value>,
    /// The number of malformed elements that were shown, if each answer shows another one.
    notes: Option<Cell<u64>>,
    /// The number of requests after which a poll fails.
    fails_after: usize,
    /// `false` if the number of shown elements differs from the claim.
    is_exact: bool,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

impl Polls {
    /// Returns polls of a list with an event in each of these seconds.
    fn of(seconds: impl IntoIterator<Item = i64>) -> Self {
        let events = seconds.into_iter().map(|second| (second, second));
        Self {
            recount: Recount::new(RecountSettings {
                few: 30,
                longest: SignedDuration::from_secs(2 * LOOKBACK),
            }),
            events: events.collect(),
            cap: u64::MAX,
            is_silent: false,
            everywhere: Vec::new(),
            in_open_ranges: Vec::new(),
            notes: None,
            fails_after: usize::MAX,
            is_exact: true,
        }
    }

    /// Returns polls of a list with an event every ten seconds since long ago.
    fn steady() -> Self {
        Self::of((-100_000..100_000).step_by(10))
    }

    fn answer(&self, range: Range, now: i64) -> (String, u64) {
        let (from, to) = (range.from.as_second(), range.to.map(Timestamp::as_second));
        let numbered = self.events.iter().enumerate();
        let listed = numbered.filter(|(_, (created, appears))| {
            *appears <= now && from <= *created && to.is_none_or(|to| *created <= to)
        });
        let events = listed.map(|(number, (created, _))| {
            json!({"id": format!("e{number}"), "created_at": at(*created).to_string()})
        });
        let mut events: Vec<_> = events.collect();
        events.extend(self.everywhere.iter().cloned());
        if let Some(notes) = &self.notes {
            notes.set(notes.get() + 1);
            events.push(json!({"note": notes.get()}));
        }
        if to.is_none() {
            events.extend(self.in_open_ranges.iter().cloned());
        }
        let total = (events.len() as u64).min(self.cap);
        let text = json!({"_embedded": {"events": events}, "page": {"totalElements": total}});
        (text.to_string(), total)
    }

    fn read(&mut self, range: Range, now: i64) {
        let (text, total) = self.answer(widened(range), now);
        let page = Page::parse(&text, Keep::Parsed).expect("a page");
        self.recount.claim(total, at(now));
        self.recount.take(&page);
    }

    /// Polls, and returns all requests by their seconds before now.
    fn poll(&mut self, now: i64) -> String {
        let mut asked = String::new();
        let ago = |time: Timestamp| now - time.as_second();
        let mut requests = 0;
        if !self.recount.begin(at(now - LOOKBACK), at(now)) {
            return "nothing".to_owned();
        }
        while let Some(step) = self.recount.step() {
            requests += 1;
            if requests > self.fails_after {
                self.recount.abandon();
                return asked + "failed";
            }
            match step {
                RecountStep::Read { range, is_whole } => {
                    let to = range.to.expect("an end");
                    let kind = if is_whole { "whole" } else { "read" };
                    let (from, to) = (ago(range.from), ago(to));
                    write!(asked, "{kind} {from}-{to}, ").expect("text");
                    self.read(range, now);
                    self.recount.read(self.is_exact);
                }
                RecountStep::Count(range) => {
                    let total = (!self.is_silent).then(|| self.answer(range, now).1);
                    let (from, to) = (ago(range.from), range.to.map(ago));
                    match to {
                        Some(to) => write!(asked, "count {from}-{to}, "),
                        None => write!(asked, "count {from}-, "),
                    }
                    .expect("text");
                    self.recount.counted(total);
                }
                RecountStep::Done { read_to } => {
                    write!(asked, "tail {}", ago(read_to)).expect("text");
                    let range = Range {
                        from: read_to,
                        to: None,
                    };
                    self.read(range, now);
                    self.recount.end_tail(at(now));
                }
            }
        }
        asked
    }
}

/// The seconds of 30 days, from which on a claim that may be a limit is compared.
const DOUBT: i64 = 30 * 24 * 3600;

#[test]
fn a_poll_reads_what_the_one_before_has_not_shown_and_counts_the_rest() {
    let mut polls = Polls::steady();
    // 100 events are read in a part for each 60 of them.
    assert_eq!(polls.poll(0), "whole 1000-6, tail 5");
    assert!(polls.recount.is_known());
    // The first number is higher than any before.
    let first = "read 32-6, count 1031-5, count 2593031-, tail 5";
    assert_eq!(DOUBT + 1031, 2_593_031);
    assert_eq!(polls.poll(30), first);
    assert_eq!(polls.poll(60), "read 32-6, count 1061-5, tail 5");
    assert_eq!(polls.poll(90), "read 32-6, count 1091-5, tail 5");
}

#[test]
fn a_range_with_many_events_is_read_in_parts_and_forgotten_in_parts() {
    let mut polls = Polls::of(-2000..2000);
    let whole = polls.poll(0);
    assert_eq!(whole.matches("whole").count(), 1);
    let mut polls = Polls::of(-2000..2000);
    polls.recount.claim(1000, at(0));
    let whole = polls.poll(0);
    assert_eq!(whole.matches("whole").count(), 16, "{whole}");
    assert!(
        whole.starts_with("whole 1000-938, whole 938-876, "),
        "{whole}"
    );
    assert!(whole.ends_with("whole 69-6, tail 5"), "{whole}");
    polls.recount.claim(u64::MAX, at(0));
    assert_eq!(polls.poll(30), "read 32-6, count 1031-5, tail 5");
    assert_eq!(polls.poll(60), "read 32-6, count 1061-5, tail 5");
    // The first part lies before the lookback by now.
    assert_eq!(polls.poll(62), "read 7-6, count 1001-5, tail 5");
}

impl Polls {
    /// Returns polls that know the lookback, after the one at the second 0.
    fn begun(mut self) -> Self {
        self.recount.claim(u64::MAX, at(0));
        self.poll(0);
        assert!(self.recount.is_known());
        self
    }

    /// Polls every 30 seconds, and returns the requests of the last poll.
    fn polls(&mut self, seconds: std::ops::RangeInclusive<i64>) -> String {
        let polls = seconds.step_by(30).map(|now| self.poll(now));
        polls.last().expect("a poll")
    }
}

#[test]
fn a_late_event_is_searched_by_halves_and_its_part_is_read() {
    let mut polls = Polls::steady().begun();
    polls.polls(30..=210);
    let late = [(-500, 235), (100, 265), (207, 295), (204, 325)];
    polls.events.extend(late);
    // Each number is that of all events since a second before a reading began.
    let expected = [
        "count 1055-5, count 36-5, count 66-5, count 126-5, count 246-5, count 682-5, \
         count 869-5, count 807-5, count 744-5, read 743-681, count 1055-5",
        "count 1023-5, count 36-5, count 66-5, count 126-5, count 246-5, count 186-5, \
         count 156-5, count 183-5, read 182-155, count 1023-5",
        "count 1053-5, count 36-5, count 66-5, count 126-5, count 96-5, count 93-5, \
         read 92-65, count 1053-5",
        "count 1021-5, count 36-5, count 66-5, count 126-5, count 96-5, count 123-5, \
         read 125-122, count 1021-5",
    ];
    for (now, expected) in (240..).step_by(30).zip(expected) {
        assert_eq!(polls.poll(now), format!("read 32-6, {expected}, tail 5"));
    }
    assert_eq!(polls.poll(360), "read 32-6, count 1051-5, tail 5");
}

#[test]
fn late_events_in_several_parts_are_read_together() {
    let mut polls = Polls::steady().begun();
    polls.polls(30..=210);
    polls.events.extend([(100, 235), (160, 235)]);
    let asked = polls.poll(240);
    assert!(asked.contains("read 152-65, "), "{asked}");
    assert_eq!(polls.poll(270), "read 32-6, count 1023-5, tail 5");
}

#[test]
fn where_events_are_listed_later_the_settled_range_ends_earlier_for_a_while() {
    let mut polls = Polls::steady().begun();
    polls.polls(30..=60);
    // The open end of the last poll was read before the event was listed.
    polls.events.push((56, 61));
    assert_eq!(
        polls.poll(90),
        "read 32-6, count 1029-5, count 36-5, read 35-32, count 1029-5, tail 5"
    );
    // A poll that finds nothing late has the next one end later, by a sixteenth.
    assert_eq!(polls.poll(120), "read 34-12, count 1059-11, tail 11");
    let ends: Vec<_> = (150..)
        .step_by(30)
        .take(12)
        .map(|now| {
            let asked = polls.poll(now);
            let (_, tail) = asked.rsplit_once(' ').expect("a tail");
            tail.parse::<u32>().expect("seconds")
        })
        .collect();
    assert_eq!(ends, [11, 10, 9, 9, 8, 8, 7, 7, 6, 6, 5, 5]);
}

#[test]
fn a_range_ends_an_eighth_of_the_longest_one_ago_at_the_earliest() {
    let mut polls = Polls::steady().begun();
    polls.is_exact = false;
    let mut now = 0;
    let mut tail = String::new();
    for _ in 0..9 {
        now += 1000;
        tail = polls.poll(now);
    }
    assert!(tail.ends_with("tail 249"), "{tail}");
    assert!(!polls.recount.is_known());
}

#[test]
fn a_number_that_may_be_a_limit_is_believed_only_below_a_higher_one() {
    let mut polls = Polls::steady();
    polls.poll(0);
    // 103 events are listed and known: the number is right, and may yet be a limit.
    polls.cap = 103;
    let doubted = "read 32-6, count 1031-5, count 2593031-, ";
    assert_eq!(polls.poll(30), format!("{doubted}whole 1000-6, tail 5"));
    polls.cap = u64::MAX;
    // The range is wider by a few events than the one whose number was the highest.
    let asked = polls.poll(60);
    assert_eq!(asked, "read 32-6, count 1031-5, count 2593031-, tail 5");
    assert_eq!(polls.poll(90), "read 32-6, count 1061-5, tail 5");
}

#[test]
fn without_a_number_everything_is_read() {
    let mut polls = Polls::steady().begun();
    polls.is_silent = true;
    let asked = polls.poll(30);
    assert_eq!(asked, "read 32-6, count 1031-5, whole 1000-6, tail 5");
}

#[test]
fn times_that_do_not_say_what_is_listed_are_not_used_again() {
    let mut polls = Polls::steady().begun();
    polls.poll(30);
    polls.in_open_ranges = vec![json!({"id": "other", "created_at": at(56).to_string()})];
    assert_eq!(polls.poll(60), "read 32-6, count 1061-5, tail 5");
    // One event more is known than is listed.
    let asked = "read 32-6, count 1029-5, whole 1000-6, tail 5";
    assert_eq!(polls.poll(90), asked);
    polls.in_open_ranges.clear();
    polls.poll(120);
    assert_eq!(polls.poll(150), "read 35-6, count 1061-5, tail 5");
}

#[test]
fn what_is_not_found_where_it_was_searched_has_everything_read() {
    let mut polls = Polls::steady().begun();
    polls.notes = Some(Cell::new(0));
    let asked = "read 32-6, count 1031-5, count 36-5, read 35-32, count 1031-5, \
                 whole 1000-6, tail 5";
    assert_eq!(polls.poll(30), asked);
}

#[test]
fn a_range_is_read_as_one_after_its_parts_were_not_exact() {
    let mut polls = Polls::steady();
    polls.is_exact = false;
    polls.recount.claim(200, at(0));
    assert_eq!(polls.poll(0), "whole 1000-669, whole 669-6, tail 5");
    polls.recount.claim(200, at(30));
    assert_eq!(polls.poll(30).matches("whole").count(), 1);
    polls.is_exact = true;
    polls.poll(60);
    // The range that is known ends in the future.
    polls.recount.claim(200, at(-100));
    assert_eq!(polls.poll(-100).matches("whole").count(), 3);
}

#[test]
fn where_one_reading_has_shown_everything_everything_is_read_again() {
    let mut polls = Polls::steady();
    polls.poll(0);
    polls.events.push((-500, -500));
    assert_eq!(polls.poll(0), "count 1001-5, whole 1000-6, tail 5");
}

#[test]
fn times_are_used_on_after_a_number_that_was_a_limit() {
    let mut polls = Polls::steady();
    polls.cap = 95;
    polls.poll(0);
    let asked = "read 32-6, count 1031-5, whole 1000-6, tail 5";
    assert_eq!(polls.poll(30), asked);
    polls.cap = u64::MAX;
    let asked = "read 32-6, count 1031-5, count 2593031-, tail 5";
    assert_eq!(polls.poll(60), asked);
}

#[test]
fn a_poll_that_fails_forgets_nothing_but_a_range_that_is_read_whole() {
    let mut polls = Polls::steady();
    polls.fails_after = 0;
    assert_eq!(polls.poll(0), "failed");
    assert!(!polls.recount.is_known());
    polls.fails_after = usize::MAX;
    let mut polls = polls.begun();
    // What is new is read from the same time on.
    polls.fails_after = 0;
    assert_eq!(polls.poll(30), "failed");
    assert!(polls.recount.is_known());
    polls.fails_after = usize::MAX;
    assert_eq!(polls.poll(60), "read 62-6, count 1061-5, tail 5");
    // Where it was read, only the rest is. Nothing is known of the open end.
    polls.fails_after = 1;
    assert_eq!(polls.poll(90), "read 32-6, failed");
    polls.fails_after = usize::MAX;
    assert_eq!(polls.poll(120), "read 35-6, count 1059-5, tail 5");
    // No end of a range lies before the one that the poll that failed had.
    polls.fails_after = 0;
    assert_eq!(polls.poll(150), "failed");
    polls.fails_after = usize::MAX;
    assert_eq!(polls.poll(148), "read 30-4, count 1025-3, tail 3");
}

#[test]
fn a_range_with_few_events_is_not_remembered() {
    for (events, is_known) in [(20, false), (21, true), (30, true)] {
        let mut polls = Polls::of(-100..-100 + events);
        polls.poll(0);
        assert_eq!(polls.recount.is_known(), is_known, "{events}");
    }
    assert_eq!(Polls::steady().recount.few(), 30);
}

#[test]
fn a_range_that_is_too_long_is_read_and_not_remembered() {
    for (from, is_known) in [(6, true), (5, false)] {
        let mut polls = Polls::steady();
        assert!(polls.recount.begin(at(from), at(2012)));
        let step = polls.recount.step();
        let range = Range {
            from: at(from),
            to: Some(at(2006)),
        };
        let is_whole = true;
        assert_eq!(step, Some(RecountStep::Read { range, is_whole }));
        polls.read(range, 2012);
        polls.recount.read(true);
        let read_to = at(2007);
        let step = polls.recount.step();
        assert_eq!(step, Some(RecountStep::Done { read_to }));
        assert_eq!(polls.recount.is_known(), is_known);
        assert_eq!(polls.recount.step(), None);
    }
}

#[test]
fn nothing_is_recounted_within_the_last_seconds() {
    let mut polls = Polls::steady();
    assert!(!polls.recount.begin(at(4), at(10)));
    assert!(polls.recount.begin(at(3), at(10)));
}

/// Returns `true` if a poll at `now` has to read the range from `from` on whole, after one at
/// the second 0.
fn reads_whole(from: i64, now: i64) -> bool {
    let mut polls = Polls::steady().begun();
    assert!(polls.recount.begin(at(from), at(now)));
    let step = polls.recount.step().expect("a step");
    matches!(step, RecountStep::Read { is_whole: true, .. })
}

#[test]
fn a_range_that_begins_earlier_or_ends_in_the_future_is_read_whole() {
    assert!(!reads_whole(-1000, 30));
    assert!(reads_whole(-1001, 30));
    assert!(!reads_whole(-1000, -5));
    assert!(reads_whole(-1000, -6));
}

#[test]
fn a_high_number_is_forgotten_after_a_day() {
    const DAY: i64 = 24 * 3600;
    for (later, is_doubted) in [(DAY - 1, false), (DAY, true)] {
        let mut polls = Polls::steady();
        polls.recount.claim(1000, at(0));
        polls.poll(later - 30);
        let asked = polls.poll(later);
        assert_eq!(asked.contains(", count 2593031-, "), is_doubted, "{asked}");
    }
}

#[test]
fn a_malformed_element_is_known_once_it_was_shown_twice() {
    let mut polls = Polls::steady();
    polls.everywhere = vec![json!({"note": 1})];
    polls.poll(0);
    assert_eq!(
        polls.poll(30),
        "read 35-6, count 1031-5, count 2593031-, tail 5"
    );
    polls.everywhere.push(json!({"note": 2}));
    polls.recount.claim(u64::MAX, at(60));
    // The first answer that shows an element does not say that its content stays the same.
    let asked = "read 35-6, count 1061-5, count 66-5, read 65-35, count 1061-5, tail 5";
    assert_eq!(polls.poll(60), asked);
    assert_eq!(polls.poll(90), "read 35-12, count 1091-11, tail 11");
}
