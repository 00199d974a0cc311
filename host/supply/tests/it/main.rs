//! Policies fetched over real sockets: from a real registry, where one is
//! installed, and from scripted servers that do what a registry never would.
#![expect(clippy::unwrap_used, reason = "a test that cannot do its part fails")]

mod files;
mod hostile_registry;
mod keys;
mod registry;
mod signatures;
mod web;

use pointsman_supply::{Fetched, Fetcher, Order, Source, SupplyError};
use pointsman_tests::registry::sha256;

/// Stands for a policy: nothing here looks into it.
const POLICY: &[u8] = b"\0asm and so on";

/// An order of what is there, whatever its bytes are.
fn order(source: &str) -> Order {
    Order::new(Source::parse(source, None).unwrap())
}

/// An order of certain bytes.
fn order_of(source: &str, bytes: &[u8]) -> Order {
    Order::new(Source::parse(source, Some(sha256(bytes).parse().unwrap())).unwrap())
}

async fn fetch(order: &Order) -> Result<Fetched, SupplyError> {
    Fetcher::new().fetch(order).await
}

/// What is said of an order that fails.
async fn refusal(order: &Order) -> String {
    fetch(order).await.unwrap_err().to_string()
}
