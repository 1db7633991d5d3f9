//! Answers requests: each passes the rate limit, the password, the site, and takes a
//! slot among the answers in flight.

use std::sync::Arc;

use bytes::Bytes;
use hyper::{
    Request, Response, StatusCode,
    body::Body,
    header::{
        CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER,
        WWW_AUTHENTICATE,
    },
    http::{Version, request, uri::Authority},
};

use crate::{
    Peer, Site,
    activity::Activity,
    body::ResponseBody,
    open_connections::{OpenConnections, network},
    passwords::Verdict,
    slots::{Slot, Slots},
    web_config::{WebConfig, WebConfigFile},
};

/// Answers the requests of all connections.
#[derive(Debug)]
pub(crate) struct RequestHandler<S> {
    site: S,
    pub(crate) web_config: Arc<WebConfigFile>,
    pub(crate) connections: Arc<OpenConnections>,
    slots: Arc<Slots>,
}

/// The client of one connection, and what the connection has done.
#[derive(Debug, Clone)]
pub(crate) struct ConnectedClient {
    pub(crate) peer: Peer,
    pub(crate) activity: Arc<Activity>,
}

impl<S: Site> RequestHandler<S> {
    pub(crate) fn new(site: S, web_config: Arc<WebConfigFile>, max_requests: usize) -> Self {
        let limits = std::fs::read_to_string("/proc/self/limits").ok();
        Self {
            site,
            web_config,
            connections: Arc::new(OpenConnections::new(limits.as_deref())),
            slots: Arc::new(Slots::new(max_requests)),
        }
    }

    /// Answers a request, whose body is not read.
    pub(crate) async fn answer<B: Body>(
        &self,
        request: Request<B>,
        client: &ConnectedClient,
    ) -> Response<ResponseBody> {
        client.activity.request_received();
        let (request, body) = request.into_parts();
        // The configuration may have changed since the connection began.
        let web_config = Arc::clone(&self.web_config.current());
        let mut response = match self.refuse(&web_config, &request, client).await {
            Some(refusal) => refusal,
            None => self.respond(&request, client).await,
        };
        let headers = response.headers_mut();
        for (name, value) in &web_config.headers {
            // A site may have a policy of its own; browsers keep to both.
            if name == CONTENT_SECURITY_POLICY {
                headers.append(name, value.clone());
            } else {
                headers.insert(name, value.clone());
            }
        }
        if !body.is_end_stream() {
            // The body is not read, and must not be taken for the next request.
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// Returns a response if the request is not HTTP, or if the rate limit or the passwords
    /// refuse it.
    async fn refuse(
        &self,
        web_config: &WebConfig,
        request: &request::Parts,
        client: &ConnectedClient,
    ) -> Option<Response<ResponseBody>> {
        if !has_host(request) {
            let text = "400: the request must have one header Host, with a name (RFC 9112, 3.2)\n";
            let mut response = plain(StatusCode::BAD_REQUEST, text);
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
            return Some(response);
        }
        if let Some(rate_limit) = &web_config.rate_limit
            && rate_limit.limiter.check().is_err()
        {
            let text = "429: more requests than rate_limit of the web configuration allows\n";
            return Some(retry_later(StatusCode::TOO_MANY_REQUESTS, text));
        }
        let passwords = web_config.passwords.as_ref()?;
        let network = network(client.peer.address());
        client.activity.set_waiting(true);
        let verdict = passwords.check(&request.headers, network).await;
        client.activity.set_waiting(false);
        match verdict {
            Verdict::Accepted => None,
            Verdict::Refused => {
                let text = "401: a user and a password are needed here\n";
                let mut response = plain(StatusCode::UNAUTHORIZED, text);
                let basic = HeaderValue::from_static("Basic");
                response.headers_mut().insert(WWW_AUTHENTICATE, basic);
                Some(response)
            }
            Verdict::Busy => {
                let text = "429: too many passwords are being checked; try again\n";
                Some(retry_later(StatusCode::TOO_MANY_REQUESTS, text))
            }
        }
    }

    async fn respond(
        &self,
        request: &request::Parts,
        client: &ConnectedClient,
    ) -> Response<ResponseBody> {
        let slot = if self.site.is_probe(request) {
            None
        } else {
            // The slot comes first: a request that is refused must have no effect.
            let slot = self.take_slot(client);
            if slot.is_none() {
                let text = "503: as many answers are in flight as --web.max-requests allows\n";
                return retry_later(StatusCode::SERVICE_UNAVAILABLE, text);
            }
            slot
        };
        let mut response = self.site.respond(request, client.peer).await;
        response.body_mut().send_over(&client.activity, slot);
        response
    }

    /// Takes a slot, for which an answer that its client does not read is ended.
    fn take_slot(&self, client: &ConnectedClient) -> Option<Slot> {
        self.slots.take(&client.activity).or_else(|| {
            let is_cut = self.connections.cut_answer(client.peer.address());
            is_cut.then(|| self.slots.take_over(&client.activity))
        })
    }
}

/// Returns `true` if the request names its host as RFC 9112, section 3.2 asks for: proxies
/// and servers that choose differently between two names can be played against each other.
fn has_host(request: &request::Parts) -> bool {
    let mut hosts = request.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => request.version < Version::HTTP_11,
        (Some(host), None) => {
            let name = host.as_bytes();
            let is_name = || Authority::try_from(name).is_ok() && !name.contains(&b'@');
            name.is_empty() || is_name()
        }
        (Some(_), Some(_)) => false,
    }
}

fn retry_later(status: StatusCode, text: &'static str) -> Response<ResponseBody> {
    let mut response = plain(status, text);
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<ResponseBody> {
    let body = Bytes::from_static(text.as_bytes());
    let mut response = Response::new(ResponseBody::from(body));
    *response.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}
