//! The program `solock`, and programs of other crates with layers, locks and workloads of their
//! own: the same commands, over what is built in and what is added.

use std::any::type_name;
use std::marker::PhantomData;
use std::process::ExitCode;

use clap::{Arg, CommandFactory, FromArgMatches};
use lockimpls::raw::{AnyLock, Or, RawMutex};
use lockimpls::witness::Class;
use lockimpls::{Algorithm, Backend, Domain, Fd};
use workloads::{Kind, Parameter};

use crate::added::{self, Added, BuiltFrom};
use crate::cli::{Cli, Command};
use crate::cmd::{self, EXIT_OK, EXIT_USAGE};
use crate::locks::MakesAll;
use crate::matrix::Workload;
use crate::{interrupt, server, tell};

/// A program with all the commands. [`Program::default`] is `solock` itself;
/// [`program!`](crate::program!) begins one of another crate.
///
/// `L` is what makes the locks that users name.
#[derive(Debug)]
pub struct Program<L: MakesAll = AnyLock> {
    name: &'static str,
    added: Added,
    locks: Vec<Algorithm>,
    classes: Vec<(Class, &'static str)>,
    /// The type of a lock that was added and cannot be asked for.
    nameless: Option<&'static str>,
    made_by: PhantomData<fn() -> L>,
}

impl Default for Program {
    fn default() -> Program {
        Program {
            name: "solock",
            added: Added::default(),
            locks: Vec::new(),
            classes: Vec::new(),
            nameless: None,
            made_by: PhantomData,
        }
    }
}

impl Program {
    /// The program of another crate. Use [`program!`](crate::program!), which knows it.
    #[must_use]
    pub fn of(built_from: BuiltFrom) -> Program {
        let added = Added { built_from: Some(built_from), ..Added::default() };
        Program { name: built_from.program, added, ..Program::default() }
    }
}

impl<L: MakesAll> Program<L> {
    /// Adds a layer. Whatever it says, it is [`MODELLED`](Domain::MODELLED) nowhere: locks of other
    /// algorithms, locks around it and profiles are compiled for the layers of this workspace.
    #[must_use]
    pub fn backend<D: Domain<Sock = Fd>>(mut self) -> Self {
        self.added.backends.push(Backend { modelled: false, ..Backend::of::<D>() });
        self
    }

    /// Says what a class of the layer's locks is called: see [`Class`].
    #[must_use]
    pub fn class(mut self, class: Class, name: &'static str) -> Self {
        self.classes.push((class, name));
        self
    }

    /// Adds a workload.
    #[must_use]
    pub fn workload<K: Kind>(mut self) -> Self {
        self.added.workloads.push(Workload::of::<K>());
        self
    }

    /// Adds a lock, for `--lock` on the modelled backends, by the name in its
    /// [`ALGORITHM`](RawMutex::ALGORITHM). Those backends are compiled once more for it.
    #[must_use]
    pub fn lock<R: RawMutex>(mut self) -> Program<Or<R, L>> {
        match R::ALGORITHM {
            Some(algorithm) => self.locks.push(algorithm),
            None => self.nameless = Some(type_name::<R>()),
        }
        let Program { name, added, locks, classes, nameless, .. } = self;
        Program { name, added, locks, classes, nameless, made_by: PhantomData }
    }

    /// Does what the command line says.
    #[must_use]
    pub fn main(self) -> ExitCode {
        interrupt::survive_file_limit();
        let name = self.name;
        let code = self.run().unwrap_or_else(|error| {
            tell!("{name}: {error}");
            EXIT_USAGE
        });
        // What ends the process runs no destructor: threads may be in a call.
        std::process::exit(code)
    }

    fn run(self) -> Result<i32, String> {
        let name = self.name;
        if let Some(lock) = self.nameless {
            return Err(format!(
                "the lock {lock} has no name to ask for it: write `const ALGORITHM: \
                 Option<Algorithm> = Some(Algorithm::Own(&OwnLock {{ .. }}))` in its `RawMutex`"
            ));
        }
        added::add(Added { locks: L::locks(self.locks), ..self.added })?;
        self.classes.iter().try_for_each(|(class, name)| class.declare(name))?;
        flags_differ(&Cli::command(), &added::added().workloads)?;
        let asked = Cli::command().name(name).try_get_matches();
        match asked.and_then(|matches| Cli::from_arg_matches(&matches)) {
            Ok(cli) => command(cli, name),
            Err(error) => {
                // Help and the version are answers; whether they could be printed changes nothing.
                let _ = error.print();
                Ok(if error.use_stderr() { EXIT_USAGE } else { EXIT_OK })
            }
        }
    }
}

/// Begins the program of the crate that it stands in: a [`Program`] to which layers, locks and
/// workloads are added.
///
/// It stands in `src/main.rs` of that crate, which a package of its own has to be. This is the
/// example `bench/byo`, which a test builds and runs:
///
/// ```ignore
/// mod sharded; // `impl solock::seam::Domain for Sharded`
/// mod tas; // `unsafe impl solock::seam::RawMutex for Tas`
/// mod volley; // `impl solock::seam::Kind for Volley`
///
/// fn main() -> std::process::ExitCode {
///     solock::program!()
///         .class(solock::seam::Class::Own1, "shard")
///         .backend::<sharded::Sharded>()
///         .lock::<tas::Tas>()
///         .workload::<volley::Volley>()
///         .main()
/// }
/// ```
///
/// The commit of that crate stands in records if its build says so, in the variable
/// `SOLOCK_OWN_COMMIT`; and whether its source was another, `true` or `false`, in
/// `SOLOCK_OWN_DIRTY`.
#[macro_export]
macro_rules! program {
    () => {
        $crate::Program::of($crate::added::BuiltFrom {
            manifest: concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
            program: env!("CARGO_BIN_NAME"),
            commit: option_env!("SOLOCK_OWN_COMMIT"),
            dirty: option_env!("SOLOCK_OWN_DIRTY"),
        })
    };
}

/// Whether no flag of an added workload is one that a command has anyway.
fn flags_differ(program: &clap::Command, added: &[Workload]) -> Result<(), String> {
    let is = |arg: &Arg, flag: &str| arg.get_id() == flag || arg.get_long() == Some(flag);
    for Parameter { flag, .. } in added.iter().flat_map(|workload| workload.parameters) {
        let is_twice = |command: &&clap::Command| {
            command.get_arguments().filter(|arg| is(arg, flag)).count() > 1
        };
        let is_general = ["help", "version"].contains(flag);
        if let Some(command) = program.get_subcommands().find(is_twice) {
            return Err(format!("`{}` has a flag --{flag} of its own", command.get_name()));
        }
        if is_general {
            return Err(format!("--{flag} is a flag of each command"));
        }
    }
    Ok(())
}

/// Does what a command line says; `name` is the program's.
fn command(cli: Cli, name: &'static str) -> Result<i32, String> {
    match cli.command {
        Some(Command::List(args)) => cmd::list::list(&args),
        Some(Command::Check(args)) => cmd::check::check(&args),
        Some(Command::Controls(args)) => cmd::controls::run(&args),
        Some(Command::Run(args)) => cmd::run::run(&args),
        Some(Command::Compare(args)) => cmd::compare::compare(&args),
        Some(Command::Grid(args)) => cmd::grid::run(&args),
        Some(Command::Serve(args)) => server::serve(args.hang_limit),
        Some(Command::Profile(args)) => cmd::profile::profile(&args),
        Some(Command::Show(args)) => cmd::show::show(&args),
        Some(Command::Fuzz(args)) => cmd::fuzz::fuzz(&args),
        Some(Command::Replay(args)) => cmd::replay::replay(&args),
        Some(Command::Minimize(args)) => cmd::minimize::run(&args),
        Some(Command::History(args)) => cmd::history::run(&args),
        Some(Command::Plot(args)) => cmd::plot::plot(&args),
        Some(Command::Export(args)) => cmd::export::export(&args),
        Some(Command::Import(args)) => cmd::import::import(&args),
        None => {
            let help = Cli::command().name(name).render_help();
            cmd::print(&format!("{help}\n{}", FIRST_STEPS.replace("solock", name)))?;
            Ok(EXIT_OK)
        }
    }
}

const FIRST_STEPS: &str = "\
Begin with:
  solock run                              the usual backends and workloads: about a minute
  solock run --workload pairs --threads 1,2 --seconds 1 --rounds 3
  solock compare HEAD~1 HEAD              did the last commit make anything slower?
  solock list                             what else there is
";

#[cfg(test)]
mod tests {
    use lockimpls::{Fifofs, Variants, Visitor};

    use super::*;
    use crate::matrix;

    #[test]
    fn a_layer_that_is_added_has_locks_of_its_own() {
        struct Added(Vec<Backend>);
        impl Visitor for Added {
            fn visit<D: Fifofs<Sock = Fd> + Variants>(&mut self) {
                self.0.extend(Program::default().backend::<D>().added.backends);
            }
        }
        let mut all = Added(Vec::new());
        lockimpls::visit_all(&mut all);
        assert!(lockimpls::backends().iter().any(|one| one.modelled));
        assert!(!all.0.is_empty() && all.0.iter().all(|one| !one.modelled));
    }

    #[test]
    fn a_workloads_flag_is_no_flag_of_a_command() {
        let check = |flag: &'static str| {
            let own = Parameter { flag, ..*matrix::parameters().next().expect("one") };
            let mut workload = matrix::built_in()[0];
            workload.parameters = vec![own].leak();
            let command = clap::Command::new("solock").subcommand(
                clap::Command::new("run")
                    .args([Arg::new("sides"), Arg::new("hang_limit").long("hang-limit")])
                    .arg(Arg::new(flag).long(flag)),
            );
            flags_differ(&command, &[workload])
        };
        assert_eq!(check("depth"), Ok(()));
        for taken in ["sides", "hang-limit"] {
            assert_eq!(check(taken), Err(format!("`run` has a flag --{taken} of its own")));
        }
        assert!(check("help").is_err_and(|error| error.contains("each command")));
    }

    #[test]
    fn a_lock_that_cannot_be_asked_for_is_refused() {
        let error = Program::default().lock::<AnyLock>().run().unwrap_err();
        assert!(error.contains("AnyLock has no name") && error.contains("ALGORITHM"), "{error}");
    }
}
