//! The formats and encodings of a response.

/// A format of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The text format 0.0.4 of Prometheus, which every client reads.
    Text,
    /// `OpenMetrics` 1.0.0, which has exemplars and units.
    OpenMetrics,
}

/// The compression of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// No compression.
    Identity,
    /// gzip, RFC 1952.
    Gzip,
}

/// A format in an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// The format.
    pub format: Format,
    /// The encoding.
    pub encoding: Encoding,
}

/// One value for each variant.
#[derive(Debug, Clone, Default)]
pub(super) struct PerVariant<T>([T; 4]);

impl Variant {
    pub(super) const ALL: [Self; 4] = [
        Self::new(Format::Text, Encoding::Identity),
        Self::new(Format::Text, Encoding::Gzip),
        Self::new(Format::OpenMetrics, Encoding::Identity),
        Self::new(Format::OpenMetrics, Encoding::Gzip),
    ];

    /// Returns the variant with this format and encoding.
    #[must_use]
    pub const fn new(format: Format, encoding: Encoding) -> Self {
        Self { format, encoding }
    }

    fn place(self) -> usize {
        2 * self.format as usize + self.encoding as usize
    }
}

impl<T> PerVariant<T> {
    pub(super) fn of(&self, variant: Variant) -> &T {
        &self.0[variant.place()]
    }

    pub(super) fn of_mut(&mut self, variant: Variant) -> &mut T {
        &mut self.0[variant.place()]
    }
}
