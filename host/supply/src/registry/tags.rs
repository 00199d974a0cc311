//! The tags of a repository.

use reqwest::Url;
use serde::Deserialize;

use super::{Method, Repository};
use crate::error::SupplyError;
use crate::http::{HttpRequest, HttpResponse};
use crate::source::is_tag;

/// Tags that a page is asked for. A registry may send fewer, or more.
const PAGE_TAGS: usize = 100;
/// Largest size of a page in bytes.
const MAX_PAGE_BYTES: usize = 1 << 20;
/// Most pages, so that a registry whose pages are empty is not asked forever.
const MAX_PAGES: usize = 100;

#[derive(Deserialize)]
struct TagsPage {
    /// Absent or `null` in a repository without tags.
    tags: Option<Vec<String>>,
}

impl Repository<'_> {
    /// Returns the names of the tags in the registry's order, at most `limit`. What cannot be a tag is left
    /// out.
    pub(crate) async fn tags(&self, limit: usize) -> Result<Vec<String>, SupplyError> {
        let mut tags = Vec::new();
        let mut url = self.url(&format!("tags/list?n={PAGE_TAGS}"))?;
        for _ in 0..MAX_PAGES {
            let request = HttpRequest {
                method: Method::GET,
                accept: "application/json",
                ..HttpRequest::get(url.clone())
            };
            let response = self.send(request).await?.error_for_status()?;
            let next = next_page(&response, &url);
            let at = response.at().to_owned();
            let body = response.body(MAX_PAGE_BYTES).await?;
            let page: TagsPage = serde_json::from_slice(&body).map_err(|error| SupplyError::Listing {
                at,
                reason: format!("its list of tags cannot be read: {error}"),
            })?;
            tags.extend(page.tags.into_iter().flatten().filter(|tag| is_tag(tag)));
            match next {
                Some(next) if tags.len() < limit => url = next,
                _ => break,
            }
        }
        tags.truncate(limit);
        Ok(tags)
    }
}

/// Returns the URL of the page after this one: the target of the header `link` with the relation `next`.
/// Another server's is none, since the request carries credentials.
fn next_page(response: &HttpResponse, url: &Url) -> Option<Url> {
    let link =
        response.header("link").find(|link| link.contains("rel=\"next\"") || link.contains("rel=next"))?;
    let target = link.trim_start().strip_prefix('<')?.split_once('>')?.0;
    let next = url.join(target).ok()?;
    (next.origin() == url.origin()).then_some(next)
}
