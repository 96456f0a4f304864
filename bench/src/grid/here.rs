//! Where this process is: the node, the job that started it, the box below.

use std::env;
use std::fs;

/// Where, and for which job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Here {
    /// The node, by the scheduler's name for it, else by the system's.
    pub node: String,
    /// The job, if a scheduler started this.
    pub job: Option<String>,
    /// How many times it had started it before.
    pub restarts: u32,
    /// What the system calls its own start: the same for all nodes that are one box.
    pub boot: Option<String>,
}

impl Here {
    /// What the environment and the system say.
    #[must_use]
    pub fn of_this_process() -> Here {
        Here {
            boot: line("/proc/sys/kernel/random/boot_id"),
            ..Here::of(|name| env::var(name).ok(), line("/proc/sys/kernel/hostname"))
        }
    }

    fn of(variable: impl Fn(&str) -> Option<String>, host: Option<String>) -> Here {
        // The last element of an array has the array's own number as its SLURM_JOB_ID.
        let of_array = variable("SLURM_ARRAY_JOB_ID").zip(variable("SLURM_ARRAY_TASK_ID"));
        let of_array = of_array.map(|(job, task)| format!("{job}_{task}"));
        let of_parallel = variable("PARALLEL_SEQ").map(|number| format!("parallel-{number}"));
        let restarts = variable("SLURM_RESTART_COUNT").and_then(|count| count.parse().ok());
        Here {
            node: variable("SLURMD_NODENAME").or(host).unwrap_or_else(|| "unknown".to_owned()),
            job: of_array.or_else(|| variable("SLURM_JOB_ID")).or(of_parallel),
            restarts: restarts.unwrap_or(0),
            boot: None,
        }
    }
}

fn line(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.lines().next()?.trim().to_owned()).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(variables: &[(&str, &str)]) -> Here {
        let value = |name: &str| {
            let found = variables.iter().find(|(other, _)| *other == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Here::of(value, Some("box".to_owned()))
    }

    #[test]
    fn the_scheduler_names_the_node_and_the_job() {
        let alone = here(&[]);
        assert_eq!((alone.node.as_str(), alone.job, alone.restarts), ("box", None, 0));
        let variables = [
            ("SLURM_JOB_ID", "118"),
            ("SLURM_ARRAY_JOB_ID", "118"),
            ("SLURM_ARRAY_TASK_ID", "5"),
            ("SLURM_RESTART_COUNT", "2"),
            ("SLURMD_NODENAME", "n2"),
        ];
        let last = here(&variables);
        assert_eq!((last.node.as_str(), last.restarts), ("n2", 2));
        assert_eq!(last.job.as_deref(), Some("118_5"));
        assert_eq!(here(&variables[..1]).job.as_deref(), Some("118"));
        assert_eq!(here(&[("PARALLEL_SEQ", "3")]).job.as_deref(), Some("parallel-3"));
    }
}
