use wasmtime::Engine;

use super::*;

#[test]
fn a_component_is_known_for_as_long_as_it_is_held() {
    let empty = wat::parse_str("(component)").unwrap();
    let component = Arc::new(Component::new(&Engine::default(), empty).unwrap());
    let (one, two) = (Digest::new([1; 32]), Digest::new([2; 32]));
    let compiled = Compiled::default();
    compiled.remember(one, &component);
    assert!(Arc::ptr_eq(&compiled.get(&one).unwrap(), &component));
    assert!(compiled.get(&two).is_none());
    drop(component);
    assert!(compiled.get(&one).is_none());
}
