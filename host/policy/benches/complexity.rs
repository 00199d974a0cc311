//! Cost of the worst components that the load gate passes to the compiler: one for each bomb, as large
//! as its bound allows, compiled in a process of its own.
//!
//! `cargo bench --bench complexity` measures all of them; a name and a size after `--` select one.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and fails by panicking")]

use std::fs;
use std::process::Command;
use std::time::Instant;

use pointsman_domain::ids::PolicyName;
use pointsman_guests::Bomb;
use pointsman_policy::{Code, Limits, PolicySpec, Runtime, RuntimeConfig};

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    match &arguments[..] {
        [name, size] => {
            let bomb = Bomb::ALL.iter().copied().find(|bomb| format!("{bomb:?}") == *name);
            measure(
                name,
                &bomb.map_or_else(|| fs::read(name).unwrap(), |bomb| bomb.of(size.parse().unwrap())),
            );
        }
        _ => {
            for &bomb in Bomb::ALL {
                let mut one = Command::new(std::env::current_exe().unwrap());
                one.args([format!("{bomb:?}"), largest(bomb).to_string()]).status().unwrap();
            }
        }
    }
}

/// The largest size at which the load gate passes it to the compiler.
const fn largest(bomb: Bomb) -> usize {
    match bomb {
        Bomb::Branches => 38_000,
        Bomb::Loops => 7_600,
        Bomb::Functions => 40_000,
        Bomb::LargeFunctions => 45,
        Bomb::NestedBlocks => 7_600,
        Bomb::NestedBranches => 2_200,
        Bomb::LongBrTable => 500_000,
        Bomb::ManyBrTables => 250,
        Bomb::Calls => 520_000,
        Bomb::Loads => 440_000,
        Bomb::IndirectCalls => 15_000,
        Bomb::Locals => 10_000,
        Bomb::LiveLocals => 5_300,
        Bomb::LocalsEverywhere | Bomb::Parameters => 1_000,
        Bomb::CoreTypes | Bomb::Types | Bomb::LongDescription => 10_000,
        Bomb::CoreImports | Bomb::CoreExports | Bomb::Globals | Bomb::Elements | Bomb::Aliases => 20_000,
        Bomb::DataSegments => 50_000,
        Bomb::DataBytes => 32 << 20,
        Bomb::DataFarApart => 1_000,
        Bomb::ElementSegments | Bomb::CustomSections | Bomb::Imports | Bomb::Exports => 1_000,
        Bomb::MemoryPages => 1_024,
        Bomb::Memories | Bomb::Tables => 4,
        Bomb::TableElements => 10_000,
        Bomb::Modules | Bomb::Components => 190,
        Bomb::Depth => 9,
        Bomb::Instances => 50,
        Bomb::BagsOfExports => 499,
        Bomb::Multiplied => 3,
        Bomb::PassedOn => 0,
        Bomb::Lowered | Bomb::Adapters => 1_990,
        Bomb::DeepTypes => 99,
        Bomb::DeepComponentTypes | Bomb::DeepDescription => 90,
        Bomb::DoubledTypes => 18,
        Bomb::Fields => 9_000,
    }
}

fn measure(name: &str, bytes: &[u8]) {
    let runtime = Runtime::new(RuntimeConfig::default()).unwrap();
    let limits = Limits { max_component_bytes: usize::MAX, ..Limits::default() };
    let spec = PolicySpec { limits, ..PolicySpec::new(PolicyName::new("bomb")) };
    let code = Code::new(bytes.to_vec());
    let before = peak_memory();
    let started = Instant::now();
    let error = runtime.load(spec, &code).err().map(|error| error.to_string()).unwrap_or_default();
    let took = started.elapsed();
    let error: String = error.chars().take(100).collect();
    let memory = peak_memory() - before;
    println!("{name:20} {:>9} bytes {:>8} ms {memory:>6} MB  {error}", bytes.len(), took.as_millis());
}

/// Returns the peak memory of this process in MB.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap_or(0) >> 10
}
