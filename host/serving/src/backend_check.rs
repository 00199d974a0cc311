//! Check of the backends of a configuration: whether each can be reached, takes its key, and has its models.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream;
use pointsman_backends::{Backend, InvalidBackend, ModelList};
use pointsman_config::{self as config, Config, ModelListContent};
use pointsman_domain::ids::{BackendName, ModelId};
use pointsman_domain::names::nearest_name;
use pointsman_wire::provider::ProviderDialect;

pub use pointsman_backends::{ConnectCause, ModelListError, WrongAddress};

/// Most backends that are checked at a time.
const AT_A_TIME: usize = 16;
/// Most names that are suggested for one that is not listed.
const SUGGESTIONS: usize = 3;
/// Digits of a date at the end of a model's name.
const DATE_DIGITS: usize = 8;

/// Check of one backend.
#[derive(Debug)]
pub struct BackendCheck {
    /// Its name.
    pub name: BackendName,
    /// Protocol of its API; `None` for a simulated fleet.
    pub dialect: Option<ProviderDialect>,
    /// Result.
    pub result: CheckResult,
    /// Time that the check took; `None` if nothing was sent.
    pub latency: Option<Duration>,
    /// Its models, in the order of the configuration.
    pub models: Vec<ModelCheck>,
}

/// Result of the check of a backend.
#[derive(Debug)]
pub enum CheckResult {
    /// It lists models.
    Listed,
    /// It is a simulated fleet, which runs in this process.
    Simulated,
    /// It cannot be probed: its address is that of one deployment, which has no list of models.
    OneDeployment,
    /// The list of models cannot be read.
    Failed(ModelListError),
    /// The backend cannot be set up.
    Invalid(InvalidBackend),
}

/// A configured model, compared with its backend's list.
#[derive(Debug)]
pub struct ModelCheck {
    /// Its id.
    pub id: ModelId,
    /// Name by which the backend should know it.
    pub upstream_name: String,
    /// Result.
    pub result: ModelResult,
}

/// Result of the comparison of a model with the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelResult {
    /// It is listed, or simulated.
    Listed,
    /// It is not listed. These names are similar.
    Absent(Vec<String>),
    /// There is no list, or one that need not have it.
    Unknown,
}

impl BackendCheck {
    /// Returns whether nothing is wrong as far as the check can see.
    pub fn is_ok(&self) -> bool {
        let is_reached = match &self.result {
            CheckResult::Listed | CheckResult::Simulated | CheckResult::OneDeployment => true,
            CheckResult::Failed(error) => *error == ModelListError::NoList,
            CheckResult::Invalid(_) => false,
        };
        is_reached && !self.models.iter().any(|model| matches!(model.result, ModelResult::Absent(_)))
    }
}

/// Checks all backends, several at a time. Each gets a time limit of its own.
pub async fn check(config: &Config, timeout: Duration) -> Vec<BackendCheck> {
    let checks = config.backends.iter().map(|backend| check_one(config, backend, timeout));
    stream::iter(checks).buffered(AT_A_TIME).collect().await
}

async fn check_one(config: &Config, backend: &config::Backend, timeout: Duration) -> BackendCheck {
    let started = Instant::now();
    let connected = Backend::new(backend.transport.clone(), backend.dialect);
    let (result, list) = match connected {
        Err(reason) => (CheckResult::Invalid(reason), None),
        Ok(_) if backend.model_list == ModelListContent::Nothing => (CheckResult::OneDeployment, None),
        Ok(connected) => match connected.list_models(timeout).await {
            Ok(None) => (CheckResult::Simulated, None),
            Ok(Some(list)) => (CheckResult::Listed, Some(list)),
            Err(error) => (CheckResult::Failed(error), None),
        },
    };
    let is_sent = matches!(result, CheckResult::Listed | CheckResult::Failed(_));
    let is_simulated = matches!(result, CheckResult::Simulated);
    let models = config.models.iter().filter(|model| model.backend == backend.name);
    let models = models.map(|model| ModelCheck {
        id: model.id.clone(),
        upstream_name: model.upstream_name.clone(),
        result: match &list {
            Some(list) if backend.model_list == ModelListContent::Models => {
                compare(&model.upstream_name, list, backend.dialect)
            }
            None if is_simulated => ModelResult::Listed,
            _ => ModelResult::Unknown,
        },
    });
    BackendCheck {
        name: backend.name.clone(),
        dialect: (!is_simulated).then_some(backend.dialect),
        latency: is_sent.then(|| started.elapsed()),
        models: models.collect(),
        result,
    }
}

/// Looks for a model in a list.
fn compare(name: &str, list: &ModelList, dialect: ProviderDialect) -> ModelResult {
    if list.names.iter().any(|listed| is_same(name, listed, dialect)) {
        return ModelResult::Listed;
    }
    match list.is_complete {
        true => ModelResult::Absent(similar_names(name, &list.names)),
        false => ModelResult::Unknown,
    }
}

/// Returns whether a configured name stands for a listed model: the same name, one without the tag `:latest` or
/// with the tag of a variant, or for Anthropic one without the date of its version.
fn is_same(name: &str, listed: &str, dialect: ProviderDialect) -> bool {
    let (untagged, tag) = name.rsplit_once(':').unwrap_or((name, ""));
    let is_version = |stem: &str| {
        let date = listed.strip_prefix(stem).and_then(|rest| rest.strip_prefix('-'));
        date.is_some_and(|date| date.len() == DATE_DIGITS && date.bytes().all(|digit| digit.is_ascii_digit()))
    };
    listed == name
        || (!tag.is_empty() && listed == untagged)
        || listed.strip_suffix(":latest") == Some(name)
        || (dialect == ProviderDialect::Anthropic
            && is_version(name.strip_suffix("-latest").or_else(|| name.strip_suffix("-0")).unwrap_or(name)))
}

/// Returns the listed names that are most similar to one, best first: those with few edits, or else those with
/// the longest common beginning.
fn similar_names(name: &str, listed: &[String]) -> Vec<String> {
    let mut left: Vec<&str> = listed.iter().map(String::as_str).collect();
    let mut similar = Vec::new();
    while similar.len() < SUGGESTIONS
        && let Some(nearest) = nearest_name(name, left.iter().copied())
    {
        left.retain(|other| *other != nearest);
        similar.push(nearest.to_owned());
    }
    if similar.is_empty() {
        let common = |other: &str| name.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
        left.retain(|other| common(other) * 2 >= name.len());
        left.sort_by_key(|other| (usize::MAX - common(other), *other));
        similar.extend(left.into_iter().take(SUGGESTIONS).map(str::to_owned));
    }
    similar
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(name: &str, listed: &[&str], dialect: ProviderDialect) -> ModelResult {
        let names = listed.iter().map(|name| (*name).to_owned()).collect();
        compare(name, &ModelList { names, is_complete: true }, dialect)
    }

    #[test]
    fn a_name_stands_for_the_listed_model_that_the_api_would_call() {
        let openai = ProviderDialect::OpenAi;
        for (name, listed) in [
            ("gpt-4o", "gpt-4o"),
            ("llama3.2", "llama3.2:latest"),
            ("meta/llama-3:free", "meta/llama-3"),
            ("qwen3:8b", "qwen3:8b"),
        ] {
            assert_eq!(compared(name, &[listed], openai), ModelResult::Listed, "{name}");
        }
        for (name, listed) in
            [("gpt-4", "gpt-4o"), ("qwen3:8b", "qwen3:4b"), ("claude-x", "claude-x-20250101")]
        {
            assert!(matches!(compared(name, &[listed], openai), ModelResult::Absent(_)), "{name}");
        }
        for name in ["claude-x", "claude-x-latest", "claude-x-20250101"] {
            let result = compared(name, &["claude-x-20250101"], ProviderDialect::Anthropic);
            assert_eq!(result, ModelResult::Listed, "{name}");
        }
    }

    #[test]
    fn an_absent_model_comes_with_the_most_similar_names() {
        let listed = ["gpt-4o-mini", "gpt-4o", "whisper-1", "gpt-4.1", "gpt-4.1-mini", "gpt-4.1-nano"];
        let absent =
            |names: &[&str]| ModelResult::Absent(names.iter().map(|name| (*name).to_owned()).collect());
        let openai = ProviderDialect::OpenAi;
        let near = absent(&["gpt-4o-mini", "gpt-4.1-mini"]);
        assert_eq!(compared("gpt-4o-mimi", &listed, openai), near);
        let of_family = absent(&["gpt-4.1-mini", "gpt-4.1-nano", "gpt-4.1"]);
        assert_eq!(compared("gpt-4.1-large", &listed, openai), of_family);
        assert_eq!(compared("zzz", &listed, openai), absent(&[]));
        let partial = ModelList { names: vec!["a".to_owned()], is_complete: false };
        assert_eq!(compare("b", &partial, openai), ModelResult::Unknown);
    }
}
