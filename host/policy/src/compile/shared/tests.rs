use wasmtime::Engine;

use super::*;

#[test]
fn a_component_is_shared_for_as_long_as_it_is_held() {
    let empty = wat::parse_str("(component)").unwrap();
    let component = Arc::new(Component::new(&Engine::default(), empty).unwrap());
    let (one, two) = (Digest::new([1; 32]), Digest::new([2; 32]));
    let shared = SharedComponents::default();
    shared.insert(one, &component);
    assert!(Arc::ptr_eq(&shared.get(&one).unwrap(), &component));
    assert!(shared.get(&two).is_none());
    drop(component);
    assert!(shared.get(&one).is_none());
}
