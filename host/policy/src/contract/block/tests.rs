use wasmtime::component::{Component, ComponentNamedList, Instance, Linker};
use wasmtime::{Engine, Store};

use super::super::{Abilities, Modalities};
use super::*;

/// [`Candidate`] with the lowering that wasmtime derives.
#[derive(ComponentType, Lower)]
#[component(record)]
struct DerivedCandidate<'a> {
    id: &'a str,
    #[component(name = "context-window")]
    context_window: Option<u32>,
    #[component(name = "max-output-tokens")]
    max_output_tokens: Option<u32>,
    inputs: Modalities,
    abilities: Abilities,
    #[component(name = "input-price")]
    input_price: f64,
    #[component(name = "output-price")]
    output_price: f64,
    quality: Option<f64>,
    healthy: bool,
    #[component(name = "in-flight")]
    in_flight: u32,
    #[component(name = "first-token-ms")]
    first_token_ms: Option<f64>,
    #[component(name = "tokens-per-second")]
    tokens_per_second: Option<f64>,
    #[component(name = "error-rate")]
    error_rate: f64,
}

/// A component that returns the bytes of its argument as they arrived in its memory.
const MIRROR: &str = r#"(component
    (type $m (flags "text" "image" "audio" "video" "document"))
    (export $modalities "modalities" (type $m))
    (type $a (flags "tools" "structured-output" "reasoning" "streaming" "log-probabilities"))
    (export $abilities "abilities" (type $a))
    (type $c (record
        (field "id" string)
        (field "context-window" (option u32))
        (field "max-output-tokens" (option u32))
        (field "inputs" $modalities)
        (field "abilities" $abilities)
        (field "input-price" float64)
        (field "output-price" float64)
        (field "quality" (option float64))
        (field "healthy" bool)
        (field "in-flight" u32)
        (field "first-token-ms" (option float64))
        (field "tokens-per-second" (option float64))
        (field "error-rate" float64)))
    (export $candidate "candidate" (type $c))
    (core module $code
        (memory (export "memory") 1)
        (global $free (mut i32) (i32.const 1024))
        (func (export "realloc") (param $old i32) (param $length i32) (param $align i32) (param $size i32)
            (result i32)
            (global.set $free (i32.and
                (i32.add (global.get $free) (i32.sub (local.get $align) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get $align))))
            (global.get $free)
            (global.set $free (i32.add (global.get $free) (local.get $size))))
        (func (export "mirror") (param $list i32) (param $count i32) (result i32)
            (i32.store (i32.const 0) (local.get $list))
            (i32.store (i32.const 4) (i32.mul (local.get $count) (i32.const 112)))
            (i32.const 0)))
    (core instance $i (instantiate $code))
    (func (export "mirror") (param "candidates" (list $candidate)) (result (list u8))
        (canon lift (core func $i "mirror") (memory $i "memory") (realloc (func $i "realloc")))))"#;

fn bytes_of<P: ComponentNamedList + Lower>(parameters: P) -> Vec<u8> {
    let engine = Engine::default();
    let component = Component::new(&engine, wat::parse_str(MIRROR).unwrap()).unwrap();
    let mut store = Store::new(&engine, ());
    let instance: Instance = Linker::new(&engine).instantiate(&mut store, &component).unwrap();
    let mirror = instance.get_typed_func::<P, (Vec<u8>,)>(&mut store, "mirror").unwrap();
    mirror.call(&mut store, parameters).unwrap().0
}

macro_rules! samples {
    ($candidate:ident) => {
        [
            $candidate {
                id: "fleet/everything",
                context_window: Some(128_000),
                max_output_tokens: Some(8_192),
                inputs: Modalities::TEXT | Modalities::DOCUMENT,
                abilities: Abilities::all(),
                input_price: 0.15,
                output_price: 0.6,
                quality: Some(0.75),
                healthy: true,
                in_flight: u32::MAX,
                first_token_ms: Some(120.5),
                tokens_per_second: Some(88.0),
                error_rate: 0.01,
            },
            $candidate {
                id: "",
                context_window: None,
                max_output_tokens: None,
                inputs: Modalities::empty(),
                abilities: Abilities::empty(),
                input_price: 0.0,
                output_price: -0.0,
                quality: None,
                healthy: false,
                in_flight: 0,
                first_token_ms: None,
                tokens_per_second: None,
                error_rate: f64::NAN,
            },
        ]
    };
}

#[test]
fn a_block_has_the_bytes_that_the_derived_lowering_writes() {
    let blocks = samples!(Candidate);
    let derived = samples!(DerivedCandidate);
    let blocks = bytes_of((&blocks[..],));
    assert_eq!(blocks.len(), 2 * SIZE);
    assert_eq!(blocks, bytes_of((&derived[..],)));
}
