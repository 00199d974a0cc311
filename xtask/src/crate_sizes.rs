//! Checks the share of each crate in the production code.

use anyhow::{Result, ensure};

use crate::workspace::Package;

/// The largest share that one crate may have.
const LIMIT: f64 = 0.20;

/// Prints the lines of code of the crates that ship (those of the host and of the SDK), and
/// fails if one of them is above [`LIMIT`].
pub fn check(packages: &[Package]) -> Result<()> {
    let mut sizes = Vec::new();
    for package in packages.iter().filter(|package| package.is_production()) {
        let lines: Result<usize> = package.targets.iter().map(|target| Ok(package.scan(target)?.lines)).sum();
        sizes.push((package.name.as_str(), lines?));
    }
    println!("{}", table(&mut sizes));
    let large = above_limit(&sizes);
    ensure!(large.is_empty(), "crates above 20 % of the production code: {}", large.join(", "));
    Ok(())
}

/// Returns the crates whose share is above [`LIMIT`].
fn above_limit<'a>(sizes: &[(&'a str, usize)]) -> Vec<&'a str> {
    let total: usize = sizes.iter().map(|(_, lines)| lines).sum();
    let is_large = |lines: usize| lines as f64 > LIMIT * total as f64;
    sizes.iter().filter(|&&(_, lines)| is_large(lines)).map(|&(name, _)| name).collect()
}

/// One line for each crate, the largest first.
fn table(sizes: &mut [(&str, usize)]) -> String {
    sizes.sort_by_key(|&(name, lines)| (std::cmp::Reverse(lines), name));
    let total: usize = sizes.iter().map(|(_, lines)| lines).sum();
    let width = sizes.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let row = |&(name, lines): &(&str, usize)| {
        let share = lines as f64 / total.max(1) as f64;
        let mark = if share > LIMIT { "  above 20 %" } else { "" };
        format!("  {name:width$}  {lines:>6} lines  {:>3.0} %{mark}", 100.0 * share)
    };
    let rows: Vec<String> = sizes.iter().map(row).collect();
    format!("production code, {total} lines:\n{}", rows.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_listed_by_size_and_large_ones_are_marked() {
        let expected = "production code, 100 lines:
  gateway      81 lines   81 %  above 20 %
  wire         19 lines   19 %";
        let mut sizes = [("wire", 19), ("gateway", 81)];
        assert_eq!(table(&mut sizes), expected);
        assert_eq!(above_limit(&sizes), ["gateway"]);
    }
}
