//! Policies for tests, as WebAssembly: honest ones and hostile ones.
//!
//! Most are core modules with an embedded component type, as
//! cargo leaves them.

mod bomb;
mod trick;

pub use bomb::Bomb;
pub use pointsman_guest_flooder::Flood;
pub use pointsman_guest_hostile::{Misdeed, TURNED};
pub use pointsman_guest_planner::{Blunder, Settings as Planned, Shape};
pub use trick::Trick;

/// What stands in [`FIRST`] for its version.
const VERSION: &str = "version-00000000";

/// Prefers the first candidate. Settings: `label`, else the label is the version
/// in its bytes: see [`version`]; and `hedge_after_ms`.
pub const FIRST: &[u8] = include_bytes!(env!("GUEST_FIRST"));

/// Calls an imported function without end: see [`flooding`]. Needs the grants for
/// the prompt and for outputs.
pub const FLOODER: &[u8] = include_bytes!(env!("GUEST_FLOODER"));

/// Misbehaves as its settings say: see [`misbehaving`].
pub const HOSTILE: &[u8] = include_bytes!(env!("GUEST_HOSTILE"));

/// Orchestrates as its settings say: see [`planned`] and [`blundering`]. Needs
/// the grant for outputs.
pub const PLANNER: &[u8] = include_bytes!(env!("GUEST_PLANNER"));

/// Imports `prompt`; its reason shows what it read:
/// `messages first-role length-of-last-user-text "its start" [tools]`. See
/// [`reading`] and [`searching`].
pub const READER: &[u8] = include_bytes!(env!("GUEST_READER"));

/// Looks for texts in all of its memory: see [`searching`]. Its label is
/// `clean/outcomes-N`, or `found:` and the numbers of the texts in place of `clean`;
/// N are the outcomes it was told. Imports nothing but its settings.
pub const SCANNER: &[u8] = include_bytes!(env!("GUEST_SCANNER"));

/// Exports an observer. Labels are `decision-N:outcomes-M`, counted within one
/// instance; the reason is the last outcome.
pub const RECORDER: &[u8] = include_bytes!(env!("GUEST_RECORDER"));

/// The reference policy `cost`: what a real policy costs to run.
pub const COST: &[u8] = include_bytes!(env!("GUEST_COST"));

/// Another version of [`FIRST`], with a digest of its own.
pub fn version(number: u32) -> Vec<u8> {
    let mut bytes = FIRST.to_vec();
    if let Some(at) = bytes.windows(VERSION.len()).position(|window| window == VERSION.as_bytes()) {
        bytes[at..at + VERSION.len()].copy_from_slice(version_label(number).as_bytes());
    }
    bytes
}

/// The label of every decision of [`version`].
pub fn version_label(number: u32) -> String {
    format!("version-{number:08}")
}

/// Settings that make [`HOSTILE`] misbehave on real requests, but not on the
/// trial of the load gate.
pub fn misbehaving(misdeed: Misdeed) -> String {
    format!(r#"{{"misdeed": "{}"}}"#, misdeed.name())
}

/// Settings that make [`PLANNER`] plan so.
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

/// Settings that make [`READER`] read the newest user message several times: so
/// many bytes each time.
pub fn reading(bytes: &[usize]) -> String {
    format!(r#"{{"reads": {bytes:?}}}"#)
}

/// Settings that make [`SCANNER`], or [`READER`] after it has read, look for
/// texts. They stand in the settings masked, or they would always be found.
pub fn searching(texts: &[&str]) -> String {
    let masked = |text: &&str| text.bytes().map(|byte| format!("{:02x}", byte ^ 0xa5)).collect::<String>();
    let masked: Vec<String> = texts.iter().map(masked).collect();
    format!(r#"{{"needles": {masked:?}}}"#)
}

/// Settings that make the [`sleeper`] make alarms without end instead.
pub const LEAKING: &str = r#"{"leak": true}"#;

/// Settings that make [`HOSTILE`] misbehave on every request.
pub fn misbehaving_at_once(misdeed: Misdeed) -> String {
    format!(r#"{{"misdeed": "{}", "at_trial": true}}"#, misdeed.name())
}

/// Sleeps for an hour on every request but the load gate's, or leaks handles: see
/// [`LEAKING`]. Needs the grant for WASI, and for clocks if it shall take an hour.
pub fn sleeper() -> Vec<u8> {
    importing(include_bytes!(env!("GUEST_SLEEPER")), "sleeper")
}

/// Tries what its setting `probe` says by way of WASI, on every request but the
/// load gate's; its reason is what it found. Needs the grant for WASI.
pub fn prober() -> Vec<u8> {
    importing(include_bytes!(env!("GUEST_PROBER")), "prober")
}

/// A module with the types of what it imports of WASI.
fn importing(module: &[u8], world: &str) -> Vec<u8> {
    let mut module = module.to_vec();
    describe(&mut module, include_str!("imports.wit"), world);
    module
}

/// A core module from its text, and the description of the world that it is for.
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

/// A component that imports an interface that no host offers.
pub fn unknown_import() -> Vec<u8> {
    component(r#"(component (import "acme:bank/teller@1.0.0" (instance (export "pay" (func)))))"#)
}

/// A component that exports something else than a routing policy does.
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
