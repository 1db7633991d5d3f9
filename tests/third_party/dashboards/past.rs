//! Two hours of samples of several exporters and of other jobs, as one server holds them.

use std::fmt::Write;

/// The time from one sample to the next, in seconds.
const STEP: i64 = 30;
/// The number of samples. Panels look at the second half.
const SAMPLES: i64 = 240;
const HALF: i64 = SAMPLES / 2;

/// The golden file of `/metrics`, for the metrics and labels of an exporter.
const METRICS: &str = include_str!("../../golden/metrics.snap");

/// The metrics of the exporter that have no label `account`.
const OF_THE_PROCESS: [&str; 8] = [
    "process_",
    "nexmo_audit_api_request_duration_seconds",
    "nexmo_audit_ingest_lag_seconds",
    "nexmo_audit_poll_duration_seconds",
    "nexmo_audit_exporter_build_info",
    "nexmo_audit_event_type_info",
    "nexmo_audit_publish_hold_seconds",
    "nexmo_audit_config_",
];

/// The part of the name of every target that is no exporter.
pub(super) const STRANGER: &str = "stranger";

/// How the polls of an account go.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Polls {
    Succeed,
    AreRejected,
    CatchUp,
    Begin,
}

/// An account at an exporter.
struct Counted {
    account: &'static str,
    instance: &'static str,
    /// The first and the last sample of the exporter.
    samples: (i64, i64),
    polls: Polls,
    series: &'static [Counter],
}

/// The labels of a series, its first value, and the samples at which it rises by 1.
type Counter = (&'static str, i64, &'static [i64]);

const WHOLE: (i64, i64) = (0, SAMPLES);
const GB: &str = r#"event_type="USER_LOGIN",source="CD",source_country="GB""#;
const FR: &str = r#"event_type="NUMBER_ASSIGN",source="DEVAPI",source_country="FR""#;
const SECRET: &str = r#"event_type="ACCOUNT_SECRET_DELETE",source="CD",source_country="GB""#;
const NOWHERE: &str = r#"event_type="USER_STATUS",source="CD",source_country="unknown""#;

const ACCOUNTS: [Counted; 11] = [
    Counted {
        account: "alone",
        instance: "one:10610",
        samples: WHOLE,
        polls: Polls::Succeed,
        series: &[
            (GB, 7, &[20, 130, 200]),
            (FR, 0, &[170]),
            (SECRET, 1, &[150]),
            (NOWHERE, 0, &[140, 141, 230]),
        ],
    },
    Counted {
        account: "rejected",
        instance: "one:10610",
        samples: WHOLE,
        polls: Polls::AreRejected,
        series: &[(GB, 3, &[])],
    },
    Counted {
        account: "behind",
        instance: "one:10610",
        samples: WHOLE,
        polls: Polls::CatchUp,
        series: &[(GB, 0, &[200, 220])],
    },
    Counted {
        account: "fresh",
        instance: "one:10610",
        samples: WHOLE,
        polls: Polls::Begin,
        series: &[(GB, 0, &[])],
    },
    // Two exporters, which poll at different times and began at different times.
    Counted {
        account: "shared",
        instance: "first:10610",
        samples: WHOLE,
        polls: Polls::Succeed,
        series: &[(GB, 100, &[131, 160]), (SECRET, 0, &[190])],
    },
    Counted {
        account: "shared",
        instance: "second:10610",
        samples: WHOLE,
        polls: Polls::Succeed,
        series: &[(GB, 40, &[132, 161]), (SECRET, 0, &[191])],
    },
    // A target that is replaced by another in the middle of what panels show.
    Counted {
        account: "moved",
        instance: "old:10610",
        samples: (0, 180),
        polls: Polls::Succeed,
        series: &[(GB, 10, &[125, 130, 135, 140, 150])],
    },
    Counted {
        account: "moved",
        instance: "new:10610",
        samples: (181, SAMPLES),
        polls: Polls::Succeed,
        series: &[(GB, 15, &[200, 210, 220])],
    },
    Counted {
        account: "dead",
        instance: "dead:10610",
        samples: (0, 200),
        polls: Polls::Succeed,
        series: &[(GB, 5, &[150])],
    },
    // A state that is lost.
    Counted {
        account: "lost",
        instance: "lost:10610",
        samples: (0, 160),
        polls: Polls::Succeed,
        series: &[(GB, 9, &[130])],
    },
    Counted {
        account: "lost",
        instance: "lost:10610",
        samples: (161, SAMPLES),
        polls: Polls::Succeed,
        series: &[(GB, 0, &[200, 201])],
    },
];

/// The events of each account in the second half.
pub(super) const EVENTS: [(&str, f64); 8] = [
    ("alone", 7.0),
    ("rejected", 0.0),
    ("behind", 2.0),
    ("shared", 3.0),
    ("moved", 8.0),
    ("fresh", 0.0),
    ("dead", 1.0),
    ("lost", 3.0),
];

/// Returns the samples in the text format, each with its time in milliseconds.
pub(super) fn samples(end: i64, with_other_jobs: bool) -> String {
    let mut past = Past {
        start: end - SAMPLES * STEP,
        text: String::new(),
    };
    let mut instances: Vec<_> = ACCOUNTS.iter().map(|counted| counted.instance).collect();
    instances.dedup();
    for instance in instances {
        past.process(instance);
    }
    for counted in &ACCOUNTS {
        past.account(counted);
    }
    if with_other_jobs {
        past.stranger("node", &format!("{STRANGER}:9100"));
        past.stranger("nexmo-audit", &format!("{STRANGER}:9091"));
        // The same machine, and so the same address, in another job.
        past.stranger(STRANGER, "one:10610");
    }
    past.text
}

struct Past {
    start: i64,
    text: String,
}

impl Past {
    fn series(&mut self, series: &str, (first, last): (i64, i64), value: impl Fn(i64, i64) -> i64) {
        for sample in first..=last {
            let time = self.start + sample * STEP;
            let value = value(sample, time);
            writeln!(self.text, "{series} {value} {}", time * 1000).expect("a string");
        }
    }

    /// Writes what an exporter says of itself, and whether it is scraped.
    fn process(&mut self, instance: &str) {
        let here = ACCOUNTS
            .iter()
            .position(|counted| counted.instance == instance);
        let here = here.expect("an account");
        let last = ACCOUNTS
            .iter()
            .rfind(|counted| counted.instance == instance);
        let last = last.map_or(SAMPLES, |counted| counted.samples.1);
        let samples = (ACCOUNTS[here].samples.0, last);
        let target = format!(r#"job="nexmo-audit",instance="{instance}""#);
        for (name, labels) in exported().filter(|(name, _)| of_the_process(name)) {
            let started = self.start - 86_400 + i64::try_from(here).expect("a number");
            self.series(
                &named(&name, &labels, &target),
                samples,
                |sample, time| match name.as_str() {
                    "process_start_time_seconds"
                    | "nexmo_audit_config_last_reload_success_timestamp_seconds" => started,
                    "process_cpu_seconds_total" => sample,
                    _ => value(&name, &labels, Polls::Succeed, sample, time),
                },
            );
        }
        let up = format!("up{{{target}}}");
        self.series(&up, samples, |_, _| 1);
        if instance.starts_with("dead") {
            self.series(&up, (samples.1 + 1, SAMPLES), |_, _| 0);
        }
    }

    /// Writes what an exporter shows of an account.
    fn account(&mut self, counted: &Counted) {
        let Counted {
            account,
            instance,
            polls,
            samples,
            ..
        } = *counted;
        let target = format!(r#"job="nexmo-audit",instance="{instance}",account="{account}""#);
        for (name, labels) in exported().filter(|(name, _)| !of_the_process(name)) {
            let series = named(&name, &labels, &target);
            self.series(&series, samples, |sample, time| {
                value(&name, &labels, polls, sample, time)
            });
        }
        for (labels, first, rises) in counted.series {
            let series = named("nexmo_audit_events_total", labels, &target);
            self.series(&series, samples, |sample, _| {
                let risen = rises.iter().filter(|at| **at <= sample).count();
                first + i64::try_from(risen).expect("a count")
            });
        }
    }

    /// Writes what every process exports, of a target that cannot be scraped now.
    fn stranger(&mut self, job: &str, instance: &str) {
        let target = format!(r#"job="{job}",instance="{instance}""#);
        for (name, labels) in exported().filter(|(name, _)| name.starts_with("process_")) {
            let series = named(&name, &labels, &target);
            self.series(&series, WHOLE, |sample, _| 5000 + sample % 7);
        }
        self.series(&format!("up{{{target}}}"), WHOLE, |_, _| 0);
    }
}

/// Returns the value of a metric of an account.
fn value(name: &str, labels: &str, polls: Polls, sample: i64, time: i64) -> i64 {
    let behind = polls == Polls::CatchUp;
    let rejected = polls == Polls::AreRejected;
    match name {
        "nexmo_audit_up" => i64::from(!rejected && polls != Polls::Begin),
        "nexmo_audit_catching_up" => i64::from(behind),
        "nexmo_audit_poll_failures_total" => {
            let auth = labels.contains("auth");
            if rejected && auth { sample } else { 0 }
        }
        "nexmo_audit_last_poll_success_timestamp_seconds" if rejected || behind => time - 7200,
        "nexmo_audit_watermark_timestamp_seconds" if behind => time - 3 * 86_400,
        _ if name.ends_with("_timestamp_seconds") => time - 10,
        _ if name.ends_with("_bucket") && labels.contains("Inf") => sample * 2,
        _ if name.ends_with("_total") || name.ends_with("_bucket") => sample,
        _ if name.ends_with("_count") || name.ends_with("_sum") => sample * 2,
        _ => 1,
    }
}

/// Returns the name and the labels of each series of the golden file but those of events.
fn exported() -> impl Iterator<Item = (String, String)> {
    let (_, body) = METRICS.split_once("\n---\n").expect("the metrics");
    let lines = body.lines().filter(|line| !line.starts_with('#'));
    let series = lines.filter_map(|line| line.rsplit_once(' '));
    let series = series.map(|(series, _)| {
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let labels = labels.trim_end_matches('}');
        // The golden file names these labels alone.
        let labels = labels.replace(
            "revision,rustversion,version",
            r#"revision="r",rustversion="1",version="0.1.0""#,
        );
        (name.to_owned(), labels)
    });
    let added = ("nexmo_audit_catching_up".to_owned(), String::new());
    series
        .filter(|(name, _)| {
            name != "nexmo_audit_events_total" && *name != "nexmo_audit_catching_up"
        })
        .chain([added])
}

fn of_the_process(name: &str) -> bool {
    OF_THE_PROCESS.iter().any(|of| name.starts_with(of))
}

fn named(name: &str, labels: &str, target: &str) -> String {
    let comma = if labels.is_empty() { "" } else { "," };
    format!("{name}{{{target}{comma}{labels}}}")
}

/// The time that panels show, in seconds.
pub(super) const SHOWN: i64 = (SAMPLES - HALF) * STEP;
