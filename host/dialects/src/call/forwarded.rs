//! Calls of operations other than chat. Only providers with OpenAI's API have them all.

use std::sync::Arc;

use bytes::Bytes;
use pointsman_wire::CallBody;
use pointsman_wire::provider::ProviderDialect;

use super::{CallTarget, TargetBody, Untranslatable};
use crate::answer::{AnswerFormat, VectorTranslation};
use crate::form::Losses;
use crate::forwarded::{ForwardedApi, ForwardedRequest};
use crate::gemini;
use crate::protocol::Protocol;

impl CallTarget<'_> {
    /// Returns the body of a client's request.
    pub(super) fn forwarded_body(&self, request: &ForwardedRequest) -> Result<TargetBody, Untranslatable> {
        let ForwardedRequest { api, streaming, input_tokens, .. } = *request;
        match request.json() {
            Some(body) if self.translates_vectors(api) => self.vectors_body(body, input_tokens),
            _ => self.unchanged_body(api, streaming, request.body_for(self.upstream_name)),
        }
    }

    /// Returns the body of a task.
    pub(super) fn forwarded_task_body(
        &self,
        api: ForwardedApi,
        body: Vec<Bytes>,
        input_tokens: u32,
    ) -> Result<TargetBody, Untranslatable> {
        match self.translates_vectors(api) {
            true => self.vectors_body(&body.concat(), input_tokens),
            false => self.unchanged_body(api, false, body.into()),
        }
    }

    fn translates_vectors(&self, api: ForwardedApi) -> bool {
        api == ForwardedApi::Embeddings && self.dialect == ProviderDialect::Gemini
    }

    fn unchanged_body(
        &self,
        api: ForwardedApi,
        streaming: bool,
        body: CallBody,
    ) -> Result<TargetBody, Untranslatable> {
        match self.dialect {
            ProviderDialect::OpenAi | ProviderDialect::Azure => {
                Ok(TargetBody::unchanged(Protocol::Forwarded(api), streaming, body))
            }
            ProviderDialect::Anthropic | ProviderDialect::Gemini => {
                Err(Untranslatable::Operation(api.name()))
            }
        }
    }

    fn vectors_body(&self, body: &[u8], input_tokens: u32) -> Result<TargetBody, Untranslatable> {
        let mut losses = Losses::default();
        let call = gemini::embedding::render_request(body, self.upstream_name, &mut losses)
            .map_err(Untranslatable::Invalid)?;
        if let Some(member) = losses.first_binding().filter(|_| !self.drop_untranslatable) {
            return Err(Untranslatable::Member(member.to_owned()));
        }
        let body = call.body.clone().into();
        let translation = VectorTranslation { call, model: self.upstream_name.to_owned(), input_tokens };
        Ok(TargetBody {
            protocol: Protocol::Forwarded(ForwardedApi::Embeddings),
            streaming: false,
            body,
            dropped: losses.iter().map(|loss| loss.member.clone()).collect(),
            format: AnswerFormat::of_vectors(Arc::new(translation)),
        })
    }
}
