//! The proxy on the way to the API, and the hosts that are reached without the proxy. Both
//! come from the variables that curl reads, and mean what they mean to curl.

use std::{env, fmt, net::IpAddr};

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::{AccountSettings, SettingsCheck};

/// The variables of a proxy for `https`. The first one that is set counts.
const HTTPS_VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
/// The variables of a proxy for `http`, which is never used.
const HTTP_VARIABLES: [&str; 2] = ["http_proxy", "HTTP_PROXY"];
/// The variables with the hosts that are reached without a proxy.
const EXCEPTION_VARIABLES: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The variables that say which proxy is used and where, as they are found. A variable that
/// is empty counts as not set.
#[derive(Debug, Clone, Default)]
pub struct ProxyVariables {
    https: Option<ProxyVariable>,
    http: Option<ProxyVariable>,
    exceptions: Option<ProxyVariable>,
}

/// A variable with its name. The text may have a password.
#[derive(Debug, Clone)]
struct ProxyVariable {
    name: &'static str,
    text: SecretString,
}

/// The proxy that requests to `https` URLs go through.
#[derive(Clone)]
pub struct ApiProxy {
    /// The URL, which may have a password.
    url: Url,
    /// The variable that names the proxy.
    variable: &'static str,
    exceptions: ProxyExceptions,
}

/// The hosts that are reached without the proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ProxyExceptions(Vec<String>);

/// The reason why a proxy cannot be used. The message shows no part of the value, which may
/// have a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum ProxyError {
    #[error(
        "is not the URL of a proxy; write it like http://proxy.example.com:3128, with special characters of a password percent-encoded"
    )]
    NoUrl,
    #[error("has a scheme that is not supported; only proxies of http and https can be used")]
    Scheme,
    #[error(
        "has a path, a query or a fragment, which the URL of a proxy has not; write it like http://proxy.example.com:3128, with special characters of a password percent-encoded"
    )]
    Extra,
}

impl ProxyVariables {
    /// Reads the variables of the environment.
    pub(super) fn read() -> Self {
        Self {
            https: ProxyVariable::first(&HTTPS_VARIABLES),
            http: ProxyVariable::first(&HTTP_VARIABLES),
            exceptions: ProxyVariable::first(&EXCEPTION_VARIABLES),
        }
    }
}

impl ProxyVariable {
    fn first(names: &[&'static str]) -> Option<Self> {
        let set = names.iter().filter_map(|name| {
            let text = env::var_os(name)?.to_string_lossy().into_owned();
            (!text.is_empty()).then(|| Self {
                name,
                text: text.into(),
            })
        });
        set.into_iter().next()
    }
}

impl SettingsCheck {
    /// Returns the proxy for the requests of `accounts`. What the variables say does not
    /// matter where no request is sent by `https`.
    pub(super) fn proxy(
        &mut self,
        variables: ProxyVariables,
        accounts: &[AccountSettings],
    ) -> Option<ApiProxy> {
        if accounts
            .iter()
            .all(|account| account.base_url.scheme() == "http")
        {
            return None;
        }
        let ProxyVariables {
            https,
            http,
            exceptions,
        } = variables;
        let Some(https) = https else {
            if let Some(http) = http {
                self.warnings.push(format!(
                    "{} is not used, since requests to the API are sent by https; set HTTPS_PROXY if they have to go through a proxy",
                    http.name
                ));
            }
            return None;
        };
        let url = self.ok(https.name, parse_proxy_url(https.text.expose_secret()))?;
        let exceptions = exceptions.map(|variable| {
            let exceptions = ProxyExceptions::parse(variable.text.expose_secret());
            let warnings = exceptions.warnings(variable.name);
            self.warnings.extend(warnings);
            exceptions
        });
        Some(ApiProxy {
            url,
            variable: https.name,
            exceptions: exceptions.unwrap_or_default(),
        })
    }
}

impl ApiProxy {
    /// Returns the name of the variable that names the proxy.
    pub(crate) fn variable(&self) -> &'static str {
        self.variable
    }

    /// Returns the URL of the proxy, which may have a password.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Returns `true` if requests to `url` go through the proxy. A proxy would see the
    /// secret of a request by `http`.
    pub(crate) fn serves(&self, url: &Url) -> bool {
        let is_exception = |host: Host<&str>| self.exceptions.contain(&host);
        url.scheme() == "https" && !url.host().is_some_and(is_exception)
    }
}

impl fmt::Debug for ApiProxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ApiProxy")
            .field("variable", &self.variable)
            .field("exceptions", &self.exceptions)
            .finish_non_exhaustive()
    }
}

impl ProxyExceptions {
    fn parse(text: &str) -> Self {
        let entries = text.split([',', ' ', '\t', '\r', '\n']);
        let entries = entries.filter(|entry| !entry.is_empty());
        Self(entries.map(str::to_owned).collect())
    }

    /// Returns a warning for each entry that no host can match.
    fn warnings(&self, variable: &str) -> Vec<String> {
        let entries = self.0.iter().filter(|_| !self.are_all_hosts());
        let warnings = entries.filter_map(|entry| {
            let flaw = flaw(entry)?;
            // An entry that is a URL may have a password.
            let shown = entry.rsplit('@').next().unwrap_or_default();
            Some(format!(
                "{variable}: the entry {shown:?} matches no host, since it {flaw}"
            ))
        });
        warnings.collect()
    }

    /// Returns `true` for an asterisk by itself. Beside other entries it has no meaning.
    fn are_all_hosts(&self) -> bool {
        self.0 == ["*"]
    }

    fn contain(&self, host: &Host<&str>) -> bool {
        let matches = |entry: &String| match *host {
            Host::Domain(name) => is_within_domain(name, entry),
            Host::Ipv4(address) => is_within_network(address.into(), entry),
            Host::Ipv6(address) => is_within_network(address.into(), entry),
        };
        self.are_all_hosts() || self.0.iter().any(matches)
    }
}

/// Parses the URL of a proxy. As with curl, a text without a scheme is a host of `http`.
fn parse_proxy_url(text: &str) -> Result<Url, ProxyError> {
    let text = text.trim();
    let url = if text.contains("://") {
        Url::parse(text)
    } else {
        Url::parse(&format!("http://{text}"))
    };
    let url = url.map_err(|_| ProxyError::NoUrl)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ProxyError::Scheme);
    }
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(ProxyError::Extra);
    }
    Ok(url)
}

/// Returns what is wrong with an entry that no host matches, and what to write instead.
fn flaw(entry: &str) -> Option<&'static str> {
    if entry.contains(['"', '\'']) {
        Some("has quotes; remove them")
    } else if entry.contains("://") {
        Some("is a URL; write the host alone")
    } else if entry == "*" {
        Some("is a wildcard beside other entries; write * alone for all hosts")
    } else if entry.contains('*') {
        Some("has a wildcard; write example.com for the domain and all hosts within it")
    } else if entry.contains(['[', ']']) {
        Some("has brackets; write an IPv6 address without them")
    } else if network(entry).is_some() {
        None
    } else if entry.contains('/') {
        Some("is not a network; write it like 10.0.0.0/8")
    } else if entry.contains(':') {
        Some("has a port; write the host alone, which stands for all its ports")
    } else if !entry.is_ascii() {
        Some("is not in ASCII; write an international name in Punycode (xn--…)")
    } else {
        None
    }
}

/// Returns `true` for the domain of an entry and each host within it. A dot before the
/// entry, and one after either name, have no meaning.
fn is_within_domain(name: &str, entry: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let domain = entry.strip_suffix('.').unwrap_or(entry);
    let domain = domain.strip_prefix('.').unwrap_or(domain);
    let before = name.len().checked_sub(domain.len());
    before.is_some_and(|before| {
        let (host, rest) = (name.get(..before), name.get(before..));
        rest.is_some_and(|rest| rest.eq_ignore_ascii_case(domain))
            && host.is_some_and(|host| host.is_empty() || host.ends_with('.'))
    })
}

/// Returns `true` if the entry is this address, or a network that has the address.
fn is_within_network(address: IpAddr, entry: &str) -> bool {
    match (address, network(entry)) {
        (IpAddr::V4(address), Some((IpAddr::V4(network), bits))) => same_prefix(
            address.to_bits().into(),
            network.to_bits().into(),
            32 - bits,
        ),
        (IpAddr::V6(address), Some((IpAddr::V6(network), bits))) => {
            same_prefix(address.to_bits(), network.to_bits(), 128 - bits)
        }
        _ => false,
    }
}

/// Returns `true` if both addresses are the same without their last bits.
fn same_prefix(address: u128, network: u128, last_bits: u32) -> bool {
    let prefix = |bits: u128| bits.checked_shr(last_bits).unwrap_or_default();
    prefix(address) == prefix(network)
}

/// Parses an address, or a network with the number of its bits (CIDR).
fn network(entry: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match entry.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (entry, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.parse().ok())?;
    (bits <= most).then_some((address, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_match_as_in_curl() {
        let cases = [
            (
                "www.example.com",
                "localhost,.example.com,.example.de",
                true,
            ),
            ("www.example.com", "localhost example.com", true),
            (
                "www.example.com.",
                "localhost,.example.com,.example.de",
                true,
            ),
            ("example.com", "localhost , .example.com", true),
            ("example.com.", "example.com", true),
            ("www.example.com", "www.example.com.", true),
            ("WWW.example.com", "Example.COM", true),
            ("nexample.com", "localhost,example.com", false),
            ("example.com", "www.example.com", false),
            ("example.com", "example.com:443", false),
            ("example.com", "\"example.com\"", false),
            ("example.com", "*.example.com", false),
            ("example.com", "*", true),
            ("example.com", " * ", true),
            ("example.com", "localhost,*", false),
            ("example.com", "", false),
            ("example.com", ",.,", false),
            ("127.0.0.1", "*", true),
            ("127.0.0.1", "127.0.0.1,localhost", true),
            ("127.0.0.1", "127.0.0.0/8", true),
            ("127.0.0.1", "127.0.0.1/31", true),
            ("127.0.0.1", "127.0.0.2/32", false),
            ("127.0.0.1", "127.0.0.1/33", false),
            ("127.0.0.1", "127.0.0.1/a8", false),
            ("127.0.0.1", "127.0.0.1:443", false),
            ("127.0.0.1", ".0.0.1", false),
            ("127.0.0.1", "::ffff:127.0.0.1", false),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("[::1]", "::1", true),
            ("[::1]", "0:0::1/128", true),
            ("[::1]", "::/64", true),
            ("[::1]", "::/0", true),
            ("[::1]", "[::1]", false),
            ("[::1]", "::1/129", false),
            ("[2001:db8:8000::1]", "2001:db8::/65", false),
        ];
        for (host, list, expected) in cases {
            let url = Url::parse(&format!("https://{host}/")).expect("a URL");
            let host = url.host().expect("a host");
            let contains = ProxyExceptions::parse(list).contain(&host);
            assert_eq!(contains, expected, "{host} in {list:?}");
        }
    }

    #[test]
    fn entries_that_match_nothing_are_named() {
        let list = "*, a.b:443 \"c\" http://ada:hunter2@d [::1] ::1 10.0.0.0/40 10.0.0.0/8 .e é";
        let warnings = ProxyExceptions::parse(list).warnings("NO_PROXY");
        let expected = [
            r#"NO_PROXY: the entry "*" matches no host, since it is a wildcard beside other entries; write * alone for all hosts"#,
            r#"NO_PROXY: the entry "a.b:443" matches no host, since it has a port; write the host alone, which stands for all its ports"#,
            r#"NO_PROXY: the entry "\"c\"" matches no host, since it has quotes; remove them"#,
            r#"NO_PROXY: the entry "d" matches no host, since it is a URL; write the host alone"#,
            r#"NO_PROXY: the entry "[::1]" matches no host, since it has brackets; write an IPv6 address without them"#,
            r#"NO_PROXY: the entry "10.0.0.0/40" matches no host, since it is not a network; write it like 10.0.0.0/8"#,
            r#"NO_PROXY: the entry "é" matches no host, since it is not in ASCII; write an international name in Punycode (xn--…)"#,
        ];
        assert_eq!(warnings, expected);
        assert!(ProxyExceptions::parse("*").warnings("NO_PROXY").is_empty());
    }

    #[test]
    fn urls_of_proxies() {
        let cases = [
            (
                "http://proxy.example.com:3128",
                Ok("http://proxy.example.com:3128/"),
            ),
            (
                "https://proxy.example.com/",
                Ok("https://proxy.example.com/"),
            ),
            (
                "proxy.example.com:3128",
                Ok("http://proxy.example.com:3128/"),
            ),
            ("ada:hunter2@proxy", Ok("http://ada:hunter2@proxy/")),
            (" proxy\n", Ok("http://proxy/")),
            ("[::1]:3128", Ok("http://[::1]:3128/")),
            ("not a url", Err(ProxyError::NoUrl)),
            ("http://", Err(ProxyError::NoUrl)),
            (":3128", Err(ProxyError::NoUrl)),
            ("proxy:port", Err(ProxyError::NoUrl)),
            ("\"http://proxy:3128\"", Err(ProxyError::NoUrl)),
            ("http://ada:hunt#er2@proxy:3128", Err(ProxyError::NoUrl)),
            ("http://ada:12#34@proxy:3128", Err(ProxyError::Extra)),
            ("http://proxy:3128/proxy.pac", Err(ProxyError::Extra)),
            ("socks5://proxy:1080", Err(ProxyError::Scheme)),
        ];
        for (text, expected) in cases {
            let url = parse_proxy_url(text).map(String::from);
            assert_eq!(url, expected.map(str::to_owned), "{text:?}");
        }
    }
}
