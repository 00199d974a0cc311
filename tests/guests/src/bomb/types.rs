//! Bombs in the types of components.

use std::borrow::Cow;

use wasm_encoder::{
    Component, ComponentSectionId, ComponentTypeSection, ComponentValType, CustomSection, Module,
    PrimitiveValType, RawSection,
};

fn with_types(fill: impl FnOnce(&mut ComponentTypeSection)) -> Component {
    let (mut component, mut types) = (Component::new(), ComponentTypeSection::new());
    fill(&mut types);
    component.section(&types);
    component
}

pub(super) fn deep(depth: usize) -> Vec<u8> {
    let types = |types: &mut ComponentTypeSection| {
        types.defined_type().list(PrimitiveValType::U8);
        (1..depth).for_each(|below| types.defined_type().list(ComponentValType::Type(below as u32 - 1)));
    };
    with_types(types).finish()
}

fn many_types(count: usize) -> Component {
    with_types(|types| (0..count).for_each(|_| types.defined_type().list(PrimitiveValType::U8)))
}

pub(super) fn types(count: usize) -> Vec<u8> {
    many_types(count).finish()
}

/// A component type is 0x41 and a vector of declarations, here of one: another
/// type, which has the number 1. Written as bytes, since a builder would copy each
/// type into the next.
fn nested_component_types(depth: usize) -> Component {
    let mut types = vec![1];
    for _ in 1..depth {
        types.extend([0x41, 1, 1]);
    }
    types.extend([0x41, 0]);
    let mut component = Component::new();
    component.section(&RawSection { id: ComponentSectionId::Type.into(), data: &types });
    component
}

pub(super) fn deep_component_types(depth: usize) -> Vec<u8> {
    nested_component_types(depth).finish()
}

pub(super) fn doubled(times: usize) -> Vec<u8> {
    let types = |types: &mut ComponentTypeSection| {
        types.defined_type().list(PrimitiveValType::U8);
        for below in 0..times as u32 {
            types.defined_type().tuple([ComponentValType::Type(below), ComponentValType::Type(below)]);
        }
    };
    with_types(types).finish()
}

pub(super) fn fields(count: usize) -> Vec<u8> {
    let names: Vec<String> = (0..count).map(|number| format!("f{number}")).collect();
    let fields: Vec<_> = names.iter().map(|name| (name.as_str(), PrimitiveValType::String.into())).collect();
    with_types(|types| types.defined_type().record::<_, ComponentValType>(fields)).finish()
}

/// A core module that says in a custom section which component it is.
fn described(component: Component) -> Vec<u8> {
    let bytes = component.finish();
    let custom = CustomSection { name: Cow::Borrowed("component-type:x"), data: Cow::Borrowed(&bytes) };
    let mut module = Module::new();
    module.section(&custom);
    module.finish()
}

pub(super) fn deep_description(depth: usize) -> Vec<u8> {
    described(nested_component_types(depth))
}

pub(super) fn long_description(count: usize) -> Vec<u8> {
    described(many_types(count))
}
