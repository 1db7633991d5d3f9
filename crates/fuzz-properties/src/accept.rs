//! `Accept` in the first line and `Accept-Encoding` in the second: the exporter chooses
//! nothing that was not asked for, and serves what was plainly asked for.

use nexmo_audit_exporter::exposition::{Accepted, Encoding, Format};

use crate::lines;

pub fn holds(data: &[u8]) {
    let [accept, encoding] = lines(data);
    let chosen = Accepted::choose(&accept, &encoding);
    let (small, coding) = (accept.to_ascii_lowercase(), encoding.to_ascii_lowercase());
    let is_open = chosen.variant.format == Format::OpenMetrics;
    assert_eq!(
        chosen
            .content_type()
            .starts_with("application/openmetrics-text"),
        is_open
    );
    if is_open {
        let named = ["openmetrics-text", "application/*", "*/*"];
        assert!(
            named.iter().any(|name| small.contains(name)),
            "a format or encoding was chosen that was not asked for"
        );
    }
    if chosen.variant.encoding == Encoding::Gzip {
        assert!(
            coding.contains("gzip") || coding.contains('*'),
            "a format or encoding was chosen that was not asked for"
        );
    }
    each_by_its_own_header(&accept, &encoding, chosen);
    a_plain_wish_is_granted(&accept, &encoding);
}

fn each_by_its_own_header(accept: &str, encoding: &str, chosen: Accepted) {
    let format_alone = Accepted::choose(accept, "");
    assert_eq!(format_alone.content_type(), chosen.content_type());
    let encoding_alone = Accepted::choose("", encoding);
    assert_eq!(encoding_alone.variant.encoding, chosen.variant.encoding);
    // Adding a format that the exporter does not serve changes nothing.
    let and_images = Accepted::choose(
        &format!("image/png;q=0.9,{accept}"),
        &format!("br,{encoding}"),
    );
    assert_eq!(and_images, chosen);
}

/// The first of several equal formats is chosen.
fn a_plain_wish_is_granted(accept: &str, encoding: &str) {
    let open =
        format!("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0,{accept}");
    let text =
        format!("text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0,{accept}");
    let gzip = format!("gzip,{encoding}");
    let plain = format!("gzip;q=0,{encoding}");
    assert_eq!(
        Accepted::choose(&open, "").variant.format,
        Format::OpenMetrics
    );
    assert_eq!(Accepted::choose(&text, "").variant.format, Format::Text);
    assert_eq!(Accepted::choose("", &gzip).variant.encoding, Encoding::Gzip);
    assert_eq!(
        Accepted::choose("", &plain).variant.encoding,
        Encoding::Identity
    );
}
