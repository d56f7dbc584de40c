//! `requires`: what the task demands of the runner's labels.

use serde_json::value::RawValue;

use super::reader::{Complaints, ObjectReader, child};
use super::values::read_strings;
use crate::task::Requirement;
use crate::task::requirement::RequirementOp;

const MAX_REQUIRES: usize = 16;

pub(super) fn read_requires(task: &mut ObjectReader, complaints: &mut Complaints) -> Vec<Requirement> {
    let raws: Vec<Box<RawValue>> = task
        .value("requires", "an array of objects", complaints)
        .unwrap_or_default();
    let pointer = task.pointer_to("requires");
    if raws.len() > MAX_REQUIRES {
        complaints.add(&pointer, format!("must have at most {MAX_REQUIRES} entries"));
        return Vec::new();
    }
    let read = |(index, raw): (usize, &RawValue)| {
        let object = ObjectReader::new(&child(&pointer, &index.to_string()), raw, complaints)?;
        read_requirement(object, complaints)
    };
    raws.iter()
        .map(AsRef::as_ref)
        .enumerate()
        .filter_map(read)
        .collect()
}

fn read_requirement(mut object: ObjectReader, complaints: &mut Complaints) -> Option<Requirement> {
    let label: Option<String> = object.required("label", "a string", complaints);
    if label
        .as_ref()
        .is_some_and(|label| label.is_empty() || label.len() > 63)
    {
        complaints.add(&object.pointer_to("label"), "must have 1 to 63 characters");
    }
    let word: Option<String> = object.required("op", "a string", complaints);
    let op = word.as_deref().and_then(RequirementOp::from_word);
    if word.is_some() && op.is_none() {
        complaints.add(
            &object.pointer_to("op"),
            "must be one of equals, exists, in, greater",
        );
    }
    let values = read_strings(&mut object, "values", 32, complaints).unwrap_or_default();
    let fits = match op {
        Some(RequirementOp::Exists) => values.is_empty(),
        Some(RequirementOp::In) => !values.is_empty(),
        Some(RequirementOp::Equals) => values.len() == 1,
        Some(RequirementOp::Greater) => values.len() == 1 && values.iter().all(|v| v.parse::<i64>().is_ok()),
        None => true,
    };
    if !fits {
        let detail = "equals takes one value, greater one whole number, in at least one, exists none";
        complaints.add(&object.pointer_to("values"), detail);
    }
    object.finish(complaints);
    Some(Requirement {
        label: label?,
        op: op?,
        values,
    })
}
