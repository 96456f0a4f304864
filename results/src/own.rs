//! The parameters of single workloads, which not every cell has.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a workload is asked for beside what every workload is, by name. Three are older than the
/// field `parameters` of a line, and are fields of their own there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Fields", into = "Fields")]
pub struct Own(BTreeMap<String, f64>);

/// These numbers, as they stand in a line.
#[derive(Serialize, Deserialize)]
struct Fields {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rate_asked: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    groups: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fan: Option<u32>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    parameters: BTreeMap<String, f64>,
}

impl From<Fields> for Own {
    fn from(Fields { rate_asked, groups, fan, parameters }: Fields) -> Own {
        let older = [("rate_asked", rate_asked), ("groups", groups.map(f64::from))];
        let older = older.into_iter().chain([("fan", fan.map(f64::from))]);
        let older = older.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Own(older.chain(parameters).collect())
    }
}

impl From<Own> for Fields {
    fn from(Own(mut all): Own) -> Fields {
        let mut whole = |name: &str| all.remove(name).map(|value| value as u32);
        let (groups, fan) = (whole("groups"), whole("fan"));
        Fields { groups, fan, rate_asked: all.remove("rate_asked"), parameters: all }
    }
}

impl Own {
    /// The number of that name, if the cell has one.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.get(name).copied()
    }

    /// All of them, by their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// The names of those that are in `parameters`: a program that is older than one of them leaves
    /// it aside.
    pub fn newer(&self) -> impl Iterator<Item = &str> {
        self.others().map(|(name, _)| name)
    }

    /// Their part of a cell's name: `r1000`, `g2f8`, others as in `depth=8`; nothing without any.
    #[must_use]
    pub fn id(&self) -> String {
        let rate = self.get("rate_asked").map(|rate| format!("r{rate}"));
        let groups = self.groups().map(|(groups, fan)| format!("g{groups}f{fan}"));
        let newer = Some(self.newer_id()).filter(|newer| !newer.is_empty());
        rate.into_iter().chain(groups).chain(newer).collect::<Vec<_>>().join("/")
    }

    /// The part of those that are in `parameters`, as in `depth=8/ways=2`.
    #[must_use]
    pub fn newer_id(&self) -> String {
        let newer = self.others().map(|(name, value)| format!("{name}={value}"));
        newer.collect::<Vec<_>>().join("/")
    }

    /// The same as the end of a title, such as `, 1000 per second and thread`.
    #[must_use]
    pub fn words(&self) -> String {
        let rate = self.get("rate_asked").map(|rate| format!(", {rate} per second and thread"));
        let groups = self.groups().map(|(groups, fan)| {
            let many = if groups == 1.0 { "" } else { "s" };
            format!(", {groups} group{many} of {fan} + {fan}")
        });
        let others = self.others().map(|(name, value)| format!(", {} {value}", plain(name)));
        rate.into_iter().chain(groups).chain(others).collect()
    }

    /// How many groups, and of how many, where both are known.
    fn groups(&self) -> Option<(f64, f64)> {
        self.get("groups").zip(self.get("fan"))
    }

    fn others(&self) -> impl Iterator<Item = (&str, f64)> {
        self.iter().filter(|(name, _)| !["rate_asked", "groups", "fan"].contains(name))
    }
}

fn plain(name: &str) -> String {
    name.replace('_', " ")
}

impl<N: Into<String>> FromIterator<(N, f64)> for Own {
    fn from_iter<I: IntoIterator<Item = (N, f64)>>(all: I) -> Own {
        Own(all.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own<const N: usize>(all: [(&str, f64); N]) -> Own {
        Own::from_iter(all)
    }

    #[test]
    fn a_cell_is_named_by_them() {
        let of = |own: Own| (own.id(), own.words());
        assert_eq!(of(Own::default()), (String::new(), String::new()));
        let paced = of(own([("rate_asked", 1.5)]));
        assert_eq!(paced, ("r1.5".to_owned(), ", 1.5 per second and thread".to_owned()));
        let one = of(own([("groups", 1.0), ("fan", 8.0)]));
        assert_eq!(one, ("g1f8".to_owned(), ", 1 group of 8 + 8".to_owned()));
        assert_eq!(own([("groups", 2.0), ("fan", 8.0)]).words(), ", 2 groups of 8 + 8");
        assert_eq!(own([("fan", 8.0)]).id(), "", "a part of it says nothing");
        let new = of(own([("queue_depth", 8.0), ("a", 0.5), ("rate_asked", 2.0)]));
        let words = ", 2 per second and thread, a 0.5, queue depth 8";
        let both = own([("fan", 1.0), ("depth", 2.0)]);
        assert_eq!(both.newer().collect::<Vec<_>>(), ["depth"]);
        assert_eq!(new, ("r2/a=0.5/queue_depth=8".to_owned(), words.to_owned()));
    }

    #[test]
    fn those_of_older_lines_are_fields_and_the_others_stand_together() {
        let line = |own: &Own| serde_json::to_string(own).unwrap();
        let all = own([("b", 2.0), ("fan", 8.0), ("a", 0.5), ("rate_asked", 1.0), ("groups", 2.0)]);
        let expected = r#"{"rate_asked":1.0,"groups":2,"fan":8,"parameters":{"a":0.5,"b":2.0}}"#;
        assert_eq!(line(&all), expected);
        assert_eq!(serde_json::from_str::<Own>(expected).unwrap(), all);
        assert_eq!(line(&Own::default()), "{}");
        assert_eq!(serde_json::from_str::<Own>(r#"{"later":1}"#).unwrap(), Own::default());
    }
}
