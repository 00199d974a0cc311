//! OpenAI's Responses API.

mod answers;
mod independent;
mod pairs;
mod requests;
mod streams;
