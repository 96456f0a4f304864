//! Comparing what backends answered: a finding says where they differ.

use lockimpls::Backend;

use crate::allowed;
use crate::runner::{Answer, Outcome, Runner, Target, Trace};
use crate::{Model, Program};

/// A difference that nothing allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The backend that is wrong, or thought to be.
    pub backend: &'static str,
    /// Short: which kind of difference, the same for every program that shows it.
    pub kind: String,
    /// Several lines: the call, what it answered, what it must answer.
    pub report: String,
}

/// Backends, and the model that judges them.
pub struct Bench {
    targets: Vec<Box<dyn Target>>,
    model: Runner,
    expected: Trace,
    answered: Trace,
}

impl Bench {
    /// A bench with these backends.
    ///
    /// # Errors
    /// The model could not be made.
    pub fn new(targets: Vec<Box<dyn Target>>) -> Result<Bench, lockimpls::Errno> {
        let (expected, answered) = (Trace::default(), Trace::default());
        Ok(Bench { targets, model: Runner::new(Backend::of::<Model>())?, expected, answered })
    }

    /// The backends' names.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.targets.iter().map(|target| target.name()).collect()
    }

    /// What the calls of the program that ran last answered, on the last backend.
    pub fn last_answers<'a>(
        &'a self,
        program: &'a Program,
    ) -> impl Iterator<Item = (&'a crate::Call, &'a Answer)> {
        program.calls().zip(self.answered.answers())
    }

    /// Runs a program on every backend and judges the answers. What a check of the layer's boundary
    /// finds ends the process.
    ///
    /// # Errors
    /// The first difference that nothing allows.
    pub fn run(&mut self, program: &Program) -> Result<(), Difference> {
        let is_single = program.threads.is_empty();
        if is_single {
            self.model.run(program, &mut self.expected);
        }
        for target in &mut self.targets {
            let prefix = (!target.is_modelled()).then(|| allowed::comparable(program));
            if prefix.is_some() && !is_single {
                continue;
            }
            let program = prefix.as_ref().unwrap_or(program);
            target.run(program, &mut self.answered);
            let difference = if is_single {
                first_difference(program, target.as_ref(), &self.answered, &self.expected)
            } else {
                crate::threads::judge(program, &self.answered)
            };
            if let Some((kind, report)) = difference {
                return Err(Difference { backend: target.name(), kind, report });
            }
        }
        Ok(())
    }
}

fn first_difference(
    program: &Program,
    target: &dyn Target,
    answered: &Trace,
    expected: &Trace,
) -> Option<(String, String)> {
    let rows = program.first.iter().zip(answered.first.iter().zip(&expected.first));
    for (index, (call, (is, must))) in rows.enumerate() {
        if is == must {
            continue;
        }
        if !target.is_modelled() {
            match allowed::verdict(program, index, is, must) {
                Some(allowed::Verdict::Same) => continue,
                Some(allowed::Verdict::Diverges) => return None,
                None => {}
            }
        }
        let kind = format!("{} {}", word_of(&call.to_string()), aspect(is, must));
        let report = format!(
            "call {} of {}: {call}\n  {:<12} {is}\n  {:<12} {must}\n",
            index + 1,
            program.first.len(),
            target.name(),
            "must be",
        );
        return Some((kind, report));
    }
    None
}

/// The name of a printed call.
pub(crate) fn word_of(call: &str) -> &str {
    let call = call.split_once(" = ").map_or(call, |(_, call)| call);
    call.split('(').next().unwrap_or(call)
}

/// What of an answer differs.
pub(crate) fn aspect(is: &Answer, must: &Answer) -> String {
    let short = |outcome: Outcome| match outcome {
        Outcome::Skipped => "not made".to_owned(),
        Outcome::Done(_) => "success".to_owned(),
        Outcome::Failed(errno) => errno.to_string(),
    };
    let (is_short, must_short) = (short(is.outcome), short(must.outcome));
    if is_short != must_short {
        return format!("{is_short} for {must_short}");
    }
    let aspects = [
        (is.outcome != must.outcome, "number"),
        (is.data != must.data, "data"),
        (is.files != must.files, "descriptors"),
        (is.name != must.name, "name"),
        (is.flags != must.flags, "flags"),
    ];
    aspects.iter().find(|(differs, _)| *differs).map_or("?", |(_, what)| what).to_owned()
}
