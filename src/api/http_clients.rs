//! The HTTP clients that all accounts share.

use std::{fmt, sync::Arc};

use once_cell::sync::{Lazy, OnceCell};
use reqwest::Url;

use super::{gzip::Decompressors, request_slots::RequestSlots, resolver::Resolver};
use crate::config::ApiProxy;

/// The cryptography of all TLS connections, installed once.
static TLS: Lazy<()> = Lazy::new(|| {
    // Fails only if the process has installed another provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
});

/// The bounds on what requests to all APIs take of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApiBounds {
    /// The highest number of requests under way.
    pub requests: usize,
    /// The highest number of threads that look up host names.
    pub look_ups: usize,
    /// The highest number of connections to one host that are kept for the next request.
    pub kept_connections: usize,
}

impl ApiBounds {
    /// The bounds of a command that reads one account.
    pub const ONE_ACCOUNT: Self = Self {
        requests: 64,
        look_ups: 4,
        kept_connections: 64,
    };
}

/// The HTTP clients that all [`ApiClient`](super::ApiClient)s of the process share, and with
/// them open connections and CA certificates.
pub struct HttpClients {
    proxy: Option<ApiProxy>,
    kept_connections: usize,
    resolver: Resolver,
    pub(super) slots: Arc<RequestSlots>,
    pub(super) decompressors: Arc<Decompressors>,
    http: OnceCell<reqwest::Client>,
    https: OnceCell<reqwest::Client>,
    https_by_proxy: OnceCell<reqwest::Client>,
}

impl HttpClients {
    /// Returns clients that use `proxy` where it serves the URL, and no proxy otherwise.
    #[must_use]
    pub fn new(proxy: Option<ApiProxy>, bounds: ApiBounds) -> Self {
        Self {
            proxy,
            kept_connections: bounds.kept_connections,
            resolver: Resolver::new(bounds.look_ups),
            slots: RequestSlots::new(bounds.requests),
            decompressors: Arc::default(),
            http: OnceCell::new(),
            https: OnceCell::new(),
            https_by_proxy: OnceCell::new(),
        }
    }

    pub(super) fn proxy_to(&self, base_url: &Url) -> Option<&ApiProxy> {
        self.proxy.as_ref().filter(|proxy| proxy.serves(base_url))
    }

    pub(super) fn to(&self, base_url: &Url) -> reqwest::Result<reqwest::Client> {
        let is_plain = base_url.scheme() == "http";
        let proxy = self.proxy_to(base_url);
        let client = match (is_plain, proxy) {
            (true, _) => &self.http,
            (false, None) => &self.https,
            (false, Some(_)) => &self.https_by_proxy,
        };
        let connect = || {
            Lazy::force(&TLS);
            let mut builder = reqwest::Client::builder()
                .user_agent(concat!("nexmo-audit-exporter/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .dns_resolver(self.resolver.clone())
                .pool_max_idle_per_host(self.kept_connections)
                .referer(false);
            // The environment was read with the configuration.
            builder = match proxy {
                Some(proxy) => builder.proxy(reqwest::Proxy::https(proxy.url().clone())?),
                None => builder.no_proxy(),
            };
            if is_plain {
                // CA certificates are not needed.
                builder = builder.tls_certs_only([]);
            }
            builder.build()
        };
        client.get_or_try_init(connect).cloned()
    }
}

impl fmt::Debug for HttpClients {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HttpClients")
            .field("proxy", &self.proxy)
            .field("slots", &self.slots)
            .finish_non_exhaustive()
    }
}
