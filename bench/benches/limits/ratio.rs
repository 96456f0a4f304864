//! Ratios of neighbours in time, and what they are held against.

use results::stats::{median, quantile};

/// What a ratio must be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// Nothing: the figure is shown.
    Shown,
}

/// With fewer quiet rounds a figure is shown, and not judged.
const ROUNDS_MIN: usize = 5;

/// Prints one figure: its name, the median with quartiles, and whether it holds.
pub(crate) fn report(name: &str, values: &[f64], unit: &str, bound: Bound) {
    let Some(middle) = median(values) else {
        println!("{name:<44} no quiet round");
        return;
    };
    let (low, high) = (quantile(values, 0.25), quantile(values, 0.75));
    let spread = format!("[{:.2}, {:.2}]", low.unwrap_or(middle), high.unwrap_or(middle));
    let verdict = match bound {
        Bound::Shown => String::new(),
        _ if values.len() < ROUNDS_MIN => format!("no verdict: {} quiet rounds", values.len()),
        Bound::AtMost(limit) if middle <= limit => format!("<= {limit} holds"),
        Bound::AtMost(limit) => format!("<= {limit} DOES NOT HOLD"),
        Bound::AtLeast(limit) if middle >= limit => format!(">= {limit} holds"),
        Bound::AtLeast(limit) => format!(">= {limit} DOES NOT HOLD"),
    };
    println!("{name:<44} {middle:>7.2}{unit} {spread:<14} {verdict}");
}
