//! Quantiles of the normal distribution and of Student's t.

/// Returns the quantile of the standard normal distribution for a probability in (0, 1).
///
/// Rational approximation of P. Acklam (2003), with a relative error below 1.2e-9.
pub(super) fn normal(probability: f64) -> f64 {
    const CENTRE: ([f64; 6], [f64; 6]) = (
        [
            -39.696_830_286_653_76,
            220.946_098_424_520_5,
            -275.928_510_446_968_7,
            138.357_751_867_269,
            -30.664_798_066_147_16,
            2.506_628_277_459_239,
        ],
        [
            -54.476_098_798_224_06,
            161.585_836_858_040_9,
            -155.698_979_859_886_6,
            66.801_311_887_719_72,
            -13.280_681_552_885_72,
            1.0,
        ],
    );
    const TAIL: ([f64; 6], [f64; 5]) = (
        [
            -0.007_784_894_002_430_293,
            -0.322_396_458_041_136_5,
            -2.400_758_277_161_838,
            -2.549_732_539_343_734,
            4.374_664_141_464_968,
            2.938_163_982_698_783,
        ],
        [
            0.007_784_695_709_041_462,
            0.322_467_129_070_039_8,
            2.445_134_137_142_996,
            3.754_408_661_907_416,
            1.0,
        ],
    );
    const TAIL_BEGINS: f64 = 0.024_25;
    let polynomial = |coefficients: &[f64], x: f64| {
        coefficients.iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
    };
    let tail = |probability: f64| {
        let x = (-2.0 * probability.ln()).sqrt();
        polynomial(&TAIL.0, x) / polynomial(&TAIL.1, x)
    };
    if probability < TAIL_BEGINS {
        tail(probability)
    } else if probability > 1.0 - TAIL_BEGINS {
        -tail(1.0 - probability)
    } else {
        let x = probability - 0.5;
        x * polynomial(&CENTRE.0, x * x) / polynomial(&CENTRE.1, x * x)
    }
}

/// Returns the quantile of Student's t distribution with at least 5 degrees of freedom.
///
/// Expansion by powers of one over the degrees of freedom: Abramowitz and Stegun 1964, 26.7.5.
pub(super) fn student(probability: f64, degrees: f64) -> f64 {
    let z = normal(probability);
    let square = z * z;
    let terms = [
        (square + 1.0) * z / 4.0,
        ((5.0 * square + 16.0) * square + 3.0) * z / 96.0,
        (((3.0 * square + 19.0) * square + 17.0) * square - 15.0) * z / 384.0,
        ((((79.0 * square + 776.0) * square + 1_482.0) * square - 1_920.0) * square - 945.0) * z / 92_160.0,
    ];
    terms.iter().rev().fold(0.0, |sum, term| (sum + term) / degrees) + z
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_published_tables() {
        for (probability, expected) in [
            (0.5, 0.0),
            (0.975, 1.959_963_985),
            (0.995, 2.575_829_304),
            (0.001, -3.090_232_306),
            (0.9999, 3.719_016_485),
        ] {
            assert!((normal(probability) - expected).abs() < 1e-8, "{probability}: {}", normal(probability));
        }
        for (probability, degrees, expected, precision) in [
            (0.975, 63.0, 1.998_341, 1e-5),
            (0.975, 10.0, 2.228_139, 1e-4),
            (0.995, 30.0, 2.749_996, 1e-4),
            (0.995, 9.0, 3.249_836, 1e-2),
            (0.025, 63.0, -1.998_341, 1e-5),
        ] {
            let quantile = student(probability, degrees);
            assert!((quantile - expected).abs() < precision, "{probability} {degrees}: {quantile}");
        }
    }
}
