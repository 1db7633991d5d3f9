//! The free-form `context` of an event, which differs by the subject of the event.
//!
//! Where the vendor's definition describes a context, the context has the field names of the
//! definition. Phone numbers come from ranges reserved for fiction, addresses from ranges
//! reserved for documentation, and no context shows a secret.

use serde::Serialize;

use crate::catalog::Subject;
use crate::random::{self, Purpose};

/// Ranges of phone numbers reserved for fiction: country, leading digits, first and last
/// ending.
const NUMBERS: [(&str, &str, u32, u32); 5] = [
    ("GB", "447700", 900_000, 900_999),
    ("US", "1212555", 100, 199),
    ("DE", "4917139", 20_000, 20_099),
    ("FR", "33639", 980_000, 980_099),
    ("SE", "46701", 740_605, 740_699),
];
const APP_NAMES: [&str; 6] = [
    "Parcel alerts",
    "Two-factor login",
    "Call centre",
    "Taxi dispatch",
    "Clinic reminders",
    "Number masking",
];
const SEARCHES: [&str; 5] = [
    "call records",
    "message records",
    "delivery receipts",
    "verification records",
    "conversion records",
];
const BROWSERS: [&str; 4] = ["Chrome", "Firefox", "Safari", "Edge"];
const USER_FIELDS: [&str; 5] = ["name", "phone", "role", "language", "status"];
const BILLING_FIELDS: [&str; 4] = ["address", "vat_number", "company", "payment_method"];
const SETTINGS: [&str; 4] = [
    "inbound_sms_url",
    "delivery_receipt_url",
    "http_method",
    "balance_notification",
];

/// A context as it is written in JSON.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum EventContext {
    User {
        changed: [&'static str; 1],
    },
    Billing {
        billing: Billing,
    },
    Session {
        browser: &'static str,
        two_factor: bool,
    },
    Search {
        query: &'static str,
        results: u32,
    },
    ApiKeys {
        api_keys: [String; 1],
    },
    Secret {
        secret_id: String,
    },
    Settings {
        setting: &'static str,
    },
    NumberOrder {
        country: &'static str,
        msisdn: String,
        cost: Money,
    },
    #[serde(rename_all = "kebab-case")]
    NumberUpdate {
        country: &'static str,
        msisdn: String,
        http: String,
        voice_type: &'static str,
        voice_value: String,
    },
    #[serde(rename_all = "camelCase")]
    NumberLink {
        account: String,
        application_id: String,
        country: &'static str,
        msisdn: String,
    },
    #[serde(rename_all = "camelCase")]
    AppCreated {
        app_id: String,
        created: Application,
    },
    #[serde(rename_all = "camelCase")]
    AppUpdated {
        app_id: String,
        updated: Application,
    },
    #[serde(rename_all = "camelCase")]
    App {
        app_id: String,
        name: &'static str,
    },
    IpAddress {
        ip: String,
    },
    AutoReload {
        threshold: Money,
        amount: Money,
    },
}

/// A change of the billing details.
#[derive(Serialize)]
pub(crate) struct Billing {
    changed: &'static str,
    currency: &'static str,
}

/// An amount in euros.
#[derive(Serialize)]
pub(crate) struct Money {
    amount: f64,
    currency: &'static str,
}

/// An application as the vendor's definition describes it.
#[derive(Serialize)]
pub(crate) struct Application {
    #[serde(rename = "accountId")]
    account_id: String,
    answer_url: Callback,
    #[serde(rename = "appId")]
    id: String,
    event_url: Callback,
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// A URL that the vendor calls.
#[derive(Serialize)]
pub(crate) struct Callback {
    method: &'static str,
    url: String,
}

/// Returns the context of event `number`, which is always the same.
pub(crate) fn context_of(seed: u64, number: u32, subject: Subject, account: &str) -> EventContext {
    let mut rng = random::generator(seed, Purpose::Context, number.into());
    ContextDraw {
        rng: &mut rng,
        account,
    }
    .context(subject)
}

struct ContextDraw<'a> {
    rng: &'a mut fastrand::Rng,
    account: &'a str,
}

impl ContextDraw<'_> {
    fn context(&mut self, subject: Subject) -> EventContext {
        match subject {
            Subject::User => EventContext::User {
                changed: [self.one_of(&USER_FIELDS)],
            },
            Subject::Billing => EventContext::Billing {
                billing: Billing {
                    changed: self.one_of(&BILLING_FIELDS),
                    currency: "EUR",
                },
            },
            Subject::Session => EventContext::Session {
                browser: self.one_of(&BROWSERS),
                two_factor: self.rng.u8(..10) < 8,
            },
            Subject::Search => EventContext::Search {
                query: self.one_of(&SEARCHES),
                results: self.rng.u32(..40),
            },
            Subject::ApiKeys => EventContext::ApiKeys {
                api_keys: [self.account.to_owned()],
            },
            Subject::Secret => EventContext::Secret {
                secret_id: self.uuid(),
            },
            Subject::Settings => EventContext::Settings {
                setting: self.one_of(&SETTINGS),
            },
            Subject::IpAddress => EventContext::IpAddress {
                ip: format!("203.0.113.{}", self.rng.u8(100..200)),
            },
            Subject::AutoReload => EventContext::AutoReload {
                threshold: self.money(10),
                amount: self.money(50),
            },
            Subject::NumberOrder | Subject::NumberUpdate | Subject::NumberLink => {
                self.number_context(subject)
            }
            Subject::AppCreated
            | Subject::AppUpdated
            | Subject::AppDeleted
            | Subject::AppSwitch => self.app_context(subject),
        }
    }

    fn number_context(&mut self, subject: Subject) -> EventContext {
        let (country, msisdn) = self.phone_number();
        match subject {
            Subject::NumberUpdate => EventContext::NumberUpdate {
                country,
                msisdn,
                http: self.callback_url("inbound"),
                voice_type: "app",
                voice_value: self.uuid(),
            },
            Subject::NumberLink => EventContext::NumberLink {
                account: self.account.to_owned(),
                application_id: self.uuid(),
                country,
                msisdn,
            },
            _ => EventContext::NumberOrder {
                country,
                msisdn,
                cost: self.money(1),
            },
        }
    }

    fn app_context(&mut self, subject: Subject) -> EventContext {
        let app_id = self.uuid();
        match subject {
            Subject::AppCreated => EventContext::AppCreated {
                created: self.app(&app_id),
                app_id,
            },
            Subject::AppUpdated => EventContext::AppUpdated {
                updated: self.app(&app_id),
                app_id,
            },
            _ => EventContext::App {
                app_id,
                name: self.one_of(&APP_NAMES),
            },
        }
    }

    fn app(&mut self, id: &str) -> Application {
        Application {
            account_id: self.account.to_owned(),
            answer_url: Callback {
                method: "GET",
                url: self.callback_url("answer"),
            },
            id: id.to_owned(),
            event_url: Callback {
                method: "POST",
                url: self.callback_url("event"),
            },
            name: self.one_of(&APP_NAMES),
            kind: self.one_of(&["voice", "messages", "rtc"]),
        }
    }

    fn phone_number(&mut self) -> (&'static str, String) {
        let (country, leading, first, last) = NUMBERS[self.rng.usize(..NUMBERS.len())];
        let ending = self.rng.u32(first..=last);
        let digits = if country == "US" { 4 } else { 0 };
        (country, format!("{leading}{ending:0digits$}"))
    }

    fn callback_url(&mut self, path: &str) -> String {
        format!("https://hooks{}.example.com/{path}", self.rng.u8(1..9))
    }

    fn money(&mut self, unit: u32) -> Money {
        Money {
            amount: f64::from(self.rng.u32(1..20) * unit),
            currency: "EUR",
        }
    }

    fn uuid(&mut self) -> String {
        let (high, low) = (self.rng.u64(..), self.rng.u64(..));
        format!(
            "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            low >> 52,
            low & 0xffff_ffff_ffff
        )
    }

    fn one_of(&mut self, values: &[&'static str]) -> &'static str {
        values[self.rng.usize(..values.len())]
    }
}
