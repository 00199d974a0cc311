use std::fs;

use super::what_if::pair;
use super::*;

fn world(config: &str, route: Option<&str>, fleet: &FleetArgs) -> Result<World, CommandError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pointsman.toml");
    fs::write(&path, config).unwrap();
    World::load(Some(&path), route, fleet)
}

const SIMULATED: &str = "\
[backends.sim]
kind = \"simulated\"
[models.\"sim/a\"]
input_price = 10
output_price = 20
expected = { first_token_ms = 25, tokens_per_second = 400 }
simulate = { failure_rate = 0.1, capacity = 4, queue = 8, input_tokens_per_second = 5000 }
[models.\"sim/b\"]
input_price = 1
output_price = 2
[policies.p]
source = \"builtin:cost\"
[routes.r]
policy = \"p\"
";

const REAL: &str = "\
[backends.real]
base_url = \"http://127.0.0.1:9/v1\"
[models.\"real/a\"]
input_price = 10
output_price = 20
[models.\"real/b\"]
input_price = 3
output_price = 4
expected = { first_token_ms = 100, tokens_per_second = 50 }
[policies.p]
source = \"builtin:cost\"
[routes.r]
policy = \"p\"
[routes.s]
policy = \"p\"
";

#[test]
fn simulated_models_behave_as_their_configuration_states() {
    let fleet = FleetArgs { capacity: Some(9), prompt_cache: 5_120, ..FleetArgs::default() };
    let world = world(SIMULATED, None, &fleet).unwrap();
    let expected = ModelBehaviour {
        first_token: Duration::from_millis(25),
        tokens_per_second: Some(400.0),
        input_tokens_per_second: Some(5_000.0),
        failure_rate: 0.1,
        capacity: Some(4),
        queue: Some(8),
    };
    assert_eq!((world.models[0].behaviour, world.models[0].cache_blocks), (expected, 10));
    assert_eq!(world.models[1].behaviour.capacity, Some(9));
    assert_eq!(world.limits().max_attempts, world.route.limits.max_attempts);
}

#[test]
fn what_is_not_known_of_real_models_is_an_error_until_it_is_given() {
    let error = world(REAL, Some("r"), &FleetArgs::default()).unwrap_err().to_string();
    assert!(error.contains("the speed of real/a") && !error.contains("real/b"), "{error}");
    let fleet = FleetArgs { speed: vec![("real/a".to_owned(), (50.0, 100.0))], ..FleetArgs::default() };
    let known = world(REAL, Some("r"), &fleet).unwrap();
    assert_eq!(known.models[0].behaviour.first_token, Duration::from_millis(50));
    assert!((known.models[1].model.price.output_per_million() - 4.0).abs() < 1e-9);
    let wrong = FleetArgs { speed: vec![("real/aa".to_owned(), (1.0, 1.0))], ..fleet };
    let error = world(REAL, Some("r"), &wrong).unwrap_err().to_string();
    assert!(error.contains("--speed: there is no model `real/aa`") && error.contains("`real/a`"), "{error}");
}

#[test]
fn a_route_is_named_unless_there_is_one() {
    let error = world(REAL, None, &FleetArgs::default()).unwrap_err().to_string();
    assert!(error.contains("has several routes: r, s"), "{error}");
    let error = world(SIMULATED, Some("R"), &FleetArgs::default()).unwrap_err();
    assert_eq!(error.exit_status(), 2);
    assert!(error.to_string().contains("no route or model `R`"), "{error}");
    let direct = world(SIMULATED, Some("sim/b"), &FleetArgs::default()).unwrap();
    assert!(direct.is_direct && direct.models.len() == 1);
    assert_eq!(World::load(None, None, &FleetArgs::default()).unwrap().route.name.as_str(), "cost");
}

#[test]
fn what_ifs_change_prices_and_models() {
    let world = world(SIMULATED, None, &FleetArgs::default()).unwrap();
    let what_if = WhatIf {
        price: vec![pair("sim/b=7/8").unwrap()],
        models: Some(5),
        load: Some(2.0),
        ..WhatIf::default()
    };
    assert!(what_if.is_given() && !WhatIf::default().is_given());
    assert_eq!(what_if.describe(), "--price sim/b=7/8 --models 5 --load 2");
    let changed = what_if.apply(&world).unwrap();
    let ids: Vec<&str> = changed.models.iter().map(|it| it.model.id.as_str()).collect();
    assert_eq!(ids, ["sim/a", "sim/b", "sim/a-2", "sim/b-2", "sim/a-3"]);
    let input = |at: usize| changed.models[at].model.price.input_per_million();
    assert!((input(1) - 7.0).abs() < 1e-9 && (input(3) - 6.3).abs() < 1e-9 && (input(4) - 8.1).abs() < 1e-9);
    assert_eq!(changed.models[2].behaviour.tokens_per_second, Some(360.0));
    assert!(!Arc::ptr_eq(&changed.models[0].model.live, &world.models[0].model.live));

    let gone = |ids: &[&str]| {
        let without = ids.iter().map(|id| (*id).to_owned()).collect();
        WhatIf { without, ..WhatIf::default() }.apply(&world)
    };
    assert_eq!(gone(&["sim/a"]).unwrap().models.len(), 1);
    assert!(gone(&["sim/c"]).unwrap_err().to_string().contains("--without: there is no model of the route"));
    assert!(gone(&["sim/a", "sim/b"]).unwrap_err().to_string().contains("leaves no model"));
    assert!(
        pair("sim/a").is_err() && pair("a=1").is_err() && pair("a=1/x").is_err() && pair("a=1/-1").is_err()
    );
}
