//! A share of the tenants' sessions gets another model. The label says which, so the decision log
//! and `x-pointsman-route` separate the two.

use pointsman_sdk::Pattern;
use pointsman_sdk::draw::Draw;
use pointsman_sdk::prelude::*;
use serde::Deserialize;

/// The model under test and its share of the requests, 0..1.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    model: Pattern,
    share: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { model: Pattern::new(""), share: 0.0 }
    }
}

/// Draws by session, with the true probability as the propensity.
pub struct AbTest(Settings);

impl Policy for AbTest {
    type Settings = Settings;

    fn new(settings: Settings) -> Result<Self, String> {
        if !(0.0..=1.0).contains(&settings.share) {
            return Err(format!("setting `share`: {} is not in 0..1", settings.share));
        }
        Ok(Self(settings))
    }

    fn route(&mut self, request: &Request, candidates: &[Candidate]) -> Result<Decision, Refusal> {
        let Settings { model: pattern, share } = &self.0;
        let (tested, usual): (Vec<usize>, Vec<usize>) = (0..candidates.len())
            .partition(|&index| candidates.get(index).is_some_and(|model| pattern.fits(&model.id)));
        let (Some(&first), Some(&second)) = (tested.first(), usual.first()) else {
            return Ok(Decision::of(tested.into_iter().chain(usual), "no-test"));
        };
        let key = request.session.as_deref().unwrap_or(&request.id);
        let weight = |index, _: &Candidate| if index == first { *share } else { 1.0 - share };
        let Draw { order, propensity } =
            draw::by_weight(&["ab", key], candidates, vec![first, second], weight);
        let label = if order.first() == Some(&first) { "test" } else { "control" };
        Ok(Decision { propensity: Some(propensity), ..Decision::of(order, label) })
    }
}
