//! Model facts for tests that need only some of them.

use pointsman_domain::model::{Modalities, Model};

/// Returns the chat model `fake/NAME`, of which nothing is known except its inputs.
pub fn model(name: &str, inputs: Modalities) -> Model {
    Model { inputs, ..Model::new("fake", name) }
}
