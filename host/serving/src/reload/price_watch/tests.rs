use std::path::Path;
use std::time::Instant;

use pointsman_config::{Config, ConfigSource, Overrides};
use pointsman_domain::date::Date;
use pointsman_domain::ids::ModelId;
use pointsman_domain::model::Model;

use super::*;
use crate::rollout::RolloutState;
use crate::snapshot::{LoadedPolicies, Snapshot, connect};

/// Seconds since 1970 at which the prices of [`snapshot`] change.
fn change() -> u64 {
    Date::parse("2027-01-01").unwrap().start()
}

/// A snapshot of a time, with one model that costs $1 per million tokens before the change, and $2
/// from then on.
fn snapshot(now: u64, previous: Option<&Snapshot>) -> Snapshot {
    let config = match previous {
        Some(previous) => previous.config.clone(),
        None => config(now),
    };
    let backends = connect(&config, previous).unwrap();
    Snapshot::build(config, backends, LoadedPolicies::default(), &RolloutState::default(), previous, now)
}

fn config(now: u64) -> Config {
    let text = "[backends.sim]\nkind = \"simulated\"\n\
                [models.\"sim/a\"]\ninput_price = 1\noutput_price = 1\n\
                prices = [{ from = \"2027-01-01\", input_price = 2, output_price = 2 }]\n\
                [models.\"sim/same\"]\n\
                [policies.own]\nsource = \"builtin:cost\"\n[routes.main]\npolicy = \"own\"\n";
    let (base_dir, overrides) = (Path::new(""), Overrides::default());
    Config::parse(ConfigSource { file: "test", text, base_dir, env: &|_| None, overrides, now }).unwrap()
}

/// Returns the models of an id: that of the configuration, of the model's own name, and of the route.
fn models<'s>(snapshot: &'s Snapshot, id: &str) -> [&'s Arc<Model>; 3] {
    let of_route = |route: &str| {
        let models = &snapshot.served[route].models;
        models.iter().find(|model| model.id.as_str() == id).unwrap()
    };
    [snapshot.config.model(&ModelId::new(id)).unwrap(), of_route(id), of_route("main")]
}

fn usd(snapshot: &Snapshot) -> [f64; 3] {
    models(snapshot, "sim/a").map(|model| model.price.input_per_million())
}

#[test]
fn a_snapshot_has_the_prices_of_its_time_and_keeps_them() {
    let before = snapshot(change() - 1, None);
    assert_eq!(usd(&before), [1.0; 3]);
    assert_eq!(before.config.outdated_prices(change() - 1).count(), 0);
    let outdated: Vec<&str> =
        before.config.outdated_prices(change()).map(|model| model.id.as_str()).collect();
    assert_eq!(outdated, ["sim/a"]);

    let after = snapshot(change(), Some(&before));
    assert_eq!(usd(&after), [2.0; 3]);
    assert_eq!(after.config.outdated_prices(change()).count(), 0);
    // A request that began before the change still holds this one.
    assert_eq!(usd(&before), [1.0; 3]);
    // A clock that is set back brings the old prices back.
    assert_eq!(usd(&snapshot(change() - 1, Some(&after))), [1.0; 3]);
}

#[test]
fn new_prices_keep_live_statistics_and_models_that_did_not_change() {
    let before = snapshot(0, None);
    let after = snapshot(change(), Some(&before));
    let live = |snapshot| Arc::as_ptr(&models(snapshot, "sim/a")[2].live);
    assert_eq!(live(&before), live(&after));
    assert!(Arc::ptr_eq(models(&before, "sim/same")[0], models(&after, "sim/same")[0]));
    let baseline = after.served["main"].baseline.as_ref().unwrap();
    assert!(Arc::ptr_eq(baseline, models(&after, "sim/a")[0]), "it has the new prices too");
}

#[tokio::test]
async fn a_change_is_awaited_to_its_very_moment_and_a_past_one_not_at_all() {
    let at = |millis_before| UNIX_EPOCH + Duration::from_millis(change() * 1000 - millis_before);
    let started = Instant::now();
    reached(Some(change()), || at(20)).await;
    assert!(started.elapsed() >= Duration::from_millis(20));
    // These would wait for a day, and for decades.
    reached(Some(change()), || at(0) + Duration::from_secs(86_400)).await;
    reached(Some(0), || at(0)).await;
}
