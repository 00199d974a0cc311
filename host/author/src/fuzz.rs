//! Fuzzing: random requests for a policy, and the faults that they find.
//!
//! A [`Campaign`](campaign::Campaign) makes inputs in batches. Each input is a case, generated or mutated
//! from one that led to new behaviour ([`generate`], [`mutate`], [`corpus`]). Workers run a batch in
//! parallel ([`worker`], [`trial`]); the results are taken in order, so that a seed gives the same findings
//! whatever the number of threads. A [`finding`] is minimised ([`minimise`]) and becomes a case file
//! ([`case_file`]).
//!
//! Executed instructions stand for time: they are the same on every machine. [`growth`] compares those of
//! inputs of doubled size.

pub mod campaign;
pub mod case_file;
pub mod corpus;
pub mod dictionary;
pub mod finding;
pub mod generate;
pub mod growth;
pub mod minimise;
pub mod mutate;
pub mod random;
pub mod settings;
pub mod trial;
pub mod worker;
