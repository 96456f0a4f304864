//! How a program is linked: learnt from the compiler, and done again with the functions in another
//! order.
//!
//! rustc says which command it links with (`--print link-args`). Run with `-r` that command makes
//! one object of all objects and libraries of the program, and from that object alone the program
//! is linked as often as wanted, in some hundredths of a second. The flags are rustc's own, so that
//! a program differs from the one that cargo made in the order of its functions alone.
//!
//! The order is the linker's doing (`--shuffle-sections`: LLD's, and what others took over from
//! it).

use std::collections::HashMap;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// What cargo is told for the program it links: the places that the linker fills in stay listed,
/// for `code`. What is only for a debugger would be listed too, and is left out. The code is what
/// it is without them.
#[cfg(target_os = "linux")]
pub const LISTED: &[&str] = &["-Wl,--emit-relocs", "-Wl,--strip-debug"];
/// Other linkers have no such list.
#[cfg(not(target_os = "linux"))]
pub const LISTED: &[&str] = &[];

/// Words of the command that say which linker runs and for what machine; with them and the inputs
/// one object is made.
const OF_THE_LINKER: [&str; 3] = ["-m", "-B", "-fuse-ld"];

/// The command, without what is linked and without the name of what comes out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Link {
    environment: HashMap<String, String>,
    /// The program first.
    words: Vec<String>,
    /// The index of the word before which the inputs stand.
    inputs_at: usize,
}

impl Link {
    /// Reads what rustc printed: the command, and its inputs; none if it is not understood.
    #[must_use]
    pub fn read(printed: &str) -> Option<(Link, Vec<String>)> {
        let mut words = words(printed.trim())?.into_iter().peekable();
        let mut link = Link::default();
        while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
            link.environment.insert(name.to_owned(), value.to_owned());
            words.next();
        }
        let mut inputs = Vec::new();
        while let Some(word) = words.next() {
            let is_input = word.ends_with(".o") || word.ends_with(".rlib");
            match word.as_str() {
                "-o" => drop(words.next()),
                listed if LISTED.contains(&listed) => {}
                _ if is_input => {
                    if inputs.is_empty() {
                        link.inputs_at = link.words.len();
                    }
                    inputs.push(word);
                }
                _ => link.words.push(word),
            }
        }
        (link.inputs_at > 0).then_some((link, inputs))
    }

    /// Makes one object of all inputs.
    ///
    /// # Errors
    /// The linker says no.
    pub fn object(&self, inputs: &[String], object: &Path) -> Result<(), String> {
        let of_the_linker = |word: &&String| OF_THE_LINKER.iter().any(|w| word.starts_with(w));
        let mut command = self.command()?;
        command.args(["-r", "-nostdlib"]).args(self.words[1..].iter().filter(of_the_linker));
        run(command.args(inputs).arg("-o").arg(object))
    }

    /// Links the program from that object, with its functions in the order of that seed; without
    /// one, in the linker's own.
    ///
    /// # Errors
    /// The linker says no.
    pub fn program(&self, object: &Path, seed: Option<u32>, program: &Path) -> Result<(), String> {
        run(&mut self.linking(object, seed, program)?)
    }

    fn linking(&self, object: &Path, seed: Option<u32>, program: &Path) -> Result<Command, String> {
        let (before, behind) = self.words.split_at(self.inputs_at);
        let mut command = self.command()?;
        command.args(&before[1..]).arg(object).args(behind);
        command.args(seed.map(|seed| format!("-Wl,--shuffle-sections=.text*={seed}")));
        command.args(["-Wl,--strip-all", "-o"]).arg(program);
        Ok(command)
    }

    fn command(&self) -> Result<Command, String> {
        let program = self.words.first().ok_or("no linker is known")?;
        let mut command = Command::new(program);
        command.envs(&self.environment).stdin(Stdio::null());
        // Ctrl-C on a terminal is for the driver.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        Ok(command)
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| format!("the linker cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.trim().lines().last().unwrap_or_default();
    Err(format!("the linker failed ({}): {last}", output.status))
}

/// The words of a command as Rust prints it: each in quotes, a value behind its name and `=`.
fn words(printed: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut letters = printed.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => is_quoted = !is_quoted,
            '\\' if is_quoted => match letters.next()? {
                same @ ('"' | '\\' | '\'') => word.push(same),
                // Paths with such letters are not worth the trouble.
                _ => return None,
            },
            ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
            other => word.push(other),
        }
    }
    words.push(word);
    (!is_quoted).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRINTED: &str = concat!(
        r#"LC_ALL="C" PATH="/a b:/c" "cc" "-m64" "/t/symbols.o" "/t/main.rcgu.o" "#,
        r#""-Wl,--as-needed" "/t/libx.rlib" "-lc" "-B/lld" "-fuse-ld=lld" "-o" "/t/sol\"ock" "#,
        "\"-pie\" \"-Wl,--emit-relocs\" \"-nodefaultlibs\"\n"
    );

    #[test]
    fn the_command_is_rustcs_without_inputs_and_output() {
        let (link, inputs) = Link::read(PRINTED).unwrap();
        assert_eq!(inputs, ["/t/symbols.o", "/t/main.rcgu.o", "/t/libx.rlib"]);
        assert_eq!(link.environment["PATH"], "/a b:/c");
        let mut words =
            vec!["cc", "-m64", "-Wl,--as-needed", "-lc", "-B/lld", "-fuse-ld=lld", "-pie"];
        if LISTED.is_empty() {
            words.push("-Wl,--emit-relocs");
        }
        words.push("-nodefaultlibs");
        assert_eq!(
            (link.words, link.inputs_at),
            (words.into_iter().map(String::from).collect(), 2)
        );
    }

    #[test]
    fn the_object_stands_where_the_inputs_stood_and_the_seed_decides_the_order() {
        let (link, _) = Link::read(PRINTED).unwrap();
        let command = link.linking(Path::new("program.o"), Some(7), Path::new("solock")).unwrap();
        let words: Vec<&str> = command.get_args().map(|word| word.to_str().unwrap()).collect();
        assert_eq!(words[..3], ["-m64", "program.o", "-Wl,--as-needed"]);
        let order = ["-Wl,--shuffle-sections=.text*=7", "-Wl,--strip-all", "-o", "solock"];
        assert_eq!(words[words.len() - 4..], order);
        let own = link.linking(Path::new("program.o"), None, Path::new("solock")).unwrap();
        assert!(!own.get_args().any(|word| word.to_string_lossy().contains("shuffle")));
    }

    #[test]
    fn what_is_no_such_command_is_not_guessed_at() {
        assert_eq!(Link::read(""), None);
        assert_eq!(Link::read("env -u X \"cc"), None);
        assert_eq!(Link::read(r#""cc" "a\u{7f}.o""#), None);
        // Outside of quotes nothing has another meaning.
        assert_eq!(words(r#"a\ "b\"c""#), Some(vec![r"a\".to_owned(), "b\"c".to_owned()]));
    }

    #[test]
    fn a_linker_that_fails_says_why() {
        let (mut link, inputs) = Link::read(PRINTED).unwrap();
        link.words[0] = "false".to_owned();
        link.environment.clear();
        assert!(link.object(&inputs, Path::new("/nowhere")).unwrap_err().contains("failed"));
        let linked = link.program(Path::new("/nowhere"), Some(1), Path::new("/nowhere"));
        assert!(linked.unwrap_err().contains("failed"));
    }
}
