//! Requests that need state which a provider keeps, and the models that can serve them.

use std::collections::BTreeSet;
use std::sync::Arc;

use pointsman_dialects::request::{ClientConversation, ProviderState};
use pointsman_domain::ids::{KeyName, ModelId};
use pointsman_domain::model::{Model, NativeApis};
use pointsman_domain::serving_error::{ErrorKind, ServingError};

use crate::response_owners::ResponseOwners;
use crate::snapshot::Route;

/// Models of a route that can serve a request, for reasons that no policy can change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ServingModels {
    /// All of them.
    #[default]
    All,
    /// The model that made the response which the request continues.
    Owner(ModelId),
    /// Those whose provider keeps responses.
    KeepingResponses,
}

impl ServingModels {
    /// Returns whether a model is one of them.
    pub fn contains(&self, model: &Model) -> bool {
        match self {
            Self::All => true,
            Self::Owner(owner) => model.id == *owner,
            Self::KeepingResponses => model.native_apis.contains(NativeApis::RESPONSES),
        }
    }

    /// Returns the models that can serve a request: all, unless it needs state.
    ///
    /// # Errors
    /// Fails if the route has none, or it is not known which of them has the state.
    pub(super) fn for_request(
        request: &ClientConversation,
        route: &Route,
        owners: &ResponseOwners,
        key: Option<&KeyName>,
    ) -> Result<Self, ServingError> {
        let state = request.provider_state();
        match (state, owner_of_items(request.referenced_items(), owners, key)?) {
            // The state decides: it has the items that the request refers to.
            (Some(state @ (ProviderState::Response(_) | ProviderState::Conversation(_))), _) => {
                Self::for_state(state, route, owners, key)
            }
            (_, Some((id, owner))) => owned_by(owner, &format!("item `{id}`"), "input", route),
            (Some(state), None) => Self::for_state(state, route, owners, key),
            (None, None) => Ok(Self::All),
        }
    }

    fn for_state(
        state: ProviderState<'_>,
        route: &Route,
        owners: &ResponseOwners,
        key: Option<&KeyName>,
    ) -> Result<Self, ServingError> {
        let keeping = || route.models.iter().filter(|model| Self::KeepingResponses.contains(model));
        let member = state.member();
        if let ProviderState::Response(id) = state {
            if let Some(owner) = owners.get(id, key) {
                return owned_by(owner.model, &format!("response `{id}`"), member, route);
            }
            if owners.is_of_another(id, key) {
                let message = format!("Previous response with id '{id}' not found.");
                return Err(
                    ServingError::new(ErrorKind::PreviousResponseNotFound, message).with_parameter(member)
                );
            }
        }
        let backends: BTreeSet<&str> = keeping().map(|model| model.backend.as_str()).collect();
        match (state, backends.len()) {
            (_, 0) => {
                let message = format!(
                    "no model of `{}` keeps responses, which `{member}` needs: send the whole conversation, or \
                     use a model whose backend has `apis = [\"responses\"]`",
                    route.name
                );
                Err(ServingError::new(ErrorKind::UnsupportedRequest, message).with_parameter(member))
            }
            (ProviderState::Background, _) | (_, 1) => Ok(Self::KeepingResponses),
            (ProviderState::Response(id) | ProviderState::Conversation(id), _) => {
                let message = format!(
                    "this gateway does not know which model of `{}` has `{id}`: request that model by its own \
                     name, `backend/model`",
                    route.name
                );
                Err(ServingError::new(ErrorKind::UnsupportedRequest, message).with_parameter(member))
            }
        }
    }
}

/// Returns the first item with a known owner, and the model that made it. Items of unknown origin are left
/// to the provider.
///
/// # Errors
/// Fails if one of the items is another key's.
fn owner_of_items<'i>(
    items: &'i [String],
    owners: &ResponseOwners,
    key: Option<&KeyName>,
) -> Result<Option<(&'i str, ModelId)>, ServingError> {
    let mut first = None;
    for id in items {
        let Some(owner) = owners.of_item(id) else { continue };
        if owner.key.as_ref() != key {
            let message = format!("Item with id '{id}' not found.");
            return Err(ServingError::new(ErrorKind::ResponseNotFound, message).with_parameter("input"));
        }
        first.get_or_insert((&**id, owner.model));
    }
    Ok(first)
}

fn owned_by(
    owner: ModelId,
    state: &str,
    member: &'static str,
    route: &Route,
) -> Result<ServingModels, ServingError> {
    let is_owner = |model: &&Arc<Model>| model.id == owner;
    match route.models.iter().find(is_owner) {
        Some(_) => Ok(ServingModels::Owner(owner)),
        None => {
            let message = format!(
                "the {state} was made by `{owner}`, which is no model of `{}`: request `{owner}` or a route \
                 that has it",
                route.name
            );
            Err(ServingError::new(ErrorKind::UnsupportedRequest, message).with_parameter(member))
        }
    }
}

/// Returns the error for a response that a client may not use, or that nobody made.
pub fn unknown_response(id: &str) -> ServingError {
    let message = format!("Response with id '{id}' not found.");
    ServingError::new(ErrorKind::ResponseNotFound, message).with_parameter("response_id")
}
