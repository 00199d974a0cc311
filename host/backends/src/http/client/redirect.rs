//! Redirects, which are followed within the same server only.

use std::sync::Mutex;

use ::http::HeaderMap;
use ::http::header::LOCATION;

use super::Address;

/// Most redirects that are followed for one request.
const MAX_HOPS: u32 = 3;

/// Rule for following redirects, and the log of those that are not followed.
#[derive(Default)]
pub(super) struct RedirectPolicy {
    /// Last redirect that was logged.
    reported: Mutex<String>,
}

impl RedirectPolicy {
    /// Returns the address to repeat a request at, with the same method, body and key. It is
    /// always one of the same server, which has received them already.
    pub(super) fn next(&self, at: &Address, status: u16, headers: &HeaderMap, hops: u32) -> Option<Address> {
        if !matches!(status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let location = headers.get(LOCATION).and_then(|location| location.to_str().ok());
        let target = location.and_then(|location| at.resolve(location));
        // The other statuses let a client change the method to GET.
        let is_repeatable = matches!(status, 307 | 308);
        let next = target.clone().filter(|_| is_repeatable && hops < MAX_HOPS);
        if let Some(next) = next.and_then(|url| at.of_same_origin(url)) {
            return Some(next);
        }
        let to = target.map_or_else(|| "no address".to_owned(), |url| url.origin().ascii_serialization());
        self.report(at, status, &to);
        None
    }

    /// Logs a redirect that is not followed, unless the last one was the same.
    fn report(&self, at: &Address, status: u16, to: &str) {
        let text = format!("{status} {to}");
        let Ok(mut reported) = self.reported.lock() else { return };
        if *reported != text {
            let from = at.origin();
            tracing::warn!(
                status,
                from,
                to,
                "a backend redirects, which is followed only by status 307 or 308 and to the same scheme, host \
                 and port, at most {MAX_HOPS} times; hint: set its `base_url` to the address that it points to"
            );
            *reported = text;
        }
    }
}
