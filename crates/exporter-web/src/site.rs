//! What is served.

use std::future::Future;

use hyper::{Response, http::request};

use crate::{Peer, ResponseBody};

/// What is served.
pub trait Site: Send + Sync + 'static {
    /// The answer to a request, its body left unread.
    fn respond(
        &self,
        request: &request::Parts,
        peer: Peer,
    ) -> impl Future<Output = Response<ResponseBody>> + Send;
}
