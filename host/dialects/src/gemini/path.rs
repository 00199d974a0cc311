//! Paths of the operations.

use crate::path_segment::path_segment;

/// Returns the path and query of a call, relative to the base URL that ends with the API version.
///
/// A name that begins with a collection (`models/`, `tunedModels/`) keeps it; other names are of
/// `models`. Characters that are not safe in a path segment are percent-encoded.
pub fn operation_path(model: &str, streaming: bool) -> String {
    let resource = resource_name(model);
    if streaming {
        format!("{resource}:streamGenerateContent?alt=sse")
    } else {
        format!("{resource}:generateContent")
    }
}

/// Returns the resource name of a model in the form that a path can hold.
pub(super) fn resource_name(model: &str) -> String {
    let (collection, name) = split_collection(model);
    format!("{collection}/{}", path_segment(name))
}

/// Returns the collection of a model's name, and the name in it.
pub(super) fn split_collection(model: &str) -> (&'static str, &str) {
    ["models", "tunedModels"]
        .into_iter()
        .find_map(|collection| Some((collection, model.strip_prefix(collection)?.strip_prefix('/')?)))
        .unwrap_or(("models", model))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_is_of_the_models() {
        assert_eq!(operation_path("gemini-2.5-pro", false), "models/gemini-2.5-pro:generateContent");
        assert_eq!(
            operation_path("gemini-2.5-pro", true),
            "models/gemini-2.5-pro:streamGenerateContent?alt=sse"
        );
    }

    #[test]
    fn a_name_keeps_its_collection() {
        assert_eq!(operation_path("models/gemini-3-pro", false), "models/gemini-3-pro:generateContent");
        assert_eq!(operation_path("tunedModels/mine", false), "tunedModels/mine:generateContent");
        assert_eq!(operation_path("modelsx", false), "models/modelsx:generateContent");
    }

    #[test]
    fn a_name_cannot_change_the_path_or_the_query() {
        assert_eq!(
            operation_path("a/../b?key=1#:x y", false),
            "models/a%2F..%2Fb%3Fkey%3D1%23%3Ax%20y:generateContent"
        );
        assert_eq!(resource_name("models/.."), "models/%2E.");
        assert_eq!(resource_name("é"), "models/%C3%A9");
    }
}
