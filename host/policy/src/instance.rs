//! One instance of a policy, in a store of its own.

use pointsman_domain::decision::Proposal;
use pointsman_domain::outcome::Outcome as DomainOutcome;
use pointsman_domain::plan::{PlanProposal, PlanStep};
use pointsman_domain::text::printable;
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower, TypedFunc,
};
use wasmtime::{Engine, PoolConcurrencyLimitError, Store, Trap};
use wasmtime_wasi::I32Exit;

use crate::contract::plan::{PlanParams, ResumeParams, Step as ContractStep, StepResults, TaskResult};
use crate::contract::{
    Candidate, ObserveParams, Outcome, Refusal, Request, RouteParams, RouteResults, ValidateResults,
    interface,
};
use crate::decision::{Answer, DecisionInput};
use crate::failure::PolicyFailure;
use crate::host::{FIRST_LOOK, Host, HostCallsExceeded};

/// Bytes that one call may hand to the host: an honest answer for a thousand
/// candidates is 30 KiB.
const BYTES_TO_HOST: usize = 256 << 10;
/// The same for an orchestrating policy, whose plans hold text for models.
const PLAN_BYTES_TO_HOST: usize = 2 << 20;
/// Handles of resources at once; only WASI has any.
const RESOURCE_HANDLES: usize = 1_000;
/// Bytes of a trap's or an error's text that are kept.
const MAX_FAILURE_TEXT: usize = 1_024;

/// Where a component exports the contract's functions: looked up once.
pub(crate) struct Exports {
    decides: Decides,
    validate: ComponentExportIndex,
    observe: Option<ComponentExportIndex>,
}

/// The functions that a request is decided by.
enum Decides {
    Router { route: ComponentExportIndex },
    Orchestrator { plan: ComponentExportIndex, resume: ComponentExportIndex },
}

impl Exports {
    /// Finds the exports, or names the one that is missing.
    pub(crate) fn find(component: &Component) -> Result<Self, String> {
        let function = |interface: &str, name: &str| {
            let instance = component.get_export_index(None, interface)?;
            component.get_export_index(Some(&instance), name)
        };
        let required = |interface: &str, name: &str| {
            function(interface, name).ok_or_else(|| format!("{interface} with function {name}"))
        };
        let plan = function(interface::ORCHESTRATOR, "plan");
        let decides = match (plan, function(interface::ORCHESTRATOR, "resume")) {
            (Some(plan), Some(resume)) => Decides::Orchestrator { plan, resume },
            _ => Decides::Router { route: required(interface::ROUTER, "route")? },
        };
        Ok(Self {
            decides,
            validate: required(interface::CONFIGURATION, "validate")?,
            observe: function(interface::OBSERVER, "observe"),
        })
    }

    pub(crate) fn has_observer(&self) -> bool {
        self.observe.is_some()
    }

    pub(crate) fn orchestrates(&self) -> bool {
        matches!(self.decides, Decides::Orchestrator { .. })
    }
}

/// An instance, ready for calls. After a failure its state is unknown: drop it.
pub(crate) struct Instance {
    store: Store<Host>,
    instance: wasmtime::component::Instance,
    entry: Entry,
    /// Calls made so far.
    pub(crate) calls: u32,
}

/// The function that every decision begins with.
#[derive(Clone, Copy)]
enum Entry {
    Route(TypedFunc<RouteParams<'static>, RouteResults>),
    Plan(TypedFunc<PlanParams<'static>, StepResults>),
}

impl Instance {
    /// Instantiates under the limits of one call, since start functions run here.
    pub(crate) async fn new(
        template: &InstancePre<Host>,
        exports: &Exports,
        host: Host,
    ) -> Result<Self, PolicyFailure> {
        let mut store = new_store(template.engine(), host);
        if exports.orchestrates() {
            store.set_hostcall_fuel(PLAN_BYTES_TO_HOST);
        }
        let (store, instance) = instantiate(template, store).await?;
        Self::with_exports(store, instance, exports)
    }

    /// Finds the function that every decision calls.
    pub(crate) fn with_exports(
        mut store: Store<Host>,
        instance: wasmtime::component::Instance,
        exports: &Exports,
    ) -> Result<Self, PolicyFailure> {
        let entry = match exports.decides {
            Decides::Router { route } => {
                Entry::Route(instance.get_typed_func(&mut store, route).map_err(wrong_type)?)
            }
            Decides::Orchestrator { plan, resume } => {
                let _: TypedFunc<ResumeParams<'static>, StepResults> =
                    instance.get_typed_func(&mut store, resume).map_err(wrong_type)?;
                Entry::Plan(instance.get_typed_func(&mut store, plan).map_err(wrong_type)?)
            }
        };
        Ok(Self { store, instance, entry, calls: 0 })
    }

    /// Starts a further call with a full budget.
    pub(crate) fn begin(&mut self, input: Option<DecisionInput>) {
        self.store.data_mut().begin(input);
        self.store.set_epoch_deadline(FIRST_LOOK);
    }

    /// Asks what to do with the input that the instance was given.
    pub(crate) async fn decide(&mut self, input: &DecisionInput) -> Result<Answer, PolicyFailure> {
        let candidates: Vec<Candidate<'_>> = input.candidates.iter().map(Candidate::from).collect();
        let request = Request::from(&*input.request);
        match self.entry {
            Entry::Route(route) => match self.call(route, (request, &candidates)).await? {
                (Ok(decision),) => {
                    decision.check_length(candidates.len())?;
                    let decision = Proposal::from(decision).validate(candidates.len())?;
                    Ok(Answer::Step(PlanStep::Route(decision)))
                }
                (Err(refusal),) => refused(refusal),
            },
            Entry::Plan(plan) => step(self.call(plan, (request, &candidates)).await?, input),
        }
    }

    /// Asks what to do next, now that the tasks of a plan have ended. Only for
    /// policies that orchestrate.
    pub(crate) async fn resume(
        &mut self,
        exports: &Exports,
        input: &DecisionInput,
        state: &[u8],
    ) -> Result<Answer, PolicyFailure> {
        let Decides::Orchestrator { resume, .. } = exports.decides else {
            return Err(PolicyFailure::Unreadable("only an orchestrating policy is resumed".to_owned()));
        };
        let resume: TypedFunc<ResumeParams<'_>, StepResults> =
            self.instance.get_typed_func(&mut self.store, resume).map_err(wrong_type)?;
        let candidates: Vec<Candidate<'_>> = input.candidates.iter().map(Candidate::from).collect();
        let results = TaskResult::all(&input.orchestration.results);
        let request = Request::from(&*input.request);
        step(self.call(resume, (request, &candidates, state, &results)).await?, input)
    }

    /// Asks whether the settings will do; the inner error is the policy's text.
    pub(crate) async fn validate(&mut self, exports: &Exports) -> Result<Result<(), String>, PolicyFailure> {
        let validate: TypedFunc<(), ValidateResults> =
            self.instance.get_typed_func(&mut self.store, exports.validate).map_err(wrong_type)?;
        let (verdict,) = self.call(validate, ()).await?;
        Ok(verdict.map_err(|text| printable(&text, MAX_FAILURE_TEXT)))
    }

    /// Tells what became of a decision, if the policy wants to know.
    pub(crate) async fn observe(
        &mut self,
        exports: &Exports,
        outcome: &DomainOutcome,
    ) -> Result<(), PolicyFailure> {
        let Some(observe) = exports.observe else { return Ok(()) };
        let observe: TypedFunc<ObserveParams<'_>, ()> =
            self.instance.get_typed_func(&mut self.store, observe).map_err(wrong_type)?;
        self.call(observe, (Outcome::from(outcome),)).await
    }

    async fn call<P, R>(&mut self, function: TypedFunc<P, R>, parameters: P) -> Result<R, PolicyFailure>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift + 'static,
    {
        self.calls += 1;
        let result = function.call_async(&mut self.store, parameters).await;
        let result = result.and_then(|answer| self.store.data().check_wasi_calls().map(|()| answer));
        self.store.data_mut().end();
        result.map_err(|error| failure(&error, self.store.data()))
    }
}

/// What an orchestrating policy said, checked.
fn step((answer,): StepResults, input: &DecisionInput) -> Result<Answer, PolicyFailure> {
    let scope = input.scope();
    Ok(Answer::Step(match answer {
        Ok(ContractStep::Route(decision)) => {
            decision.check_length(scope.candidates.len())?;
            scope.decision(decision.into())?
        }
        Ok(ContractStep::Run(plan)) => {
            plan.check_lengths(&scope)?;
            PlanStep::Run(PlanProposal::from(plan).validate(&scope)?)
        }
        Ok(ContractStep::Finish(finished)) => {
            finished.check_lengths()?;
            scope.finish(finished.into())?
        }
        Err(refusal) => return refused(refusal),
    }))
}

fn refused(refusal: Refusal) -> Result<Answer, PolicyFailure> {
    match refusal.into_domain() {
        Ok(refusal) => Ok(Answer::Refusal(refusal.validate()?)),
        Err(text) => Err(PolicyFailure::Internal(printable(&text, MAX_FAILURE_TEXT))),
    }
}

/// A store with the limits of a policy and the budget of one call.
pub(crate) fn new_store(engine: &Engine, host: Host) -> Store<Host> {
    let mut store = Store::new(engine, host);
    store.limiter(|host| host.memory());
    store.epoch_deadline_callback(|mut store| store.data_mut().tick());
    store.set_epoch_deadline(FIRST_LOOK);
    store.set_hostcall_fuel(BYTES_TO_HOST);
    store.set_max_component_handles(RESOURCE_HANDLES);
    store
}

pub(crate) async fn instantiate(
    template: &InstancePre<Host>,
    mut store: Store<Host>,
) -> Result<(Store<Host>, wasmtime::component::Instance), PolicyFailure> {
    match template.instantiate_async(&mut store).await {
        Ok(instance) => Ok((store, instance)),
        Err(error) => Err(failure(&error, store.data())),
    }
}

/// What an error of wasmtime says about the policy.
fn failure(error: &wasmtime::Error, host: &Host) -> PolicyFailure {
    let trap = error.downcast_ref::<Trap>();
    if error.is::<PoolConcurrencyLimitError>() {
        PolicyFailure::Saturated
    } else if error.is::<HostCallsExceeded>() {
        PolicyFailure::HostCalls
    } else if trap == Some(&Trap::Interrupt) {
        PolicyFailure::Deadline
    } else if host.memory_denied() {
        PolicyFailure::Memory
    } else if trap == Some(&Trap::StackOverflow) {
        PolicyFailure::Stack
    } else if let Some(trap) = trap {
        PolicyFailure::Trap(trap.to_string())
    } else if let Some(I32Exit(status)) = error.downcast_ref() {
        PolicyFailure::Trap(format!("it exited with status {status}"))
    } else {
        unnamed(format!("{error:#}"))
    }
}

/// An error that wasmtime gives no type: it is known by its words, which tests
/// with a policy that brings it about hold to.
fn unnamed(text: String) -> PolicyFailure {
    if text.contains("fuel allocated for hostcalls has been exhausted") {
        PolicyFailure::TooLarge
    } else if text.contains("handle limit exceeded") || text.contains("resource table has no free keys") {
        PolicyFailure::Handles
    } else {
        PolicyFailure::Unreadable(printable(&text, MAX_FAILURE_TEXT))
    }
}

/// An export of another type than the contract's. Found when the policy is loaded.
fn wrong_type(error: wasmtime::Error) -> PolicyFailure {
    let text = printable(&format!("{error:#}"), MAX_FAILURE_TEXT);
    PolicyFailure::Unreadable(format!("an export differs from pointsman:policy@0.1.0: {text}"))
}
