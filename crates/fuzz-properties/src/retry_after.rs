//! The value of `Retry-After`, read at a time that the first bytes of the input give in
//! seconds.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use nexmo_audit_exporter::api::retry_after;

use crate::{Bytes, text};

pub fn holds(data: &[u8]) {
    let mut bytes = Bytes(data);
    let seconds = bytes.number(4);
    let now = Timestamp::from_second(i64::try_from(seconds).expect("32 bits")).expect("a time");
    let said = text(bytes.0);
    if let Some(wait) = retry_after(&said, now) {
        assert_eq!(wait.subsec_nanos(), 0, "{said:?}: {wait:?}");
        let again = retry_after(&wait.as_secs().to_string(), now);
        assert_eq!(again, Some(wait), "{said:?}");
        in_the_other_form(wait, now);
    }
}

/// The same wait written as a date, within the range of dates.
fn in_the_other_form(wait: Duration, now: Timestamp) {
    let then = SystemTime::from(now).checked_add(wait);
    let Some(then) = then.filter(|_| wait < Duration::from_hours(24 * 365 * 1000)) else {
        return;
    };
    let date = httpdate::fmt_http_date(then);
    assert_eq!(retry_after(&date, now), Some(wait), "{date}");
}
