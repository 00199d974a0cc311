//! Tools whose calls are items of their own kind, by their name in the common form.

use std::collections::HashMap;

/// Longest name of a function that providers accept.
const MAX_NAME: usize = 64;

/// Name in the common form of the tool by which a model searches for further tools.
pub(super) const SEARCH_TOOL: &str = "tool_search";

/// Kind of the items that are calls of a tool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum CallKind {
    /// `function_call`.
    #[default]
    Function,
    /// `custom_tool_call`: its input is text.
    Custom,
    /// `tool_search_call`, which the client runs.
    Search,
}

/// Tool as the API knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct OfferedTool {
    /// Kind of its calls.
    pub kind: CallKind,
    /// Namespace, if the tool is in one.
    pub namespace: Option<String>,
    /// Name, without the namespace.
    pub name: String,
}

/// Offered tools that are not functions without a namespace.
#[derive(Clone, Debug, Default)]
pub(super) struct OfferedTools(HashMap<String, OfferedTool>);

impl OfferedTools {
    /// Adds a tool, and returns its name in the common form.
    pub fn add(&mut self, tool: OfferedTool) -> String {
        let name = common_name(tool.namespace.as_deref(), &tool.name);
        if tool.kind != CallKind::Function || tool.namespace.is_some() {
            self.0.insert(name.clone(), tool);
        }
        name
    }

    /// Returns the tool with a name in the common form.
    pub fn find(&self, name: &str) -> OfferedTool {
        self.0.get(name).cloned().unwrap_or_else(|| OfferedTool {
            kind: CallKind::Function,
            namespace: None,
            name: name.to_owned(),
        })
    }
}

/// Returns the name in the common form, which has no namespaces: `namespace__name` in the
/// characters and the length that providers accept. The end of a longer name is replaced by a hash.
pub(super) fn common_name(namespace: Option<&str>, name: &str) -> String {
    let Some(namespace) = namespace else { return name.to_owned() };
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let whole = if namespace.ends_with("__") || name.starts_with("__") {
        format!("{namespace}{name}")
    } else {
        format!("{}__{name}", namespace.trim_end_matches('_'))
    };
    let mut allowed: String = whole.chars().map(|c| if is_allowed(c) { c } else { '_' }).collect();
    if allowed.len() > MAX_NAME {
        allowed.truncate(MAX_NAME - 9);
        allowed.push_str(&format!("_{:08x}", fnv1a(whole.as_bytes())));
    }
    allowed
}

/// Returns the 32-bit FNV-1a hash.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_becomes_a_prefix() {
        assert_eq!(common_name(None, "read.file"), "read.file");
        assert_eq!(common_name(Some("crm"), "find"), "crm__find");
        assert_eq!(common_name(Some("mcp__crm__"), "find"), "mcp__crm__find");
        assert_eq!(common_name(Some("a b"), "c.d"), "a_b__c_d");
    }

    #[test]
    fn a_long_name_keeps_its_beginning_and_stays_unique() {
        let [one, other] = ["x", "y"].map(|end| common_name(Some("n"), &format!("{}{end}", "f".repeat(70))));
        assert_eq!((one.len(), other.len()), (64, 64));
        assert_ne!(one, other);
    }

    #[test]
    fn a_call_is_of_the_kind_of_its_tool() {
        let mut tools = OfferedTools::default();
        let patch = OfferedTool { kind: CallKind::Custom, namespace: None, name: "apply_patch".to_owned() };
        assert_eq!(tools.add(patch.clone()), "apply_patch");
        assert_eq!(tools.find("apply_patch"), patch);
        assert_eq!(tools.find("other").kind, CallKind::Function);
    }
}
