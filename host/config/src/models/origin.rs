//! Origins of the facts of models.

use pointsman_domain::ids::ModelId;

use super::super::raw;

/// Origin of the facts and prices of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsOrigin {
    /// The model.
    pub model: ModelId,
    /// Entry of the catalogue for what the file does not state, if there is one.
    pub catalogue: Option<String>,
    /// Keys of the file that state prices, such as `input_price`.
    pub stated: Vec<&'static str>,
}

/// Returns the keys that state prices of a model.
pub(super) fn stated_prices(raw: &raw::Model) -> Vec<&'static str> {
    let prices = raw.stated_prices();
    let keys = [
        ("input_price", prices.input),
        ("output_price", prices.output),
        ("cached_input_price", prices.cached_input),
        ("cache_write_price", prices.cache_write),
        ("cache_write_1h_price", prices.cache_write_1h),
        ("reasoning_price", prices.reasoning),
        ("audio_input_price", prices.audio_input),
        ("audio_output_price", prices.audio_output),
        ("image_input_price", prices.image_input),
        ("image_output_price", prices.image_output),
    ];
    let stated = keys.into_iter().filter(|(_, price)| price.is_some()).map(|(key, _)| key);
    let lists = [("price_tiers", raw.price_tiers.is_some()), ("prices", raw.prices.is_some())];
    stated.chain(lists.into_iter().filter(|(_, is_stated)| *is_stated).map(|(key, _)| key)).collect()
}
