//! Manifests of policies, and indexes of manifests.

use std::collections::BTreeMap;

use pointsman_domain::ids::Digest;
use serde::Deserialize;

/// Media types to request: the accepted layout first, then others, which are requested so that an
/// error can name them.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";
/// Media type of a manifest.
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// Media types of a policy's layer: that of `wkg`, and that of the older convention for proxy filters.
/// The config and other layers do not matter, because the policy has a digest of its own, and the
/// load gate checks its content.
pub(super) const LAYER_TYPES: [&str; 2] = ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm"];
/// Annotation with the text of a signature over the policy.
pub const SIGNATURE_ANNOTATION: &str = "dev.pointsman.policy.minisig";

/// The contents of a manifest that matter for a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyManifest {
    /// SHA-256 of the policy's bytes.
    pub(crate) policy: Digest,
    /// Size of the policy in bytes.
    pub(crate) size: usize,
    /// Signature over the policy's bytes.
    pub(crate) signature: Option<String>,
}

/// The document that a reference leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ManifestOrIndex {
    /// A manifest of a policy.
    Manifest(PolicyManifest),
    /// An index of one manifest, with the digest of that.
    Index(Digest),
}

#[derive(Deserialize)]
struct RawDocument {
    #[serde(default)]
    layers: Vec<Descriptor>,
    /// Present only in an index.
    manifests: Option<Vec<IndexEntry>>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Descriptor {
    #[serde(rename = "mediaType")]
    media_type: String,
    digest: String,
    size: usize,
}

/// A manifest that an index lists.
#[derive(Deserialize)]
struct IndexEntry {
    digest: String,
    #[serde(default)]
    platform: Platform,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Platform {
    os: String,
}

impl ManifestOrIndex {
    /// Parses a manifest or an index.
    ///
    /// # Errors
    /// Fails with the reason for which the document does not lead to a policy.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        let raw: RawDocument =
            serde_json::from_slice(json).map_err(|error| format!("its manifest cannot be read: {error}"))?;
        let Some(mut manifests) = raw.manifests else { return PolicyManifest::new(raw).map(Self::Manifest) };
        // Builders add attestations about an image, with an unknown operating system.
        manifests.retain(|entry| entry.platform.os != "unknown");
        match manifests.as_slice() {
            [only] => parse_digest("manifest", &only.digest).map(Self::Index),
            several => Err(format!("it is an index of {} images, not of one", several.len())),
        }
    }
}

impl PolicyManifest {
    fn new(mut raw: RawDocument) -> Result<Self, String> {
        let is_policy = |layer: &&Descriptor| LAYER_TYPES.contains(&layer.media_type.as_str());
        let policies: Vec<&Descriptor> = raw.layers.iter().filter(is_policy).collect();
        let [layer] = policies[..] else {
            let found: Vec<&str> = raw.layers.iter().map(|layer| layer.media_type.as_str()).collect();
            let count = policies.len();
            let wasm = LAYER_TYPES[0];
            return Err(format!(
                "it has {count} layers of type {wasm}, not one; its layers are of types {found:?}"
            ));
        };
        let (policy, size) = (parse_digest("layer", &layer.digest)?, layer.size);
        Ok(Self { policy, size, signature: raw.annotations.remove(SIGNATURE_ANNOTATION) })
    }
}

fn parse_digest(what: &str, digest: &str) -> Result<Digest, String> {
    let sha256 = digest.strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
    sha256.ok_or_else(|| format!("its {what} has the digest {digest:?}, which is not a SHA-256"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const CONFIG: &str = "application/vnd.wasm.config.v0+json";

    fn descriptor(media_type: &str, byte: &str, size: usize) -> Value {
        json!({ "mediaType": media_type, "digest": format!("sha256:{}", byte.repeat(32)), "size": size })
    }

    fn manifest() -> Value {
        json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": descriptor(CONFIG, "cc", 300),
            "layers": [descriptor(LAYER_TYPES[0], "ab", 1234)],
        })
    }

    fn parse(change: impl FnOnce(&mut Value)) -> Result<ManifestOrIndex, String> {
        let mut changed = manifest();
        change(&mut changed);
        ManifestOrIndex::parse(changed.to_string().as_bytes())
    }

    #[test]
    fn the_policy_is_the_only_layer_of_wasm_beside_any_others() {
        let expected = PolicyManifest { policy: Digest::new([0xab; 32]), size: 1234, signature: None };
        let found = Ok(ManifestOrIndex::Manifest(expected.clone()));
        let readme = descriptor("text/markdown", "ee", 4);
        assert_eq!(parse(|_| {}), found);
        assert_eq!(parse(|json| json["layers"].as_array_mut().unwrap().insert(0, readme)), found);
        assert_eq!(parse(|json| json["layers"][0]["mediaType"] = LAYER_TYPES[1].into()), found);
        for config in ["application/vnd.unknown.config.v1+json", "application/vnd.oci.image.config.v1+json"] {
            assert_eq!(parse(|json| json["config"]["mediaType"] = config.into()), found);
        }
        assert_eq!(parse(|json| drop(json.as_object_mut().unwrap().remove("config"))), found);
        let signed = PolicyManifest { signature: Some("four\nlines".to_owned()), ..expected };
        let annotations = json!({ SIGNATURE_ANNOTATION: "four\nlines", "other": "one" });
        assert_eq!(parse(|json| json["annotations"] = annotations), Ok(ManifestOrIndex::Manifest(signed)));
    }

    #[test]
    fn an_index_leads_to_its_one_image() {
        let image = descriptor("application/vnd.oci.image.manifest.v1+json", "ab", 1);
        let mut attestation = descriptor("application/vnd.oci.image.manifest.v1+json", "cd", 1);
        attestation["platform"] = json!({ "architecture": "unknown", "os": "unknown" });
        let index =
            |manifests: Value| parse(|json| *json = json!({ "schemaVersion": 2, "manifests": manifests }));
        let found = Ok(ManifestOrIndex::Index(Digest::new([0xab; 32])));
        assert_eq!(index(json!([image])), found);
        assert_eq!(index(json!([attestation, image])), found);
        for (manifests, count) in [(json!([]), 0), (json!([attestation]), 0), (json!([image, image]), 2)] {
            assert_eq!(index(manifests), Err(format!("it is an index of {count} images, not of one")));
        }
        let sha512 = json!([{ "digest": "sha512:00" }]);
        assert!(index(sha512).unwrap_err().contains("which is not a SHA-256"));
    }

    #[test]
    fn a_manifest_that_is_no_policy_is_refused_with_the_reason() {
        let refused = |change: fn(&mut Value)| parse(change).unwrap_err();
        for (refused, expected) in [
            (refused(|json| *json = json!([])), "its manifest cannot be read: "),
            (refused(|json| json["layers"] = json!([])), "it has 0 layers of type application/wasm, not one"),
            (
                refused(|json| {
                    let layer = json["layers"][0].clone();
                    json["layers"].as_array_mut().unwrap().push(layer);
                }),
                "it has 2 layers of type application/wasm, not one",
            ),
            (
                refused(|json| json["layers"][0]["mediaType"] = "text/plain".into()),
                "its layers are of types [\"text/plain\"]",
            ),
            (refused(|json| json["layers"][0]["digest"] = "sha512:00".into()), "which is not a SHA-256"),
            (refused(|json| json["layers"][0]["size"] = (-1).into()), "its manifest cannot be read: "),
        ] {
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
