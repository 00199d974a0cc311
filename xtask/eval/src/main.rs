//! `eval --data FOLDER [--sweep | --kinds]`: prints the tables of the policies' documents.

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

/// Evaluates the reference policies on recorded outcomes of real models.
#[derive(Parser)]
struct Arguments {
    /// Folder with ulab14_train.jsonl, ulab14_test.jsonl, bfcl_tool_calls.jsonl and
    /// mmlu_pro.jsonl.
    #[arg(long)]
    data: PathBuf,
    /// Compare settings of `dynamic` on training rows instead.
    #[arg(long)]
    sweep: bool,
    /// Show the kinds of tasks that the classifier finds in training rows instead.
    #[arg(long)]
    kinds: bool,
}

#[expect(clippy::print_stdout, reason = "this is a command")]
fn main() -> Result<()> {
    let arguments = Arguments::parse();
    for split in eval::load(&arguments.data)? {
        if arguments.kinds {
            println!("### {}\n\n{}", split.name, eval::report_kinds(&split.train));
        } else if arguments.sweep {
            println!("### {}, five-fold on {} training rows\n", split.name, split.train.len());
            for line in eval::sweep(&split.train)? {
                println!("{line}");
            }
            println!();
        } else {
            println!("{}", eval::report(&split)?);
        }
    }
    Ok(())
}
