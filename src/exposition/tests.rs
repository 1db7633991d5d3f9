//! After any history, a scrape is answered with the same bytes as if everything were
//! rendered for the first time.

use std::{collections::BTreeMap, fmt::Write as _, io::Read as _};

use audit_core::{
    event::{EventId, Labels, label_value},
    gate::{Gate, SavedGate, Scrape, ScrapeInterval, ScraperId},
    ledger::{Age, Change, Exemplar},
};
use proptest::{prelude::*, sample::select};

use super::{
    blocks::{PartWriter, RenderedPart},
    events::EventFamilies,
    *,
};
use crate::metrics::{
    ACCOUNT_FAMILIES, Shown,
    catalog::{self, Family},
};

/// More accounts than those that are rendered at each commit.
const MANY: usize = 20;
const START: &str = "2026-01-02T03:04:05.006Z";

#[derive(Debug, Clone)]
enum Step {
    /// An event: its type, country, number, minute of creation, and whether it is history.
    Event(u8, u16, u32, i64, bool),
    /// Adds many series, so that there are several blocks.
    Flood(u16),
    Commit,
    NameTypes(u8),
    Scrape(u8, usize),
    Wait(u64),
    /// Exemplars end that were shown for long enough.
    EndExemplars,
    /// The next steps belong to this account.
    Turn(usize),
    /// The account is added again, as after a reload.
    Replace,
    /// The account is removed, as after a reload.
    Remove,
    /// A number in the metrics of the work for the account changes.
    Work(u8),
    /// What is served in one variant is compared with what should be.
    Check(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..6_u8, 0..40_u16, any::<u32>(), 0..1000_i64, any::<bool>())
            .prop_map(|(a, b, c, d, e)| Step::Event(a, b, c, d, e)),
        1 => (0..700_u16).prop_map(Step::Flood),
        4 => Just(Step::Commit),
        1 => (0..5_u8).prop_map(Step::NameTypes),
        4 => (0..3_u8, 0..Variant::ALL.len()).prop_map(|(a, b)| Step::Scrape(a, b)),
        2 => select(vec![1, 10, 50, 700]).prop_map(Step::Wait),
        2 => Just(Step::EndExemplars),
        3 => (0..MANY).prop_map(Step::Turn),
        1 => Just(Step::Replace),
        1 => Just(Step::Remove),
        4 => any::<u8>().prop_map(Step::Work),
        4 => (0..Variant::ALL.len()).prop_map(Step::Check),
    ]
}

/// An exposition, and what it should show.
struct Model {
    exposition: Arc<Exposition>,
    gate: Arc<SharedGate>,
    /// The accounts in the order of their names.
    accounts: Vec<Counted>,
    /// The account that the next step belongs to.
    turn: usize,
    uptime: Duration,
    created: bool,
}

struct Counted {
    name: Option<Arc<str>>,
    metrics: Arc<AccountMetrics>,
    /// `None` while the account is removed.
    place: Option<AccountExposition>,
    ledger: Ledger,
    types: Arc<[EventType]>,
    /// The changes and types of the last commit.
    shown: Option<(Changes, Arc<[EventType]>)>,
}

impl Counted {
    fn new(exposition: &Arc<Exposition>, name: Option<Arc<str>>) -> Self {
        let metrics = AccountMetrics::new(&["body", "auth"], exposition.process());
        let metrics = Arc::new(metrics);
        Self {
            place: Some(exposition.add(name.clone(), Arc::clone(&metrics))),
            name,
            metrics,
            ledger: Ledger::new(3000),
            types: Arc::default(),
            shown: None,
        }
    }

    /// Changes a number in the metrics of the work.
    fn work(&self, number: u8) {
        let metrics = &self.metrics;
        let value = i64::from(number / 8);
        match number % 8 {
            0 => metrics.up.set(value % 2),
            1 => metrics.late_events.inc(),
            2 => metrics.poll_failures.inc(["auth".into()]),
            3 => metrics.poll_failures.inc(["timeout".into()]),
            4 => {
                let code = (200 + value).to_string();
                metrics.api_requests.inc(["list".into(), code.into()]);
            }
            5 => metrics.pending_events.set(value),
            6 => metrics.watermark.set(start()),
            _ => metrics
                .last_poll_success
                .set(start() + jiff::SignedDuration::from_millis(value)),
        }
    }
}

fn start() -> Timestamp {
    START.parse().expect("a time")
}

impl Model {
    fn new(created: bool, interval: ScrapeInterval, names: &[Option<&str>]) -> Self {
        let gate = Gate::new(interval, &SavedGate::default());
        let gate = Arc::new(SharedGate::new(gate));
        let settings = ExpositionSettings {
            created: created.then(start),
        };
        let process = Arc::new(ProcessMetrics::new().expect("metrics"));
        let exposition = Arc::new(Exposition::new(process, Arc::clone(&gate), settings));
        // In another order than that of the names.
        let accounts = names.iter().rev();
        let mut accounts: Vec<_> = accounts
            .map(|name| Counted::new(&exposition, name.map(Into::into)))
            .collect();
        accounts.reverse();
        Self {
            exposition,
            gate,
            accounts,
            turn: 0,
            uptime: Duration::ZERO,
            created,
        }
    }

    /// Returns the account that the next step belongs to.
    fn account(&mut self) -> &mut Counted {
        &mut self.accounts[self.turn]
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Event(event_type, country, number, minute, history) => {
                let name = ["A", "B", "q\"u\\o\nte", "é", "", "B2"][usize::from(*event_type)];
                self.count(name, *country, *number, *minute, *history);
            }
            Step::Flood(countries) => {
                for country in 0..*countries {
                    self.count("FLOOD", country, u32::from(country), 0, false);
                }
            }
            Step::Commit => self.commit(),
            Step::NameTypes(count) => {
                let named = |number: u8| EventType {
                    name: format!("T{}", number / 2),
                    description: format!("The {number}th\n\"type\""),
                };
                let types: Vec<_> = (0..*count).rev().map(named).collect();
                let account = self.account();
                let known = types.iter().map(|known| known.name.as_str());
                account.ledger.name_types(known);
                if let Some(place) = &account.place {
                    account.types = place.shared(types);
                }
            }
            Step::Scrape(scraper, variant) => {
                let scrape = Scrape {
                    scraper: ScraperId(u64::from(*scraper)),
                    product: 1,
                    target: 1,
                    connection: u64::from(*scraper),
                    timeout: Duration::from_secs(10),
                };
                let variant = Variant::ALL[*variant];
                let scraper = Some(scrape.scraper);
                let answer = self.exposition.scrape(scraper, variant, self.uptime);
                let generation = answer.expect("an exposition").generation;
                self.gate.record_scrape(scrape, generation, self.uptime);
            }
            Step::Wait(seconds) => self.uptime += Duration::from_secs(*seconds),
            Step::EndExemplars => self.end_exemplars(),
            Step::Turn(account) => self.turn = account % self.accounts.len(),
            Step::Replace => {
                let exposition = Arc::clone(&self.exposition);
                let account = self.account();
                if account.place.is_none() {
                    *account = Counted::new(&exposition, account.name.clone());
                    return;
                }
                let metrics = Arc::clone(&account.metrics);
                account.place = Some(exposition.add(account.name.clone(), metrics));
            }
            Step::Remove => {
                let account = self.account();
                (account.place, account.shown) = (None, None);
            }
            Step::Work(number) => self.account().work(*number),
            Step::Check(variant) => self.check(Variant::ALL[*variant]),
        }
    }

    fn count(&mut self, name: &str, country: u16, number: u32, minute: i64, history: bool) {
        let labels = Labels {
            event_type: label_value(Some(name.into())),
            source: "CD".into(),
            source_country: country.to_string().into(),
        };
        let text = format!("event \"{number}\"");
        let text = number.is_multiple_of(3).then_some(text);
        let at = start() + jiff::SignedDuration::from_mins(minute);
        let id = EventId::from_bits(u128::from(number) << 90);
        let age = if history { Age::History } else { Age::News };
        let event = Exemplar::new(id, text.as_deref(), at);
        self.account().ledger.count(&labels, age, event);
    }

    fn commit(&mut self) {
        let uptime = self.uptime;
        let gate = Arc::clone(&self.gate);
        let account = self.account();
        let (changes, saved) = {
            let gate = gate.lock();
            let changes = account.ledger.changes(&gate, uptime);
            (changes, gate.saved(uptime))
        };
        account.ledger.confirm(&changes);
        gate.confirm(&saved);
        let types = Arc::clone(&account.types);
        if let Some(place) = &account.place {
            place.publish(&mut account.ledger, &changes, &types, start());
            account.shown = Some((account.ledger.all(), types));
        }
    }

    fn end_exemplars(&mut self) {
        let uptime = self.uptime;
        let account = self.account();
        let ended = account.ledger.end_exemplars(uptime);
        if let Some((all, _)) = &mut account.shown {
            without_exemplars(&mut all.series, &ended.series);
            without_exemplars(&mut all.types, &ended.types);
        }
        if let Some(place) = &account.place {
            place.end_exemplars(ended);
        }
    }

    fn served(&self, variant: Variant) -> String {
        let answer = self.exposition.scrape(None, variant, self.uptime);
        let bytes = answer.expect("an exposition").parts.concat();
        match variant.encoding {
            Encoding::Identity => String::from_utf8(bytes).expect("UTF-8"),
            Encoding::Gzip => {
                let mut text = String::new();
                let mut gzip = flate2::read::GzDecoder::new(&*bytes);
                gzip.read_to_string(&mut text).expect("gzip");
                text
            }
        }
    }

    /// Renders the event families without the code under test.
    fn rendered(&self, format: Format) -> String {
        if self.accounts.iter().all(|account| account.shown.is_none()) {
            return String::new();
        }
        let created = (self.created && format == Format::OpenMetrics)
            .then(|| format!("{}.006", start().as_second()));
        let mut counters = [Vec::new(), Vec::new()];
        let mut known = BTreeMap::new();
        for (order, account) in self.accounts.iter().enumerate() {
            let Some((all, types)) = account.shown.clone() else {
                continue;
            };
            let label = account.name.as_ref();
            let label = label.map_or(String::new(), |name| format!(",account=\"{name}\""));
            for change in all.types {
                let labels = format!("{{event_type=\"{}\"{label}}}", escaped(&change.key));
                counters[0].push((
                    (order, vec![change.key.to_string()]),
                    labels,
                    change.saved.published,
                    change.shown_exemplar().cloned(),
                ));
            }
            for change in all.series {
                let key = &change.key;
                let values = [&key.event_type, &key.source, &key.source_country];
                let labels = format!(
                    "{{event_type=\"{}\",source=\"{}\",source_country=\"{}\"{label}}}",
                    escaped(values[0]),
                    escaped(values[1]),
                    escaped(values[2])
                );
                counters[1].push((
                    (order, values.map(ToString::to_string).to_vec()),
                    labels,
                    change.saved.published,
                    change.shown_exemplar().cloned(),
                ));
            }
            for described in types.iter() {
                let first = known.entry(described.name.clone());
                let first = first.or_insert_with(|| described.description.clone());
                *first = first.clone().min(described.description.clone());
            }
        }
        let mut text = String::new();
        let families = [&catalog::EVENTS_BY_TYPE, &catalog::EVENTS];
        for (family, counters) in families.into_iter().zip(&mut counters) {
            let base = header(&mut text, family, format);
            counters.sort_by(|one, other| one.0.cmp(&other.0));
            for (_, labels, value, exemplar) in counters {
                let _ = write!(text, "{}{labels} {value}", family.name);
                if let Some(exemplar) = exemplar.as_ref().filter(|_| format == Format::OpenMetrics)
                {
                    let id = escaped(&exemplar.event_id());
                    let at = exemplar.created_at() / 1000;
                    let _ = write!(text, " # {{event_id=\"{id}\"}} 1 {at}.006");
                }
                text.push('\n');
                if let Some(created) = &created {
                    let _ = writeln!(text, "{base}_created{labels} {created}");
                }
            }
        }
        header(&mut text, &catalog::EVENT_TYPE_INFO, format);
        for (name, description) in known {
            let (name, description) = (escaped(&name), escaped(&description));
            let labels = format!("{{event_type=\"{name}\",description=\"{description}\"}}");
            let _ = writeln!(text, "nexmo_audit_event_type_info{labels} 1");
        }
        text
    }

    /// Renders the metrics of the work for the accounts without the code under test.
    fn rendered_work(&self, format: Format) -> String {
        let created = (self.created && format == Format::OpenMetrics)
            .then(|| format!("{}.006", start().as_second()));
        let mut text = String::new();
        for family in ACCOUNT_FAMILIES {
            let (family, shown) = (&family.family, family.shown);
            let accounts = self.accounts.iter();
            let accounts = accounts.filter(|account| account.place.is_some());
            let mut samples = Vec::new();
            for account in accounts {
                let label = account
                    .name
                    .as_ref()
                    .map(|name| format!("account=\"{name}\""));
                let own = match shown(&account.metrics) {
                    Shown::Nothing => vec![],
                    Shown::Number(value) => vec![(vec![], value.to_string())],
                    Shown::Time(time) => {
                        let time = format!("{}.{:03}", time / 1000, time % 1000);
                        vec![(vec![], time)]
                    }
                    Shown::Counters(counters) => {
                        let mut all = vec![];
                        counters.each(&mut |values, count| {
                            let labels = family.labels.iter().zip(values);
                            let labels = labels.map(|(name, value)| format!("{name}=\"{value}\""));
                            all.push((labels.collect(), count.to_string()));
                        });
                        all
                    }
                };
                for (mut labels, value) in own {
                    labels.extend(label.clone());
                    let labels = labels.join(",");
                    let braced = if labels.is_empty() {
                        labels
                    } else {
                        format!("{{{labels}}}")
                    };
                    samples.push((braced, value));
                }
            }
            if samples.is_empty() {
                continue;
            }
            let base = header(&mut text, family, format);
            for (labels, value) in samples {
                let _ = writeln!(text, "{}{labels} {value}", family.name);
                if let Some(created) = created.as_ref().filter(|_| base != family.name) {
                    let _ = writeln!(text, "{base}_created{labels} {created}");
                }
            }
        }
        text
    }

    fn check_all(&mut self) {
        for variant in Variant::ALL {
            self.check(variant);
        }
    }

    fn check(&mut self, variant: Variant) {
        // After this time the exporter's own metrics are those of now.
        self.uptime += OWN_METRICS_KEEP;
        let served = self.served(variant);
        let rendered = self.rendered(variant.format) + &self.rendered_work(variant.format);
        let own = served.strip_prefix(&*rendered);
        let own = own.unwrap_or_else(|| panic!("{variant:?}:\n{served}\n{rendered}"));
        assert!(own.starts_with("# HELP nexmo_audit_"), "{own}");
        assert!(!own.contains("account="), "{own}");
        assert!(!own.contains("nexmo_audit_events_total"), "{own}");
        let ends = own.ends_with("\n# EOF\n") && own.matches("# EOF").count() == 1;
        assert_eq!(ends, variant.format == Format::OpenMetrics, "{own}");
    }
}

fn without_exemplars<K: PartialEq>(shown: &mut [Change<K>], ended: &[K]) {
    for change in shown {
        change.latest.take_if(|_| ended.contains(&change.key));
    }
}

fn header(text: &mut String, family: &Family, format: Format) -> String {
    let base = match format {
        Format::Text => family.name,
        Format::OpenMetrics => family.name.trim_end_matches("_total"),
    };
    let kind = format!("{:?}", family.kind).to_lowercase();
    let _ = writeln!(text, "# HELP {base} {}", family.help);
    let _ = writeln!(text, "# TYPE {base} {kind}");
    if format == Format::OpenMetrics && base.ends_with("_seconds") {
        let _ = writeln!(text, "# UNIT {base} seconds");
    }
    base.to_owned()
}

fn escaped(value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"");
    value.replace('\n', "\\n")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_is_served_is_what_would_be_rendered_from_nothing(
        steps in prop::collection::vec(step(), 1..60),
        created in any::<bool>(),
        gated in any::<bool>(),
        accounts in select(vec![1, 3, MANY]),
    ) {
        let interval = if gated { ScrapeInterval::Learned } else { ScrapeInterval::Off };
        let names: Vec<_> = (10..10 + accounts).map(|number| format!("a {number}")).collect();
        let names: Vec<_> = names.iter().map(|name| (accounts > 1).then_some(&**name)).collect();
        let mut model = Model::new(created, interval, &names);
        for step in &steps {
            model.take(step);
            if matches!(step, Step::Commit) {
                model.check_all();
            }
        }
        model.check_all();
    }
}

#[test]
fn the_exporters_own_metrics_are_at_most_a_moment_old() {
    let model = Model::new(false, ScrapeInterval::Off, &[None]);
    let text = Variant::new(Format::Text, Encoding::Identity);
    let late = |uptime| {
        let answer = model.exposition.scrape(None, text, uptime);
        let bytes = answer.expect("an exposition").parts.concat();
        let served = String::from_utf8(bytes).expect("UTF-8");
        served.contains("\nnexmo_audit_late_events_total 1\n")
    };
    assert!(!late(Duration::from_secs(1)));
    model.accounts[0].metrics.late_events.inc();
    assert!(!late(Duration::from_millis(1099)), "it is kept");
    assert!(late(Duration::from_millis(1100)));
}

#[test]
fn a_commit_leaves_the_blocks_that_it_does_not_touch_as_they_were() {
    let mut model = Model::new(false, ScrapeInterval::Off, &[None]);
    model.take(&Step::Flood(2000));
    model.commit();
    let text = Variant::new(Format::Text, Encoding::Identity);
    let shown_parts = |model: &Model| {
        let answer = model.exposition.scrape(None, text, Duration::ZERO);
        answer.expect("an exposition").parts
    };
    let before = shown_parts(&model);
    model.take(&Step::Event(0, 0, 1, 1, false));
    model.count("FLOOD", 500, 1, 1, false);
    model.commit();
    let parts = shown_parts(&model);
    let was_there = |part: &Bytes| before.iter().any(|old| old.as_ptr() == part.as_ptr());
    let shared = parts.iter().filter(|part| was_there(part));
    // Of eight blocks, that of the series that counted and that of the new one are
    // rendered again.
    assert_eq!(shared.count(), 6);
}

#[test]
fn parts_that_show_the_past_are_dropped_in_every_variant() {
    let text = Variant::new(Format::Text, Encoding::Identity);
    let gzip = Variant::new(Format::Text, Encoding::Gzip);
    let mut model = Model::new(false, ScrapeInterval::Off, &[None]);
    let account = &mut model.accounts[0];

    let mut groups = EventGroups::default();
    let mut shown = |ledger: &Ledger, variant| {
        let families = EventFamilies::new(None, None).with(&ledger.all());
        let families = Arc::new(families);
        let parts = groups.renewed(&[&families], variant, &mut PartWriter::default());
        let part = parts[0].by_type[0].bytes.clone();
        (part, families)
    };
    account.ledger.name_types(["A"]);
    let (part, _families) = shown(&account.ledger, text);
    assert!(!part.is_unique());
    account.ledger.name_types(["B"]);
    shown(&account.ledger, gzip);
    assert!(part.is_unique());

    let mut families = AccountFamilies::new(None);
    let shown = [Arc::new(ShownAccount::new(
        1,
        None,
        Arc::clone(&account.metrics),
    ))];
    let parts = families.parts(&shown, text);
    let is_up = |part: &&&RenderedPart| part.bytes.starts_with(b"nexmo_audit_up ");
    let part = parts.iter().find(is_up).expect("a part").bytes.clone();
    families.parts(&shown, gzip);
    assert!(!part.is_unique());
    account.metrics.up.set(1);
    families.parts(&shown, gzip);
    assert!(part.is_unique());
}

#[test]
fn an_account_that_goes_takes_its_series_with_it() {
    let mut model = Model::new(false, ScrapeInterval::Off, &[Some("a"), Some("b")]);
    for turn in [0, 1] {
        model.turn = turn;
        model.take(&Step::Event(0, 0, 1, 1, false));
        model.commit();
    }
    let text = Variant::new(Format::Text, Encoding::Identity);
    assert!(model.served(text).contains("account=\"b\""));
    model.accounts.pop();
    model.turn = 0;
    model.check_all();
    model.uptime += Duration::from_secs(1);
    assert!(!model.served(text).contains("account=\"b\""));
}

#[test]
fn the_generation_in_which_counts_last_changed_is_known() {
    let mut model = Model::new(false, ScrapeInterval::Off, &[None]);
    let number = |model: &Model| model.exposition.current().number;
    assert_eq!(model.exposition.last_changed(), 0);
    model.take(&Step::Event(0, 0, 1, 1, false));
    model.commit();
    let changed = number(&model);
    assert_eq!(model.exposition.last_changed(), changed);
    // Generations without another count: a commit of nothing, and a reload.
    model.commit();
    model.take(&Step::Replace);
    assert!(number(&model) > changed);
    assert_eq!(model.exposition.last_changed(), changed);
    // A new series at 0 is another count.
    model.take(&Step::NameTypes(5));
    model.commit();
    assert_eq!(model.exposition.last_changed(), number(&model));
    model.take(&Step::Event(0, 0, 2, 2, false));
    model.commit();
    assert_eq!(model.exposition.last_changed(), number(&model));
}

#[test]
fn an_exemplar_that_ends_changes_no_count() {
    let mut model = Model::new(false, ScrapeInterval::Off, &[None]);
    model.take(&Step::Event(0, 0, 1, 1, false));
    model.take(&Step::Flood(600));
    model.commit();
    let variant = Variant::new(Format::OpenMetrics, Encoding::Identity);
    let exemplars = |model: &Model| model.served(variant).matches(" # {").count();
    let changed = model.exposition.last_changed();
    assert_eq!(exemplars(&model), 603);
    model.uptime += Duration::from_mins(9);
    // The exemplar of this type is shown for longer.
    model.take(&Step::Event(0, 1, 2, 2, false));
    model.commit();
    let changed = changed + 1;
    model.uptime += Duration::from_mins(1);
    model.end_exemplars();
    assert_eq!(exemplars(&model), 2);
    assert_eq!(model.exposition.last_changed(), changed);
    model.check_all();
}
