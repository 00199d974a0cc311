//! Policies of a route, in the order in which they decide, run in the gateway's sandbox.

use std::sync::Arc;
use std::time::Duration;

use pointsman_author::Toolbox;
use pointsman_author::subject::{LoadOptions, PolicyFile, Sandbox, Subject, not_loadable};
use pointsman_author::verb::run::settings_text;
use pointsman_author::verb::source;
use pointsman_config::{OnFailure, PolicySource};
use pointsman_domain::candidate::{Candidate, Eligible, NoCandidate, eligible, partial};
use pointsman_domain::decision::{Decision, Refusal};
use pointsman_domain::ids::PolicyName;
use pointsman_domain::outcome::Outcome;
use pointsman_domain::plan::{PlanLimits, PlanStep};
use pointsman_evaluation::simulation::{
    Action, DecisionMaker, DecisionQuery, Resumption, ResumptionAnswer, Selection,
};
use pointsman_policy::{DecisionInput, Isolation, Limits, Orchestration, Policy, PolicyAnswer, StateUse};
use pointsman_terminal::CommandError;

use crate::world::World;

/// Label of decisions in the order of the route.
const STATIC_ORDER: &str = "static";
/// Shortest time that a call of a policy may take here: a busy machine fails no policy.
const DEADLINE: Duration = Duration::from_secs(10);
/// Calls of an instance after which a kept one is replaced, as the configuration's default has it.
pub(crate) const RECYCLE_AFTER: u32 = 1_000;
/// Most policies of a chain, so that each has a state of its own.
const MAX_STAGES: usize = 16;
/// Prefix of the names of built-in policies.
const BUILTIN: &str = "builtin:";

/// Policy in place of that of the route.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PolicyArgs {
    /// Policy in place of that of the route: a folder, a WebAssembly file, or `builtin:NAME`
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// Settings in place of those of the policy: JSON, or the path of a JSON or TOML file
    #[arg(long, value_name = "JSON")]
    settings: Option<String>,
    /// Keep instances of policies between decisions, whatever `isolation` the configuration has
    #[arg(long)]
    keep_instances: bool,
}

/// Policies of a route, read but not loaded.
#[derive(Debug)]
pub struct PolicyFiles {
    stages: Vec<(PolicyFile, LoadOptions)>,
    /// True if requests are rejected after the last policy.
    rejects: bool,
    /// Lines of the policies' sources, if all are known.
    lines: Option<u64>,
}

impl PolicyFiles {
    /// Reads the policy of a route and those that decide when it fails.
    ///
    /// # Errors
    /// Fails with exit status 2 if a policy cannot be read, and 3 if a file is no policy.
    pub fn read(world: &World, args: &PolicyArgs, toolbox: &Toolbox) -> Result<Self, CommandError> {
        let mut files = Self { stages: Vec::new(), rejects: false, lines: Some(0) };
        match &args.policy {
            Some(given) => {
                let file = source::policy(given, toolbox)?;
                let options = LoadOptions {
                    settings: "{}".to_owned(),
                    grants: None,
                    limits: patient(Limits::default()),
                    isolation: Isolation::Fresh,
                };
                files.add(file, options, toolbox);
            }
            None if world.is_direct => {}
            None => files.add_configured(world, &world.route.policy, toolbox)?,
        }
        if let (Some(settings), Some((_, options))) = (&args.settings, files.stages.first_mut()) {
            options.settings = settings_text(settings)?;
        }
        let mut on_failure = &world.route.on_failure;
        while let OnFailure::FallbackTo(other) = on_failure {
            if files.stages.len() == MAX_STAGES {
                break;
            }
            files.add_configured(world, other, toolbox)?;
            on_failure = world.config.policy(other).map_or(&OnFailure::Fallback, |policy| &policy.on_failure);
        }
        files.rejects = *on_failure == OnFailure::Reject;
        if args.keep_instances {
            for (_, options) in &mut files.stages {
                options.isolation = Isolation::Warm { recycle_after: RECYCLE_AFTER, instances: 2 };
            }
        }
        Ok(files)
    }

    /// Returns the lines of the policies' sources that are neither empty nor comments, if all are known. A
    /// model that clients name has none.
    pub fn lines(&self) -> Option<u64> {
        self.lines
    }

    fn add_configured(
        &mut self,
        world: &World,
        name: &PolicyName,
        toolbox: &Toolbox,
    ) -> Result<(), CommandError> {
        let Some(policy) = world.config.policy(name) else {
            return Err(CommandError::Input(format!("error: the configuration has no policy `{name}`")));
        };
        let source = match (&policy.source, policy.source.file()) {
            (PolicySource::Builtin(name), _) => format!("{BUILTIN}{name}"),
            (_, Some(path)) => path.display().to_string(),
            (PolicySource::Fetched(_), None) => {
                return Err(CommandError::Input(format!(
                    "error: policy `{name}` comes from a server, which a simulation does not call\n  = hint: fetch it \
                     with `pointsman policy pull`, and name the file with --policy"
                )));
            }
        };
        let file = PolicyFile::read(&source, toolbox)?;
        let spec = &policy.spec;
        let options = LoadOptions {
            settings: spec.settings.clone(),
            grants: Some(spec.grants),
            limits: patient(spec.limits),
            isolation: spec.isolation,
        };
        self.add(file, options, toolbox);
        Ok(())
    }

    fn add(&mut self, file: PolicyFile, options: LoadOptions, toolbox: &Toolbox) {
        let lines = file.source.strip_prefix(BUILTIN).and_then(toolbox.builtin_lines);
        self.lines = self.lines.zip(lines).map(|(sum, lines)| sum + lines);
        self.stages.push((file, options));
    }
}

/// Returns limits with enough time for a call on a busy machine.
pub(crate) fn patient(limits: Limits) -> Limits {
    Limits { deadline: limits.deadline.max(DEADLINE), ..limits }
}

/// Policies of a route that are loaded.
pub struct PolicyChain<'s> {
    sandbox: &'s Sandbox,
    stages: Vec<Arc<Policy>>,
    rejects: bool,
    last_resort: bool,
    limits: PlanLimits,
}

impl<'s> PolicyChain<'s> {
    /// Loads the policies through the gateway's load gate. Chains of different numbers share no state.
    ///
    /// # Errors
    /// Fails with exit status 3 if one cannot be loaded.
    pub fn load(
        sandbox: &'s Sandbox,
        files: &PolicyFiles,
        world: &World,
        number: usize,
    ) -> Result<Self, CommandError> {
        let load = |(stage, (file, options)): (usize, &(PolicyFile, LoadOptions))| {
            let mut subject = Subject::numbered(sandbox, file, number * MAX_STAGES + stage);
            subject.load(options).map_err(|error| not_loadable(&file.source, &error))
        };
        Ok(Self {
            sandbox,
            stages: files.stages.iter().enumerate().map(load).collect::<Result<_, _>>()?,
            rejects: files.rejects,
            last_resort: world.route.limits.last_resort,
            limits: world.route.limits.plan,
        })
    }

    /// Returns the candidates of a policy, the number that can serve the whole request, and models of the
    /// last resort.
    fn candidates(
        &self,
        query: &DecisionQuery<'_>,
        orchestrates: bool,
    ) -> Result<(Vec<Candidate>, usize, Vec<Candidate>), NoCandidate> {
        if orchestrates {
            let (candidates, whole) = partial(query.models, query.request, query.now)?;
            return Ok((candidates, whole, Vec::new()));
        }
        let Eligible { candidates, mut last_resort } = eligible(query.models, query.request, query.now)?;
        if !self.last_resort {
            last_resort.clear();
        }
        let whole = candidates.len();
        Ok((candidates, whole, last_resort))
    }

    /// Decides after the last policy.
    fn end(&self, query: &DecisionQuery<'_>, failures: Vec<&'static str>) -> Selection {
        let stage = self.stages.len();
        let selection = |action, candidates: Vec<Candidate>, whole| Selection {
            action,
            candidates: candidates.into(),
            whole,
            stage,
            orchestrates: false,
            failures,
        };
        if self.rejects {
            return selection(Action::Reject, Vec::new(), 0);
        }
        match self.candidates(query, false) {
            Err(_) => selection(Action::NoCandidate, Vec::new(), 0),
            Ok((mut candidates, whole, last_resort)) => {
                candidates.extend(last_resort);
                let decision = Decision::in_order(candidates.len(), STATIC_ORDER);
                selection(Action::Route(decision), candidates, whole)
            }
        }
    }
}

impl DecisionMaker for PolicyChain<'_> {
    fn decide(&mut self, query: &DecisionQuery<'_>) -> Selection {
        let mut failures = Vec::new();
        for (stage, policy) in self.stages.iter().enumerate().skip(query.stage) {
            let orchestrates = policy.orchestrates();
            let Ok((candidates, whole, last_resort)) = self.candidates(query, orchestrates) else {
                let candidates = Arc::default();
                let action = Action::NoCandidate;
                return Selection { action, candidates, whole: 0, stage, orchestrates, failures };
            };
            let mut candidates: Arc<[Candidate]> = candidates.into();
            let input = DecisionInput {
                request: Arc::clone(query.request),
                candidates: Arc::clone(&candidates),
                prompt: Arc::clone(query.content),
                orchestration: Orchestration { whole, limits: self.limits, results: Arc::default() },
                state: StateUse::default(),
            };
            let action = match self.sandbox.wait(policy.decide(input)) {
                Ok(PolicyAnswer::Step(PlanStep::Route(mut decision))) => {
                    if !last_resort.is_empty() {
                        let chosen_among = candidates.len();
                        candidates = candidates.iter().cloned().chain(last_resort).collect();
                        decision = decision.followed_by(chosen_among..candidates.len());
                    }
                    Action::Route(decision)
                }
                Ok(PolicyAnswer::Step(step)) => Action::Plan(step),
                Ok(PolicyAnswer::Refusal(Refusal::NoCandidate(_))) if whole == 0 => Action::NoCandidate,
                Ok(PolicyAnswer::Refusal(_)) => Action::Refuse,
                Err(failure) => {
                    failures.push(failure.reason());
                    continue;
                }
            };
            return Selection { action, candidates, whole, stage, orchestrates, failures };
        }
        self.end(query, failures)
    }

    fn resume(&mut self, resumption: &Resumption<'_>) -> ResumptionAnswer {
        let Some(policy) = self.stages.get(resumption.stage) else { return ResumptionAnswer::Refused };
        let input = DecisionInput {
            request: Arc::clone(resumption.request),
            candidates: Arc::clone(resumption.candidates),
            prompt: Arc::clone(resumption.content),
            orchestration: Orchestration {
                whole: resumption.whole,
                limits: resumption.limits,
                results: Arc::clone(&resumption.results),
            },
            state: StateUse::default(),
        };
        match self.sandbox.wait(policy.resume(input, resumption.state)) {
            Ok(PolicyAnswer::Step(step)) => ResumptionAnswer::Step(step),
            Ok(PolicyAnswer::Refusal(_)) => ResumptionAnswer::Refused,
            Err(failure) => ResumptionAnswer::Failed(failure.reason()),
        }
    }

    fn observes(&self) -> bool {
        self.stages.iter().any(|policy| policy.wants_outcomes())
    }

    fn observe(&mut self, stage: usize, outcome: &Outcome) {
        if let Some(policy) = self.stages.get(stage) {
            // A failure has no effect on the request; the gateway only counts it.
            let _ = self.sandbox.wait(policy.observe(outcome, StateUse::default().access));
        }
    }
}
