//! Ratios of neighbours in time.

use results::stats::{median, quantile};

/// Prints one figure: its name, the median over quiet rounds, the quartiles, and of how many rounds
/// that is.
pub(crate) fn report(name: &str, values: &[f64], unit: &str) {
    let Some(middle) = median(values) else {
        say!("{name:<44} no quiet round");
        return;
    };
    let (low, high) = (quantile(values, 0.25), quantile(values, 0.75));
    let spread = format!("[{:.2}, {:.2}]", low.unwrap_or(middle), high.unwrap_or(middle));
    say!("{name:<44} {middle:>7.2}{unit} {spread:<14} {} rounds", values.len());
}
