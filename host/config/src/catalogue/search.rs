//! Search in the ids of models.

use std::cmp::Reverse;

use super::provider_of;

/// Providers that serve models of their own. Their entries come before those of resellers.
const MAKERS: [&str; 17] = [
    "alibaba",
    "anthropic",
    "cohere",
    "deepseek",
    "google",
    "inception",
    "llama",
    "minimax",
    "mistral",
    "moonshotai",
    "openai",
    "perplexity",
    "stepfun",
    "upstage",
    "xai",
    "xiaomi",
    "zai",
];

/// Returns the ids of a list that contain all of the words, whatever the case: those first in which the words are
/// whole parts of the name, then those of the makers of models, then the shortest.
pub fn search<'i>(words: &[&str], ids: &[&'i str]) -> Vec<&'i str> {
    let words: Vec<String> =
        words.iter().flat_map(|words| words.split_whitespace()).map(str::to_ascii_lowercase).collect();
    let ranked = ids.iter().filter_map(|id| Some((rank(id, &words)?, *id)));
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort();
    ranked.into_iter().map(|(_, id)| id).collect()
}

/// Order of an id among the results, the best first.
type Rank = (Reverse<u32>, bool, usize);

fn rank(id: &str, words: &[String]) -> Option<Rank> {
    let lower = id.to_ascii_lowercase();
    let (_, model) = lower.split_once('/').unwrap_or(("", &lower));
    let fits = words.iter().map(|word| fit(&lower, model, word));
    let fit = fits.sum::<Option<u32>>()?;
    Some((Reverse(fit), !MAKERS.contains(&provider_of(id)), id.len()))
}

/// Returns how well a word fits an id: 3 if it is the name, 2 if it is whole parts of it, 1 if it is
/// anywhere in it.
fn fit(id: &str, model: &str, word: &str) -> Option<u32> {
    if word == model || word == id {
        return Some(3);
    }
    let is_end = |neighbour: Option<char>| neighbour.is_none_or(|other| !other.is_alphanumeric());
    let mut found = None;
    for (start, part) in id.match_indices(word) {
        let before = id.get(..start).and_then(|text| text.chars().next_back());
        let after = id.get(start + part.len()..).and_then(|text| text.chars().next());
        let whole = is_end(before) && is_end(after);
        found = found.max(Some(if whole { 2 } else { 1 }));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::{id_of, lines};
    use super::*;

    fn search_all(words: &[&str]) -> Vec<&'static str> {
        let ids: Vec<&str> = lines().map(id_of).collect();
        search(words, &ids)
    }

    #[test]
    fn the_model_of_that_name_comes_first_and_its_maker_before_resellers() {
        let found = search_all(&["GPT-4o"]);
        assert_eq!(found[0], "openai/gpt-4o");
        assert!(found.len() > 20);
        assert!(found.iter().all(|id| id.to_ascii_lowercase().contains("gpt-4o")));
        let reseller = found.iter().position(|id| *id == "302ai/gpt-4o").unwrap();
        let longer = found.iter().position(|id| *id == "openai/gpt-4o-mini").unwrap();
        assert!(reseller < longer, "a whole name is better than a part of one");
    }

    #[test]
    fn all_words_have_to_be_there_in_any_order() {
        let found = search_all(&["sonnet anthropic", "4-5"]);
        assert!(found[0].starts_with("anthropic/claude-sonnet-4-5"), "{found:?}");
        assert!(search_all(&["sonnet", "no-such-word"]).is_empty());
    }
}
