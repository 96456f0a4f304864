//! An axis: what it shows, how far it goes, and where its ticks are, linear and logarithmic.
//!
//! Ticks are worked out here once, for the drawn figures and for the report, which only switches.

use serde::Serialize;

use crate::unit::Unit;

/// How values become places.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// Equal differences are equal distances.
    Linear,
    /// Equal ratios are equal distances.
    Log,
}

/// One axis of a panel.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Axis {
    /// What it shows, with the unit.
    pub label: String,
    /// What its values count.
    pub unit: Unit,
    /// How it is drawn at first.
    pub scale: Scale,
    /// The range and the ticks on the linear scale.
    pub linear: Option<Range>,
    /// The same on the logarithmic scale; none where a value is not positive.
    pub log: Option<Range>,
    /// Names of the places 0, 1, 2 ... where the axis has names and no numbers.
    pub names: Vec<String>,
}

/// How far an axis goes, and its ticks.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Range {
    /// The lower end, as a value.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// Values with their texts.
    pub ticks: Vec<(f64, String)>,
}

/// About how many ticks an axis has.
const TICKS: f64 = 5.0;
/// How much room is left beside the outermost values, as a share of the range.
const ROOM: f64 = 0.06;

impl Axis {
    /// An axis for these values, linear from 0 (a ratio: around its values) until switched.
    #[must_use]
    pub fn linear(label: &str, unit: Unit, values: &[f64]) -> Axis {
        Axis { scale: Scale::Linear, ..Axis::of(label, unit, values) }
    }

    /// The same, logarithmic at first; linear where a value is not positive.
    #[must_use]
    pub fn log(label: &str, unit: Unit, values: &[f64]) -> Axis {
        let axis = Axis::of(label, unit, values);
        let scale = if axis.log.is_some() { Scale::Log } else { Scale::Linear };
        Axis { scale, ..axis }
    }

    /// An axis of names.
    #[must_use]
    pub fn names(label: &str, names: Vec<String>) -> Axis {
        let ticks = names.iter().enumerate().map(|(place, name)| (place as f64, name.clone()));
        let range = Range { low: -0.5, high: names.len() as f64 - 0.5, ticks: ticks.collect() };
        let (label, unit) = (label.to_owned(), Unit::Name);
        Axis { label, unit, scale: Scale::Linear, linear: Some(range), log: None, names }
    }

    /// It is drawn in one way: there is nothing to switch.
    #[must_use]
    pub fn fixed(mut self) -> Axis {
        match self.scale {
            Scale::Linear => self.log = None,
            Scale::Log => self.linear = None,
        }
        self
    }

    /// The range on the scale of the axis.
    #[must_use]
    pub fn range(&self) -> &Range {
        static ANY: Range = Range { low: 0.0, high: 1.0, ticks: Vec::new() };
        let chosen = match self.scale {
            Scale::Linear => &self.linear,
            Scale::Log => &self.log,
        };
        chosen.as_ref().unwrap_or(&ANY)
    }

    /// Where a value lies on the scale of the axis: itself, or its logarithm.
    #[must_use]
    pub fn place(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Log => value.max(f64::MIN_POSITIVE).log10(),
        }
    }

    fn of(label: &str, unit: Unit, values: &[f64]) -> Axis {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        let low = finite().fold(f64::INFINITY, f64::min);
        let high = finite().fold(f64::NEG_INFINITY, f64::max);
        let any = low <= high;
        Axis {
            label: label.to_owned(),
            unit,
            scale: Scale::Linear,
            linear: any.then(|| linear_range(unit, low, high)),
            log: (any && low > 0.0).then(|| log_range(unit, low, high)),
            names: Vec::new(),
        }
    }
}

fn linear_range(unit: Unit, low: f64, high: f64) -> Range {
    // A ratio is read from 1, everything else from 0.
    let from = if unit == Unit::Ratio { low.min(1.0) } else { low.min(0.0) };
    let to = if unit == Unit::Ratio { high.max(1.0) } else { high };
    // All values are 0: one is as good a height as any.
    let to = if to > from { to } else { from + 1.0 };
    let room = (to - from) * ROOM;
    let low = if from == 0.0 { 0.0 } else { from - room };
    let range = Range { low, high: to + room, ticks: Vec::new() };
    Range { ticks: ticks(unit, steps(range.low, range.high, unit == Unit::Count)), ..range }
}

fn log_range(unit: Unit, low: f64, high: f64) -> Range {
    if unit == Unit::Percentile {
        return percentile_range(high);
    }
    let (low, high) = if unit == Unit::Ratio { (low.min(1.0), high.max(1.0)) } else { (low, high) };
    let room = 10f64.powf(((high / low).log10() * ROOM).max(0.02));
    let (low, high) = (low / room, high * room);
    Range { low, high, ticks: ticks(unit, log_steps(low, high)) }
}

/// 0 %, 50 %, 90 %, 99 % ... as far as there are values.
fn percentile_range(high: f64) -> Range {
    let decades = high.max(10.0).log10().ceil() as usize;
    let every = if decades > 7 { 2 } else { 1 };
    let mut values = vec![1.0, 2.0];
    values.extend((1..=decades).step_by(every).map(|nines| 10f64.powi(nines as i32)));
    values.retain(|value| *value <= high * 1.01);
    Range { low: 1.0, high: high.max(2.0) * 1.3, ticks: ticks(Unit::Percentile, values) }
}

fn ticks(unit: Unit, values: Vec<f64>) -> Vec<(f64, String)> {
    values.into_iter().map(|value| (value, unit.tick(value))).collect()
}

/// Round values between two, about [`TICKS`] of them.
fn steps(low: f64, high: f64, whole: bool) -> Vec<f64> {
    let rough = (high - low) / TICKS;
    let size = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * size >= rough);
    let mut step = step.unwrap_or(10.0) * size;
    if whole && high - low > 2.0 {
        step = step.max(1.0);
    }
    let first = (low / step).ceil() as i64;
    let last = (high / step).floor() as i64;
    // A product of small integers and a power of ten: no sum of rounding errors.
    (first..=last).map(|count| rounded(count as f64 * step)).collect()
}

/// Round values on a logarithmic scale: decades, or their parts where there are few.
fn log_steps(low: f64, high: f64) -> Vec<f64> {
    let decades = (high / low).log10();
    if decades < 0.7 {
        return steps(low, high, false);
    }
    let parts: &[f64] = match decades {
        few if few < 1.5 => &[1.0, 2.0, 3.0, 5.0],
        some if some < 3.0 => &[1.0, 3.0],
        _ => &[1.0],
    };
    let every = (decades / 7.0).ceil().max(1.0) as i32;
    let mut values = Vec::new();
    for exponent in low.log10().floor() as i32..=high.log10().ceil() as i32 {
        if exponent.rem_euclid(every) == 0 {
            values.extend(parts.iter().map(|part| rounded(part * 10f64.powi(exponent))));
        }
    }
    values.retain(|value| (low..=high).contains(value));
    values
}

/// Without the last few binary digits, which are noise in a tick.
fn rounded(value: f64) -> f64 {
    format!("{value:.12e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(range: &Range) -> Vec<&str> {
        range.ticks.iter().map(|(_, text)| text.as_str()).collect()
    }

    #[test]
    fn throughput_begins_at_zero() {
        let axis = Axis::linear("", Unit::Rate, &[4.2e6, 11.4e6]);
        let range = axis.range();
        assert_eq!(range.low, 0.0);
        assert!(range.high > 11.4e6);
        assert_eq!(texts(range), ["0", "5M", "10M"]);
    }

    #[test]
    fn decades_and_their_parts() {
        assert_eq!(
            texts(Axis::log("", Unit::Time, &[40.0, 2e6]).range()),
            ["100ns", "1µs", "10µs", "100µs", "1ms"]
        );
        assert_eq!(texts(Axis::log("", Unit::Time, &[40.0, 400.0]).range()).len(), 4);
        assert_eq!(texts(Axis::log("", Unit::Ratio, &[0.9, 1.2]).range()).len(), 4);
    }

    #[test]
    fn percentile_ticks_are_nines() {
        let axis = Axis::log("", Unit::Percentile, &[1.0, 1e4]);
        assert_eq!(texts(axis.range()), ["0%", "50%", "90%", "99%", "99.9%", "99.99%"]);
    }

    #[test]
    fn what_is_not_positive_has_no_logarithm() {
        let axis = Axis::log("", Unit::Count, &[0.0, 3.0]);
        assert_eq!((axis.scale, axis.log.is_none()), (Scale::Linear, true));
        assert!(Axis::linear("", Unit::Rate, &[]).linear.is_none());
        assert_eq!(Axis::linear("", Unit::Rate, &[f64::NAN, 2.0]).range().low, 0.0);
    }
}
