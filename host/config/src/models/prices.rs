//! Prices of models over time: those of the file, completed from the catalogue.

use pointsman_domain::money::{Picodollars, Price, PriceChange, PriceSchedule, PriceTier};

use super::super::document::Node;
use super::super::problem::Problems;
use super::super::raw;
use super::ModelEntry;
use crate::catalogue::CatalogueFacts;

/// Highest accepted price in US dollars per million tokens. A higher one was likely multiplied
/// twice.
const DEAREST: f64 = 100_000.0;

/// Compiles the prices of a model over time.
pub(super) fn compile(
    entry: &ModelEntry<'_>,
    facts: Option<&CatalogueFacts>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<String>,
) -> PriceSchedule {
    let initial = initial_price(entry, facts, problems, warnings);
    let (raw, node) = (entry.raw, entry.node);
    let changes = match &raw.prices {
        Some(stated) => compile_changes(stated, initial.as_ref(), node.get("prices"), problems),
        None if states_regular(&raw.stated_prices()) => Vec::new(),
        None => facts.map(|facts| facts.price_changes.clone()).unwrap_or_default(),
    };
    PriceSchedule { initial, changes }
}

/// Returns the prices before the first change, if they are known.
fn initial_price(
    entry: &ModelEntry<'_>,
    facts: Option<&CatalogueFacts>,
    problems: &mut Problems<'_>,
    warnings: &mut Vec<String>,
) -> Option<Price> {
    let listed = facts.and_then(|facts| facts.price.clone());
    let unit = facts.and_then(|facts| facts.unit);
    let (raw, node) = (entry.raw, entry.node);
    let stated = raw.stated_prices();
    let states_any = stated != raw::Prices::default() || raw.price_tiers.is_some();
    let is_free = entry.kind == raw::BackendKind::Simulated;
    let first_change = raw.prices.iter().flatten().next();
    let first_change = first_change.filter(|change| {
        let prices = change.stated_prices();
        prices.input.is_some() && prices.output.is_some()
    });
    match (first_change, unit) {
        (Some(change), _) if listed.is_none() && !is_free && !states_any => {
            let from = change.from.get();
            if from.start() > entry.now {
                warnings.push(format!(
                    "the price of `{}` is not known before {from}: its calls cost nothing until then. Set \
                     `input_price` and `output_price` for the time before that date",
                    entry.id
                ));
            }
            return None;
        }
        (_, Some(unit)) if !states_regular(&stated) => {
            warnings.push(format!(
                "the provider of `{}` charges by the {}, which the gateway does not count: its calls cost nothing \
                 here. Set `input_price` and `output_price` if it has prices of tokens",
                entry.id,
                unit.name()
            ));
            if !states_any {
                return None;
            }
        }
        _ if listed.is_none() && !is_free && (stated.input.is_none() || stated.output.is_none()) => {
            problems.lacks(
                node,
                format!("the price of `{}` is not known", entry.id),
                "set `input_price` and `output_price` in US dollars per million tokens, 0 for a server of \
                 your own, or name an entry of the catalogue: catalogue = \"openai/gpt-4o\"",
            );
        }
        _ => {}
    }
    Some(compile_table(&stated, raw.price_tiers.as_deref(), &listed.unwrap_or_default(), node, problems))
}

fn compile_changes(
    stated: &[raw::PriceChange],
    initial: Option<&Price>,
    node: Node<'_>,
    problems: &mut Problems<'_>,
) -> Vec<PriceChange> {
    let mut changes: Vec<PriceChange> = Vec::new();
    for (index, change) in stated.iter().enumerate() {
        let (node, from) = (node.at(index), change.from.get());
        let place = node.get("from").place();
        match changes.last().map(|last| last.from) {
            Some(last) if from == last => {
                problems
                    .add(place, format!("the prices change twice on {from}"))
                    .hint("state all prices of a date in one entry");
            }
            Some(last) if from < last => {
                problems
                    .add(place, "the prices are not in ascending order of `from`")
                    .hint(format!("move this entry before the one of {last}"));
            }
            _ => {}
        }
        let (prices, tiers) = (change.stated_prices(), change.price_tiers.as_deref());
        if prices == raw::Prices::default() && tiers.is_none() {
            problems
                .add(place, format!("no price changes on {from}"))
                .hint("state the new prices, such as `input_price` and `output_price`");
        }
        let before = changes.last().map(|last| &last.price).or(initial);
        let price = compile_table(&prices, tiers, before.unwrap_or(&Price::default()), node, problems);
        changes.push(PriceChange { from, price });
    }
    changes
}

/// Compiles the prices of a table. Those that it does not state are listed ones.
fn compile_table(
    stated: &raw::Prices,
    tiers: Option<&[raw::PriceTier]>,
    listed: &Price,
    node: Node<'_>,
    problems: &mut Problems<'_>,
) -> Price {
    let mut price = Stated { node, problems: &mut *problems }.prices(stated, listed);
    price.tiers = match tiers {
        Some(tiers) => compile_tiers(tiers, &price, node.get("price_tiers"), problems),
        // Listed tiers apply only with the regular prices that are listed.
        None if !states_regular(stated) => listed.tiers.clone(),
        None => Vec::new(),
    };
    price
}

fn states_regular(stated: &raw::Prices) -> bool {
    stated.input.is_some() || stated.output.is_some()
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
        let price = Stated { node, problems: &mut *problems }.prices(&tier.stated_prices(), base);
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
