//! OpenMetrics 1.0: a family's TYPE, UNIT (the end of its name) and HELP before its samples, all
//! samples of a family together, quotes in labels escaped, seconds since 1970, and EOF.

use results::Ratio;

use super::*;

/// Reads metrics as Prometheus' Python package does.
const READ_METRICS: &str = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(open(sys.argv[1]).read()):
    for one in family.samples:
        labels = one.labels
        more = labels.get('percentile', labels.get('bound', '-'))
        of = labels['backend'], labels['threads'], labels.get('event', labels.get('to', '-')), more
        numbers = float(one.value), float(one.timestamp)
        print(family.name, family.type, family.unit or '-', *of, *numbers)
";

#[test]
fn openmetrics_ends_as_it_must() {
    let mut rounds = rounds();
    for round in &mut rounds {
        if round.cell.backend == "per-socket" {
            round.cell.wait = "a\\b\"c\nd".to_owned();
            round.cell_id = round.cell.id();
        }
    }
    let (_folder, paths) = exported(rounds, "openmetrics");
    let text = fs::read_to_string(&paths[0]).expect("readable");
    assert!(text.starts_with("# TYPE solock_throughput gauge\n# HELP solock_throughput "));
    assert!(text.ends_with("\n# EOF\n"));
    let labels = "workload=\"pairs\",backend=\"global\",socket_type=\"stream\",\
                  message_bytes=\"64\",threads=\"2\",wait=\"adaptive\",\
                  machine=\"Example 9000, 2 CPUs, Linux 6.18.0\",\
                  commit=\"0123456789abcdef0123456789abcdef01234567\"";
    let sample = format!("\nsolock_throughput{{cell=\"{GLOBAL}\",{labels}}} 2000 1795425300.000\n");
    assert!(text.contains(&sample), "{text}");
    assert!(text.contains("wait=\"a\\\\b\\\"c\\nd\""), "{text}");
    let unit = "# TYPE solock_latency_seconds gauge\n# UNIT solock_latency_seconds seconds\n";
    assert!(text.contains(unit), "{text}");
    let families = text.lines().filter_map(|line| line.split('{').next());
    let mut families: Vec<&str> = families.filter(|name| !name.starts_with('#')).collect();
    families.dedup();
    let expected =
        ["solock_throughput", "solock_latency_seconds", "solock_acquisitions_per_operation"];
    assert_eq!(families, expected);
}

#[test]
fn what_not_every_cell_has_is_a_label_where_it_is() {
    let mut rounds = rounds();
    for round in rounds.iter_mut().filter(|round| round.cell.backend == "per-socket") {
        round.cell.lock = "mcs".to_owned();
        round.cell.ambient = ["f-mtx", "sched-lock"].map(str::to_owned).to_vec();
        round.cell.own = results::Own::from_iter([("rate_asked", 1000.0)]);
        round.cell_id = round.cell.id();
    }
    rounds.iter_mut().for_each(|round| round.host.cpu = "Other".to_owned());
    let (_folder, paths) = exported(rounds, "openmetrics");
    let text = fs::read_to_string(&paths[0]).expect("readable");
    let labels = "wait=\"adaptive\",parameters=\"r1000\",lock=\"mcs\",\
                  ambient=\"f-mtx+sched-lock\",machine=\"Other, 2 CPUs, Linux 6.18.0\",commit=\"";
    let of = |backend: &str| {
        let label = format!("backend=\"{backend}\"");
        text.lines().filter(move |line| line.contains(&label)).collect::<Vec<&str>>()
    };
    assert!(of("per-socket").iter().any(|line| line.contains(labels)), "{text}");
    let absent = ["parameters=", "lock=\"", "ambient="];
    assert!(of("global").iter().all(|line| absent.iter().all(|label| !line.contains(label))));
}

/// One line of a plot is of one program: of two commits, or of a commit and a checkout that differs
/// from it, no series is the same.
#[test]
fn series_of_two_commits_are_two() {
    let series = |commit: Option<&str>, dirty: Option<bool>| {
        let commit = commit.map(str::to_owned);
        let of = |round| Measured { commit: commit.clone(), dirty, ..round };
        let (_folder, paths) = exported(rounds().into_iter().map(of).collect(), "openmetrics");
        let text = fs::read_to_string(&paths[0]).expect("readable");
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let name = |line: &str| line.rsplit_once("} ").expect("a sample").0.to_owned();
        samples.map(name).collect::<Vec<_>>()
    };
    let before = series(Some("abc"), Some(false));
    let others = [
        (series(Some("def"), Some(false)), ",commit=\"def\""),
        (series(Some("abc"), Some(true)), ",commit=\"abc\",dirty=\"true\""),
    ];
    for (other, labels) in others {
        assert_eq!(other.len(), before.len());
        assert!(other.iter().all(|name| name.contains(labels) && !before.contains(name)));
    }
    let unknown = series(None, None);
    assert!(unknown.iter().all(|name| !name.contains("commit=") && !name.contains("dirty=")));
}

#[test]
fn metrics_are_read_by_prometheus_for_python() {
    let rounds: Vec<Measured> = about("global", 10_000)
        .chain(about("per-socket", 8_000))
        .chain([latency("global", 0, &[500; 4])])
        .collect();
    let (_folder, paths) = exported(rounds, "openmetrics");
    let Some(said) = python(READ_METRICS, "prometheus_client.openmetrics.parser", &paths[0]) else {
        return skipped("prometheus_client for Python", "pip install prometheus_client");
    };
    let has = |line: &str| {
        let line = format!("{line} 1795425300.0");
        assert!(said.lines().any(|found| found == line), "{line}: {said}");
    };
    has("solock_throughput gauge - global 2 - - 10045.0");
    has("solock_throughput gauge - per-socket 2 - - 8036.0");
    has("solock_latency_seconds gauge seconds global 2 send p99.9 5e-07");
    has("solock_acquisitions_per_operation gauge - per-socket 2 - - 4.0");
}

/// Seconds, not nanoseconds; what a percentile is of, and what a ratio is to.
#[test]
fn a_sample_has_the_labels_of_its_family_and_no_other() {
    let rounds = ["global", "per-socket"].map(|backend| throughput(backend, 0, 1000));
    let mut run = run([&rounds[..], &[latency("per-socket", 0, &[500; 4])]].concat());
    let bounds = [("estimate", 0.8), ("low", 0.75), ("high", 0.875)];
    let [ratio, low, high] = bounds.map(|(_, value)| Some(value));
    let (cell, against) = (PER_SOCKET.to_owned(), GLOBAL.to_owned());
    let metric = "throughput".to_owned();
    let host = rounds[0].host.clone();
    let found =
        Ratio { cell, against, metric, ratio, low, high, level: 0.95, host, ..Ratio::default() };
    run.records.push(found.into());
    let folder = tempfile::tempdir().expect("a folder");
    let paths = export(&run, "openmetrics", folder.path()).expect("exports");
    let text = fs::read_to_string(&paths[0]).expect("readable");
    let family = |name: &str| -> Vec<&str> {
        text.lines()
            .filter(|line| line.strip_prefix(name).is_some_and(|l| l.starts_with('{')))
            .collect()
    };
    let latencies = family("solock_latency_seconds");
    assert_eq!(latencies.len(), 4, "{text}");
    for (line, percentile) in latencies.iter().zip(["p50", "p90", "p99", "p99.9"]) {
        let end = format!(",event=\"send\",percentile=\"{percentile}\"}} 0.0000005 1795425300.000");
        assert!(line.ends_with(&end), "{line}");
    }
    let ratios = family("solock_ratio");
    assert_eq!(ratios.len(), 3, "{text}");
    for (line, (bound, value)) in ratios.iter().zip(bounds) {
        let end = format!(",to=\"global\",bound=\"{bound}\"}} {value} 1795425300.000");
        assert!(line.ends_with(&end) && !line.contains("event="), "{line}");
    }
    for name in ["solock_throughput", "solock_acquisitions_per_operation"] {
        let others = family(name);
        assert!(others.len() == 2 && others.iter().all(|line| !line.contains("event=")), "{text}");
        assert!(others.iter().all(|line| !line.contains(",to=")), "{text}");
    }
}
