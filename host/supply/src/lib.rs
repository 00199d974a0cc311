//! Fetches policies from files, web servers and OCI registries, watches files for changes, and signs
//! and publishes policies.
//!
//! This crate is the only place that fetches policies, and works without the gateway. A [`Fetcher`]
//! turns a [`FetchSpec`] (a [`Source`] and the requirements on its bytes) into a [`FetchedPolicy`],
//! or into a [`SupplyError`] that names the problem, the place and a remedy. Fetched bytes are no
//! larger than the specification allows, have the digest that it names, and are signed by its key,
//! if it names one. Nothing here looks into the bytes: whether they are a policy at all is checked
//! elsewhere.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use pointsman_supply::{FetchSpec, Fetcher, Source};
//!
//! let fetcher = Fetcher::new();
//! let spec = FetchSpec::new(Source::parse("oci://ghcr.io/acme/router:stable", None)?);
//! let first = fetcher.fetch(&spec).await?;
//! // Costs one small request as long as the tag refers to the same policy.
//! let second = fetcher.fetch(&spec).await?;
//! assert_eq!(first.digest, second.digest);
//! # Ok(()) }
//! ```
//!
//! [`list`] returns the versions that a repository has.
//! [`push`] publishes an [`Artifact`] in the form that a fetch, and other tools for WebAssembly, read;
//! [`signing`] makes the keys and signatures that it is verified with.

mod error;
mod fetch_spec;
mod fetcher;
mod file;
mod http;
mod listing;
mod publish;
mod registry;
mod signature;
pub mod signing;
mod source;
mod verification;
pub mod watch;
mod web;

pub use error::SupplyError;
pub use fetch_spec::{Credentials, FetchSpec, Proxies, RemoteAccess};
pub use fetcher::{Fetcher, signature_path};
pub use listing::{ListSpec, ListedTag, list};
pub use publish::{PushSpec, PushedPolicy, push};
pub use registry::{Artifact, ComponentInterfaces, SIGNATURE_ANNOTATION};
pub use signature::{InvalidPublicKey, PublicKey, SignatureError, verify};
pub use source::{InvalidSource, Location, Reference, ReferenceVersion, Source, is_tag};
pub use verification::FetchedPolicy;
