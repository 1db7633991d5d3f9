//! Asks the exporter of the same container whether it is healthy: the `HEALTHCHECK` of
//! an image that holds no other program.
//!
//! The check knows only where the exporter listens: what `--web.listen-address` says, also
//! where systemd has handed over the sockets. It neither verifies certificates nor has a
//! password or a certificate, so it asks loopback or a unix socket alone and takes any answer
//! for no more than a sign of life.

use std::{net::IpAddr, time::Duration};

use anyhow::{Context, bail};
use exporter_web::ListenAddress;
use reqwest::{Client, ClientBuilder, StatusCode, redirect::Policy};

use crate::api::is_refused_by_tls;

/// The time limit of one request, well below that of the image's `HEALTHCHECK`.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);

/// Asks the first address that the exporter listens on, by http and then by https. An
/// answer that asks for a password or a certificate counts as healthy.
///
/// # Errors
/// An error if the exporter is not healthy, does not answer, or listens on a port that
/// only it knows.
pub(super) async fn run(listen_addresses: &[String]) -> anyhow::Result<()> {
    let address = listen_addresses.first().context("no address to ask")?;
    match address.parse()? {
        ListenAddress::Port { port: 0, .. } => bail!(
            "port 0 stands for a port that only the exporter knows: set --web.listen-address to another port"
        ),
        ListenAddress::Port { host, port } => {
            ask_all(&client().build()?, &urls(host.as_deref(), port)).await
        }
        ListenAddress::UnixSocket(path) => {
            let client = client().unix_socket(&*path).build()?;
            let asked = ask_all(&client, &urls(Some("localhost"), 80)).await;
            // The URLs do not name the socket.
            asked.with_context(|| address.clone())
        }
    }
}

fn client() -> ClientBuilder {
    // Fails only if a provider was installed before.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .timeout(REQUEST_TIMEOUT)
        // The certificate names the host as others know it, not loopback.
        .tls_danger_accept_invalid_certs(true)
}

/// Asks one URL after the other until one says that the exporter is healthy, and returns the
/// first failure if none does.
async fn ask_all(client: &Client, urls: &[String]) -> anyhow::Result<()> {
    let mut failure = None;
    for url in urls {
        match ask(client, url).await {
            Ok(Answer::Healthy) => return Ok(()),
            Ok(Answer::WantsTls) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    Err(failure.context("no address to ask")?)
}

/// What an exporter that runs tells.
enum Answer {
    Healthy,
    /// The URL with https tells how the exporter is.
    WantsTls,
}

async fn ask(client: &Client, url: &str) -> anyhow::Result<Answer> {
    let answer = match client.get(url).send().await {
        // The check has no certificate to show.
        Err(error) if is_refused_by_tls(&error) => return Ok(Answer::Healthy),
        answer => answer?,
    };
    let status = answer.status();
    if status.is_success() || status == StatusCode::UNAUTHORIZED {
        return Ok(Answer::Healthy);
    }
    if status == StatusCode::BAD_REQUEST && url.starts_with("http:") {
        return Ok(Answer::WantsTls);
    }
    let text = answer.text().await.unwrap_or_default();
    bail!("{url} answers {status}: {}", text.trim());
}

/// Returns the URLs to ask, in order, of an exporter that listens on this host and port.
fn urls(host: Option<&str>, port: u16) -> Vec<String> {
    let is_unspecified = |host: &str| host.parse().is_ok_and(|ip: IpAddr| ip.is_unspecified());
    let hosts = match host {
        Some(host) if !is_unspecified(host) => vec![host],
        // A container may have only one of the two families.
        _ => vec!["127.0.0.1", "::1"],
    };
    let with = |scheme| {
        hosts.iter().map(move |host| {
            let host = Some((*host).to_owned());
            format!(
                "{scheme}://{}/-/healthy",
                ListenAddress::Port { host, port }
            )
        })
    };
    with("http").chain(with("https")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_to_ask() {
        for (listens, asked) in [
            (":10610", vec!["127.0.0.1:10610", "[::1]:10610"]),
            ("0.0.0.0:1", vec!["127.0.0.1:1", "[::1]:1"]),
            ("[::]:1", vec!["127.0.0.1:1", "[::1]:1"]),
            ("[::1]:1", vec!["[::1]:1"]),
            ("10.0.0.7:9", vec!["10.0.0.7:9"]),
            ("exporter:9", vec!["exporter:9"]),
        ] {
            let ListenAddress::Port { host, port } = listens.parse().expect(listens) else {
                panic!("{listens} is a port")
            };
            let with = |scheme| {
                let asked = asked.iter();
                asked.map(move |host| format!("{scheme}://{host}/-/healthy"))
            };
            let expected: Vec<_> = with("http").chain(with("https")).collect();
            assert_eq!(urls(host.as_deref(), port), expected, "{listens}");
        }
    }
}
