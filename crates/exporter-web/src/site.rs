//! The pages that a server serves.

use std::future::Future;

use hyper::{Response, http::request};

use crate::{Peer, ResponseBody};

/// The pages that a server serves.
pub trait Site: Send + Sync + 'static {
    /// Answers a request, whose body is not read.
    ///
    /// The server adds the headers of the web configuration to the response. A request
    /// that the rate limit, the passwords or the bound on the answers in flight refuse
    /// does not come here, and so has no effect.
    fn respond(
        &self,
        request: &request::Parts,
        peer: Peer,
    ) -> impl Future<Output = Response<ResponseBody>> + Send;

    /// Returns `true` if the request asks whether the program is alive. Such a request is
    /// answered beside the answers in flight, so that a program that is busy is not taken
    /// for a dead one. The answer must be short, and made at once.
    fn is_probe(&self, request: &request::Parts) -> bool {
        let _ = request;
        false
    }
}
