//! A machine of a grid: where its elements are measured, and how it is reached.

use serde::Deserialize;

/// A `[[machine]]` of a grid. All of its nodes must be alike.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// Its name, in records and tables.
    pub name: String,
    /// Slurm: the partition [default: Slurm's own].
    pub partition: Option<String>,
    /// Slurm: the one node that is taken; and the node that `grid run` knows itself by.
    pub node: Option<String>,
    /// Slurm: what its nodes must have.
    pub constraint: Option<String>,
    /// Slurm: licences an element takes, such as `box:1` where emulated nodes share one box.
    pub licenses: Option<String>,
    /// GNU parallel: the host that is reached by ssh.
    pub ssh: Option<String>,
    /// The program there [default: with Slurm this program, by ssh `solock`].
    pub solock: Option<String>,
    /// The folder to stand in: for comparisons a checkout [default: the current one].
    pub folder: Option<String>,
    /// Where a comparison builds: a folder of the node's own [default: the checkout's].
    pub target: Option<String>,
    /// `--cpus` of each element.
    pub cpus: Option<String>,
}

impl Machine {
    /// Makes sure that no field could be read as something else where it is written.
    ///
    /// # Errors
    /// The field, and what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        if !is_name(&self.name) {
            return Err(format!("machine {:?}: {NAME}", self.name));
        }
        let fields = [
            ("partition", &self.partition),
            ("node", &self.node),
            ("constraint", &self.constraint),
            ("licenses", &self.licenses),
            ("ssh", &self.ssh),
            ("solock", &self.solock),
            ("folder", &self.folder),
            ("target", &self.target),
            ("cpus", &self.cpus),
        ];
        let is_wrong = |text: &str| text.is_empty() || !text.chars().all(is_plain);
        let wrong = fields.into_iter().find_map(|(field, value)| {
            let value = value.as_ref().filter(|value| is_wrong(value))?;
            Some((field, value))
        });
        wrong.map_or(Ok(()), |(field, value)| {
            let name = &self.name;
            Err(format!(
                "machine {name}: {field} = {value:?}: it is written into a script: {PLAIN}"
            ))
        })
    }

    /// Whether nothing says where it is, so that it can be any.
    #[must_use]
    pub fn is_anywhere(&self) -> bool {
        let Machine { partition, node, constraint, ssh, .. } = self;
        [partition, node, constraint, ssh].into_iter().all(Option::is_none)
    }
}

/// What is written into a script may be.
pub const PLAIN: &str =
    "spaces, quotes, `%`, `#`, `$`, `;` and backslashes mean something else there";

/// What a name may be.
pub const NAME: &str = "a name has letters, digits, `-`, `_` and `.`, and begins with no point";

/// Whether a text can be a part of a file's name, and of a line of a script.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    !text.is_empty()
        && text.len() <= 64
        && !text.starts_with(['.', '-'])
        && text.chars().all(is_part)
}

/// Whether a character means only itself, in a line of `#SBATCH` and between single quotes.
#[must_use]
pub fn is_plain(character: char) -> bool {
    character.is_ascii_graphic() && !"'\"`%#$\\;".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_something_else_in_a_script_is_refused() {
        let named = |name: &str| Machine { name: name.to_owned(), ..Machine::default() };
        for bad in ["", "a b", "../x", "-x", ".x", "a;b", "ä", "a/b"] {
            assert!(named(bad).check().is_err(), "{bad}");
        }
        assert_eq!(named("amd-1.lab_2").check(), Ok(()));
        for bad in ["", "a b", "x\n#SBATCH --uid=0", "$(id)", "a'b", "%j", "`id`"] {
            let machine = Machine { partition: Some(bad.to_owned()), ..named("a") };
            let error = machine.check().expect_err(bad);
            assert!(error.starts_with("machine a: partition = "), "{error}");
        }
        let good = Machine { constraint: Some("[epyc&fast|x*2]".to_owned()), ..named("a") };
        assert_eq!(good.check(), Ok(()));
    }
}
