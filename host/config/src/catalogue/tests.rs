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
fn an_embedding_model_is_not_called_for_chat() {
    assert_eq!(lookup("openai/text-embedding-3-small").unwrap().operations, [Operation::Embedding]);
}

#[test]
fn a_speech_model_transcribes() {
    let facts = lookup("groq/whisper-large-v3").unwrap();
    assert_eq!((facts.operations, facts.inputs), (vec![Operation::Transcription], Modalities::AUDIO));
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
        assert!((7..=10).contains(&line.matches('\t').count()), "{line}");
        let facts = facts(line).unwrap();
        assert!(!facts.inputs.is_empty(), "{line}");
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
