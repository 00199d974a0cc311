//! APIs that backends offer beside the one of their kind.

use http::Uri;
use pointsman_domain::model::NativeApis;

use super::raw;

/// Host of OpenAI's own API. Few of its models take completions.
const OPENAI: &str = "api.openai.com";

/// Returns the APIs of a backend.
pub(super) fn of_backend(raw: &raw::Backend) -> NativeApis {
    let flag = |api: &raw::NativeApi| match api {
        raw::NativeApi::Responses => NativeApis::RESPONSES,
        raw::NativeApi::Completions => NativeApis::COMPLETIONS,
    };
    match &raw.apis {
        Some(stated) => stated.iter().map(flag).collect(),
        None if is_openai(raw) => NativeApis::RESPONSES,
        None => NativeApis::empty(),
    }
}

fn is_openai(raw: &raw::Backend) -> bool {
    let uri = raw.base_url.as_deref().and_then(|url| url.parse::<Uri>().ok());
    uri.is_some_and(|uri| uri.host() == Some(OPENAI))
}
