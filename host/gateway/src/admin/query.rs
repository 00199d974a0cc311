//! The query of a URL.

use axum::extract::{FromRequestParts, Query};
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::error::{AdminError, AdminErrorKind};

/// The query of a URL. One that does not parse is an error in the API's shape.
pub(super) struct ApiQuery<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = AdminError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AdminError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(query)),
            Err(error) => Err(invalid_query(error.body_text())),
        }
    }
}

pub(super) fn invalid_query(message: String) -> AdminError {
    AdminError::new(AdminErrorKind::BadRequest, message).code("invalid_query")
}
