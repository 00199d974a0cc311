//! Sources of an answer: grounding (of searches and documents) and recitation.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::form::Citation;

/// Bytes of text whose positions can be converted. Citations of later text have no range.
const MAX_TEXT: usize = 256 << 10;

/// Most citations of an answer.
const MAX_CITATIONS: usize = 1_000;

/// Citations of an answer, and its text, in whose bytes the API counts.
#[derive(Debug, Default)]
pub(super) struct CitationCollector {
    text: String,
    is_cut: bool,
    citations: Vec<ByteCitation>,
    sources: Vec<Source>,
    has_supports: bool,
}

/// Citation with a range in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ByteCitation {
    range: Option<(usize, usize)>,
    source: Source,
}

/// Source that an answer may cite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Source {
    uri: Option<String>,
    title: Option<String>,
    /// Text of a document.
    text: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GroundingMetadata {
    grounding_chunks: Vec<GroundingChunk>,
    grounding_supports: Vec<GroundingSupport>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GroundingChunk {
    web: Option<Source>,
    retrieved_context: Option<Source>,
    maps: Option<Source>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct GroundingSupport {
    segment: Option<Segment>,
    grounding_chunk_indices: Vec<usize>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Segment {
    start_index: usize,
    end_index: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct CitationMetadata {
    /// Name in the Gemini API.
    citation_sources: Vec<RecitedSource>,
    /// Name in Vertex AI.
    citations: Vec<RecitedSource>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RecitedSource {
    start_index: usize,
    end_index: Option<usize>,
    uri: Option<String>,
    title: Option<String>,
}

impl CitationCollector {
    /// Adds text of the answer, without reasoning.
    pub(super) fn add_text(&mut self, text: &str) {
        self.is_cut |= self.text.len() + text.len() > MAX_TEXT;
        if !self.is_cut {
            self.text.push_str(text);
        }
    }

    /// Adds a `groundingMetadata`. In a stream, supports may refer to the sources of an earlier one.
    pub(super) fn add_grounding(&mut self, metadata: &RawValue) {
        let Ok(metadata) = serde_json::from_str::<GroundingMetadata>(metadata.get()) else { return };
        if !metadata.grounding_chunks.is_empty() {
            self.sources = metadata.grounding_chunks.into_iter().map(GroundingChunk::into_source).collect();
        }
        for support in metadata.grounding_supports {
            self.has_supports = true;
            let range = support.segment.and_then(|segment| Some((segment.start_index, segment.end_index?)));
            for index in support.grounding_chunk_indices {
                if let Some(source) = self.sources.get(index).cloned() {
                    self.add(ByteCitation { range, source });
                }
            }
        }
    }

    /// Adds a `citationMetadata`.
    pub(super) fn add_recitation(&mut self, metadata: &RawValue) {
        let Ok(metadata) = serde_json::from_str::<CitationMetadata>(metadata.get()) else { return };
        for source in metadata.citation_sources.into_iter().chain(metadata.citations) {
            let RecitedSource { start_index, end_index, uri, title } = source;
            let range = end_index.map(|end| (start_index, end));
            self.add(ByteCitation { range, source: Source { uri, title, text: None } });
        }
    }

    fn add(&mut self, citation: ByteCitation) {
        if self.citations.len() < MAX_CITATIONS {
            self.citations.push(citation);
        }
    }

    /// Returns the citations, each once: the API repeats them within a stream. Sources that no text
    /// refers to count as cited by the whole answer.
    pub(super) fn finish(&mut self) -> Vec<Citation> {
        if !self.has_supports {
            for source in std::mem::take(&mut self.sources) {
                self.add(ByteCitation { range: None, source });
            }
        }
        let mut citations: Vec<ByteCitation> = Vec::new();
        let mut known = std::collections::HashSet::new();
        for citation in std::mem::take(&mut self.citations) {
            let ByteCitation { range, source } = &citation;
            if known.insert((*range, source.uri.clone(), source.title.clone(), source.text.clone())) {
                citations.push(citation);
            }
        }
        let positions = self.positions(&citations);
        let position = |byte: usize| {
            let at = positions.binary_search_by_key(&byte, |(byte, _)| *byte).ok()?;
            positions.get(at).map(|(_, position)| *position)
        };
        let range = |range: Option<(usize, usize)>| {
            let (start, end) = range?;
            Some((position(start)?, position(end)?)).filter(|(start, end)| start <= end)
        };
        let citation = |ByteCitation { range: bytes, source }: ByteCitation| Citation {
            cited_text: source.text,
            title: source.title,
            url: source.uri,
            answer_range: range(bytes),
            original: None,
        };
        citations.into_iter().map(citation).collect()
    }

    /// Returns the positions in characters that the ends of ranges have, in order. Ends that are
    /// not between two characters are left out.
    fn positions(&self, citations: &[ByteCitation]) -> Vec<(usize, u32)> {
        let ends = citations.iter().filter_map(|citation| citation.range);
        let mut ends: Vec<usize> = ends.flat_map(|(start, end)| [start, end]).collect();
        ends.sort_unstable();
        ends.dedup();
        let mut ends = ends.into_iter().peekable();
        let mut positions = Vec::new();
        let bytes = self.text.char_indices().map(|(byte, _)| byte).chain([self.text.len()]);
        for (position, byte) in (0u32..).zip(bytes) {
            while ends.next_if(|end| *end < byte).is_some() {}
            if ends.next_if_eq(&byte).is_some() {
                positions.push((byte, position));
            }
        }
        positions
    }
}

impl GroundingChunk {
    fn into_source(self) -> Source {
        self.web.or(self.retrieved_context).or(self.maps).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).expect("JSON")
    }

    type UrlAndRange = (Option<String>, Option<(u32, u32)>);

    fn citations(text: &str, grounding: &[&str]) -> Vec<UrlAndRange> {
        let mut collector = CitationCollector::default();
        collector.add_text(text);
        for metadata in grounding {
            collector.add_grounding(raw(metadata));
        }
        collector.finish().into_iter().map(|citation| (citation.url, citation.answer_range)).collect()
    }

    const SUPPORT: &str = r#"{"groundingChunks":[{"web":{"uri":"a","title":"A"}},{"web":{"uri":"b"}}],
        "groundingSupports":[{"segment":{"startIndex":3,"endIndex":5},"groundingChunkIndices":[1,0,7]}]}"#;

    #[test]
    fn ranges_are_in_characters() {
        let expected = [(Some("b".to_owned()), Some((2, 3))), (Some("a".to_owned()), Some((2, 3)))];
        assert_eq!(citations("aéüz", &[SUPPORT]), expected);
    }

    #[test]
    fn a_repeated_citation_is_returned_once() {
        assert_eq!(citations("aéüz", &[SUPPORT, SUPPORT]).len(), 2);
    }

    #[test]
    fn a_range_that_does_not_fit_the_text_is_left_out() {
        assert_eq!(citations("a", &[SUPPORT])[0], (Some("b".into()), None));
        assert_eq!(citations("€€€", &[SUPPORT])[0], (Some("b".into()), None));
    }

    #[test]
    fn sources_without_supports_are_cited_by_the_whole_answer() {
        let sources = r#"{"groundingChunks":[{"retrievedContext":{"uri":"d","text":"t"}}]}"#;
        assert_eq!(citations("x", &[sources]), [(Some("d".into()), None)]);
    }

    #[test]
    fn recited_sources_are_citations() {
        let mut collector = CitationCollector::default();
        collector.add_text("abcdef");
        collector.add_recitation(raw(r#"{"citationSources":[{"startIndex":1,"endIndex":3,"uri":"a"}]}"#));
        collector.add_recitation(raw(r#"{"citations":[{"endIndex":2,"title":"T"}]}"#));
        let ranges: Vec<_> = collector.finish().into_iter().map(|citation| citation.answer_range).collect();
        assert_eq!(ranges, [Some((1, 3)), Some((0, 2))]);
    }
}
