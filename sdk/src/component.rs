//! The way from the component's exports to a [`Policy`].

use std::cell::RefCell;

use crate::{Candidate, Decision, Observer, Outcome, Policy, Refusal, Request, settings};

/// Makes a policy this component's: `export!(MyPolicy);`, or
/// `export!(MyPolicy, observer);` for one that implements
/// [`Observer`](crate::Observer) too. Once in a crate. Outside WebAssembly it
/// only checks the types.
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
        };
    };
}

/// Decides with the instance's policy, making it first if need be.
pub fn route<P: Policy>(
    instance: &RefCell<Option<P>>,
    request: &Request,
    candidates: &[Candidate],
) -> Result<Decision, Refusal> {
    let mut instance = instance.borrow_mut();
    let policy = match &mut *instance {
        Some(policy) => policy,
        empty => empty.insert(settings::load().and_then(P::new).map_err(Refusal::Internal)?),
    };
    policy.route(request, candidates)
}

/// Whether the settings make a policy.
pub fn validate<P: Policy>() -> Result<(), String> {
    settings::load().and_then(P::new).map(|_| ())
}

/// Tells the instance's policy of an outcome, making the policy first if need be.
pub fn observe<P: Observer>(instance: &RefCell<Option<P>>, outcome: &Outcome) {
    let mut instance = instance.borrow_mut();
    if instance.is_none() {
        *instance = settings::load().and_then(P::new).ok();
    }
    if let Some(policy) = &mut *instance {
        policy.observe(outcome);
    }
}
