//! Prices that change on dates.

use insta::assert_snapshot;
use pointsman_domain::date::Date;
use pointsman_domain::money::{Picodollars, Price, PriceSchedule};

use super::{NOW, accepted, rejected};

const OPENAI: &str = "[backends.openai]\nbase_url = \"https://api.openai.com/v1\"\n";

/// Returns the prices of a model of OpenAI with these keys, and the warnings.
fn compiled(name: &str, keys: &str) -> (PriceSchedule, Price, Vec<String>) {
    let config = accepted(&format!("{OPENAI}[models.\"openai/{name}\"]\n{keys}\n"));
    let position = config.models.iter().position(|model| model.backend.as_str() == "openai").unwrap();
    let (model, schedule) = (&config.models[position], &config.price_schedules[position]);
    (schedule.clone(), model.price.clone(), config.warnings)
}

fn per_million(usd: f64) -> Option<Picodollars> {
    Some(Picodollars::per_million(usd))
}

fn usd_on(schedule: &PriceSchedule, date: &str) -> Option<(f64, f64)> {
    let price = schedule.at(Date::parse(date).unwrap().start())?;
    Some((price.input_per_million(), price.output_per_million()))
}

#[test]
fn the_price_in_force_is_that_of_the_last_date_that_was_reached() {
    let keys = "input_price = 1\noutput_price = 4\nprices = [\
                { from = \"2026-11-30\", input_price = 2, output_price = 5 },\
                { from = 2027-01-01, input_price = 3 }]";
    let (schedule, price, warnings) = compiled("own", keys);
    assert_eq!(price, Price::per_million(2.0, 5.0));
    assert_eq!(warnings, Vec::<String>::new());
    let on = ["2026-11-29", "2026-11-30", "2026-12-31", "2027-01-01"].map(|date| usd_on(&schedule, date));
    assert_eq!(on, [Some((1.0, 4.0)), Some((2.0, 5.0)), Some((2.0, 5.0)), Some((3.0, 5.0))]);
    assert_eq!(schedule.next_change(NOW), Some(Date::parse("2027-01-01").unwrap().start()));
}

#[test]
fn tables_of_an_array_are_the_same_list() {
    let keys = "input_price = 1\noutput_price = 4\n[[models.\"openai/own\".prices]]\nfrom = \"2026-12-01\"\n\
                output_price = 2\n[[models.\"openai/own\".prices]]\nfrom = \"2026-12-02\"\ninput_price = 0";
    let (schedule, price, _) = compiled("own", keys);
    assert_eq!(price, Price::per_million(1.0, 2.0));
    assert_eq!(usd_on(&schedule, "2026-12-02"), Some((0.0, 2.0)));
}

#[test]
fn a_change_keeps_what_it_does_not_state() {
    let keys = "price_tiers = [{ above = 1000, input_price = 9 }]\nprices = [\
                { from = \"2026-12-01\", reasoning_price = 20 },\
                { from = \"2027-01-01\", input_price = 5, audio_input_price = 7 },\
                { from = \"2027-02-01\", price_tiers = [{ above = 500, output_price = 80 }] }]";
    let (schedule, ..) = compiled("gpt-4o", keys);
    let first = schedule.initial.unwrap();
    assert_eq!(
        (first.cached_input, first.tiers.len()),
        (per_million(1.25), 1),
        "the catalogue's, and the file's"
    );
    let [reasoning, input, tiers] = &schedule.changes[..] else { panic!("{:?}", schedule.changes) };
    assert_eq!(reasoning.price, Price { reasoning: per_million(20.0), ..first.clone() });
    let audio_input = per_million(7.0);
    let expected = Price { audio_input, reasoning: per_million(20.0), ..Price::per_million(5.0, 10.0) };
    assert_eq!(input.price, expected, "cached tokens and long inputs cost what any input does");
    assert_eq!(tiers.price.tiers[0].price, Price { audio_input, ..Price::per_million(5.0, 80.0) });
}

#[test]
fn a_model_may_have_dated_prices_alone() {
    let change = "prices = [{ from = \"2026-01-01\", input_price = 2, output_price = 5 }]";
    let (schedule, price, warnings) = compiled("own", change);
    assert_eq!((schedule.initial, price), (None, Price::per_million(2.0, 5.0)));
    assert_eq!(warnings, Vec::<String>::new());
    let (schedule, price, warnings) = compiled("own", &change.replace("2026", "2027"));
    assert_eq!((schedule.at(NOW), price), (None, Price::default()));
    let expected = "the price of `openai/own` is not known before 2027-01-01: its calls cost nothing until then. Set \
                    `input_price` and `output_price` for the time before that date";
    assert_eq!(warnings, [expected]);
    let incomplete = "prices = [{ from = \"2026-01-01\", input_price = 2 }]";
    let error = rejected(&format!("{OPENAI}[models.\"openai/own\"]\n{incomplete}\n"));
    assert!(error.contains("the price of `openai/own` is not known"), "{error}");
}

#[test]
fn wrong_lists_of_prices_are_reported_with_their_lines() {
    assert_snapshot!(rejected(
        r#"
[models."sim/large"]
prices = [
    { from = "2027-01-01", input_price = 1 },
    { from = "2027-01-01", input_price = 2 },
    { from = "2026-12-31", input_price = -3 },
    { from = 2027-02-01 },
]"#,
    ), @r#"
    error: the prices change twice on 2027-01-01
     --> pointsman.toml:5:14
      |
    5 |     { from = "2027-01-01", input_price = 2 },
      |              ^^^^^^^^^^^^
      = hint: state all prices of a date in one entry

    error: the prices are not in ascending order of `from`
     --> pointsman.toml:6:14
      |
    6 |     { from = "2026-12-31", input_price = -3 },
      |              ^^^^^^^^^^^^
      = hint: move this entry before the one of 2027-01-01

    error: -3 is not a price
     --> pointsman.toml:6:42
      |
    6 |     { from = "2026-12-31", input_price = -3 },
      |                                          ^^
      = hint: prices are US dollars per million tokens

    error: no price changes on 2027-02-01
     --> pointsman.toml:7:14
      |
    7 |     { from = 2027-02-01 },
      |              ^^^^^^^^^^
      = hint: state the new prices, such as `input_price` and `output_price`

    4 errors in pointsman.toml
    "#);
    for (entry, message) in [
        ("from = \"2027-02-30\", input_price = 1", "expected a date such as \"2027-01-01\""),
        ("from = 2027-01-01T00:00:00Z, input_price = 1", "expected a date such as \"2027-01-01\""),
        ("input_price = 1", "missing key `from`"),
        ("from = \"2027-01-01\", input = 1", "unknown key `input`"),
    ] {
        let error = rejected(&format!("[models.\"sim/large\"]\nprices = [{{ {entry} }}]"));
        assert!(error.contains(message) && error.contains("pointsman.toml:2:"), "{error}");
    }
}
