//! The parameters of single workloads, beside what every workload is asked for.

/// A number that a workload declares and users choose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// Its flag on the command line, without the dashes.
    pub flag: &'static str,
    /// What stands for the number in the help.
    pub value_name: &'static str,
    /// What it is, in the help.
    pub about: &'static str,
    /// Its name in records.
    pub field: &'static str,
    /// What it is when nobody says.
    pub default: f64,
    /// What it can be.
    pub values: Values,
}

/// What a number can be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values {
    /// 1, 2 and so on.
    Whole {
        /// The largest.
        most: u32,
    },
    /// A number above 0.
    Above0 {
        /// The largest.
        most: f64,
    },
}

impl Parameter {
    /// Whether it can be that.
    ///
    /// # Errors
    /// It cannot: what it can be.
    pub fn check(&self, value: f64) -> Result<(), String> {
        let (is_one, what) = match self.values {
            Values::Whole { most } => {
                let is_whole = value.fract() == 0.0 && (1.0..=f64::from(most)).contains(&value);
                (is_whole, format!("1 to {most}"))
            }
            Values::Above0 { most } => {
                (value > 0.0 && value <= most, format!("numbers above 0, at most {most}"))
            }
        };
        if is_one { Ok(()) } else { Err(format!("valid are {what}")) }
    }
}

/// What was asked of a workload's own numbers, by their names in records.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Own(Vec<(&'static str, f64)>);

impl Own {
    /// What was asked of one of them: its default, where nobody said.
    #[must_use]
    pub fn of(&self, parameter: &Parameter) -> f64 {
        let found = self.0.iter().find(|(field, _)| *field == parameter.field);
        found.map_or(parameter.default, |(_, value)| *value)
    }
}

impl FromIterator<(&'static str, f64)> for Own {
    fn from_iter<I: IntoIterator<Item = (&'static str, f64)>>(all: I) -> Own {
        Own(all.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(values: Values) -> Parameter {
        let (flag, value_name, about, field) = ("f", "N", "what it is", "field");
        Parameter { flag, value_name, about, field, default: 3.0, values }
    }

    #[test]
    fn a_number_is_what_its_parameter_can_be() {
        let whole = parameter(Values::Whole { most: 9 });
        assert_eq!((whole.check(1.0), whole.check(9.0)), (Ok(()), Ok(())));
        for bad in [0.0, -1.0, 1.5, 10.0, f64::NAN, f64::INFINITY] {
            assert_eq!(whole.check(bad), Err("valid are 1 to 9".to_owned()), "{bad}");
        }
        let real = parameter(Values::Above0 { most: 9.0 });
        assert_eq!((real.check(0.1), real.check(9.0)), (Ok(()), Ok(())));
        for bad in [0.0, -1.0, 9.1, f64::NAN, f64::INFINITY] {
            assert!(real.check(bad).unwrap_err().ends_with("at most 9"), "{bad}");
        }
    }

    #[test]
    fn what_nobody_said_is_the_default() {
        let one = parameter(Values::Whole { most: 9 });
        assert_eq!(Own::default().of(&one), 3.0);
        assert_eq!(Own::from_iter([("other", 1.0), ("field", 2.0)]).of(&one), 2.0);
    }
}
