//! OpenAI's Responses API.

mod answers;
mod independent;
mod requests;
mod streams;
