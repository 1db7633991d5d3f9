//! An HTTP client for the servers of a test.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Client, RequestBuilder};
use tokio::runtime::{Builder, Runtime};

/// The time limit of a request. The servers of a test run on this machine, so a slower
/// answer is a defect.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A complete answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// A client that sends one request after the other.
pub struct HttpClient {
    runtime: Runtime,
    client: Client,
}

impl HttpClient {
    pub fn new() -> Self {
        // A second installation fails and changes nothing: tests of one process share
        // the provider.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        // The client needs no certificates, and the machine may have none.
        let client = Client::builder()
            .tls_certs_only([])
            .no_proxy()
            .timeout(TIMEOUT)
            .build()
            .expect("a client");
        Self { runtime, client }
    }

    /// Returns the answer, whatever its status, or why there is none.
    pub fn get(&self, url: &str) -> Result<Answer, String> {
        self.runtime
            .block_on(answered(self.client.get(url)))
            .map_err(|error| format!("GET {url}: {error:?}"))
    }

    /// Returns the answer to a POST request without a body, or why there is none.
    pub fn post(&self, url: &str) -> Result<Answer, String> {
        self.runtime
            .block_on(answered(self.client.post(url)))
            .map_err(|error| format!("POST {url}: {error:?}"))
    }

    /// Returns the answer to a POST request with this body, or why there is none.
    pub fn post_body(&self, url: &str, body: String) -> Result<Answer, String> {
        self.runtime
            .block_on(answered(self.client.post(url).body(body)))
            .map_err(|error| format!("POST {url}: {error:?}"))
    }

    /// Returns the body of an answer with status 200.
    pub fn get_body(&self, url: &str) -> Result<String, String> {
        let answer = self.get(url)?;
        if answer.status == 200 {
            Ok(answer.body)
        } else {
            Err(format!("GET {url}: {} {}", answer.status, answer.body))
        }
    }
}

async fn answered(request: RequestBuilder) -> reqwest::Result<Answer> {
    let response = request.send().await?;
    Ok(Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: response.text().await?,
    })
}
