//! The tree as serde reads it. What is asked for decides how a text is understood, so that `name: 007` stays a text
//! and an environment variable needs no quotes.

use std::fmt::Display;
use std::str::FromStr;
use std::vec;

use serde::de::value::{StrDeserializer, StringDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use crate::error::ReadError;
use crate::tree::{Entry, Node, Origin, Value};

/// A value and the dotted key that leads to it.
pub(crate) struct Reader {
    pub(crate) node: Node,
    pub(crate) key: String,
}

impl Reader {
    /// Reads the whole; an error that found no closer place is about this value.
    pub(crate) fn read<'de, S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, ReadError> {
        let (origin, key) = (self.node.origin.clone(), self.key.clone());
        seed.deserialize(self).map_err(|error| error.at(&origin, &key))
    }

    fn wrong(&self, expected: &str) -> ReadError {
        ReadError::new(format!("must be {expected}, not {}", self.node.in_words()))
    }

    fn text(self, expected: &str) -> Result<String, ReadError> {
        match self.node.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong(expected)),
        }
    }

    fn parse<T: FromStr>(self, expected: impl Display) -> Result<T, ReadError> {
        match &self.node.value {
            Value::Text(text) => text.parse().map_err(|_| self.wrong(&expected.to_string())),
            _ => Err(self.wrong(&expected.to_string())),
        }
    }
}

macro_rules! whole_numbers {
    ($($method:ident $visit:ident $number:ty;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
            let expected = format_args!("a whole number from {} to {}", <$number>::MIN, <$number>::MAX);
            visitor.$visit(self.parse(expected)?)
        })*
    };
}

impl<'de> Deserializer<'de> for Reader {
    type Error = ReadError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.node.value {
            Value::Nothing => visitor.visit_unit(),
            Value::Text(text) => visitor.visit_string(text),
            Value::List(_) => self.deserialize_seq(visitor),
            Value::Section(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        match self.node.value {
            Value::Nothing => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_bool(self.parse("true or false")?)
    }

    whole_numbers! {
        deserialize_u8 visit_u8 u8;
        deserialize_u16 visit_u16 u16;
        deserialize_u32 visit_u32 u32;
        deserialize_u64 visit_u64 u64;
        deserialize_i8 visit_i8 i8;
        deserialize_i16 visit_i16 i16;
        deserialize_i32 visit_i32 i32;
        deserialize_i64 visit_i64 i64;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_f32(self.parse("a number")?)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_f64(self.parse("a number")?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        visitor.visit_string(self.text("a text")?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let text = self.text(&format!("one of {}", variants.join(", ")))?;
        let variant: StringDeserializer<ReadError> = text.into_deserializer();
        visitor.visit_enum(variant)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let nodes = match self.node.value {
            Value::List(nodes) => nodes,
            // A variable or a flag has one line of text: its list is parted by commas.
            Value::Text(text) if matches!(self.node.origin, Origin::Named(_)) => {
                split_list(&text, &self.node.origin)
            }
            _ => return Err(self.wrong("a list")),
        };
        visitor.visit_seq(Items {
            nodes: nodes.into_iter(),
            key: self.key,
            index: 0,
        })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ReadError> {
        let entries = match self.node.value {
            Value::Section(entries) => entries,
            // `docker:` with nothing below it changes nothing.
            Value::Nothing => Vec::new(),
            _ => return Err(self.wrong("a section of keys")),
        };
        visitor.visit_map(Keys {
            entries: entries.into_iter(),
            prefix: self.key,
            value: None,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        self.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

fn split_list(text: &str, origin: &Origin) -> Vec<Node> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| Node {
            origin: origin.clone(),
            value: Value::Text(item.to_owned()),
        })
        .collect()
}

struct Items {
    nodes: vec::IntoIter<Node>,
    key: String,
    index: usize,
}

impl<'de> SeqAccess<'de> for Items {
    type Error = ReadError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, ReadError> {
        let Some(node) = self.nodes.next() else {
            return Ok(None);
        };
        let key = format!("{}[{}]", self.key, self.index);
        self.index += 1;
        Reader { node, key }.read(seed).map(Some)
    }
}

struct Keys {
    entries: vec::IntoIter<Entry>,
    prefix: String,
    value: Option<Reader>,
}

impl<'de> MapAccess<'de> for Keys {
    type Error = ReadError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, ReadError> {
        let Some(entry) = self.entries.next() else {
            return Ok(None);
        };
        let key = format!("{}.{}", self.prefix, entry.key);
        let name: StrDeserializer<'_, ReadError> = entry.key.as_str().into_deserializer();
        let read = seed
            .deserialize(name)
            .map_err(|error| error.at(&entry.key_origin, &key))?;
        self.value = Some(Reader {
            node: entry.node,
            key,
        });
        Ok(Some(read))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ReadError> {
        let value = self
            .value
            .take()
            .ok_or_else(|| ReadError::new("a value was asked for before its key"))?;
        value.read(seed)
    }
}
