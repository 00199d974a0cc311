//! Policies for tests, as WebAssembly: honest ones and hostile ones. Most are core modules with
//! an embedded component type, as cargo builds them.

mod bomb;
mod trick;

pub use bomb::Bomb;
pub use pointsman_guest_faulty::Fault;
pub use pointsman_guest_flooder::Flood;
pub use pointsman_guest_hostile::{Misdeed, TURNED};
pub use pointsman_guest_planner::{Blunder, Settings as Planned, Shape};
pub use trick::Trick;

/// The version in the bytes of [`FIRST`].
const VERSION: &str = "version-00000000";

/// Prefers the first candidate. The label is the version in its bytes (see [`version`]), unless
/// the setting `label` replaces it.
pub const FIRST: &[u8] = include_bytes!(env!("GUEST_FIRST"));

/// Has a fault that some requests show: see [`with_fault`]. Needs the grant `prompt`.
pub const FAULTY: &[u8] = include_bytes!(env!("GUEST_FAULTY"));

/// Calls an imported function in an endless loop: see [`flooding`]. Needs the grants `prompt` and
/// `outputs`.
pub const FLOODER: &[u8] = include_bytes!(env!("GUEST_FLOODER"));

/// Misbehaves as its settings describe: see [`misbehaving`].
pub const HOSTILE: &[u8] = include_bytes!(env!("GUEST_HOSTILE"));

/// Keeps counts of its decisions, outcomes and ratings. Needs the grant `state`. Labels are
/// `decisions-N:outcomes-M:ratings-K`.
pub const KEEPER: &[u8] = include_bytes!(env!("GUEST_KEEPER"));

/// Orchestrates as its settings describe: see [`planned`] and [`blundering`]. Needs the grant
/// `outputs`.
pub const PLANNER: &[u8] = include_bytes!(env!("GUEST_PLANNER"));

/// Imports `prompt`, and reports the content that it read in its reason:
/// `messages first-role length-of-last-user-text "its start" [tools]`. See
/// [`reading`] and [`searching`].
pub const READER: &[u8] = include_bytes!(env!("GUEST_READER"));

/// Searches its whole memory for texts: see [`searching`]. Its label is `clean/outcomes-N`, where
/// N is the number of outcomes that it received, with `found:` and the numbers of the texts in
/// place of `clean` if there are any. It imports only `settings`, and `log` for panics.
pub const SCANNER: &[u8] = include_bytes!(env!("GUEST_SCANNER"));

/// Exports an observer. Labels are `decision-N:outcomes-M`, counted within one
/// instance; the reason is the last outcome.
pub const RECORDER: &[u8] = include_bytes!(env!("GUEST_RECORDER"));

/// The built-in policy `cost`, for measuring the time of a real policy.
pub const COST: &[u8] = include_bytes!(env!("GUEST_COST"));

/// Returns another version of [`FIRST`], with its own digest.
pub fn version(number: u32) -> Vec<u8> {
    let mut bytes = FIRST.to_vec();
    if let Some(at) = bytes.windows(VERSION.len()).position(|window| window == VERSION.as_bytes()) {
        bytes[at..at + VERSION.len()].copy_from_slice(version_label(number).as_bytes());
    }
    bytes
}

/// Returns the label of every decision of [`version`].
pub fn version_label(number: u32) -> String {
    format!("version-{number:08}")
}

/// Settings that make [`HOSTILE`] misbehave on real requests, but not on the load
/// gate's.
pub fn misbehaving(misdeed: Misdeed) -> String {
    format!(r#"{{"misdeed": "{}"}}"#, misdeed.name())
}

/// Settings that give [`FAULTY`] a fault.
pub fn with_fault(fault: Fault) -> String {
    format!(r#"{{"fault": "{}"}}"#, fault.name())
}

/// Settings that make [`PLANNER`] plan like this.
pub fn planned(settings: &Planned) -> String {
    serde_json::to_string(settings).unwrap_or_default()
}

/// Settings that make [`PLANNER`] break a rule.
pub fn blundering(blunder: Blunder) -> String {
    format!(r#"{{"blunder": "{}"}}"#, blunder.name())
}

/// Settings that make [`FLOODER`] call this function on real requests.
pub fn flooding(flood: Flood) -> String {
    format!(r#"{{"flood": "{}"}}"#, flood.name())
}

/// Settings that make [`READER`] read the newest user message several times, with these
/// limits in bytes.
pub fn reading(bytes: &[usize]) -> String {
    format!(r#"{{"reads": {bytes:?}}}"#)
}

/// Settings that make [`SCANNER`], or [`READER`] after it has read, search for texts.
/// The texts are masked in the settings, where they would be found otherwise.
pub fn searching(texts: &[&str]) -> String {
    let masked = |text: &&str| text.bytes().map(|byte| format!("{:02x}", byte ^ 0xa5)).collect::<String>();
    let masked: Vec<String> = texts.iter().map(masked).collect();
    format!(r#"{{"needles": {masked:?}}}"#)
}

/// Settings that make the [`sleeper`] create timers in an endless loop.
pub const LEAKING: &str = r#"{"leak": true}"#;

/// Settings that make [`HOSTILE`] misbehave on every request.
pub fn misbehaving_at_once(misdeed: Misdeed) -> String {
    format!(r#"{{"misdeed": "{}", "at_trial": true}}"#, misdeed.name())
}

/// Returns a policy that sleeps for an hour on every request except the load gate's, or leaks
/// handles: see [`LEAKING`]. Needs the grant `wasi`, and `clocks` to sleep for real time.
pub fn sleeper() -> Vec<u8> {
    importing(include_bytes!(env!("GUEST_SLEEPER")), "sleeper")
}

/// Returns a policy that makes the attempt in its setting `probe` through WASI, on every request
/// except the load gate's, and reports the result in its reason. Needs the grant `wasi`.
pub fn prober() -> Vec<u8> {
    importing(include_bytes!(env!("GUEST_PROBER")), "prober")
}

/// Adds the types of its WASI imports to a module.
fn importing(module: &[u8], world: &str) -> Vec<u8> {
    let mut module = module.to_vec();
    describe(&mut module, include_str!("imports.wit"), world);
    module
}

/// Assembles a core module from its text, with the description of its world.
fn described(text: &str, wit: &str, world: &str) -> Vec<u8> {
    let mut module = component(text);
    describe(&mut module, wit, world);
    module
}

#[expect(clippy::expect_used, reason = "the texts are constant, and tests use all of them")]
fn describe(module: &mut Vec<u8>, wit: &str, world: &str) {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("guest.wit", wit).expect("the text is WIT");
    let world = resolve.select_world(&[package], Some(world)).expect("the world is in it");
    wit_component::embed_component_metadata(module, &resolve, world, wit_component::StringEncoding::UTF8)
        .expect("the module has no description yet, or one that this adds to");
}

/// Returns a module with a description of its world as a component, as tools other than cargo build it.
#[expect(clippy::expect_used, reason = "the policies here are valid")]
pub fn encoded(module: &[u8]) -> Vec<u8> {
    let encoder = wit_component::ComponentEncoder::default().module(module).expect("a module with its world");
    encoder.validate(true).encode().expect("it has what its world exports")
}

/// Returns a component that imports an interface that no host offers.
pub fn unknown_import() -> Vec<u8> {
    component(r#"(component (import "acme:bank/teller@1.0.0" (instance (export "pay" (func)))))"#)
}

/// Returns a component that is no policy.
pub fn wrong_world() -> Vec<u8> {
    component(
        r#"(component
            (core module $m (func (export "run")))
            (core instance $i (instantiate $m))
            (func $run (canon lift (core func $i "run")))
            (instance $command (export "run" (func $run)))
            (export "acme:tools/command@1.0.0" (instance $command)))"#,
    )
}

#[expect(clippy::expect_used, reason = "the texts are constant, and tests use all of them")]
fn component(text: &str) -> Vec<u8> {
    wat::parse_str(text).expect("the text is a component")
}
