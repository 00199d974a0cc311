//! OpenAI's chat completions and legacy completions over the recorded calls.

mod answers;
mod completions;
mod errors;
mod facts;
mod pairs;
mod requests;
mod streams;
