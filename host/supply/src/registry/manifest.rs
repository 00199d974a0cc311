//! The manifest of a policy.

use std::collections::BTreeMap;

use pointsman_domain::ids::Digest;
use serde::Deserialize;

/// The layout that is taken first, then others, which are asked for so that they
/// can be named when they are refused.
pub(super) const ACCEPTED: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json";
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";
/// Holds the text of a signature over the policy.
pub(crate) const SIGNATURE: &str = "dev.pointsman.policy.minisig";

/// What a manifest says of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The SHA-256 of its bytes.
    pub(crate) policy: Digest,
    /// How many there are.
    pub(crate) size: usize,
    /// A signature over them.
    pub(crate) signature: Option<String>,
}

#[derive(Deserialize)]
struct Raw {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    /// Only an index of manifests has it.
    manifests: Option<serde::de::IgnoredAny>,
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

impl Manifest {
    /// Reads a manifest, or says why it is none of a policy.
    pub(super) fn parse(json: &[u8]) -> Result<Self, String> {
        let mut raw: Raw =
            serde_json::from_slice(json).map_err(|error| format!("its manifest cannot be read: {error}"))?;
        if raw.manifests.is_some() {
            return Err("it is an index of several images".to_owned());
        }
        let config = raw.config.ok_or("its manifest has no config")?.media_type;
        if config != CONFIG {
            return Err(format!("its config is of type {config:?}, not {CONFIG}"));
        }
        let [layer] = raw.layers.as_slice() else {
            return Err(format!("it has {} layers, not one", raw.layers.len()));
        };
        if layer.media_type != LAYER {
            return Err(format!("its layer is of type {:?}, not {LAYER}", layer.media_type));
        }
        let digest = layer.digest.strip_prefix("sha256:").and_then(|hex| hex.parse().ok());
        Ok(Self {
            policy: digest
                .ok_or_else(|| format!("its layer has the digest {:?}, no SHA-256", layer.digest))?,
            size: layer.size,
            signature: raw.annotations.remove(SIGNATURE),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn manifest() -> Value {
        let descriptor = |media_type: &str, byte: &str, size: usize| json!({ "mediaType": media_type, "digest": format!("sha256:{}", byte.repeat(32)), "size": size });
        json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": descriptor(CONFIG, "cc", 300),
            "layers": [descriptor(LAYER, "ab", 1234)],
        })
    }

    fn refused(change: impl FnOnce(&mut Value)) -> String {
        let mut changed = manifest();
        change(&mut changed);
        Manifest::parse(changed.to_string().as_bytes()).unwrap_err()
    }

    #[test]
    fn the_policy_is_the_one_layer() {
        let mut json = manifest();
        let expected = Manifest { policy: Digest::new([0xab; 32]), size: 1234, signature: None };
        assert_eq!(Manifest::parse(json.to_string().as_bytes()), Ok(expected.clone()));
        json["annotations"] = json!({ SIGNATURE: "four\nlines", "other": "one" });
        let signed = Manifest { signature: Some("four\nlines".to_owned()), ..expected };
        assert_eq!(Manifest::parse(json.to_string().as_bytes()), Ok(signed));
    }

    #[test]
    fn what_is_no_policy_is_told_apart() {
        for (refused, expected) in [
            (refused(|json| *json = json!([])), "its manifest cannot be read: "),
            (refused(|json| json["manifests"] = json!([{}])), "it is an index of several images"),
            (refused(|json| drop(json.as_object_mut().unwrap().remove("config"))), "no config"),
            (
                refused(|json| {
                    json["config"]["mediaType"] = "application/vnd.oci.image.config.v1+json".into()
                }),
                "its config is of type \"application/vnd.oci.image.config.v1+json\", not application/vnd.wasm",
            ),
            (refused(|json| json["layers"] = json!([])), "it has 0 layers, not one"),
            (
                refused(|json| {
                    let layer = json["layers"][0].clone();
                    json["layers"].as_array_mut().unwrap().push(layer);
                }),
                "it has 2 layers, not one",
            ),
            (refused(|json| json["layers"][0]["mediaType"] = "text/plain".into()), "its layer is of type"),
            (refused(|json| json["layers"][0]["digest"] = "sha512:00".into()), "no SHA-256"),
            (refused(|json| json["layers"][0]["size"] = (-1).into()), "its manifest cannot be read: "),
        ] {
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
