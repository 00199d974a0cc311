//! Google's Gemini API over the recorded calls.

mod answers;
mod embeddings;
mod errors;
mod pairs;
mod request_form;
mod requests;
