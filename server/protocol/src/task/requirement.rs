//! What a task demands of the runner's labels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One constraint. All of a task's constraints must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement {
    pub label: String,
    pub op: RequirementOp,
    /// One value for `equals` and `greater`, at least one for `in`, none for `exists`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequirementOp {
    Equals,
    Exists,
    In,
    /// The label is a whole number greater than the value.
    Greater,
}

impl RequirementOp {
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "equals" => Some(Self::Equals),
            "exists" => Some(Self::Exists),
            "in" => Some(Self::In),
            "greater" => Some(Self::Greater),
            _ => None,
        }
    }
}

impl Requirement {
    pub fn holds_for(&self, labels: &BTreeMap<String, String>) -> bool {
        let Some(label) = labels.get(&self.label) else {
            return false;
        };
        let number = |text: &String| text.parse::<i64>().ok();
        match self.op {
            RequirementOp::Exists => true,
            RequirementOp::Equals | RequirementOp::In => self.values.contains(label),
            RequirementOp::Greater => {
                let bound = self.values.first().and_then(number);
                number(label).zip(bound).is_some_and(|(have, bound)| have > bound)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_operator() {
        let labels = BTreeMap::from([
            ("gpu".to_owned(), "a100".to_owned()),
            ("vram".to_owned(), "40".to_owned()),
        ]);
        let holds = |label: &str, op, values: &[&str]| {
            let values = values.iter().map(ToString::to_string).collect();
            Requirement {
                label: label.to_owned(),
                op,
                values,
            }
            .holds_for(&labels)
        };
        assert!(holds("gpu", RequirementOp::Exists, &[]));
        assert!(!holds("tpu", RequirementOp::Exists, &[]));
        assert!(holds("gpu", RequirementOp::Equals, &["a100"]));
        assert!(holds("gpu", RequirementOp::In, &["h100", "a100"]));
        assert!(!holds("gpu", RequirementOp::In, &["h100"]));
        assert!(holds("vram", RequirementOp::Greater, &["39"]));
        assert!(!holds("vram", RequirementOp::Greater, &["40"]));
        assert!(!holds("gpu", RequirementOp::Greater, &["1"]));
    }
}
