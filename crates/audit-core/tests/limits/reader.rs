//! Reads the model as the exporter reads the API.

use std::collections::BTreeSet;

use audit_core::{
    event::{Element, Keep, Page},
    sweep::{Cutter, FirstClaim, Limits, Range, Step, Sweep, Verdict, widened_end},
};
use jiff::Timestamp;

use crate::api::{Api, PAGE_SIZE, at};

/// The time of the API, which does not pass.
fn now() -> Timestamp {
    at(600)
}

#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) shown: BTreeSet<usize>,
    pub(crate) missing: u64,
    pub(crate) requests: usize,
    /// The number of requests that were refused.
    pub(crate) refused: usize,
}

/// Reads a range piece by piece.
pub(crate) fn read(api: &Api, mut range: Range, limits: &mut Limits, most: usize) -> Outcome {
    let mut cutter = Cutter::new(*limits);
    let mut outcome = Outcome::default();
    loop {
        let (read_to, missing) = piece(api, range, &mut cutter, &mut outcome, most);
        outcome.missing += missing;
        let Some(read_to) = read_to else {
            *limits = cutter.limits();
            return outcome;
        };
        range.from = read_to;
    }
}

/// Reads the next piece. Returns its end and the number of events that are missing from it.
fn piece(
    api: &Api,
    range: Range,
    cutter: &mut Cutter,
    outcome: &mut Outcome,
    most: usize,
) -> (Option<Timestamp>, u64) {
    let end = range.to.unwrap_or(now());
    'piece: loop {
        let piece = cutter.piece(range, now());
        let mut sweep = Sweep::over(&piece, PAGE_SIZE);
        let mut request = piece.request;
        loop {
            match sweep.step() {
                Step::Read(number) => {
                    outcome.requests += 1;
                    assert!(outcome.requests < most, "more than {most} requests");
                    let Some(text) = api.page(request.from, request.to, number) else {
                        outcome.refused += 1;
                        sweep.refuse(number);
                        continue;
                    };
                    let page = Page::parse(&text, Keep::Parsed).expect("a page");
                    outcome.shown.extend(page.elements.iter().map(place));
                    sweep.take(number, &page);
                    let first = FirstClaim {
                        claimed: sweep.claimed(),
                        beside: 0,
                        times: sweep.times(),
                    };
                    if number == 1 && !cutter.begin(&piece, end, &first, now()) {
                        continue 'piece;
                    }
                }
                Step::ReadAgain if request.to.is_none() => {
                    let to = widened_end(now());
                    request.to = Some(to);
                    sweep.read_again_narrower(to);
                }
                Step::ReadAgain => sweep.read_again(),
                Step::Whole | Step::Short { .. } | Step::Limited | Step::Endless => break,
            }
        }

        if let Verdict::Read { missing, .. } = cutter.judge(&piece, end, &sweep.end(), now()) {
            return (piece.to, missing);
        }
    }
}

fn place(element: &Element<'_>) -> usize {
    let Element::Event(event) = element else {
        panic!("the model has no malformed elements");
    };
    let id = event.id_text.as_deref().expect("an id that is no UUID");
    id[1..].parse().expect("a number")
}
