//! Changes of a fleet whose effect a simulation shows.

use std::sync::Arc;

use clap::Args as ClapArgs;
use pointsman_domain::ids::ModelId;
use pointsman_domain::model::Model;
use pointsman_domain::money::Price;
use pointsman_evaluation::simulation::SimulatedModel;
use pointsman_terminal::CommandError;

use super::World;

/// Most models of a scaled fleet.
const MAX_MODELS: i64 = 1_000;
/// Ratio of price and speed of a copy to those of the model before it.
const COPY_RATIO: f64 = 0.9;

/// Changes of the fleet and its load.
#[derive(Clone, Debug, Default, ClapArgs)]
pub struct WhatIf {
    /// Price of a model in the changed world: US dollars per million input and output tokens
    #[arg(long, value_name = "MODEL=IN/OUT", value_parser = pair)]
    pub(super) price: Vec<(String, (f64, f64))>,
    /// Model that the changed world lacks
    #[arg(long, value_name = "MODEL")]
    pub(super) without: Vec<String>,
    /// Number of models in the changed world: copies of those of the route, each 10 % cheaper and slower
    /// than the one before it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=MAX_MODELS))]
    pub(super) models: Option<u32>,
    /// Factor by which requests arrive faster in the changed world
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    pub(super) load: Option<f64>,
}

impl WhatIf {
    /// Returns whether there is a change.
    pub fn is_given(&self) -> bool {
        !self.price.is_empty() || !self.without.is_empty() || self.models.is_some() || self.load.is_some()
    }

    /// Returns the factor of the load.
    pub fn load(&self) -> f64 {
        self.load.unwrap_or(1.0)
    }

    /// Describes the changes in the words of the command line.
    pub fn describe(&self) -> String {
        let prices = self.price.iter().map(|(id, (input, output))| format!("--price {id}={input}/{output}"));
        let without = self.without.iter().map(|id| format!("--without {id}"));
        let models = self.models.iter().map(|models| format!("--models {models}"));
        let load = self.load.iter().map(|load| format!("--load {load}"));
        prices.chain(without).chain(models).chain(load).collect::<Vec<_>>().join(" ")
    }

    /// Returns a changed world.
    ///
    /// # Errors
    /// Fails with exit status 2 if a model is not one of the route's, or none is left.
    pub fn apply(&self, world: &World) -> Result<World, CommandError> {
        let mut changed = world.clone();
        for SimulatedModel { model, .. } in &mut changed.models {
            *model = with_own_live(model);
        }
        for (id, (input, output)) in &self.price {
            let at = changed.position(id, "--price")?;
            Arc::make_mut(&mut changed.models[at].model).price = Price::per_million(*input, *output);
        }
        for id in &self.without {
            let at = changed.position(id, "--without")?;
            changed.models.remove(at);
        }
        if changed.models.is_empty() {
            return Err(CommandError::Input("error: --without leaves no model of the route".to_owned()));
        }
        if let Some(models) = self.models {
            changed.scale(models as usize);
        }
        Ok(changed)
    }
}

impl World {
    /// Keeps this many models, or adds copies of the first ones until there are as many.
    fn scale(&mut self, count: usize) {
        let originals = self.models.len();
        self.models.truncate(count);
        for number in originals..count {
            let SimulatedModel { model: original, behaviour, .. } = &self.models[number % originals];
            let copy = number / originals;
            let ratio = COPY_RATIO.powi(i32::try_from(copy).unwrap_or(i32::MAX));
            let name = format!("{}-{}", original.upstream_name, copy + 1);
            let price = &original.price;
            let model = Model {
                id: ModelId::new(format!("{}-{}", original.id, copy + 1)),
                upstream_name: name,
                price: Price::per_million(
                    price.input_per_million() * ratio,
                    price.output_per_million() * ratio,
                ),
                ..Model::clone(&with_own_live(original))
            };
            let mut behaviour = *behaviour;
            behaviour.first_token = behaviour.first_token.div_f64(ratio);
            behaviour.tokens_per_second = behaviour.tokens_per_second.map(|speed| speed * ratio);
            let mut model = model;
            model.expected.first_token_ms = model.expected.first_token_ms.map(|ms| ms / ratio);
            model.expected.tokens_per_second = model.expected.tokens_per_second.map(|speed| speed * ratio);
            let cache_blocks = self.models[number % originals].cache_blocks;
            let copy = SimulatedModel { cache_blocks, ..SimulatedModel::new(Arc::new(model), behaviour) };
            self.models.push(copy);
        }
    }
}

fn with_own_live(model: &Model) -> Arc<Model> {
    Arc::new(Model { live: Arc::default(), ..model.clone() })
}

/// Parses `MODEL=NUMBER/NUMBER`.
pub(super) fn pair(text: &str) -> Result<(String, (f64, f64)), String> {
    let expected = "expected MODEL=NUMBER/NUMBER, such as fleet/llama-7b=20/20";
    let (id, values) = text.rsplit_once('=').ok_or(expected)?;
    let (first, second) = values.split_once('/').ok_or(expected)?;
    let number = |text: &str| {
        let number: Option<f64> = text.trim().parse().ok();
        number
            .filter(|number| number.is_finite() && (0.0..=1e9).contains(number))
            .ok_or_else(|| format!("{text:?} is not a number from 0 to a billion; {expected}"))
    };
    Ok((id.to_owned(), (number(first)?, number(second)?)))
}

/// Parses a factor above 0.
fn factor(text: &str) -> Result<f64, String> {
    let number: Option<f64> = text.trim().parse().ok();
    number
        .filter(|number| (1e-6..=1e6).contains(number))
        .ok_or_else(|| "expected a factor from 0.000001 to 1000000".to_owned())
}
