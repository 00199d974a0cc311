//! One instance of a policy, in a store of its own.

use pointsman_domain::decision::Proposal;
use pointsman_domain::outcome::Outcome as DomainOutcome;
use pointsman_domain::plan::{PlanProposal, PlanStep};
use pointsman_domain::rating::Rating as DomainRating;
use pointsman_domain::text::printable;
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, InstancePre, Lift, Lower, TypedFunc,
};
use wasmtime::{Engine, PoolConcurrencyLimitError, Store, Trap};
use wasmtime_wasi::I32Exit;

use crate::contract::plan::{PlanParams, ResumeParams, Step as ContractStep, StepResults, TaskResult};
use crate::contract::{
    Candidate, ObserveParams, Outcome, RateParams, Rating, Refusal, Request, RouteParams, RouteResults,
    ValidateResults, interface,
};
use crate::decision::{DecisionInput, PolicyAnswer};
use crate::engine::FIRST_YIELD_TICKS;
use crate::failure::PolicyFailure;
use crate::sandbox::{CallContext, HostCallsExceeded, StoreData};
use crate::trace::TraceRecorder;

/// Bytes that one call may hand to the host. An honest answer for a thousand candidates has 30 KiB.
const MAX_BYTES_TO_HOST: usize = 256 << 10;
/// The same for an orchestrating policy, whose plans contain text for models.
const MAX_PLAN_BYTES_TO_HOST: usize = 2 << 20;
/// Concurrent resource handles. Only WASI has resources.
const MAX_RESOURCE_HANDLES: usize = 1_000;
/// Bytes of the message of a trap or an error that are kept.
const MAX_FAILURE_TEXT: usize = 1_024;

/// Indices of the functions that a component exports, looked up once.
pub(crate) struct Exports {
    role: PolicyRole,
    validate: ComponentExportIndex,
    observe: Option<ComponentExportIndex>,
    rate: Option<ComponentExportIndex>,
}

/// The functions that decide a request.
enum PolicyRole {
    Router { route: ComponentExportIndex },
    Orchestrator { plan: ComponentExportIndex, resume: ComponentExportIndex },
}

impl Exports {
    /// Finds the exports.
    ///
    /// # Errors
    /// Fails with the name of a missing export.
    pub(crate) fn find(component: &Component) -> Result<Self, String> {
        let function = |interface: &str, name: &str| {
            let instance = component.get_export_index(None, interface)?;
            component.get_export_index(Some(&instance), name)
        };
        let required = |interface: &str, name: &str| {
            function(interface, name).ok_or_else(|| format!("{interface} with function {name}"))
        };
        let plan = function(interface::ORCHESTRATOR, "plan");
        let role = match (plan, function(interface::ORCHESTRATOR, "resume")) {
            (Some(plan), Some(resume)) => PolicyRole::Orchestrator { plan, resume },
            _ => PolicyRole::Router { route: required(interface::ROUTER, "route")? },
        };
        Ok(Self {
            role,
            validate: required(interface::CONFIGURATION, "validate")?,
            observe: function(interface::OBSERVER, "observe"),
            rate: function(interface::FEEDBACK, "rate"),
        })
    }

    pub(crate) fn has_observer(&self) -> bool {
        self.observe.is_some()
    }

    pub(crate) fn has_feedback(&self) -> bool {
        self.rate.is_some()
    }

    pub(crate) fn orchestrates(&self) -> bool {
        matches!(self.role, PolicyRole::Orchestrator { .. })
    }
}

/// An instance that is ready for calls. After a failure its state is unknown, and it must be
/// dropped.
pub(crate) struct Instance {
    store: Store<StoreData>,
    instance: wasmtime::component::Instance,
    entry: EntryPoint,
    /// Number of calls so far.
    pub(crate) calls: u32,
}

/// The function that every decision calls first.
#[derive(Clone, Copy)]
enum EntryPoint {
    Route(TypedFunc<RouteParams<'static>, RouteResults>),
    Plan(TypedFunc<PlanParams<'static>, StepResults>),
}

impl Instance {
    /// Instantiates a component under the limits of one call, because start functions run here.
    pub(crate) async fn new(
        template: &InstancePre<StoreData>,
        exports: &Exports,
        data: StoreData,
    ) -> Result<Self, PolicyFailure> {
        let mut store = new_store(template.engine(), data);
        if exports.orchestrates() {
            store.set_hostcall_fuel(MAX_PLAN_BYTES_TO_HOST);
        }
        let (store, instance) = instantiate(template, store).await?;
        Self::with_exports(store, instance, exports)
    }

    /// Wraps an instance, and finds the function that every decision calls first.
    pub(crate) fn with_exports(
        mut store: Store<StoreData>,
        instance: wasmtime::component::Instance,
        exports: &Exports,
    ) -> Result<Self, PolicyFailure> {
        let entry = match exports.role {
            PolicyRole::Router { route } => {
                EntryPoint::Route(instance.get_typed_func(&mut store, route).map_err(wrong_type)?)
            }
            PolicyRole::Orchestrator { plan, resume } => {
                // Looked up only to check its type.
                let _: TypedFunc<ResumeParams<'static>, StepResults> =
                    instance.get_typed_func(&mut store, resume).map_err(wrong_type)?;
                EntryPoint::Plan(instance.get_typed_func(&mut store, plan).map_err(wrong_type)?)
            }
        };
        Ok(Self { store, instance, entry, calls: 0 })
    }

    /// Prepares a further call, with a full budget.
    pub(crate) fn begin_call(&mut self, call: CallContext) {
        self.store.data_mut().begin_call(call);
        self.store.set_epoch_deadline(FIRST_YIELD_TICKS);
        refuel(&mut self.store);
    }

    /// Records what the policy does in the call that was prepared.
    pub(crate) fn record(&mut self, trace: TraceRecorder) {
        self.store.data_mut().record(trace);
    }

    /// Calls the policy for a decision on the input that the instance was created with.
    pub(crate) async fn decide(&mut self, input: &DecisionInput) -> Result<PolicyAnswer, PolicyFailure> {
        let candidates: Vec<Candidate<'_>> = input.candidates.iter().map(Candidate::from).collect();
        let request = Request::from(&*input.request);
        match self.entry {
            EntryPoint::Route(route) => match self.call(route, (request, &candidates)).await? {
                (Ok(decision),) => {
                    decision.check_length(candidates.len())?;
                    let decision = Proposal::from(decision).validate(candidates.len())?;
                    Ok(PolicyAnswer::Step(PlanStep::Route(decision)))
                }
                (Err(refusal),) => check_refusal(refusal),
            },
            EntryPoint::Plan(plan) => check_step(self.call(plan, (request, &candidates)).await?, input),
        }
    }

    /// Calls an orchestrating policy for the next step, after the tasks of a plan have ended.
    pub(crate) async fn resume(
        &mut self,
        exports: &Exports,
        input: &DecisionInput,
        state: &[u8],
    ) -> Result<PolicyAnswer, PolicyFailure> {
        let PolicyRole::Orchestrator { resume, .. } = exports.role else {
            return Err(PolicyFailure::Unreadable("only an orchestrating policy is resumed".to_owned()));
        };
        let resume: TypedFunc<ResumeParams<'_>, StepResults> =
            self.instance.get_typed_func(&mut self.store, resume).map_err(wrong_type)?;
        let candidates: Vec<Candidate<'_>> = input.candidates.iter().map(Candidate::from).collect();
        let results = TaskResult::list(&input.orchestration.results);
        let request = Request::from(&*input.request);
        check_step(self.call(resume, (request, &candidates, state, &results)).await?, input)
    }

    /// Lets the policy validate its settings. The inner error is the policy's message.
    pub(crate) async fn validate(&mut self, exports: &Exports) -> Result<Result<(), String>, PolicyFailure> {
        let validate: TypedFunc<(), ValidateResults> =
            self.instance.get_typed_func(&mut self.store, exports.validate).map_err(wrong_type)?;
        let (verdict,) = self.call(validate, ()).await?;
        Ok(verdict.map_err(|text| printable(&text, MAX_FAILURE_TEXT)))
    }

    /// Reports the outcome of a decision, if the policy exports an observer.
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

    /// Reports a rating of an answer, if the policy takes ratings.
    pub(crate) async fn rate(
        &mut self,
        exports: &Exports,
        rating: &DomainRating,
    ) -> Result<(), PolicyFailure> {
        let Some(rate) = exports.rate else { return Ok(()) };
        let rate: TypedFunc<RateParams<'_>, ()> =
            self.instance.get_typed_func(&mut self.store, rate).map_err(wrong_type)?;
        self.call(rate, (Rating::from(rating),)).await
    }

    /// Returns the instructions executed for this call, if they are counted; for the first call of an
    /// instance with those of its creation.
    pub(crate) fn fuel_used(&self) -> Option<u64> {
        let left = self.store.get_fuel().ok()?;
        self.store.data().fuel().map(|fuel| fuel.saturating_sub(left))
    }

    /// Returns the bytes of linear memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.store.data().memory_bytes()
    }

    async fn call<P, R>(&mut self, function: TypedFunc<P, R>, parameters: P) -> Result<R, PolicyFailure>
    where
        P: ComponentNamedList + Lower,
        R: ComponentNamedList + Lift + 'static,
    {
        self.calls += 1;
        let result = function.call_async(&mut self.store, parameters).await;
        let result = result.and_then(|answer| self.store.data().check_wasi_calls().map(|()| answer));
        self.store.data_mut().end_call();
        result.map_err(|error| failure(&error, self.store.data()))
    }
}

/// Validates the result of an orchestrating policy.
fn check_step((answer,): StepResults, input: &DecisionInput) -> Result<PolicyAnswer, PolicyFailure> {
    let scope = input.scope();
    Ok(PolicyAnswer::Step(match answer {
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
        Err(refusal) => return check_refusal(refusal),
    }))
}

fn check_refusal(refusal: Refusal) -> Result<PolicyAnswer, PolicyFailure> {
    match refusal.into_domain() {
        Ok(refusal) => Ok(PolicyAnswer::Refusal(refusal.validate()?)),
        Err(text) => Err(PolicyFailure::Internal(printable(&text, MAX_FAILURE_TEXT))),
    }
}

/// Creates a store with the limits of a policy and the budget of one call.
pub(crate) fn new_store(engine: &Engine, data: StoreData) -> Store<StoreData> {
    let mut store = Store::new(engine, data);
    store.limiter(|data| data.memory());
    store.epoch_deadline_callback(|mut store| store.data_mut().charge_tick());
    store.set_epoch_deadline(FIRST_YIELD_TICKS);
    store.set_hostcall_fuel(MAX_BYTES_TO_HOST);
    refuel(&mut store);
    store.set_max_component_handles(MAX_RESOURCE_HANDLES);
    store
}

/// Gives a store the fuel of one call, if instructions are counted.
fn refuel(store: &mut Store<StoreData>) {
    if let Some(fuel) = store.data().fuel() {
        // Fails only for an engine that does not count.
        let _ = store.set_fuel(fuel);
    }
}

pub(crate) async fn instantiate(
    template: &InstancePre<StoreData>,
    mut store: Store<StoreData>,
) -> Result<(Store<StoreData>, wasmtime::component::Instance), PolicyFailure> {
    match template.instantiate_async(&mut store).await {
        Ok(instance) => Ok((store, instance)),
        Err(error) => {
            store.data_mut().end_call();
            Err(failure(&error, store.data()))
        }
    }
}

/// Classifies an error of wasmtime.
fn failure(error: &wasmtime::Error, data: &StoreData) -> PolicyFailure {
    let trap = error.downcast_ref::<Trap>();
    if error.is::<PoolConcurrencyLimitError>() {
        PolicyFailure::Saturated
    } else if error.is::<HostCallsExceeded>() {
        PolicyFailure::HostCalls
    } else if matches!(trap, Some(Trap::Interrupt | Trap::OutOfFuel)) {
        PolicyFailure::Deadline
    } else if data.memory_denied() {
        PolicyFailure::Memory
    } else if trap == Some(&Trap::StackOverflow) {
        PolicyFailure::Stack
    } else if let Some(trap) = trap {
        PolicyFailure::Trap(explained(trap.to_string(), data))
    } else if let Some(I32Exit(status)) = error.downcast_ref() {
        PolicyFailure::Trap(explained(format!("it exited with status {status}"), data))
    } else {
        classify_message(format!("{error:#}"))
    }
}

/// Adds the policy's own last words to the message of a trap: runtimes of languages print the message
/// of a panic or an exception before they trap.
fn explained(trap: String, data: &StoreData) -> String {
    match data.error_lines() {
        Some(lines) => printable(&format!("{lines} ({trap})"), MAX_FAILURE_TEXT),
        None => trap,
    }
}

/// Classifies an error that has no type of its own in wasmtime by its message. Tests provoke each of
/// these errors, so a changed message is noticed.
fn classify_message(text: String) -> PolicyFailure {
    if text.contains("fuel allocated for hostcalls has been exhausted") {
        PolicyFailure::TooLarge
    } else if text.contains("handle limit exceeded") || text.contains("resource table has no free keys") {
        PolicyFailure::Handles
    } else {
        PolicyFailure::Unreadable(printable(&text, MAX_FAILURE_TEXT))
    }
}

/// An export whose type differs from the contract's. Found when the policy is loaded.
fn wrong_type(error: wasmtime::Error) -> PolicyFailure {
    let text = printable(&format!("{error:#}"), MAX_FAILURE_TEXT);
    PolicyFailure::Unreadable(format!("an export differs from pointsman:policy@0.1.0: {text}"))
}
