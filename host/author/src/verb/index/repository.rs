//! Policies of a repository in an OCI registry: those of all its tags, or of one.

use pointsman_domain::ids::Digest;
use pointsman_supply::{
    FetchSpec, FetchedPolicy, Fetcher, ListSpec, ListedTag, Reference, ReferenceVersion, Source, SupplyError,
    list,
};
use pointsman_terminal::{CommandError, Progress};

use super::entry::{MAX_POLICIES, SourcePolicy};
use crate::Toolbox;
use crate::registry::{self, Connection, RegistryArgs};

/// An artifact, with the tags that refer to it.
#[derive(Debug, PartialEq, Eq)]
struct TaggedArtifact {
    reference: Reference,
    tags: Vec<String>,
}

/// The policies of a repository, before they are fetched.
pub(super) struct RepositoryPolicies {
    artifacts: Vec<TaggedArtifact>,
    connection: Connection,
    fetcher: Fetcher,
}

impl RepositoryPolicies {
    /// Finds the artifacts of a repository, or the one that a reference names.
    ///
    /// # Errors
    /// Fails with exit status 2 if the text is no reference or something that the arguments name is not there,
    /// and 1 if the registry cannot be read or has no tag.
    pub(super) fn find(text: &str, args: &RegistryArgs, toolbox: &Toolbox) -> Result<Self, CommandError> {
        let repository = Reference::parse_repository(text);
        let reference = match &repository {
            Ok(reference) => reference.clone(),
            Err(_) => registry::reference(text)?,
        };
        let connection = args.connection(&reference, toolbox)?;
        let artifacts = if repository.is_ok() {
            let listed = {
                let _progress = Progress::step(&format!("listing {text}"));
                let spec = ListSpec {
                    limit: MAX_POLICIES,
                    access: connection.access.clone(),
                    ..ListSpec::new(reference.clone())
                };
                registry::wait(list(&spec))
                    .and_then(|listed| listed)
                    .map_err(|error| connection.error(&error))?
            };
            by_artifact(&reference, listed)
        } else {
            vec![TaggedArtifact { reference, tags: Vec::new() }]
        };
        if artifacts.is_empty() {
            return Err(CommandError::Run(format!(
                "error: {text} has no tag\n  = hint: publish a policy with `pointsman policy push`"
            )));
        }
        Ok(Self { artifacts, connection, fetcher: Fetcher::new() })
    }

    /// Fetches the policies one after the other. What cannot be fetched has the reason.
    pub(super) fn fetch_each(&self) -> impl Iterator<Item = SourcePolicy> {
        self.artifacts.iter().map(|artifact| self.fetch(artifact))
    }

    fn fetch(&self, artifact: &TaggedArtifact) -> SourcePolicy {
        let fetched = self.fetched(&artifact.reference);
        let name = match artifact.tags.first() {
            Some(tag) => artifact.reference.with_version(ReferenceVersion::Tag(tag.clone())).to_string(),
            None => artifact.reference.to_string(),
        };
        let (bytes, signature) = match fetched {
            Ok(policy) => (Ok(policy.bytes), policy.signature),
            Err(reason) => (Err(reason), None),
        };
        let signature = signature.map(|text| String::from_utf8_lossy(&text).into_owned());
        SourcePolicy { name, tags: artifact.tags.clone(), bytes, signature }
    }

    fn fetched(&self, reference: &Reference) -> Result<FetchedPolicy, String> {
        let text = reference.to_string();
        let source = Source::parse(&text, None).map_err(|error| error.to_string())?;
        let _progress = Progress::step(&format!("fetching {text}"));
        let spec = FetchSpec { access: self.connection.access.clone(), ..FetchSpec::new(source) };
        let fetched = registry::wait(self.fetcher.fetch(&spec)).and_then(|fetched| fetched);
        // The bytes of a policy are not needed after its entry is made.
        self.fetcher.retain(&[]);
        fetched.map_err(|error: SupplyError| error.to_string())
    }
}

/// Groups tags by the artifact that they refer to, which is read once.
fn by_artifact(repository: &Reference, listed: Vec<ListedTag>) -> Vec<TaggedArtifact> {
    let mut artifacts: Vec<(Option<Digest>, TaggedArtifact)> = Vec::new();
    for ListedTag { tag, manifest } in listed {
        let known = artifacts.iter_mut().find(|(digest, _)| digest.is_some() && *digest == manifest);
        if let Some((_, artifact)) = known {
            artifact.tags.push(tag);
            continue;
        }
        // The digest stays the same if the tag moves meanwhile.
        let version = manifest.map_or_else(|| ReferenceVersion::Tag(tag.clone()), ReferenceVersion::Digest);
        let reference = repository.with_version(version);
        artifacts.push((manifest, TaggedArtifact { reference, tags: vec![tag] }));
    }
    artifacts.into_iter().map(|(_, artifact)| artifact).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_the_same_artifact_are_one_policy() {
        let repository = Reference::parse_repository("oci://ghcr.io/acme/router").unwrap();
        let digest = |digit: char| Some(digit.to_string().repeat(64).parse::<Digest>().unwrap());
        let listed = |tag: &str, manifest| ListedTag { tag: tag.to_owned(), manifest };
        let artifacts = by_artifact(
            &repository,
            vec![
                listed("1.0.0", digest('a')),
                listed("1.1.0", digest('b')),
                listed("stable", digest('a')),
                listed("x", None),
                listed("y", None),
            ],
        );
        let tags: Vec<Vec<String>> = artifacts.iter().map(|it| it.tags.clone()).collect();
        assert_eq!(tags, [vec!["1.0.0", "stable"], vec!["1.1.0"], vec!["x"], vec!["y"]]);
        assert!(artifacts[0].reference.to_string().ends_with(&format!("@sha256:{}", "a".repeat(64))));
        assert!(artifacts[2].reference.to_string().ends_with("router:x"));
    }
}
