//! Code blocks of the READMEs of client libraries, word for word, against the embedded default
//! configuration.
//!
//! The blocks are read from the installed packages, and only environment variables are set. Each block
//! is listed here: one that is not fails its test, so that an update of a package is noticed.

mod anthropic;
pub mod block;
mod openai_node;
mod openai_python;
mod run;

use std::collections::BTreeSet;
use std::process::Command;

use pointsman_tests::installed;

use self::block::{CodeBlock, code_blocks};
use self::run::Runner;

/// Plan for a code block of a README.
struct BlockPlan {
    /// Heading above the block.
    heading: &'static str,
    /// Number of the block below that heading, from 1.
    number: usize,
    usage: BlockUsage,
}

/// Use of a code block in the tests.
#[derive(Clone, Copy)]
enum BlockUsage {
    /// Runs unchanged.
    Run(Expected),
    /// Runs unchanged after lines that define what the README's text defines.
    RunAfter(&'static str, Expected),
    /// Is not run, for a reason.
    Excluded(&'static str),
}

/// Effect of a block.
#[derive(Clone, Copy)]
struct Expected {
    /// Texts of the output.
    output: &'static [&'static str],
    /// Texts that the output does not have.
    no_output: &'static [&'static str],
    /// Requests that the gateway answered with success.
    answers: u64,
}

/// Returns the effect of a block whose requests are answered and whose output has these texts.
const fn answers(answers: u64, output: &'static [&'static str]) -> Expected {
    Expected { output, no_output: &[], answers }
}

const fn run(heading: &'static str, number: usize, expected: Expected) -> BlockPlan {
    BlockPlan { heading, number, usage: BlockUsage::Run(expected) }
}

const fn run_after(
    heading: &'static str,
    number: usize,
    preamble: &'static str,
    expected: Expected,
) -> BlockPlan {
    BlockPlan { heading, number, usage: BlockUsage::RunAfter(preamble, expected) }
}

const fn excluded(heading: &'static str, number: usize, reason: &'static str) -> BlockPlan {
    BlockPlan { heading, number, usage: BlockUsage::Excluded(reason) }
}

/// Runs the blocks of a README by their plans.
async fn works(package: &str, readme: &str, plans: &[BlockPlan], runner: &Runner) {
    let blocks = code_blocks(readme);
    let programs: Vec<&CodeBlock<'_>> = blocks.iter().filter(|block| block.is_program()).collect();
    let places: BTreeSet<_> = programs.iter().map(|block| (block.heading, block.number)).collect();
    let planned: BTreeSet<_> = plans.iter().map(|plan| (plan.heading, plan.number)).collect();
    let unplanned: Vec<_> = places.difference(&planned).collect();
    let absent: Vec<_> = planned.difference(&places).collect();
    assert!(unplanned.is_empty(), "blocks of {package} that are neither run nor excluded: {unplanned:?}");
    assert!(absent.is_empty(), "blocks that {package} no longer has: {absent:?}");
    assert_eq!(plans.len(), planned.len(), "{package}: a block is listed twice");

    let mut faults = Vec::new();
    let mut runs = 0;
    let mut answers = 0;
    for block in &programs {
        let plan = plans.iter().find(|plan| (plan.heading, plan.number) == (block.heading, block.number));
        let (preamble, expected) = match plan.expect("each block has a plan").usage {
            BlockUsage::Run(expected) => ("", expected),
            BlockUsage::RunAfter(preamble, expected) => (preamble, expected),
            BlockUsage::Excluded(reason) => {
                assert!(!reason.is_empty());
                continue;
            }
        };
        runs += 1;
        answers += expected.answers;
        if let Err(fault) = runner.run(block, preamble, expected).await {
            faults.push(format!("{package}, {} ({}):\n{fault}", block.heading, block.number));
        }
    }
    report(package, runs, programs.len(), answers);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[expect(clippy::print_stdout, reason = "the number of blocks belongs to the result")]
fn report(package: &str, runs: usize, all: usize, answers: u64) {
    println!("{package}: ran {runs} of {all} code blocks; {answers} requests were answered");
}

/// Returns the README of a Python package, from its installed metadata.
fn python_readme(python: &str, package: &str) -> String {
    let script = "import importlib.metadata, sys; \
                  sys.stdout.write(importlib.metadata.metadata(sys.argv[1]).get_payload())";
    let output = Command::new(python).args(["-c", script, package]).env("PYTHONIOENCODING", "utf-8").output();
    let output = output.expect("Python can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a README is UTF-8")
}

/// Returns the README of a Node package.
fn node_readme(modules: &str, package: &str) -> String {
    let path = format!("{modules}/{package}/README.md");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[tokio::test]
async fn the_readme_of_openai_for_python_works_word_for_word() {
    let Some(python) = installed("POINTSMAN_TEST_PYTHON") else { return };
    let readme = python_readme(&python, "openai");
    works("openai for Python", &readme, openai_python::PLANS, &Runner::python(python).await).await;
}

#[tokio::test]
async fn the_readme_of_anthropic_for_python_works_word_for_word() {
    let Some(python) = installed("POINTSMAN_TEST_PYTHON") else { return };
    let readme = python_readme(&python, "anthropic");
    works("anthropic for Python", &readme, anthropic::PYTHON_PLANS, &Runner::python(python).await).await;
}

#[tokio::test]
async fn the_readme_of_openai_for_node_works_word_for_word() {
    let Some(modules) = installed("POINTSMAN_TEST_NODE_MODULES") else { return };
    let readme = node_readme(&modules, "openai");
    works("openai for Node", &readme, openai_node::PLANS, &Runner::node(&modules).await).await;
}

#[tokio::test]
async fn the_readme_of_anthropic_for_node_works_word_for_word() {
    let Some(modules) = installed("POINTSMAN_TEST_NODE_MODULES") else { return };
    let readme = node_readme(&modules, "@anthropic-ai/sdk");
    works("anthropic for Node", &readme, anthropic::NODE_PLANS, &Runner::node(&modules).await).await;
}
