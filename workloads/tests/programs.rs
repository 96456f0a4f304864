//! Programs: the text form, the generator, and that the backends do what the model says.

use lockimpls::{Domain, Visitor};
use workloads::program::check::Bench;
use workloads::program::generate::generate;
use workloads::program::runner::Target;
use workloads::program::{Runner, parse};

/// A runner of every modelled backend.
fn modelled() -> Vec<Box<dyn Target>> {
    struct All(Vec<Box<dyn Target>>);
    impl Visitor for All {
        fn visit<D: Domain>(&mut self) {
            if D::MODELLED {
                self.0.push(Box::new(Runner::<D>::new().unwrap()));
            }
        }
    }
    let mut all = All(Vec::new());
    lockimpls::visit_all(&mut all);
    all.0
}

#[test]
fn what_is_generated_can_be_printed_and_read() {
    for number in 0..3000 {
        let program = generate(7, number);
        let text = program.to_string();
        assert_eq!(parse(&text).as_ref(), Ok(&program), "{text}");
    }
}

#[test]
fn the_backends_do_what_the_model_says() {
    let mut bench = Bench::new(modelled()).unwrap();
    let mut calls = 0;
    let start = std::time::Instant::now();
    for number in 0..20_000 {
        let program = generate(1, number);
        calls += program.len();
        if let Err(difference) = bench.run(&program) {
            panic!("program {number}: {}\n{}\n{program}", difference.kind, difference.report);
        }
    }
    println!("{calls} calls, {:?}", start.elapsed());
}
