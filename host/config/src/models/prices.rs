//! Prices of models: those of the file, completed from the catalogue.

use pointsman_domain::money::{Picodollars, Price, PriceTier};

use super::super::document::Node;
use super::super::problem::Problems;
use super::super::raw;
use super::ModelEntry;
use crate::catalogue::CatalogueFacts;

/// Highest accepted price in US dollars per million tokens. A higher one was likely multiplied
/// twice.
const DEAREST: f64 = 100_000.0;

pub(super) fn compile(
    entry: &ModelEntry<'_>,
    facts: Option<&CatalogueFacts>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<String>,
) -> Price {
    let listed = facts.and_then(|facts| facts.price.clone());
    let unit = facts.and_then(|facts| facts.unit);
    let (raw, node) = (entry.raw, entry.node);
    let (input, output) = (raw.input_price, raw.output_price);
    let is_free = entry.kind == raw::BackendKind::Simulated;
    if let (None, None, Some(unit)) = (input, output, unit) {
        warnings.push(format!(
            "the provider of `{}` charges by the {}, which the gateway does not count: its calls cost nothing here. \
             Set `input_price` and `output_price` if it has prices of tokens",
            entry.id,
            unit.name()
        ));
    } else if listed.is_none() && !is_free && (input.is_none() || output.is_none()) {
        problems.lacks(
            node,
            format!("the price of `{}` is not known", entry.id),
            "set `input_price` and `output_price` in US dollars per million tokens, 0 for a server of \
             your own, or name an entry of the catalogue: catalogue = \"openai/gpt-4o\"",
        );
    }
    let stated = Stated { node, problems: &mut *problems };
    let listed = listed.unwrap_or_default();
    let mut price = stated.prices(&raw.prices(), &listed);
    price.tiers = match &raw.price_tiers {
        Some(tiers) => compile_tiers(tiers, &price, node.get("price_tiers"), problems),
        // The catalogue's tiers apply only with its regular prices.
        None if input.is_none() && output.is_none() => listed.tiers,
        None => Vec::new(),
    };
    price
}

fn compile_tiers(
    tiers: &[raw::PriceTier],
    base: &Price,
    node: Node<'_>,
    problems: &mut Problems<'_>,
) -> Vec<PriceTier> {
    let mut compiled: Vec<PriceTier> = Vec::new();
    for (index, tier) in tiers.iter().enumerate() {
        let node = node.at(index);
        let price = Stated { node, problems: &mut *problems }.prices(&tier.prices(), base);
        if compiled.last().is_some_and(|before| before.above >= tier.above) {
            problems
                .add(node.get("above").place(), "the tiers are not in ascending order of `above`")
                .hint("the last tier that the input reaches applies to the whole call");
        }
        compiled.push(PriceTier { above: tier.above, price: Price { tiers: Vec::new(), ..price } });
    }
    compiled
}

/// Prices of a table of the file.
struct Stated<'a, 't> {
    node: Node<'a>,
    problems: &'a mut Problems<'t>,
}

impl Stated<'_, '_> {
    /// Returns the prices of a table. Those that it does not state are listed ones: for a special kind
    /// of token only if the regular price is the listed one too.
    fn prices(mut self, raw: &raw::Prices, listed: &Price) -> Price {
        let input = self.price("input_price", raw.input);
        let output = self.price("output_price", raw.output);
        let mut of_input = |key, stated, listed: Option<Picodollars>| {
            self.price(key, stated).or(listed.filter(|_| input.is_none()))
        };
        let cached_input = of_input("cached_input_price", raw.cached_input, listed.cached_input);
        let cache_write = of_input("cache_write_price", raw.cache_write, listed.cache_write);
        // Without a price of its own, an hour costs what five minutes cost.
        let listed_1h = listed.cache_write_1h.filter(|_| raw.cache_write.is_none());
        let cache_write_1h = of_input("cache_write_1h_price", raw.cache_write_1h, listed_1h);
        let audio_input = of_input("audio_input_price", raw.audio_input, listed.audio_input);
        let image_input = of_input("image_input_price", raw.image_input, listed.image_input);
        let mut of_output = |key, stated, listed: Option<Picodollars>| {
            self.price(key, stated).or(listed.filter(|_| output.is_none()))
        };
        Price {
            input: input.unwrap_or(listed.input),
            output: output.unwrap_or(listed.output),
            cached_input,
            cache_write,
            cache_write_1h,
            audio_input,
            image_input,
            reasoning: of_output("reasoning_price", raw.reasoning, listed.reasoning),
            audio_output: of_output("audio_output_price", raw.audio_output, listed.audio_output),
            image_output: of_output("image_output_price", raw.image_output, listed.image_output),
            tiers: Vec::new(),
        }
    }

    fn price(&mut self, key: &str, usd: Option<f64>) -> Option<Picodollars> {
        let usd = usd?;
        if !(0.0..=DEAREST).contains(&usd) {
            self.problems
                .add(self.node.get(key).place(), format!("{usd} is not a price"))
                .hint("prices are US dollars per million tokens");
        }
        Some(Picodollars::per_million(usd))
    }
}
