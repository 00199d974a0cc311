//! Calls of the component's exports, passed to a [`Policy`].

use std::cell::RefCell;

use serde::de::DeserializeOwned;

use crate::{
    Candidate, Decision, Learner, Observer, Orchestrator, Outcome, Policy, Rating, Refusal, Request, Step,
    TaskResult, settings,
};

/// Exports a policy as the component of its crate.
///
/// `export!(MyPolicy);` exports a [`Policy`](crate::Policy), `export!(MyPolicy, observer);`
/// one that also implements [`Observer`](crate::Observer), `export!(MyPolicy, learner);` one that
/// implements [`Learner`](crate::Learner) too, and `export!(MyPolicy, orchestrator);` an
/// [`Orchestrator`](crate::Orchestrator). A crate uses it once. Outside WebAssembly it only checks the types.
#[macro_export]
macro_rules! export {
    ($policy:ty) => {
        $crate::export!(@component $policy, export_routing, routing, {});
    };
    ($policy:ty, observer) => {
        $crate::export!(@component $policy, export_observing, observing, {
            impl $crate::bindings::observing::exports::pointsman::policy::observer::Guest for Component {
                fn observe(outcome: $crate::Outcome) {
                    POLICY.with(|instance| $crate::observe::<$policy>(instance, &outcome));
                }
            }
        });
    };
    ($policy:ty, learner) => {
        $crate::export!(@component $policy, export_learning, learning, {
            impl $crate::bindings::learning::exports::pointsman::policy::observer::Guest for Component {
                fn observe(outcome: $crate::Outcome) {
                    POLICY.with(|instance| $crate::observe::<$policy>(instance, &outcome));
                }
            }

            impl $crate::bindings::learning::exports::pointsman::policy::feedback::Guest for Component {
                fn rate(rating: $crate::Rating) {
                    POLICY.with(|instance| $crate::rate::<$policy>(instance, &rating));
                }
            }
        });
    };
    ($policy:ty, orchestrator) => {
        const _: () = {
            ::std::thread_local! {
                static POLICY: ::std::cell::RefCell<::std::option::Option<$policy>> =
                    const { ::std::cell::RefCell::new(::std::option::Option::None) };
            }

            struct Component;

            impl $crate::bindings::orchestrating::exports::pointsman::policy::orchestrator::Guest for Component {
                fn plan(
                    request: $crate::Request,
                    candidates: ::std::vec::Vec<$crate::Candidate>,
                ) -> ::std::result::Result<$crate::Step, $crate::Refusal> {
                    POLICY.with(|instance| $crate::plan_step::<$policy>(instance, &request, &candidates))
                }

                fn resume(
                    request: $crate::Request,
                    candidates: ::std::vec::Vec<$crate::Candidate>,
                    state: ::std::vec::Vec<u8>,
                    results: ::std::vec::Vec<$crate::TaskResult>,
                ) -> ::std::result::Result<$crate::Step, $crate::Refusal> {
                    POLICY.with(|instance| {
                        $crate::resume_step::<$policy>(instance, &request, &candidates, &state, &results)
                    })
                }
            }

            impl $crate::bindings::orchestrating::exports::pointsman::policy::configuration::Guest for Component {
                fn validate() -> ::std::result::Result<(), ::std::string::String> {
                    $crate::validate_orchestrator::<$policy>()
                }
            }

            #[cfg(target_family = "wasm")]
            $crate::bindings::orchestrating::export_orchestrating!(
                Component with_types_in $crate::bindings::orchestrating
            );
            $crate::export!(@record);
        };
    };
    (@component $policy:ty, $export:ident, $world:ident, { $($observer:item)* }) => {
        const _: () = {
            ::std::thread_local! {
                static POLICY: ::std::cell::RefCell<::std::option::Option<$policy>> =
                    const { ::std::cell::RefCell::new(::std::option::Option::None) };
            }

            struct Component;

            impl $crate::bindings::$world::exports::pointsman::policy::router::Guest for Component {
                fn route(
                    request: $crate::Request,
                    candidates: ::std::vec::Vec<$crate::Candidate>,
                ) -> ::std::result::Result<$crate::Decision, $crate::Refusal> {
                    POLICY.with(|instance| $crate::route::<$policy>(instance, &request, &candidates))
                }
            }

            impl $crate::bindings::$world::exports::pointsman::policy::configuration::Guest for Component {
                fn validate() -> ::std::result::Result<(), ::std::string::String> {
                    $crate::validate::<$policy>()
                }
            }

            $($observer)*

            #[cfg(target_family = "wasm")]
            $crate::bindings::$world::$export!(Component with_types_in $crate::bindings::$world);
            $crate::export!(@record);
        };
    };
    (@record) => {
        // A custom section of the file, which is not loaded into memory. `link_section` is
        // unsafe because the linker gives some names a meaning; it gives this one none.
        #[cfg(target_family = "wasm")]
        #[used]
        #[unsafe(link_section = "pointsman:sdk")]
        static SDK: [u8; $crate::SDK_RECORD.len()] = $crate::SDK_RECORD;
    };
}

/// Attaches a description to a policy: JSON in the custom section `pointsman:description` of its file,
/// which `pointsman policy inspect` and the gateway's page show, and against whose schema settings are
/// checked. The text is a constant, such as a file's: `describe!(include_str!("../description.json"));`.
///
/// The section has no run-time cost. `pointsman policy build` attaches the file `description.toml` or
/// `description.json` of a policy's folder without this macro.
#[macro_export]
macro_rules! describe {
    ($json:expr) => {
        const _: () = {
            const JSON: &str = $json;
            const LENGTH: usize = JSON.len();
            const BYTES: [u8; LENGTH] = match JSON.as_bytes().first_chunk() {
                ::std::option::Option::Some(bytes) => *bytes,
                ::std::option::Option::None => [0; LENGTH],
            };
            assert!(LENGTH <= 64 << 10, "the description is longer than 64 KiB");

            #[cfg(target_family = "wasm")]
            #[used]
            #[unsafe(link_section = "pointsman:description")]
            static DESCRIPTION: [u8; LENGTH] = BYTES;
            #[cfg(not(target_family = "wasm"))]
            let _ = BYTES;
        };
    };
}

const RECORD: &str = concat!("rust ", env!("CARGO_PKG_VERSION"));

/// The language and version of this SDK, which [`export!`](crate::export!) records in the
/// custom section `pointsman:sdk`.
pub const SDK_RECORD: [u8; RECORD.len()] = match RECORD.as_bytes().first_chunk() {
    Some(record) => *record,
    None => [0; RECORD.len()],
};

/// Routes a request with the instance's policy, which is created on the first call.
pub fn route<P: Policy>(
    instance: &RefCell<Option<P>>,
    request: &Request,
    candidates: &[Candidate],
) -> Result<Decision, Refusal> {
    let mut instance = instance.borrow_mut();
    get_or_create(&mut instance, P::new)?.route(request, candidates)
}

/// Plans a request with the instance's policy, which is created on the first call.
pub fn plan_step<P: Orchestrator>(
    instance: &RefCell<Option<P>>,
    request: &Request,
    candidates: &[Candidate],
) -> Result<Step, Refusal> {
    let mut instance = instance.borrow_mut();
    get_or_create(&mut instance, P::new)?.plan(request, candidates)
}

/// Resumes a plan with the instance's policy, which is created on the first call.
pub fn resume_step<P: Orchestrator>(
    instance: &RefCell<Option<P>>,
    request: &Request,
    candidates: &[Candidate],
    state: &[u8],
    results: &[TaskResult],
) -> Result<Step, Refusal> {
    let mut instance = instance.borrow_mut();
    get_or_create(&mut instance, P::new)?.resume(request, candidates, state, results)
}

/// Returns the instance's policy, and creates it from its settings on the first call.
fn get_or_create<P, S: DeserializeOwned + Default>(
    instance: &mut Option<P>,
    new: impl FnOnce(S) -> Result<P, String>,
) -> Result<&mut P, Refusal> {
    match instance {
        Some(policy) => Ok(policy),
        empty => Ok(empty.insert(create(new).map_err(Refusal::Internal)?)),
    }
}

/// Creates a policy from its settings, before any of its other code runs.
fn create<P, S: DeserializeOwned + Default>(new: impl FnOnce(S) -> Result<P, String>) -> Result<P, String> {
    #[cfg(target_family = "wasm")]
    crate::panic_message::install();
    settings::load().and_then(new)
}

/// Checks the settings of a policy by creating it, and then thoroughly.
pub fn validate<P: Policy>() -> Result<(), String> {
    create(P::new)?.validate()
}

/// Checks the settings of an orchestrating policy by creating it.
pub fn validate_orchestrator<P: Orchestrator>() -> Result<(), String> {
    create(P::new).map(|_| ())
}

/// Passes an outcome to the instance's policy, which is created on the first call. Does nothing
/// if its settings are invalid.
pub fn observe<P: Observer>(instance: &RefCell<Option<P>>, outcome: &Outcome) {
    if let Ok(policy) = get_or_create(&mut instance.borrow_mut(), P::new) {
        policy.observe(outcome);
    }
}

/// Passes a rating to the instance's policy, as [`observe`] does an outcome.
pub fn rate<P: Learner>(instance: &RefCell<Option<P>>, rating: &Rating) {
    if let Ok(policy) = get_or_create(&mut instance.borrow_mut(), P::new) {
        policy.rate(rating);
    }
}
