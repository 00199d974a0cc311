//! Models as text.

use pointsman_config::{catalogue, providers};

use super::TextTable;
use super::description::{ModelDescription, PeriodStatus, Prices};

/// Cells without a value.
const NONE: &str = "-";

/// Renders models as a table.
pub(super) fn table(models: &[ModelDescription], notes: Vec<String>) -> String {
    let is_configured = models.iter().any(|model| model.configuration.is_some());
    let mut titles = vec!["MODEL", "OPERATIONS", "CONTEXT", "OUTPUT", "$/M IN", "$/M OUT"];
    titles.push(if is_configured { "PRICE FROM" } else { "DATE" });
    let mut table = TextTable::new(&titles);
    for model in models {
        let [input, output] = regular_prices(model);
        table.add(vec![
            model.id.clone(),
            model.operations.join(","),
            count(model.context_window),
            count(model.max_output_tokens),
            input,
            output,
            match is_configured {
                true => model.price_origin(model.key_in_force("input_price")),
                false => date(model).to_owned(),
            },
        ]);
    }
    table.render(notes)
}

/// Returns the cells with the regular prices.
fn regular_prices(model: &ModelDescription) -> [String; 2] {
    match &model.usd_per_million_tokens {
        Some(prices) => [prices.input, prices.output].map(|price| price.to_string()),
        None if model.charged_by == "token" => [NONE; 2].map(str::to_owned),
        None => [format!("per {}", model.charged_by), NONE.to_owned()],
    }
}

fn date(model: &ModelDescription) -> &str {
    model.source.as_ref().and_then(|source| source.date).unwrap_or(NONE)
}

/// Renders everything about a model.
pub(super) fn describe(model: &ModelDescription) -> String {
    let mut facts = TextTable::new(&[model.id.as_str()]);
    let mut fact = |name: &str, value: String| facts.add(vec![format!("  {name}"), value]);
    if let Some(place) = &model.configuration {
        fact("backend", place.backend.clone());
        fact("name at the backend", place.upstream_name.clone());
    }
    fact("operations", model.operations.join(", "));
    fact("context window", tokens(model.context_window));
    fact("most output", tokens(model.max_output_tokens));
    fact("inputs", words(&model.inputs));
    fact("abilities", words(&model.abilities));
    if let Some(source) = &model.source {
        let date = source.date.map_or_else(String::new, |date| format!(", last changed {date}"));
        fact("facts from", format!("{}{date}", source.name));
        if model.configuration.is_some() {
            fact("catalogue entry", source.entry.clone());
        }
    }
    let mut parts = vec![facts.render(Vec::new()), prices(model)];
    if model.configuration.is_none() {
        parts.push(format!("in pointsman.toml:\n{}", configuration(&model.id)));
    }
    parts.join("\n\n")
}

fn prices(model: &ModelDescription) -> String {
    let current = match &model.usd_per_million_tokens {
        Some(prices) if model.price_periods.is_empty() => price_table(model, prices, "", true),
        Some(_) => String::new(),
        None => {
            let reason = match model.charged_by {
                "token" if model.price_periods.is_empty() => {
                    "the prices of tokens are not known: set `input_price` and `output_price`".to_owned()
                }
                "token" => "the prices of tokens are not known yet: calls have a cost of $0".to_owned(),
                unit => format!(
                    "the provider charges by the {unit}, which the gateway does not count: calls have a cost of $0"
                ),
            };
            format!("prices: {reason}")
        }
    };
    let periods = model.price_periods.iter().map(|period| {
        let condition = match (period.status, &period.from, &period.until) {
            (PeriodStatus::Current, Some(from), _) => format!(", in force since {from}"),
            (PeriodStatus::Current, None, _) => ", in force".to_owned(),
            (PeriodStatus::Past, _, Some(until)) => format!(", until {until} (past)"),
            (_, Some(from), _) => format!(", from {from} on (coming)"),
            (_, None, _) => String::new(),
        };
        price_table(model, &period.usd_per_million_tokens, &condition, period.from.is_none())
    });
    let parts: Vec<String> = [current].into_iter().chain(periods).filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

/// Renders prices with their origin: the list of changes, unless they are the initial ones.
fn price_table(model: &ModelDescription, prices: &Prices, condition: &str, is_initial: bool) -> String {
    let mut table = TextTable::new(&[format!("US dollars per million tokens{condition}").as_str()]);
    add_prices(&mut table, model, prices, "", is_initial);
    for tier in &prices.tiers {
        let condition = format!(", above {} input tokens", tier.above);
        add_prices(&mut table, model, &tier.prices, &condition, is_initial);
    }
    table.render(Vec::new())
}

fn add_prices(
    table: &mut TextTable,
    model: &ModelDescription,
    prices: &Prices,
    condition: &str,
    is_initial: bool,
) {
    for (name, key, price) in prices.rows() {
        let mut row = vec![format!("  {name}{condition}"), price.to_string()];
        if model.configuration.is_some() {
            let key = match (is_initial, condition.is_empty()) {
                (false, _) => "prices",
                (true, false) => "price_tiers",
                (true, true) => key,
            };
            row.push(model.price_origin(key));
        }
        table.add(row);
    }
}

/// Returns the lines of a configuration with the model.
fn configuration(id: &str) -> String {
    let section = catalogue::provider_of(id);
    let mut lines = vec![format!("[backends.{}]", key(section))];
    match providers::find(section) {
        Some(provider) => {
            if provider.kind != "openai" {
                lines.push(format!("kind = \"{}\"", provider.kind));
            }
            lines.extend(provider.base_url.map(|url| format!("base_url = \"{url}\"")));
            if provider.kind == "azure" {
                lines.push("base_url = \"https://NAME.openai.azure.com/openai/v1\"".to_owned());
            }
            lines.extend(provider.key_variable.map(|variable| format!("api_key_env = \"{variable}\"")));
        }
        None => {
            lines.push("base_url = \"https://…\"    # the provider's API, if it is like OpenAI's".to_owned());
            lines.push("api_key_env = \"…\"".to_owned());
        }
    }
    lines.push(format!("\n[models.\"{id}\"]"));
    let lines = lines.join("\n").replace('\n', "\n  ");
    format!("  {lines}").replace("  \n", "\n")
}

/// Quotes a key of TOML where that is necessary.
fn key(name: &str) -> String {
    let is_bare = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '_');
    if name.chars().all(is_bare) { name.to_owned() } else { format!("\"{name}\"") }
}

fn count(tokens: Option<u32>) -> String {
    tokens.map_or_else(|| NONE.to_owned(), |tokens| tokens.to_string())
}

fn tokens(tokens: Option<u32>) -> String {
    tokens.map_or_else(|| "not known".to_owned(), |tokens| format!("{tokens} tokens"))
}

fn words(words: &[String]) -> String {
    if words.is_empty() { NONE.to_owned() } else { words.join(", ") }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use pointsman_domain::date::Date;
    use pointsman_domain::money::{Price, PriceChange};

    use super::*;

    fn listed(id: &str) -> ModelDescription {
        ModelDescription::listed(id, &catalogue::lookup(id).unwrap(), 0)
    }

    #[test]
    fn a_model_is_described_with_every_price_and_the_lines_of_a_configuration() {
        assert_snapshot!(describe(&listed("anthropic/claude-sonnet-4-5")));
    }

    #[test]
    fn a_model_of_a_provider_without_a_known_address_has_a_place_for_it() {
        let text = describe(&listed("302ai/gpt-4o"));
        assert!(text.contains("  [backends.302ai]\n  base_url = \"https://…\""), "{text}");
        assert!(configuration("wafer.ai/x").starts_with("  [backends.\"wafer.ai\"]\n"));
    }

    #[test]
    fn past_current_and_coming_prices_are_listed_with_their_dates() {
        let mut facts = catalogue::lookup("openai/gpt-4o-mini").unwrap();
        let [yesterday, next_year] = ["2026-11-30", "2027-01-01"].map(|date| Date::parse(date).unwrap());
        facts.price = Some(Price::per_million(1.0, 2.0));
        facts.price_changes = vec![
            PriceChange { from: yesterday, price: Price::per_million(3.0, 4.0) },
            PriceChange { from: next_year, price: Price::per_million(5.0, 6.0) },
        ];
        let model = ModelDescription::listed("openai/gpt-4o-mini", &facts, next_year.start() - 1);
        assert_snapshot!(prices(&model), @r"
        US dollars per million tokens, until 2026-11-30 (past)
          input                                                 1
          output                                                2

        US dollars per million tokens, in force since 2026-11-30
          input                                                   3
          output                                                  4

        US dollars per million tokens, from 2027-01-01 on (coming)
          input                                                     5
          output                                                    6
        ");
        assert!(table(&[model], Vec::new()).contains("  3  "));
        facts.price = None;
        facts.price_changes.remove(0);
        let model = ModelDescription::listed("openai/gpt-4o-mini", &facts, next_year.start() - 1);
        assert_snapshot!(prices(&model), @r"
        prices: the prices of tokens are not known yet: calls have a cost of $0

        US dollars per million tokens, from 2027-01-01 on (coming)
          input                                                     5
          output                                                    6
        ");
    }

    #[test]
    fn prices_that_are_not_of_tokens_are_named() {
        let mut model = listed("openai/gpt-4o");
        model.usd_per_million_tokens = None;
        assert!(describe(&model).contains("prices: the prices of tokens are not known"));
        model.charged_by = "second";
        assert!(describe(&model).contains("prices: the provider charges by the second"));
        assert!(table(&[model], Vec::new()).contains("  per second  -  "));
    }
}
