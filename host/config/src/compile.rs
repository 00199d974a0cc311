//! Compilation of a configuration file to a [`Config`].

use std::cell::RefCell;

use pointsman_domain::failure::CallTimeouts;
use pointsman_domain::model::{Model, TimeLimits};

use super::backends::Backend;
use super::document::Document;
use super::problem::{InvalidConfig, Problems};
use super::routes::Route;
use super::secrets::Secrets;
use super::sources::PolicyDir;
use super::text::ConfigText;
use super::{Config, ConfigSource};
use super::{
    backends, decision_log, keys, limits, listeners, models, policies, rollout, routes, state, traces,
    uploads,
};

/// Compiles a configuration, or returns all of its problems.
pub(super) fn compile(input: ConfigSource<'_>) -> Result<Config, InvalidConfig> {
    let mut problems = Problems::new(input.text);
    let document = Document::parse(input.text, &mut problems);
    // The meaning of a text with syntax errors is uncertain, so only these are reported.
    problems.check(input.file)?;
    let file = document.shape(&mut problems);
    let root = document.root();
    let files = RefCell::default();
    let secrets = Secrets { base_dir: input.base_dir, files: &files, env: input.env };

    let server = listeners::server(&file, root.get("server"), input.overrides, secrets, &mut problems);
    let admin = listeners::admin(
        &file.admin,
        root.get("admin"),
        input.overrides.admin_listen,
        secrets,
        &mut problems,
    );
    let log = listeners::log(&file.log);
    let traces = traces::compile(&file.traces, root.get("traces"), secrets, &mut problems);
    let decision_log =
        decision_log::compile(&file.decision_log, root.get("decision_log"), input.base_dir, &mut problems);
    let state = state::state(&file.state, root.get("state"), input.base_dir, &mut problems);
    let compile = state::compile(&file.compile, root.get("compile"), &mut problems);
    let memory = limits::memory(&file, root, &mut problems);
    let uploads = uploads::compile(&file.uploads, root.get("uploads"), input.base_dir, &mut problems);
    let retry_budget = limits::retry_budget(&file.retry_budget, root.get("retry_budget"), &mut problems);
    let rollback = rollout::rollback(&file.rollback, root.get("rollback"), &mut problems);
    let mut warnings = Vec::new();
    let models = models::compile(&file, root, input.now, &mut problems, &mut warnings);
    let backends =
        backends::compile(&file, root.get("backends"), secrets, &models, &mut problems, &mut warnings);
    let directory =
        PolicyDir::read(file.policy_dir.as_deref(), root.get("policy_dir"), input.base_dir, &mut problems);
    let policies = policies::compile(&file, root.get("policies"), &directory, secrets, &mut problems);
    let routes = routes::compile(&file.routes, root, &policies, retry_budget, &mut problems);
    let keys = keys::compile(&file.keys, root, &routes, &mut problems);

    warnings.extend(directory.warnings);
    let checked = problems.check(input.file);
    let files = files.into_inner();
    if let Err(invalid) = checked {
        return Err(InvalidConfig { files, ..invalid });
    }
    let (mut origins, mut price_schedules) = (Vec::new(), Vec::new());
    let models = models.into_iter().map(|compiled| {
        origins.push(compiled.origin);
        price_schedules.push(compiled.prices);
        let time_limits = time_limits(&compiled.model, &backends, &routes);
        Model { time_limits, ..compiled.model }.into()
    });
    let models = models.collect();
    Ok(Config {
        server,
        admin,
        log,
        traces,
        decision_log,
        state,
        compile,
        memory,
        uploads,
        retry_budget,
        rollback,
        backends,
        models,
        origins,
        price_schedules,
        policy_dir: directory.path,
        policies,
        routes,
        keys,
        files,
        warnings,
        text: ConfigText::new(input.file, input.text),
    })
}

/// Returns the time limits of a model. A timeout counts against the model's health only after
/// the longest limit among its routes, or after the backend's own limit, so that a route with
/// short limits does not affect others.
fn time_limits(model: &Model, backends: &[Backend], routes: &[Route]) -> TimeLimits {
    let backend = backends.iter().find(|backend| backend.name == model.backend);
    let first_byte = backend.and_then(|backend| backend.first_byte_timeout);
    let routes = routes.iter().filter(|route| route.models.contains(&model.id));
    let of_routes = routes.map(|route| route.limits.timeouts).reduce(CallTimeouts::most_patient);
    let mut fault_after = of_routes.unwrap_or_default();
    fault_after.first_byte = first_byte.unwrap_or(fault_after.first_byte);
    TimeLimits { first_byte, fault_after }
}
