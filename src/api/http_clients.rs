//! The HTTP clients that all accounts share.

use once_cell::sync::{Lazy, OnceCell};
use reqwest::Url;

use crate::config::ApiProxy;

/// The cryptography of all TLS connections, installed once.
static TLS: Lazy<()> = Lazy::new(|| {
    // Fails only if the process has installed another provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
});

/// The HTTP clients that all [`ApiClient`](super::ApiClient)s of the process share, and with
/// them open connections and CA certificates.
#[derive(Debug, Default)]
pub struct HttpClients {
    proxy: Option<ApiProxy>,
    http: OnceCell<reqwest::Client>,
    https: OnceCell<reqwest::Client>,
    https_by_proxy: OnceCell<reqwest::Client>,
}

impl HttpClients {
    /// Returns clients that use `proxy` where it serves the URL, and no proxy otherwise.
    #[must_use]
    pub fn new(proxy: Option<ApiProxy>) -> Self {
        Self {
            proxy,
            ..Self::default()
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
