//! Symmetric matrices, as far as ridge regression needs them.

/// Products that are summed side by side, so that the compiler uses vector instructions. The order of the
/// additions is fixed, so sums are the same on every machine.
const LANES: usize = 8;

/// Square matrix, stored by rows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SquareMatrix {
    size: usize,
    values: Vec<f64>,
}

impl SquareMatrix {
    /// Creates a matrix of zeros.
    pub(super) fn zeros(size: usize) -> Self {
        Self { size, values: vec![0.0; size * size] }
    }

    /// Returns a row.
    pub(super) fn row(&self, row: usize) -> &[f64] {
        self.values.get(row * self.size..(row + 1) * self.size).unwrap_or_default()
    }

    /// Returns a row to be changed.
    pub(super) fn row_mut(&mut self, row: usize) -> &mut [f64] {
        self.values.get_mut(row * self.size..(row + 1) * self.size).unwrap_or_default()
    }

    /// Returns the lower triangular `L` with `L·Lᵀ` equal to this symmetric, positive definite matrix plus a
    /// diagonal (Cholesky). A pivot that rounding made too small is raised.
    pub(super) fn cholesky(&self, diagonal: impl Fn(usize) -> f64) -> Self {
        let mut factor = Self::zeros(self.size);
        for row in 0..self.size {
            let (done, rest) = factor.values.split_at_mut(row * self.size);
            let Some(current) = rest.get_mut(..self.size) else { break };
            for column in 0..=row {
                let value = self.row(row).get(column).copied().unwrap_or(0.0);
                if column == row {
                    let squares = dot(&current[..row], &current[..row]);
                    let pivot = (value + diagonal(row) - squares).max(f64::MIN_POSITIVE.sqrt());
                    current[row] = pivot.sqrt();
                } else {
                    let other = &done[column * self.size..column * self.size + column + 1];
                    current[column] = (value - dot(&current[..column], &other[..column])) / other[column];
                }
            }
        }
        factor
    }

    /// Returns the transposed inverse of this lower triangular matrix: row `j` is column `j` of the inverse,
    /// whose entries before `j` are 0.
    pub(super) fn inverse_transposed(&self) -> Self {
        let mut inverse = Self::zeros(self.size);
        for column in 0..self.size {
            let target = inverse.row_mut(column);
            for row in column..self.size {
                let factor = self.row(row);
                let unit = if row == column { 1.0 } else { 0.0 };
                target[row] = (unit - dot(&factor[column..row], &target[column..row])) / factor[row];
            }
        }
        inverse
    }
}

/// Returns the sum of products.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (chunks_a, chunks_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = chunks_a.remainder().iter().zip(chunks_b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in chunks_a.zip(chunks_b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Adds a multiple of a row to another one.
pub(super) fn add_multiple(target: &mut [f64], factor: f64, row: &[f64]) {
    for (target, value) in target.iter_mut().zip(row) {
        *target += factor * value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Returns a random positive definite matrix.
    fn definite(size: usize) -> SquareMatrix {
        let mut random = Random::new(3);
        let rows: Vec<Vec<f64>> =
            (0..size).map(|_| (0..size + 3).map(|_| random.normal()).collect()).collect();
        let mut matrix = SquareMatrix::zeros(size);
        for row in 0..size {
            for column in 0..size {
                matrix.row_mut(row)[column] = dot(&rows[row], &rows[column]);
            }
        }
        matrix
    }

    #[test]
    fn a_factor_times_its_transpose_is_the_matrix_and_its_inverse_undoes_it() {
        let matrix = definite(21);
        let factor = matrix.cholesky(|_| 0.5);
        let inverse = factor.inverse_transposed();
        for row in 0..matrix.size {
            for column in 0..matrix.size {
                let expected = matrix.row(row)[column] + if row == column { 0.5 } else { 0.0 };
                assert!((dot(factor.row(row), factor.row(column)) - expected).abs() < 1e-9);
                // Row `column` of the transposed inverse is a column of the inverse.
                let product = dot(factor.row(row), inverse.row(column));
                let unit = if row == column { 1.0 } else { 0.0 };
                assert!((product - unit).abs() < 1e-9, "{row} {column}: {product}");
            }
        }
    }
}
