//! Model facts for tests that need only some of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use pointsman_domain::ids::{BackendName, ModelId};
use pointsman_domain::live::ExpectedSpeed;
use pointsman_domain::live::LiveStats;
use pointsman_domain::model::{Abilities, Modalities, Model, Operation, Quality};
use pointsman_domain::money::Price;

/// Returns the chat model `fake/NAME`, of which nothing is known except its inputs.
pub fn model(name: &str, inputs: Modalities) -> Model {
    Model {
        id: ModelId::new(format!("fake/{name}")),
        backend: BackendName::new("fake"),
        upstream_name: name.to_owned(),
        operations: vec![Operation::Chat],
        inputs,
        abilities: Abilities::empty(),
        assumed_abilities: Abilities::empty(),
        context_window: None,
        max_output_tokens: None,
        price: Price::default(),
        quality: Quality::default(),
        expected: ExpectedSpeed::default(),
        time_limits: Default::default(),
        stream_usage: true,
        attributes: BTreeMap::new(),
        live: Arc::new(LiveStats::default()),
    }
}
