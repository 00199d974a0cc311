//! The form in which policies are published: that of `wkg`, which follows the guide "Wasm OCI Artifact
//! layout" of the Cloud Native Computing Foundation.
//!
//! The manifest has a config, which describes the WebAssembly, and one layer, which is the file. A
//! config's `os` has to be one of Go's; `wasip2` stands for components and `wasip1` for core modules,
//! whether or not they use WASI.

use std::collections::BTreeMap;

use bytes::Bytes;
use pointsman_domain::date::Date;
use pointsman_domain::ids::Digest;
use serde::Serialize;

use super::manifest::{LAYER_TYPES, MANIFEST_TYPE, SIGNATURE_ANNOTATION};
use crate::verification::sha256;

const CONFIG_TYPE: &str = "application/vnd.wasm.config.v0+json";
/// Annotation of a layer with the name of its file, by which tools store it.
const TITLE_ANNOTATION: &str = "org.opencontainers.image.title";
const SECONDS_PER_DAY: u64 = 86_400;

/// A policy to publish, and what its manifest says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// The bytes of the policy.
    pub bytes: Bytes,
    /// Name of its file, without a path.
    pub file_name: Option<String>,
    /// Imports and exports of a component; `None` for a core module.
    pub component: Option<ComponentInterfaces>,
    /// Time of publication, in seconds since 1970.
    pub created: u64,
    /// Name of the author.
    pub author: Option<String>,
    /// Signature over the bytes: the text of a `.minisig` file.
    pub signature: Option<String>,
    /// Further annotations of the manifest.
    pub annotations: BTreeMap<String, String>,
}

/// Imports and exports of a component, by which registries can be searched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ComponentInterfaces {
    /// Exported interfaces and functions.
    pub exports: Vec<String>,
    /// Imported interfaces and functions.
    pub imports: Vec<String>,
    /// World that it was built for, if known.
    pub target: Option<String>,
}

/// The blobs and the manifest of an artifact, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EncodedArtifact {
    pub(crate) config: Blob,
    pub(crate) layer: Blob,
    pub(crate) manifest: Blob,
}

/// Bytes with their digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Blob {
    pub(crate) bytes: Bytes,
    pub(crate) digest: Digest,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Manifest<'a> {
    schema_version: u8,
    media_type: &'static str,
    config: Descriptor,
    layers: [Descriptor; 1],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: &'static str,
    digest: String,
    size: usize,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    created: String,
    author: Option<&'a str>,
    architecture: &'static str,
    os: &'static str,
    layer_digests: [String; 1],
    component: Option<&'a ComponentInterfaces>,
}

impl Artifact {
    /// Encodes the artifact. The same artifact has the same bytes and so the same digests each time.
    pub(crate) fn encode(&self) -> EncodedArtifact {
        let layer = Blob::new(self.bytes.clone());
        let config = Blob::of_json(&Config {
            created: rfc3339(self.created),
            author: self.author.as_deref(),
            architecture: "wasm",
            os: if self.component.is_some() { "wasip2" } else { "wasip1" },
            layer_digests: [layer.name()],
            component: self.component.as_ref(),
        });
        let mut annotations = self.annotations.clone();
        if let Some(signature) = &self.signature {
            annotations.insert(SIGNATURE_ANNOTATION.to_owned(), signature.clone());
        }
        let title = self.file_name.iter().map(|name| (TITLE_ANNOTATION, name.clone())).collect();
        let manifest = Blob::of_json(&Manifest {
            schema_version: 2,
            media_type: MANIFEST_TYPE,
            config: config.descriptor(CONFIG_TYPE, BTreeMap::new()),
            layers: [layer.descriptor(LAYER_TYPES[0], title)],
            annotations: &annotations,
        });
        EncodedArtifact { config, layer, manifest }
    }
}

impl Blob {
    fn new(bytes: Bytes) -> Self {
        Self { digest: sha256(&bytes), bytes }
    }

    fn of_json(document: &impl Serialize) -> Self {
        // Structures of texts and numbers, whose serialisation cannot fail.
        Self::new(serde_json::to_vec(document).unwrap_or_default().into())
    }

    /// Returns its digest as manifests and paths write it.
    pub(crate) fn name(&self) -> String {
        format!("sha256:{}", self.digest)
    }

    fn descriptor(
        &self,
        media_type: &'static str,
        annotations: BTreeMap<&'static str, String>,
    ) -> Descriptor {
        Descriptor { media_type, digest: self.name(), size: self.bytes.len(), annotations }
    }
}

/// Formats a time in seconds since 1970 as RFC 3339 has it, in UTC.
fn rfc3339(seconds: u64) -> String {
    let (date, second) = (Date::at(seconds), seconds % SECONDS_PER_DAY);
    format!("{date}T{:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::manifest::{ManifestOrIndex, PolicyManifest};
    use super::*;

    const POLICY: &[u8] = b"\0asm and so on";

    fn artifact() -> Artifact {
        Artifact {
            bytes: Bytes::from_static(POLICY),
            file_name: Some("router.wasm".to_owned()),
            component: Some(ComponentInterfaces {
                exports: vec!["pointsman:policy/router@0.1.0".to_owned()],
                imports: vec!["pointsman:policy/prompt@0.1.0".to_owned()],
                target: None,
            }),
            created: 1_714_430_429,
            author: Some("Ada".to_owned()),
            signature: None,
            annotations: BTreeMap::new(),
        }
    }

    fn json(blob: &Blob) -> Value {
        serde_json::from_slice(&blob.bytes).unwrap()
    }

    #[test]
    fn a_component_has_the_form_that_wkg_writes() {
        let encoded = artifact().encode();
        let layer = format!("sha256:{}", sha256(POLICY));
        // The order of the members as well.
        insta::assert_snapshot!(
            String::from_utf8_lossy(&encoded.config.bytes),
            @r#"{"created":"2024-04-29T22:40:29Z","author":"Ada","architecture":"wasm","os":"wasip2","layerDigests":["sha256:65eafc7154d57def0aa7d3dc71e5e5fda77e200d003610ec913d355b33ced761"],"component":{"exports":["pointsman:policy/router@0.1.0"],"imports":["pointsman:policy/prompt@0.1.0"],"target":null}}"#
        );
        let config = format!("sha256:{}", sha256(&encoded.config.bytes));
        assert_eq!(
            json(&encoded.manifest),
            json!({
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {
                    "mediaType": "application/vnd.wasm.config.v0+json",
                    "digest": config,
                    "size": encoded.config.bytes.len(),
                },
                "layers": [{
                    "mediaType": "application/wasm",
                    "digest": layer,
                    "size": POLICY.len(),
                    "annotations": { "org.opencontainers.image.title": "router.wasm" },
                }],
            })
        );
    }

    #[test]
    fn a_core_module_has_no_component_and_the_other_system() {
        let plain = Artifact { component: None, author: None, ..artifact() }.encode();
        assert_eq!(
            json(&plain.config),
            json!({
                "created": "2024-04-29T22:40:29Z",
                "author": null,
                "architecture": "wasm",
                "os": "wasip1",
                "layerDigests": [format!("sha256:{}", sha256(POLICY))],
                "component": null,
            })
        );
    }

    #[test]
    fn what_is_written_is_read_as_the_same_policy() {
        let annotations =
            BTreeMap::from([("org.opencontainers.image.version".to_owned(), "1.2.0".to_owned())]);
        let signature = Some("four\nlines\nof\nminisign".to_owned());
        let encoded = Artifact { annotations, signature: signature.clone(), ..artifact() }.encode();
        assert_eq!(json(&encoded.manifest)["annotations"]["org.opencontainers.image.version"], "1.2.0");
        let expected = PolicyManifest { policy: sha256(POLICY), size: POLICY.len(), signature };
        assert_eq!(ManifestOrIndex::parse(&encoded.manifest.bytes), Ok(ManifestOrIndex::Manifest(expected)));
    }

    #[test]
    fn the_same_artifact_has_the_same_digests() {
        assert_eq!(artifact().encode(), artifact().encode());
        let later = Artifact { created: 1_714_430_430, ..artifact() }.encode();
        assert_ne!(later.manifest.digest, artifact().encode().manifest.digest);
        assert_eq!(later.layer.digest, artifact().encode().layer.digest);
    }

    #[test]
    fn times_are_written_in_utc() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (86_400, "1970-01-02T00:00:00Z"),
        ] {
            assert_eq!(rfc3339(seconds), text);
        }
    }
}
