//! Statuses: an enum whose variants have one written form, in documents and columns alike.

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
    };
}
