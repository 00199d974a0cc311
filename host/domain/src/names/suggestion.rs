/// Most edits between a name and its suggestion.
const MAX_EDITS: usize = 3;
/// Cells of one row of the distance matrix that can be within [`MAX_EDITS`] of the diagonal.
const BAND: usize = 2 * MAX_EDITS + 1;
/// Rows of distance matrices that one suggestion may compute. Clients can send any name, and there may
/// be thousands to compare it with.
const MAX_ROWS: usize = 1 << 16;
/// Distance of names that are not similar.
const FAR: u8 = u8::MAX >> 1;

/// Returns the known name that an unknown one most likely stands for: the same name in another case,
/// or with or without a `prefix/`, or else the one with the fewest edits, if these are few for its
/// length. Among equals, the first one. The work is bounded whatever the names are.
pub fn nearest_name<'n>(name: &str, known: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let edits = (name.len() / 3).clamp(1, MAX_EDITS);
    let mut rows_left = MAX_ROWS;
    let mut best: Option<(u8, &str)> = None;
    for candidate in known {
        let rank = if candidate.eq_ignore_ascii_case(name) {
            0
        } else if is_without_prefix(name, candidate) || is_without_prefix(candidate, name) {
            1
        } else {
            match distance(name.as_bytes(), candidate.as_bytes(), edits, &mut rows_left) {
                Some(distance) => 1 + distance,
                None => continue,
            }
        };
        if best.is_none_or(|(lowest, _)| rank < lowest) {
            best = Some((rank, candidate));
        }
    }
    best.map(|(_, name)| name)
}

/// Returns whether `long` is `prefix/short`, whatever the case.
fn is_without_prefix(short: &str, long: &str) -> bool {
    let Some(start) = long.len().checked_sub(short.len() + 1) else { return false };
    let (prefix, end) = long.as_bytes().split_at(start);
    !prefix.is_empty() && end[0] == b'/' && end[1..].eq_ignore_ascii_case(short.as_bytes())
}

/// Returns the number of edits (a byte added, removed or replaced, or two neighbours exchanged) from
/// one name to the other whatever the case, if it is at most `most`. Computes only the cells of the
/// matrix from which that can be reached, and stops when none is left.
fn distance(one: &[u8], other: &[u8], most: usize, rows_left: &mut usize) -> Option<u8> {
    if one.len().abs_diff(other.len()) > most {
        return None;
    }
    // Cell `offset` of row `i` belongs to the first `i` bytes of `one` and the first
    // `i + offset - MAX_EDITS` of `other`. The last two cells are beyond the band.
    let mut rows = [[FAR; BAND + 1]; 3];
    for (edits, cell) in (0..).zip(&mut rows[0][MAX_EDITS..BAND]) {
        *cell = edits;
    }
    for i in 1..=one.len() {
        *rows_left = rows_left.checked_sub(1)?;
        let [above, above_that, row] = &mut rows;
        *row = [FAR; BAND + 1];
        for offset in 0..BAND {
            let Some(j) = (i + offset).checked_sub(MAX_EDITS).filter(|j| *j <= other.len()) else { continue };
            if j == 0 {
                row[offset] = i as u8;
                continue;
            }
            let same = |i: usize, j: usize| one[i - 1].eq_ignore_ascii_case(&other[j - 1]);
            let before = if offset == 0 { FAR } else { row[offset - 1] };
            let mut edits = above[offset] + u8::from(!same(i, j));
            edits = edits.min(before + 1).min(above[offset + 1] + 1);
            if i > 1 && j > 1 && same(i, j - 1) && same(i - 1, j) {
                edits = edits.min(above_that[offset] + 1);
            }
            row[offset] = edits.min(FAR);
        }
        if usize::from(row.iter().copied().min().unwrap_or(FAR)) > most {
            return None;
        }
        // The order becomes: this row, the one above it, the one to overwrite.
        rows.rotate_right(1);
    }
    let last = rows[0][other.len() + MAX_EDITS - one.len()];
    (usize::from(last) <= most).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_is_recognised() {
        let known =
            ["gpt-4o-mini", "gpt-4o", "openai/o3", "meta-llama/Llama-3.1-8B-Instruct", "qwen3:8b", "a"];
        for (name, expected) in [
            ("gpt-4o-mni", Some("gpt-4o-mini")),
            ("gpt-o4-mini", Some("gpt-4o-mini")),
            ("gpt4o", Some("gpt-4o")),
            ("GPT-4O", Some("gpt-4o")),
            ("o3", Some("openai/o3")),
            ("O3", Some("openai/o3")),
            ("openai/gpt-4o", Some("gpt-4o")),
            ("meta-llama/llama-3.1-8b-instruct", Some("meta-llama/Llama-3.1-8B-Instruct")),
            ("Llama-3.1-8B-Instruct", Some("meta-llama/Llama-3.1-8B-Instruct")),
            ("qwen3-8b", Some("qwen3:8b")),
            ("qwen3:8b-instruct", None),
            ("claude", None),
            ("b", Some("a")),
            ("bc", None),
            ("", Some("a")),
        ] {
            assert_eq!(nearest_name(name, known), expected, "{name}");
        }
    }

    #[test]
    fn the_distance_is_that_of_the_whole_matrix() {
        fn whole(one: &[u8], other: &[u8]) -> usize {
            let mut cells = vec![vec![0; other.len() + 1]; one.len() + 1];
            for i in 0..=one.len() {
                for j in 0..=other.len() {
                    cells[i][j] = if i == 0 || j == 0 {
                        i + j
                    } else {
                        let replaced = cells[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
                        let edits = replaced.min(cells[i - 1][j] + 1).min(cells[i][j - 1] + 1);
                        let exchanged =
                            i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
                        if exchanged { edits.min(cells[i - 2][j - 2] + 1) } else { edits }
                    };
                }
            }
            cells[one.len()][other.len()]
        }
        let texts: Vec<Vec<u8>> = (0..3_usize.pow(5))
            .map(|number| (0..1 + number % 5).map(|at| b"abc"[number / 3_usize.pow(at as u32) % 3]).collect())
            .collect();
        for one in texts.iter().step_by(3) {
            for other in texts.iter().step_by(2) {
                for most in 1..=MAX_EDITS {
                    let expected = Some(whole(one, other)).filter(|edits| *edits <= most);
                    let found = distance(one, other, most, &mut 100);
                    assert_eq!(found.map(usize::from), expected, "{one:?} {other:?} {most}");
                }
            }
        }
    }

    #[test]
    fn the_work_for_one_suggestion_is_bounded() {
        let name = "x".repeat(512);
        let known: Vec<String> = (0..5_000).map(|number| format!("{}{number}", "x".repeat(508))).collect();
        let mut rows_left = MAX_ROWS;
        let compared = known.iter().take_while(|known| {
            distance(name.as_bytes(), known.as_bytes(), MAX_EDITS, &mut rows_left);
            rows_left > 0
        });
        assert!(compared.count() < 200);
        assert!(nearest_name(&name, known.iter().map(String::as_str)).is_none());
    }
}
