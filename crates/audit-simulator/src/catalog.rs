//! The event types, sources and countries of a simulated account, with their weights.

/// The subject of an event, which decides what its `context` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    User,
    Billing,
    Session,
    Search,
    ApiKeys,
    Secret,
    Settings,
    NumberOrder,
    NumberUpdate,
    NumberLink,
    AppCreated,
    AppUpdated,
    AppDeleted,
    AppSwitch,
    IpAddress,
    AutoReload,
}

/// An event type that the vendor's documents name.
pub(crate) struct CatalogType {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    /// The frequency of events of this type, relative to other types.
    pub(crate) weight: u32,
    /// The percentage of these events that come from the Developer API.
    pub(crate) developer_api_percent: u8,
    pub(crate) subject: Subject,
}

const fn event_type(
    name: &'static str,
    description: &'static str,
    weight: u32,
    developer_api_percent: u8,
    subject: Subject,
) -> CatalogType {
    CatalogType {
        name,
        description,
        weight,
        developer_api_percent,
        subject,
    }
}

/// All event types that the vendor's documents name. The descriptions are those of the
/// published answer to OPTIONS, and for types that it leaves out, those of the vendor's guide
/// and client.
#[rustfmt::skip]
pub(crate) static EVENT_TYPES: [CatalogType; 29] = [
    event_type("USER_STATUS", "User status updated", 60, 0, Subject::User),
    event_type("USER_UPDATE", "User updated", 150, 0, Subject::User),
    event_type("USER_BILLING_UPDATE", "User billing updated", 40, 0, Subject::Billing),
    event_type("USER_CREATE", "User created", 30, 0, Subject::User),
    event_type("USER_LOGIN", "User login into Customer dashboard", 3200, 0, Subject::Session),
    event_type("USER_LOGOUT", "User logout from Customer dashboard", 2100, 0, Subject::Session),
    event_type("USER_PRODUCT_SEARCH", "User product search", 700, 0, Subject::Search),
    event_type("USER_API_KEYS_UPDATE", "Sub-accounts for user updated", 25, 0, Subject::ApiKeys),
    event_type("ACCOUNT_SECRET_DELETE", "Account secret deleted", 3, 60, Subject::Secret),
    event_type("ACCOUNT_SECRET_CREATE", "Account secret created", 8, 60, Subject::Secret),
    event_type("ACCOUNT_UPDATE_SPAMMER", "Account Settings updated via API", 2, 0, Subject::Settings),
    event_type("ACCOUNT_UPDATE_SETTINGS", "Account Settings updated", 45, 0, Subject::Settings),
    event_type("ACCOUNT_UPDATE_SETTINGS_API", "Account Settings updated via API", 55, 100, Subject::Settings),
    event_type("NUMBER_ASSIGN", "Number assigned", 420, 80, Subject::NumberOrder),
    event_type("NUMBER_UPDATED", "Number updated", 900, 85, Subject::NumberUpdate),
    event_type("NUMBER_RELEASE", "Number released", 260, 80, Subject::NumberOrder),
    event_type("NUMBER_USER_CANCELED", "Number canceled by user", 70, 50, Subject::NumberOrder),
    event_type("NUMBER_LINKED", "Number linked to application", 380, 75, Subject::NumberLink),
    event_type("NUMBER_UNLINKED", "Number unlinked from application", 210, 75, Subject::NumberLink),
    event_type("APP_CREATE", "Application created", 160, 70, Subject::AppCreated),
    event_type("APP_UPDATE", "Application updated", 520, 70, Subject::AppUpdated),
    event_type("APP_DELETE", "Application deleted", 50, 70, Subject::AppDeleted),
    event_type("APP_DISABLE", "Application disabled", 15, 20, Subject::AppSwitch),
    event_type("APP_ENABLE", "Application enabled", 18, 20, Subject::AppSwitch),
    event_type("IP_WHITELIST_CREATE", "Whitelist IP added", 22, 0, Subject::IpAddress),
    event_type("IP_WHITELIST_DELETE", "Whitelist IP deleted", 12, 0, Subject::IpAddress),
    event_type("AUTORELOAD_ENABLE", "Autoreload enabled", 10, 0, Subject::AutoReload),
    event_type("AUTORELOAD_UPDATE", "Autoreload settings updated", 14, 0, Subject::AutoReload),
    event_type("AUTORELOAD_DISABLE", "Autoreload disabled", 7, 0, Subject::AutoReload),
];

/// The types that the published answer to OPTIONS leaves out, although events have them.
const UNLISTED: [&str; 3] = [
    "ACCOUNT_UPDATE_SPAMMER",
    "ACCOUNT_UPDATE_SETTINGS",
    "NUMBER_RELEASE",
];

/// Returns the types that the answer to OPTIONS names.
pub(crate) fn listed_types() -> impl Iterator<Item = &'static CatalogType> {
    EVENT_TYPES
        .iter()
        .filter(|known| !UNLISTED.contains(&known.name))
}

/// Returns the type called `name`.
pub(crate) fn find_type(name: &str) -> Option<&'static CatalogType> {
    EVENT_TYPES.iter().find(|known| known.name == name)
}

/// The sources, each with its `source_description`.
pub(crate) const SOURCES: [(&str, &str); 2] = [
    (DASHBOARD, "Customer Dashboard"),
    ("DEVAPI", "Developer API"),
];

/// The source of the events that users cause by hand.
pub(crate) const DASHBOARD: &str = "CD";

/// Countries (ISO 3166-1 alpha-2) with their weights.
pub(crate) static COUNTRIES: [(&str, u32); 22] = [
    ("GB", 220),
    ("US", 210),
    ("DE", 90),
    ("FR", 70),
    ("ES", 55),
    ("PL", 50),
    ("NL", 45),
    ("IN", 45),
    ("IL", 40),
    ("SG", 30),
    ("IE", 25),
    ("BR", 25),
    ("CA", 25),
    ("AU", 20),
    ("SE", 15),
    ("IT", 15),
    ("CN", 12),
    ("JP", 10),
    ("UA", 10),
    ("ZA", 8),
    ("MX", 6),
    ("NZ", 4),
];

/// The sum of the types' weights.
pub(crate) const TYPE_WEIGHT: u32 = {
    let (mut sum, mut index) = (0, 0);
    while index < EVENT_TYPES.len() {
        sum += EVENT_TYPES[index].weight;
        index += 1;
    }
    sum
};

/// The sum of the countries' weights.
pub(crate) const COUNTRY_WEIGHT: u32 = {
    let (mut sum, mut index) = (0, 0);
    while index < COUNTRIES.len() {
        sum += COUNTRIES[index].1;
        index += 1;
    }
    sum
};
