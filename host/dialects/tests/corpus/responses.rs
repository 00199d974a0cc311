//! OpenAI's Responses API.

mod requests;
