//! Where a policy's bytes come from: files, web servers and OCI registries.
//!
//! The only place that fetches policies, and usable without the gateway: a
//! [`Fetcher`] turns an [`Order`] (a [`Source`] and what its bytes must be) into
//! [`Fetched`] bytes, or tells in a [`SupplyError`] what is wrong, where, and what
//! to do about it. What it hands out is no larger than the order allows, has the
//! digest that the order names, and is signed by the order's key, if it names
//! one. Whether it is a policy at all is for others to say: nothing here looks
//! into the bytes.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use pointsman_supply::{Fetcher, Order, Source};
//!
//! let fetcher = Fetcher::new();
//! let order = Order::new(Source::parse("oci://ghcr.io/acme/router:stable", None)?);
//! let first = fetcher.fetch(&order).await?;
//! // Costs one small request as long as the tag leads to the same policy.
//! let second = fetcher.fetch(&order).await?;
//! assert_eq!(first.digest, second.digest);
//! # Ok(()) }
//! ```

mod check;
mod error;
mod fetcher;
mod file;
mod http;
mod order;
mod registry;
mod signature;
mod source;
pub mod watch;
mod web;

pub use error::SupplyError;
pub use fetcher::{Fetched, Fetcher, signature_of};
pub use order::{Credentials, Order, Proxies};
pub use signature::{InvalidPublicKey, PublicKey, SignatureError, verify};
pub use source::{InvalidSource, Location, Reference, Source, Version};
