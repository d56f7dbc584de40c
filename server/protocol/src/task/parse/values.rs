//! Kinds of values that several fields share.

use std::str::FromStr;

use serde_json::value::RawValue;

use super::reader::{Complaints, ObjectReader, child, kind_of};

/// An array of strings; complains about each element that is none.
pub(super) fn read_strings(
    object: &mut ObjectReader,
    name: &'static str,
    max: usize,
    complaints: &mut Complaints,
) -> Option<Vec<String>> {
    let raws: Vec<Box<RawValue>> = object.value(name, "an array of strings", complaints)?;
    let pointer = object.pointer_to(name);
    if raws.len() > max {
        complaints.add(&pointer, format!("must have at most {max} entries"));
        return None;
    }
    let mut strings = Vec::with_capacity(raws.len());
    for (index, raw) in raws.iter().enumerate() {
        match serde_json::from_str::<String>(raw.get()) {
            Ok(text) => strings.push(text),
            Err(_) => complaints.add(
                &child(&pointer, &index.to_string()),
                format!("must be a string, not {}", kind_of(raw.get())),
            ),
        }
    }
    Some(strings)
}

/// A quantity in its text form. A bare JSON number is read as its text, so `"cpus": 2` works.
pub(super) fn read_quantity<T>(
    object: &mut ObjectReader,
    name: &'static str,
    (min, max): (T, T),
    complaints: &mut Complaints,
) -> Option<T>
where
    T: FromStr<Err: std::fmt::Display> + PartialOrd + std::fmt::Display,
{
    let raw = object.raw(name)?;
    let pointer = object.pointer_to(name);
    let text = match kind_of(raw.get()) {
        "a string" => serde_json::from_str(raw.get()).unwrap_or_default(),
        "a number" => raw.get().to_owned(),
        other => {
            complaints.add(&pointer, format!("must be a string with a unit, not {other}"));
            return None;
        }
    };
    match text.parse::<T>() {
        Ok(value) if value < min || value > max => {
            complaints.add(&pointer, format!("must be between {min} and {max}"));
            None
        }
        Ok(value) => Some(value),
        Err(error) => {
            complaints.add(&pointer, error.to_string());
            None
        }
    }
}

pub(super) fn read_number(
    object: &mut ObjectReader,
    name: &'static str,
    (min, max): (u32, u32),
    complaints: &mut Complaints,
) -> Option<u32> {
    let raw = object.raw(name)?;
    let value = raw
        .get()
        .parse::<u32>()
        .ok()
        .filter(|value| (min..=max).contains(value));
    if value.is_none() {
        complaints.add(
            &object.pointer_to(name),
            format!("must be a whole number between {min} and {max}"),
        );
    }
    value
}

pub(super) fn check_docker(pointer: &str, kind: &str, complaints: &mut Complaints) {
    if kind != "docker" {
        complaints.add(pointer, "must be \"docker\"");
    }
}
