//! A flag for each parameter that a workload declares.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use workloads::{Parameter, Values};

use crate::{matrix, number};

/// What was asked of them, parameter by parameter.
#[derive(Clone, Debug, Default)]
pub struct OwnArgs(pub Vec<(&'static Parameter, Vec<f64>)>);

impl OwnArgs {
    /// As if these flags had been given.
    #[cfg(test)]
    pub(crate) fn given(flags: &[(&str, &[f64])]) -> OwnArgs {
        let parameter = |flag| matrix::parameters().find(|one| one.flag == flag).unwrap();
        let given = flags.iter().map(|(flag, values)| (parameter(*flag), values.to_vec()));
        OwnArgs(given.collect())
    }

    fn flag(parameter: &'static Parameter) -> Arg {
        let Parameter { flag, value_name, about, default, .. } = parameter;
        let number = match parameter.values {
            Values::Whole { .. } => |text: &str| number::whole::<u32>(text).map(f64::from),
            Values::Above0 { .. } => number::real,
        };
        Arg::new(*flag)
            .long(*flag)
            .value_name(*value_name)
            .help(format!("{about} (repeatable) [default: {default}]"))
            .action(ArgAction::Append)
            .value_delimiter(',')
            .allow_negative_numbers(true)
            .value_parser(number)
    }
}

impl Args for OwnArgs {
    fn augment_args(command: Command) -> Command {
        command.args(matrix::parameters().map(OwnArgs::flag))
    }

    fn augment_args_for_update(command: Command) -> Command {
        OwnArgs::augment_args(command)
    }
}

impl FromArgMatches for OwnArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<OwnArgs, Error> {
        let asked = |parameter: &'static Parameter| {
            let values = matches.get_many::<f64>(parameter.flag)?;
            Some((parameter, values.copied().collect()))
        };
        Ok(OwnArgs(matrix::parameters().filter_map(asked).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = OwnArgs::from_arg_matches(matches)?;
        Ok(())
    }
}
