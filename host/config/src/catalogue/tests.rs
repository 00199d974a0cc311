use super::*;

#[test]
fn a_known_model_has_its_list_price_and_limits() {
    let facts = lookup("openai/gpt-4o").unwrap();
    let cached_input = Some(Picodollars::per_million(1.25));
    assert_eq!(facts.price, Some(Price { cached_input, ..Price::per_million(2.5, 10.0) }));
    assert_eq!(facts.context_window, Some(128_000));
    assert_eq!(facts.max_output_tokens, Some(16_384));
    assert_eq!(facts.inputs, Modalities::TEXT | Modalities::IMAGE | Modalities::DOCUMENT);
    assert!(facts.abilities.contains(Abilities::TOOLS | Abilities::STRUCTURED_OUTPUT | Abilities::STREAMING));
    assert!(!facts.abilities.contains(Abilities::REASONING));
    assert_eq!(facts.operations, [Operation::Chat]);
}

#[test]
fn special_kinds_of_tokens_long_inputs_and_the_date_are_listed() {
    let per_million = |usd: f64| Some(Picodollars::per_million(usd));
    let price = lookup("anthropic/claude-sonnet-4-5").unwrap();
    assert_eq!(price.date, Some("2025-09-29"));
    let price = price.price.unwrap();
    assert_eq!((price.cached_input, price.cache_write), (per_million(0.3), per_million(3.75)));
    assert_eq!(price.cache_write_1h, per_million(6.0), "twice the price of the input");
    let audio = lookups().filter(|price| price.audio_input.is_some() && price.audio_output.is_some());
    assert!(audio.count() > 5);
    let tiered: Vec<Price> = lookups().filter(|price| !price.tiers.is_empty()).collect();
    assert!(tiered.len() > 100);
    assert!(tiered.iter().all(|price| price.tiers.iter().all(|tier| tier.above >= 1_000)));
    let dated = lines().filter(|line| facts(line).unwrap().date.is_some()).count();
    assert!(dated > 4_000, "{dated}");
}

fn lookups() -> impl Iterator<Item = Price> {
    lines().filter_map(|line| facts(line)?.price)
}

#[test]
fn an_embedding_model_is_not_called_for_chat() {
    assert_eq!(lookup("openai/text-embedding-3-small").unwrap().operations, [Operation::Embedding]);
}

#[test]
fn models_of_audio_images_and_moderation_have_their_operations_and_units() {
    let whisper = [Operation::Transcription, Operation::Translation].as_slice();
    let per_second = Some(ChargeUnit::Second);
    for (id, operations, unit) in [
        ("groq/whisper-large-v3", whisper, per_second),
        ("openai/whisper-1", whisper, per_second),
        ("openai/gpt-4o-transcribe", &[Operation::Transcription], None),
        ("openai/tts-1", &[Operation::Speech], Some(ChargeUnit::Character)),
        ("openai/gpt-4o-mini-tts", &[Operation::Speech], None),
        ("openai/gpt-image-1", &[Operation::Image], None),
        ("openai/omni-moderation-latest", &[Operation::Moderation], None),
    ] {
        let facts = lookup(id).unwrap_or_else(|| panic!("the catalogue has no {id}"));
        assert_eq!((facts.operations.as_slice(), facts.unit), (operations, unit), "{id}");
        assert_eq!(facts.price.is_none(), unit.is_some(), "{id}");
    }
    let image = lookup("openai/gpt-image-1").unwrap();
    let price = image.price.unwrap();
    assert_eq!(
        (price.image_input, price.image_output),
        (Some(Picodollars::per_million(10.0)), Some(price.output))
    );
    assert_eq!((image.source, image.date), (LITELLM, None));
}

#[test]
fn an_entry_may_have_changes_of_its_prices() {
    let line = format!("x/y\t\t\t1\t2\tt\t\tc{}\t2027-01-01:0.5:1:0.1;2027-02-01:3:4", "\t".repeat(12));
    let schedule = facts(line.leak()).unwrap().price_schedule();
    assert_eq!(schedule.initial, Some(Price::per_million(1.0, 2.0)));
    let cached_input = Some(Picodollars::per_million(0.1));
    let changes: Vec<(String, Price)> =
        schedule.changes.into_iter().map(|change| (change.from.to_string(), change.price)).collect();
    let first = Price { cached_input, ..Price::per_million(0.5, 1.0) };
    assert_eq!(changes[0], ("2027-01-01".to_owned(), first));
    assert_eq!(changes[1], ("2027-02-01".to_owned(), Price::per_million(3.0, 4.0)));
    assert_eq!(changes.len(), 2);
}

#[test]
fn an_unknown_model_has_no_facts() {
    assert_eq!(lookup("openai/gpt-4o "), None);
    assert_eq!(lookup("gpt-4o"), None);
    assert_eq!(lookup(""), None);
}

#[test]
fn every_line_can_be_read_and_is_there_once() {
    let mut count = 0;
    let mut last = "";
    for line in lines() {
        assert!((7..FIELDS).contains(&line.matches('\t').count()), "{line}");
        let facts = facts(line).unwrap();
        assert!(!facts.inputs.is_empty(), "{line}");
        let is_dated = facts.date.is_none_or(|date| (7..=10).contains(&date.len()) && date.starts_with("20"));
        assert!(is_dated, "{line}");
        let tiers = facts.price.clone().map(|price| price.tiers).unwrap_or_default();
        assert!(tiers.is_sorted_by(|one, next| one.above < next.above), "{line}");
        assert!(facts.price_changes.is_sorted_by(|one, next| one.from < next.from), "{line}");
        assert!(last < id_of(line), "{line} is out of order or there twice");
        last = id_of(line);
        count += 1;
    }
    assert!(count > 4_000, "{count}");
}

#[test]
fn the_catalogue_stays_small() {
    assert!(MODELS.len() < 500_000, "{} bytes", MODELS.len());
}

#[test]
fn the_models_of_a_provider_are_listed() {
    assert!(ids("openai").any(|id| id == "openai/gpt-4o-mini"));
    assert!(ids("openai").all(|id| id.starts_with("openai/")));
    assert_eq!(ids("nobody").count(), 0);
}
