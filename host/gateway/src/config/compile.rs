//! From the shape of a file to a configuration.

use std::cell::RefCell;
use std::time::Duration;

use pointsman_domain::model::{FirstByteLimit, Model};

use super::backends::Backend;
use super::document::Document;
use super::problem::{InvalidConfig, Problems};
use super::routes::Route;
use super::secrets::Secrets;
use super::sources::PolicyDir;
use super::{Config, Input};
use super::{
    backends, decision_log, keys, limits, listeners, models, policies, rollout, routes, state, traces,
};

/// Compiles a text, or tells everything that is wrong with it.
pub(super) fn compile(input: Input<'_>) -> Result<Config, InvalidConfig> {
    let mut problems = Problems::new(input.text);
    let document = Document::parse(input.text, &mut problems);
    // What a text with syntax errors means is anybody's guess, so they come alone.
    problems.check(input.file)?;
    let file = document.shape(&mut problems);
    let root = document.root();
    let files = RefCell::default();
    let secrets = Secrets { base_dir: input.base_dir, files: &files, env: input.env };

    let server = listeners::server(&file, root.get("server"), input.overrides.listen, &mut problems);
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
    let retry_budget = limits::retry_budget(&file.retry_budget, root.get("retry_budget"), &mut problems);
    let rollback = rollout::rollback(&file.rollback, root.get("rollback"), &mut problems);
    let models = models::compile(&file, root, &mut problems);
    let backends = backends::compile(&file, root.get("backends"), secrets, &models, &mut problems);
    let directory =
        PolicyDir::read(file.policy_dir.as_deref(), root.get("policy_dir"), input.base_dir, &mut problems);
    let policies =
        policies::compile(&file.policies, root.get("policies"), &directory, secrets, &mut problems);
    let routes = routes::compile(&file.routes, root, &policies, retry_budget, &mut problems);
    let keys = keys::compile(&file.keys, root, &mut problems);

    let checked = problems.check(input.file);
    let files = files.into_inner();
    if let Err(invalid) = checked {
        return Err(InvalidConfig { files, ..invalid });
    }
    let models = models.into_iter().map(|compiled| {
        let first_byte = first_byte_limit(&compiled.model, &backends, &routes);
        Model { first_byte, ..compiled.model }.into()
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
        retry_budget,
        rollback,
        backends,
        models,
        policy_dir: directory.path,
        policies,
        routes,
        keys,
        files,
        warnings: directory.warnings,
    })
}

/// The backend's own limit; else a wait counts against the model's health when it is as
/// long as the most patient of its routes allows, so that a hasty route harms no other.
fn first_byte_limit(model: &Model, backends: &[Backend], routes: &[Route]) -> FirstByteLimit {
    let backend = backends.iter().find(|backend| backend.name == model.backend);
    let timeout = backend.and_then(|backend| backend.first_byte_timeout);
    let of_routes = || -> Option<Duration> {
        let routes = routes.iter().filter(|route| route.models.contains(&model.id));
        routes.map(|route| route.limits.attempt_timeout).max()
    };
    let fault_after = timeout.or_else(of_routes).unwrap_or(FirstByteLimit::default().fault_after);
    FirstByteLimit { timeout, fault_after }
}
