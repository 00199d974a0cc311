//! Members of each client API, with a request for each.

pub mod answers;
pub mod chat;
pub mod completions;
pub mod messages;
pub mod responses;

use crate::requests::{Row, Unrendered};

/// Row of a member that the body of a call has, or whose loss is named.
const fn row(member: &'static str, request: &'static str) -> Row {
    Row { member, request, without: "{}", unrendered: Unrendered::Never }
}

/// Row of a member of a message or a tool: `without` is the request without it.
const fn row_beside(member: &'static str, without: &'static str, request: &'static str) -> Row {
    Row { member, request, without, unrendered: Unrendered::Never }
}

/// Row of a member that the gateway acts on.
const fn of_gateway(member: &'static str, request: &'static str) -> Row {
    Row { member, request, without: "{}", unrendered: Unrendered::OfGateway }
}

/// Row as of [`row_beside`], of a member that the gateway acts on where a provider cannot.
const fn of_gateway_beside(member: &'static str, without: &'static str, request: &'static str) -> Row {
    Row { member, request, without, unrendered: Unrendered::OfGateway }
}

/// Row as of [`row_beside`], of a member that requests what some providers do by default.
const fn row_of_default(member: &'static str, without: &'static str, request: &'static str) -> Row {
    Row { member, request, without, unrendered: Unrendered::Default }
}
