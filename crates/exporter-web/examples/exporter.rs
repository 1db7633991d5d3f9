//! An exporter behind a web configuration file, on port 9999:
//!
//! ```sh
//! cargo run -p exporter-web --example exporter -- web-config.yml
//! ```

use std::{env, error::Error, path::Path, sync::Arc};

use exporter_web::{Peer, ResponseBody, Server, Site, WebConfigFile, bind};
use hyper::{Response, StatusCode, http::request};
use prometheus::{Registry, TextEncoder, process_collector::ProcessCollector};

struct Metrics(Registry);

impl Site for Metrics {
    async fn respond(&self, request: &request::Parts, _: Peer) -> Response<ResponseBody> {
        let (status, text) = match request.uri.path() {
            "/metrics" => match TextEncoder::new().encode_to_string(&self.0.gather()) {
                Ok(text) => (StatusCode::OK, text),
                Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            },
            _ => (
                StatusCode::NOT_FOUND,
                "metrics are at /metrics\n".to_owned(),
            ),
        };
        let mut response = Response::new(text.into());
        *response.status_mut() = status;
        response
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let registry = Registry::new();
    registry.register(Box::new(ProcessCollector::for_self()))?;
    let file = env::args().nth(1);
    let web_config = WebConfigFile::read(file.as_deref().map(Path::new))?;
    let listeners = bind(&[":9999".parse()?]).await?;
    let server = Server::new(listeners, Metrics(registry), Arc::new(web_config));
    let shutdown = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    server.run(shutdown).await;
    Ok(())
}
