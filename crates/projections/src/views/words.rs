//! Statuses: an enum whose variants have one written form, in documents and columns alike.

/// A closed list of words: the statuses that a thing can have, and the like.
pub trait Word: Copy + 'static {
    /// All of them, in the order in which they are explained.
    const ALL: &'static [Self];

    /// The word.
    #[must_use]
    fn word(self) -> &'static str;
}

/// Declares an enum of words.
macro_rules! words {
    ($(#[$doc:meta])* pub enum $name:ident { $( $(#[$word_doc:meta])* $variant:ident = $word:literal ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
        #[schema(rename_all = "snake_case")]
        pub enum $name { $( $(#[$word_doc])* #[serde(rename = $word)] $variant ),* }

        impl $name {
            /// The word.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Self::$variant => $word ),* }
            }
        }

        impl $crate::views::Word for $name {
            const ALL: &'static [Self] = &[$( Self::$variant ),*];
            fn word(self) -> &'static str {
                self.name()
            }
        }

        impl From<$name> for $crate::Value {
            fn from(word: $name) -> Self {
                Self::from(word.name())
            }
        }
    };
}
