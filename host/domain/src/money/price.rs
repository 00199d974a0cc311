use super::{PER_USD_PER_MILLION, Picodollars};
use crate::usage::Usage;

/// Prices of one model, for one token of each kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Price {
    /// Price of an input token.
    pub input: Picodollars,
    /// Price of an output token.
    pub output: Picodollars,
    /// Price of an input token that is read from the provider's cache; `None` is that of
    /// any other input token.
    pub cached_input: Option<Picodollars>,
    /// Price of an input token that is written to the provider's cache; `None` is that of
    /// any other input token.
    pub cache_write: Option<Picodollars>,
    /// Price of an input token that is written to the provider's cache for an hour; `None` is
    /// [`cache_write`](Self::cache_write).
    pub cache_write_1h: Option<Picodollars>,
    /// Price of an output token that is reasoning; `None` is that of any other output
    /// token.
    pub reasoning: Option<Picodollars>,
    /// Price of an input token of audio; `None` is that of any other input token.
    pub audio_input: Option<Picodollars>,
    /// Price of an output token of audio; `None` is that of any other output token.
    pub audio_output: Option<Picodollars>,
    /// Price of an input token of an image; `None` is that of any other input token.
    pub image_input: Option<Picodollars>,
    /// Price of an output token of an image; `None` is that of any other output token.
    pub image_output: Option<Picodollars>,
    /// Prices of calls with long inputs, in ascending order of the length.
    pub tiers: Vec<PriceTier>,
}

/// Prices of calls with a long input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceTier {
    /// Input tokens above which the whole call has these prices.
    pub above: u64,
    /// The prices. They have no tiers of their own.
    pub price: Price,
}

impl Price {
    /// Returns a price without special kinds of tokens, from US dollars per million tokens.
    pub fn per_million(input_usd: f64, output_usd: f64) -> Self {
        Self {
            input: Picodollars::per_million(input_usd),
            output: Picodollars::per_million(output_usd),
            ..Self::default()
        }
    }

    /// Returns US dollars per million input tokens, without the tiers.
    pub fn input_per_million(&self) -> f64 {
        self.input.get() as f64 / PER_USD_PER_MILLION
    }

    /// Returns US dollars per million output tokens, without the tiers.
    pub fn output_per_million(&self) -> f64 {
        self.output.get() as f64 / PER_USD_PER_MILLION
    }

    /// Returns the prices of a call with this many input tokens: those of the highest tier that it
    /// reaches.
    pub fn at(&self, input_tokens: u64) -> &Self {
        let tier = self.tiers.iter().rev().find(|tier| input_tokens > tier.above);
        tier.map_or(self, |tier| &tier.price)
    }

    /// Returns the cost of a call with this many tokens, none of them of a special kind.
    pub fn of(&self, input_tokens: u64, output_tokens: u64) -> Picodollars {
        let price = self.at(input_tokens);
        price.input.times(input_tokens) + price.output.times(output_tokens)
    }

    /// Returns the cost of a call: each kind of token at its own price. A token of two kinds has the
    /// price of the first one in the order of cache, audio, image, and of reasoning, audio, image.
    pub fn charge(&self, usage: &Usage) -> Picodollars {
        let price = self.at(usage.input_tokens);
        let write = price.cache_write;
        let mut input = Tokens { left: usage.input_tokens, price: price.input, cost: Picodollars::ZERO };
        input.charge(usage.cached_input_tokens, price.cached_input);
        let written_1h = usage.cache_write_1h_tokens.min(usage.cache_write_tokens);
        input.charge(written_1h, price.cache_write_1h.or(write));
        input.charge(usage.cache_write_tokens - written_1h, write);
        input.charge(usage.audio_input_tokens, price.audio_input);
        input.charge(usage.image_input_tokens, price.image_input);
        let mut output = Tokens { left: usage.output_tokens, price: price.output, cost: Picodollars::ZERO };
        output.charge(usage.reasoning_tokens, price.reasoning);
        output.charge(usage.audio_output_tokens, price.audio_output);
        output.charge(usage.image_output_tokens, price.image_output);
        input.total() + output.total()
    }
}

/// Tokens of one direction that are charged kind by kind.
struct Tokens {
    /// Tokens that have not been charged yet.
    left: u64,
    /// Price of a token of no special kind.
    price: Picodollars,
    cost: Picodollars,
}

impl Tokens {
    /// Charges tokens of a kind, at most those that are left.
    fn charge(&mut self, tokens: u64, price: Option<Picodollars>) {
        let tokens = tokens.min(self.left);
        self.left -= tokens;
        self.cost += price.unwrap_or(self.price).times(tokens);
    }

    /// Returns the cost, with that of the tokens that are left.
    fn total(self) -> Picodollars {
        self.cost + self.price.times(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(cost: f64) -> Picodollars {
        Picodollars::from_usd(cost)
    }

    fn per_million(usd: f64) -> Option<Picodollars> {
        Some(Picodollars::per_million(usd))
    }

    #[test]
    fn tokens_of_special_kinds_cost_their_own_price_or_that_of_the_others() {
        let usage = Usage {
            cached_input_tokens: 900,
            cache_write_tokens: 40,
            cache_write_1h_tokens: 10,
            audio_input_tokens: 8,
            image_input_tokens: 2,
            reasoning_tokens: 30,
            audio_output_tokens: 5,
            image_output_tokens: 3,
            ..Usage::counted(1_000, 50)
        };
        let plain = Price::per_million(1.0, 10.0);
        assert_eq!(plain.charge(&usage), plain.of(1_000, 50));
        let mut special = Price {
            cached_input: per_million(0.1),
            cache_write: per_million(2.0),
            reasoning: per_million(5.0),
            audio_input: per_million(30.0),
            audio_output: per_million(60.0),
            image_input: per_million(7.0),
            image_output: per_million(80.0),
            ..plain
        };
        let input = 50.0 * 1.0 + 900.0 * 0.1 + 40.0 * 2.0 + 8.0 * 30.0 + 2.0 * 7.0;
        let output = 12.0 * 10.0 + 30.0 * 5.0 + 5.0 * 60.0 + 3.0 * 80.0;
        assert_eq!(special.charge(&usage), usd((input + output) / 1e6));
        special.cache_write_1h = per_million(3.0);
        assert_eq!(special.charge(&usage), usd((input + output + 10.0) / 1e6));
    }

    #[test]
    fn kinds_of_tokens_never_cost_more_than_the_tokens_that_there_are() {
        let all = Usage {
            cached_input_tokens: u64::MAX,
            cache_write_tokens: u64::MAX,
            cache_write_1h_tokens: u64::MAX,
            audio_input_tokens: u64::MAX,
            image_input_tokens: u64::MAX,
            reasoning_tokens: u64::MAX,
            audio_output_tokens: u64::MAX,
            image_output_tokens: u64::MAX,
            ..Usage::counted(10, 10)
        };
        let price = Price::per_million(1.0, 1.0);
        assert_eq!(price.charge(&all), price.of(10, 10));
    }

    #[test]
    fn a_call_has_the_prices_of_the_highest_tier_that_its_input_reaches() {
        let tier = |above, input, output| PriceTier { above, price: Price::per_million(input, output) };
        let price = Price {
            cached_input: per_million(0.1),
            tiers: vec![tier(200_000, 2.0, 15.0), tier(500_000, 4.0, 20.0)],
            ..Price::per_million(1.0, 10.0)
        };
        assert_eq!(price.of(200_000, 1_000), usd(0.21));
        assert_eq!(price.of(200_001, 0), usd(0.400_002));
        assert_eq!(price.of(1_000_000, 1_000), usd(4.02));
        let cached = Usage { cached_input_tokens: 100_000, ..Usage::counted(300_000, 0) };
        assert_eq!(price.charge(&cached), usd(0.6), "a tier has its own price of cached tokens, or none");
        assert!((price.input_per_million() - 1.0).abs() < 1e-9);
    }
}
