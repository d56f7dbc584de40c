//! Reads a JSON document field by field and collects every complaint instead of stopping at the first.
//!
//! Leaves stay raw text until somebody asks for them, so that a number is read exactly as it was written and never
//! through a float.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::FieldError;

/// More complaints than a person reads at once.
const MAX_ERRORS: usize = 50;

/// All complaints about one document.
#[derive(Debug, Default)]
pub(super) struct Complaints(Vec<FieldError>);

impl Complaints {
    pub(super) fn add(&mut self, pointer: &str, detail: impl Into<String>) {
        if self.0.len() < MAX_ERRORS {
            self.0.push(FieldError {
                pointer: pointer.to_owned(),
                detail: detail.into(),
            });
        }
    }

    pub(super) fn into_errors(self) -> Vec<FieldError> {
        self.0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One object of the document. What nobody took by the end is an unknown field.
#[derive(Debug)]
pub(super) struct ObjectReader {
    pointer: String,
    fields: BTreeMap<String, Box<RawValue>>,
    known: Vec<&'static str>,
}

impl ObjectReader {
    /// The object at `pointer`; complains when it is none or names a field twice.
    pub(super) fn new(pointer: &str, raw: &RawValue, complaints: &mut Complaints) -> Option<Self> {
        if let Ok(Fields { fields, repeated }) = serde_json::from_str::<Fields>(raw.get()) {
            for name in repeated {
                complaints.add(&child(pointer, &name), "is given twice");
            }
            Some(Self {
                pointer: pointer.to_owned(),
                fields,
                known: Vec::new(),
            })
        } else {
            complaints.add(pointer, format!("must be an object, not {}", kind_of(raw.get())));
            None
        }
    }

    pub(super) fn pointer_to(&self, name: &str) -> String {
        child(&self.pointer, name)
    }

    /// The raw value of a field. `null` counts as absent.
    pub(super) fn raw(&mut self, name: &'static str) -> Option<Box<RawValue>> {
        self.known.push(name);
        self.fields.remove(name).filter(|raw| raw.get() != "null")
    }

    pub(super) fn required_raw(
        &mut self,
        name: &'static str,
        complaints: &mut Complaints,
    ) -> Option<Box<RawValue>> {
        let raw = self.raw(name);
        if raw.is_none() {
            complaints.add(&self.pointer_to(name), "is missing");
        }
        raw
    }

    /// A field of a plain type; `what` says what was expected: "a string".
    pub(super) fn value<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        what: &str,
        complaints: &mut Complaints,
    ) -> Option<T> {
        let raw = self.raw(name)?;
        let value = serde_json::from_str(raw.get()).ok();
        if value.is_none() {
            let found = kind_of(raw.get());
            complaints.add(&self.pointer_to(name), format!("must be {what}, not {found}"));
        }
        value
    }

    pub(super) fn required<T: DeserializeOwned>(
        &mut self,
        name: &'static str,
        what: &str,
        complaints: &mut Complaints,
    ) -> Option<T> {
        if self.fields.get(name).is_none_or(|raw| raw.get() == "null") {
            self.required_raw(name, complaints);
            return None;
        }
        self.value(name, what, complaints)
    }

    /// An object inside this one.
    pub(super) fn object(&mut self, name: &'static str, complaints: &mut Complaints) -> Option<Self> {
        let raw = self.raw(name)?;
        Self::new(&self.pointer_to(name), &raw, complaints)
    }

    pub(super) fn required_object(
        &mut self,
        name: &'static str,
        complaints: &mut Complaints,
    ) -> Option<Self> {
        let raw = self.required_raw(name, complaints)?;
        Self::new(&self.pointer_to(name), &raw, complaints)
    }

    /// Complains about every field that was not asked for.
    pub(super) fn finish(self, complaints: &mut Complaints) {
        let known = self.known.join(", ");
        for name in self.fields.keys() {
            complaints.add(
                &child(&self.pointer, name),
                format!("is not a known field; known here: {known}"),
            );
        }
    }
}

/// The pointer of a member, escaped as RFC 6901 asks.
pub(super) fn child(pointer: &str, name: &str) -> String {
    let name: String = name.chars().take(100).collect();
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The JSON type of a raw value, with its article.
pub(super) fn kind_of(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

/// An object's members, and the names that came more than once: serde's own maps keep the last in silence.
struct Fields {
    fields: BTreeMap<String, Box<RawValue>>,
    repeated: Vec<String>,
}

impl<'de> serde::Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;

        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut found = Fields {
                    fields: BTreeMap::new(),
                    repeated: Vec::new(),
                };
                while let Some((name, raw)) = map.next_entry::<String, Box<RawValue>>()? {
                    if found.fields.insert(name.clone(), raw).is_some() {
                        found.repeated.push(name);
                    }
                }
                Ok(found)
            }
        }

        deserializer.deserialize_map(FieldsVisitor)
    }
}
