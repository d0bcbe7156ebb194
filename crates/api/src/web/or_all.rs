//! `status=` of lists that leave something out unless they are asked for `all`.

use std::{fmt, marker::PhantomData};

use projections::views::Word;
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

/// The word for all of them.
const ALL: &str = "all";

/// One word of `W`, or `all`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OrAll<W> {
    /// Only those with this word.
    One(W),
    /// All.
    All,
}

impl<W: Word> OrAll<W> {
    /// What to filter by: what was given, or `unless_said`; nothing for `all`.
    #[must_use]
    pub fn given_or(given: Option<Self>, unless_said: W) -> Option<W> {
        match given {
            Some(Self::One(word)) => Some(word),
            Some(Self::All) => None,
            None => Some(unless_said),
        }
    }

    /// The words, for the document.
    #[must_use]
    pub fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(Self::words())).into()
    }

    fn words() -> impl Iterator<Item = &'static str> {
        W::ALL.iter().map(|word| word.word()).chain([ALL])
    }
}

impl<'de, W: Word> Deserialize<'de> for OrAll<W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneWord<W>(PhantomData<W>);
        impl<W: Word> Visitor<'_> for OneWord<W> {
            type Value = OrAll<W>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<OrAll<W>, E> {
                let known = W::ALL.iter().find(|word| word.word() == text);
                match known {
                    Some(word) => Ok(OrAll::One(*word)),
                    None if text == ALL => Ok(OrAll::All),
                    // In the words of an enum that knows its variants, as the other lists answer.
                    None => {
                        let words: Vec<String> =
                            OrAll::<W>::words().map(|word| format!("`{word}`")).collect();
                        let words = words.join(", ");
                        Err(E::custom(format_args!("unknown variant `{text}`, expected one of {words}")))
                    }
                }
            }
        }
        deserializer.deserialize_str(OneWord(PhantomData))
    }
}
