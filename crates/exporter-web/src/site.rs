//! The pages that a server serves.

use std::future::Future;

use hyper::{Response, http::request};

use crate::{Peer, ResponseBody};

/// The pages that a server serves.
pub trait Site: Send + Sync + 'static {
    /// Answers a request, whose body is not read.
    ///
    /// The server adds the headers of the web configuration to the response. No request
    /// comes here that the rate limit or the passwords refuse.
    fn respond(
        &self,
        request: &request::Parts,
        peer: Peer,
    ) -> impl Future<Output = Response<ResponseBody>> + Send;
}
