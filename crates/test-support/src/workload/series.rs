//! Series as an account has them: types × countries × sources.

use audit_core::event::Labels;

/// All event types that the API names.
const TYPES: [&str; 29] = [
    "USER_STATUS",
    "USER_UPDATE",
    "USER_BILLING_UPDATE",
    "USER_CREATE",
    "USER_LOGIN",
    "USER_LOGOUT",
    "USER_PRODUCT_SEARCH",
    "USER_API_KEYS_UPDATE",
    "ACCOUNT_SECRET_DELETE",
    "ACCOUNT_SECRET_CREATE",
    "ACCOUNT_UPDATE_SPAMMER",
    "ACCOUNT_UPDATE_SETTINGS",
    "ACCOUNT_UPDATE_SETTINGS_API",
    "NUMBER_ASSIGN",
    "NUMBER_UPDATED",
    "NUMBER_RELEASE",
    "NUMBER_USER_CANCELED",
    "NUMBER_LINKED",
    "NUMBER_UNLINKED",
    "APP_CREATE",
    "APP_UPDATE",
    "APP_DELETE",
    "APP_DISABLE",
    "APP_ENABLE",
    "IP_WHITELIST_CREATE",
    "IP_WHITELIST_DELETE",
    "AUTORELOAD_ENABLE",
    "AUTORELOAD_UPDATE",
    "AUTORELOAD_DISABLE",
];

/// All 249 countries of ISO 3166-1 alpha-2.
const COUNTRIES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL \
    BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV \
    CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD \
    GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM \
    IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK \
    LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW \
    MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR \
    PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS \
    ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY \
    UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// The first two are the sources of the API, which make 14,442 series with types and
/// countries. The others are needed to reach 100,000 series.
const SOURCES: [&str; 14] = [
    "CD",
    "DEVAPI",
    "CLI",
    "SDK",
    "MOBILE",
    "SUPPORT",
    "SYSTEM",
    "PARTNER",
    "BILLING",
    "IMPORT",
    "MIGRATION",
    "SCHEDULER",
    "WEBHOOK",
    "LEGACY",
];

/// Returns the labels of this number of series. Types, countries and sources limit the
/// number.
pub fn labels(series: usize) -> Vec<Labels<'static>> {
    let countries: Vec<&str> = COUNTRIES.split(' ').collect();
    let most = TYPES.len() * countries.len() * SOURCES.len();
    assert!(series <= most, "{series} series are more than {most}");
    let one = |place: usize| Labels {
        event_type: TYPES[place % TYPES.len()].into(),
        source_country: countries[place / TYPES.len() % countries.len()].into(),
        source: SOURCES[place / TYPES.len() / countries.len()].into(),
    };
    (0..series).map(one).collect()
}
