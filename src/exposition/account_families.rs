//! The metrics of the work for each account, in parts that are kept until a number in them
//! changes.
//!
//! A poll changes a few numbers of one account, and with ten thousand accounts most numbers
//! stand still between two scrapes. The accounts are therefore taken by the hundred, in the
//! order of their names, and each family of a hundred accounts is a part. At each scrape the
//! numbers that a part shows are compared with those of now, which costs little beside
//! rendering and compressing.

use std::{borrow::Cow, sync::Arc};

use super::{
    blocks::{FamilyHeader, PartWriter, RenderedPart},
    format::{Format, PerVariant, Variant},
    generation::ShownAccount,
    lines,
};
use crate::metrics::{ACCOUNT_FAMILIES, AccountFamily, Kind, Shown};

/// The most accounts of a part. With fewer accounts a change costs less, with more accounts
/// gzip compresses better.
const ACCOUNTS: usize = if cfg!(test) { 3 } else { 256 };
/// The number that follows those of each account. No sample has this value.
const END: i64 = i64::MIN;

/// The families of the metrics of the work for each account.
#[derive(Debug)]
pub(super) struct AccountFamilies(Vec<KeptFamily>);

/// A family with its parts as they were last rendered.
#[derive(Debug)]
struct KeptFamily {
    renderer: Renderer,
    header: FamilyHeader,
    parts: Vec<KeptPart>,
}

/// A family of accounts that follow each other, as it was rendered.
#[derive(Debug, Default)]
struct KeptPart {
    /// The id of each account, the values of its samples, and [`END`].
    numbers: Vec<i64>,
    /// The part of each variant that was rendered with these numbers.
    rendered: PerVariant<Option<FamilyPart>>,
}

/// The samples of a family; `None` if no account has one.
type FamilyPart = Option<RenderedPart>;

/// Renders the samples of a family.
#[derive(Debug)]
struct Renderer {
    family: &'static AccountFamily,
    /// The time when the counters were 0, in milliseconds since 1970, if `_created` is to
    /// be shown.
    created: Option<i64>,
}

/// The value of a sample.
#[derive(Debug, Clone, Copy)]
enum Value {
    Number(i64),
    /// Milliseconds since 1970, which are shown in seconds.
    Time(i64),
}

impl AccountFamilies {
    /// Returns the families of no account. `created` is the time when the counters were 0,
    /// in milliseconds since 1970, if `_created` is to be shown.
    pub(super) fn new(created: Option<i64>) -> Self {
        let family = |family: &'static AccountFamily| KeptFamily {
            renderer: Renderer { family, created },
            header: FamilyHeader::new(&family.family),
            parts: Vec::new(),
        };
        Self(ACCOUNT_FAMILIES.iter().map(family).collect())
    }

    /// Returns the families of these accounts as they are now: the header of each family
    /// that has samples, and its parts.
    pub(super) fn parts(
        &mut self,
        accounts: &[Arc<ShownAccount>],
        variant: Variant,
    ) -> Vec<&RenderedPart> {
        let mut writer = PartWriter::default();
        let mut parts = Vec::new();
        for family in &mut self.0 {
            parts.extend(family.renewed(accounts, variant, &mut writer));
        }
        parts
    }
}

impl KeptFamily {
    /// Returns the header, if there are samples, and the parts that show these accounts as
    /// they are now. What has changed since it was last rendered in this variant is rendered
    /// again.
    fn renewed(
        &mut self,
        accounts: &[Arc<ShownAccount>],
        variant: Variant,
        writer: &mut PartWriter,
    ) -> impl Iterator<Item = &RenderedPart> {
        let Self {
            renderer,
            header,
            parts,
        } = self;
        let groups = accounts.chunks(ACCOUNTS);
        parts.resize_with(groups.len(), KeptPart::default);
        let parts = parts.iter_mut().zip(groups);
        let rendered = parts
            .filter_map(|(part, accounts)| part.renewed(renderer, (accounts, variant), writer));
        let rendered: Vec<_> = rendered.collect();
        let header = (!rendered.is_empty()).then(|| header.part(variant, writer));
        header.into_iter().chain(rendered)
    }
}

impl KeptPart {
    /// Returns the part that shows these accounts as they are now. If the numbers are others
    /// than before, the parts of the other variants are dropped.
    fn renewed(
        &mut self,
        renderer: &Renderer,
        (accounts, variant): (&[Arc<ShownAccount>], Variant),
        writer: &mut PartWriter,
    ) -> Option<&RenderedPart> {
        if self.rendered.of(variant).is_none() || !self.shows(renderer, accounts) {
            let numbers = renderer.write(accounts, variant.format, &mut writer.text);
            if numbers != self.numbers {
                *self = Self {
                    numbers,
                    rendered: PerVariant::default(),
                };
            }
            *self.rendered.of_mut(variant) = Some(writer.part_if_any(variant.encoding));
        }
        self.rendered.of(variant).as_ref()?.as_ref()
    }

    /// Returns `true` if the numbers are those of these accounts now.
    fn shows(&self, renderer: &Renderer, accounts: &[Arc<ShownAccount>]) -> bool {
        let mut shown = self.numbers.iter();
        let mut is_same = true;
        for account in accounts {
            renderer.each_number(account, |number, _| {
                is_same &= shown.next() == Some(&number);
            });
            if !is_same {
                return false;
            }
        }
        shown.next().is_none()
    }
}

impl Renderer {
    /// Writes the samples of these accounts, and returns their numbers.
    fn write(&self, accounts: &[Arc<ShownAccount>], format: Format, text: &mut String) -> Vec<i64> {
        let mut numbers = Vec::new();
        for account in accounts {
            self.each_number(account, |number, sample| {
                numbers.push(number);
                if let Some((labels, value)) = sample {
                    self.sample(text, (account, labels), value, format);
                }
            });
        }
        numbers.shrink_to_fit();
        numbers
    }

    /// Calls `number` with each number of an account, and with its sample if it is the value
    /// of one.
    fn each_number(
        &self,
        account: &ShownAccount,
        mut number: impl FnMut(i64, Option<(&[Cow<'static, str>], Value)>),
    ) {
        number(account.id.cast_signed(), None);
        match (self.family.shown)(&account.metrics) {
            Shown::Nothing => {}
            Shown::Number(value) => number(value, Some((&[], Value::Number(value)))),
            Shown::Time(time) => number(time, Some((&[], Value::Time(time)))),
            Shown::Counters(counters) => counters.each(&mut |labels, count| {
                let value = as_number(count);
                number(value, Some((labels, Value::Number(value))));
            }),
        }
        number(END, None);
    }

    fn sample(
        &self,
        text: &mut String,
        of: (&ShownAccount, &[Cow<'static, str>]),
        value: Value,
        format: Format,
    ) {
        let family = &self.family.family;
        text.push_str(family.name);
        self.labels(text, of);
        text.push(' ');
        match value {
            Value::Number(number) => text.push_str(itoa::Buffer::new().format(number)),
            Value::Time(time) => lines::seconds(text, time),
        }
        text.push('\n');
        let created = self.created.filter(|_| family.kind == Kind::Counter);
        if let Some(created) = created.filter(|_| format == Format::OpenMetrics) {
            lines::created(text, family, |text| self.labels(text, of), created);
        }
    }

    fn labels(&self, text: &mut String, (account, values): (&ShownAccount, &[Cow<'static, str>])) {
        let values = values.iter().map(|value| &**value);
        lines::series_labels(text, &self.family.family, values, account.name.as_deref());
    }
}

fn as_number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
