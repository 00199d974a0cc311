//! `outline`: kind, position and size of the request's parts, without their content.

use wasmtime::StoreContextMut;

use super::{Capability, OfferedInterface};
use crate::contract::plan::ContentPart;
use crate::contract::{interface, saturating_u32};
use crate::sandbox::StoreData;
use crate::trace::ImportCall;

/// Parts of a conversation that a policy sees: the newest.
pub(in crate::sandbox) const MAX_PARTS: usize = 1_024;

pub(super) const CAPABILITY: Capability = Capability {
    interfaces: &[OfferedInterface {
        name: "pointsman:policy/outline",
        functions: Some(&["parts", "whole"]),
        allows: "see kind, place and size of the request's parts, not what they say",
    }],
    version_line: interface::VERSION_LINE,
    grant: None,
    link: |linker, _| {
        let mut outline = linker.instance(interface::OUTLINE)?;
        outline.func_wrap("parts", |mut store: StoreContextMut<'_, StoreData>, (): ()| {
            let data = store.data_mut();
            data.charge_host_call()?;
            let parts = content_parts(data);
            let bytes = parts.len() * size_of::<ContentPart>();
            data.record_import(|| ImportCall::new("outline", "parts", "", bytes));
            Ok((parts,))
        })?;
        outline.func_wrap("whole", |mut store: StoreContextMut<'_, StoreData>, (): ()| {
            let data = store.data_mut();
            data.charge_host_call()?;
            data.record_import(|| ImportCall::new("outline", "whole", "", 0));
            Ok((data.input.as_ref().map_or(0, |input| saturating_u32(input.orchestration.whole)),))
        })
    },
};

fn content_parts(data: &StoreData) -> Vec<ContentPart> {
    let Some(input) = &data.input else { return Vec::new() };
    let parts = input.prompt.parts();
    let newest = parts.get(parts.len().saturating_sub(MAX_PARTS)..).unwrap_or_default();
    newest
        .iter()
        .map(|part| ContentPart {
            message: saturating_u32(part.message),
            part: saturating_u32(part.part),
            role: input.prompt.role(part.message).map_or("", known_role),
            kind: part.kind.into(),
            bytes: saturating_u32(part.bytes),
        })
        .collect()
}

/// Returns the role if the contract names it. Any other role is free text of the client, of any
/// length, which this interface must not reveal.
fn known_role(role: &str) -> &'static str {
    const ROLES: [&str; 6] = ["system", "developer", "user", "assistant", "tool", "function"];
    ROLES.into_iter().find(|known| *known == role).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::known_role;

    #[test]
    fn an_outline_names_known_roles_and_repeats_no_text_of_the_client() {
        assert_eq!(known_role("user"), "user");
        assert_eq!(known_role("my secret"), "");
    }
}
