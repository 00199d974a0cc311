//! Prices of models.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Model;
use super::date::Date;

/// Prices of calls with a long input. A price that is not stated is that of the model; special kinds of
/// tokens cost what the tier states for the others, if it does.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceTier {
    /// Input tokens above which these prices apply.
    pub above: u64,
    /// US dollars per million input tokens.
    pub input_price: Option<f64>,
    /// US dollars per million output tokens.
    pub output_price: Option<f64>,
    /// US dollars per million input tokens that the provider reads from its cache.
    pub cached_input_price: Option<f64>,
    /// US dollars per million input tokens that the provider writes to its cache.
    pub cache_write_price: Option<f64>,
    /// US dollars per million input tokens that the provider writes to its cache for an hour.
    pub cache_write_1h_price: Option<f64>,
}

/// Prices from a date on. A price that is not stated stays as it was; special kinds of tokens and
/// long inputs cost what the change states for the others, if it does.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PriceChange {
    /// First day of the prices, such as `"2027-01-01"`. They are in force from 00:00 UTC on.
    pub from: Date,
    /// US dollars per million input tokens.
    pub input_price: Option<f64>,
    /// US dollars per million output tokens.
    pub output_price: Option<f64>,
    /// US dollars per million input tokens that the provider reads from its cache.
    pub cached_input_price: Option<f64>,
    /// US dollars per million input tokens that the provider writes to its cache.
    pub cache_write_price: Option<f64>,
    /// US dollars per million input tokens that the provider writes to its cache for an hour.
    pub cache_write_1h_price: Option<f64>,
    /// US dollars per million reasoning tokens in the output.
    pub reasoning_price: Option<f64>,
    /// US dollars per million input tokens of audio.
    pub audio_input_price: Option<f64>,
    /// US dollars per million output tokens of audio.
    pub audio_output_price: Option<f64>,
    /// US dollars per million input tokens of images.
    pub image_input_price: Option<f64>,
    /// US dollars per million output tokens of images.
    pub image_output_price: Option<f64>,
    /// Prices of calls with long inputs.
    pub price_tiers: Option<Vec<PriceTier>>,
}

/// Prices of one table.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Prices {
    pub input: Option<f64>,
    pub output: Option<f64>,
    pub cached_input: Option<f64>,
    pub cache_write: Option<f64>,
    pub cache_write_1h: Option<f64>,
    pub reasoning: Option<f64>,
    pub audio_input: Option<f64>,
    pub audio_output: Option<f64>,
    pub image_input: Option<f64>,
    pub image_output: Option<f64>,
}

/// Collects the prices of a table that may state each of them.
macro_rules! all_prices {
    ($table:expr) => {
        Prices {
            input: $table.input_price,
            output: $table.output_price,
            cached_input: $table.cached_input_price,
            cache_write: $table.cache_write_price,
            cache_write_1h: $table.cache_write_1h_price,
            reasoning: $table.reasoning_price,
            audio_input: $table.audio_input_price,
            audio_output: $table.audio_output_price,
            image_input: $table.image_input_price,
            image_output: $table.image_output_price,
        }
    };
}

impl Model {
    pub fn stated_prices(&self) -> Prices {
        all_prices!(self)
    }
}

impl PriceChange {
    pub fn stated_prices(&self) -> Prices {
        all_prices!(self)
    }
}

impl PriceTier {
    pub fn stated_prices(&self) -> Prices {
        Prices {
            input: self.input_price,
            output: self.output_price,
            cached_input: self.cached_input_price,
            cache_write: self.cache_write_price,
            cache_write_1h: self.cache_write_1h_price,
            ..Prices::default()
        }
    }
}
