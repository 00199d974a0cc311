//! From the shape of a file to a configuration.

use super::document::Document;
use super::problem::{InvalidConfig, Problems};
use super::secrets::Secrets;
use super::sources::PolicyDir;
use super::{Config, Input};
use super::{backends, decision_log, keys, listeners, models, policies, rollout, routes, state, traces};

/// Compiles a text, or tells everything that is wrong with it.
pub(super) fn compile(input: Input<'_>) -> Result<Config, InvalidConfig> {
    let mut problems = Problems::new(input.text);
    let document = Document::parse(input.text, &mut problems);
    // What a text with syntax errors means is anybody's guess, so they come alone.
    problems.check(input.file)?;
    let file = document.shape(&mut problems);
    let root = document.root();
    let secrets = Secrets { base_dir: input.base_dir, env: input.env };

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
    let rollback = rollout::rollback(&file.rollback, root.get("rollback"), &mut problems);
    let models = models::compile(&file, root, &mut problems);
    let backends = backends::compile(&file, root.get("backends"), secrets, &models, &mut problems);
    let directory =
        PolicyDir::read(file.policy_dir.as_deref(), root.get("policy_dir"), input.base_dir, &mut problems);
    let policies =
        policies::compile(&file.policies, root.get("policies"), &directory, secrets, &mut problems);
    let routes = routes::compile(&file.routes, root, &policies, &mut problems);
    let keys = keys::compile(&file.keys, root, &mut problems);

    problems.check(input.file)?;
    let models = models.into_iter().map(|model| model.model.into()).collect();
    Ok(Config {
        server,
        admin,
        log,
        traces,
        decision_log,
        state,
        compile,
        rollback,
        backends,
        models,
        policy_dir: directory.path,
        policies,
        routes,
        keys,
        warnings: directory.warnings,
    })
}
