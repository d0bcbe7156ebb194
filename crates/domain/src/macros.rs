//! The two macros that spare every aggregate its boilerplate: [`events!`] and [`aggregate!`].

/// Declares the events of one aggregate: a struct each, and the enum over them.
///
/// Each line gives the stored name and version, which survive any rename of the Rust type. Events are stored as the JSON
/// of the struct; the name and version stand in columns of their own. As a tagged enum it is read under the stored name,
/// too, which is how the PostgreSQL view for other programs tags it. The enum gets `name`, `version`, `encode`,
/// `decode`, `From` each struct, and `cqrs_es::DomainEvent`.
macro_rules! events {
    (
        $(#[$enum_doc:meta])*
        pub enum $enum:ident {
            $(
                $(#[$doc:meta])*
                $stored:literal @ $version:literal => $name:ident {
                    $( $(#[$field_doc:meta])* $field:ident : $type:ty ),* $(,)?
                }
            ),* $(,)?
        }
    ) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
            pub struct $name { $( $(#[$field_doc])* pub $field: $type ),* }

            impl From<$name> for $enum {
                fn from(event: $name) -> Self { Self::$name(event) }
            }
        )*

        $(#[$enum_doc])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        pub enum $enum { $( $(#[$doc])* #[serde(alias = $stored)] $name($name) ),* }

        impl $enum {
            /// The stored names and versions of all events of this aggregate.
            pub const NAMES: &'static [(&'static str, u32)] = &[$( ($stored, $version) ),*];

            /// The stored name.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $( Self::$name(_) => $stored ),* }
            }

            /// The stored version of the payload's shape.
            #[must_use]
            pub fn version(&self) -> u32 {
                match self { $( Self::$name(_) => $version ),* }
            }

            /// The payload as JSON, without name and version.
            #[must_use]
            pub fn encode(&self) -> Vec<u8> {
                match self {
                    $( Self::$name(event) => serde_json::to_vec(event).expect("events have string keys and no failing serializer") ),*
                }
            }

            /// Reads a payload that has this name and the newest version.
            ///
            /// # Errors
            /// An unknown name or version, or a payload of another shape.
            pub fn decode(name: &str, version: u32, payload: &[u8]) -> Result<Self, $crate::event::DecodeError> {
                match (name, version) {
                    $( ($stored, $version) => serde_json::from_slice(payload).map(Self::$name)
                        .map_err(|source| $crate::event::DecodeError::Payload { name: $stored, version, reason: source.to_string() }), )*
                    _ => Err($crate::event::DecodeError::Unknown { name: name.to_owned(), version }),
                }
            }
        }

        impl cqrs_es::DomainEvent for $enum {
            fn event_type(&self) -> String { self.name().to_owned() }
            fn event_version(&self) -> String { self.version().to_string() }
        }
    };
}

/// Makes a `cqrs_es::Aggregate` of a state with `decide` and `evolve` functions in the same folder.
macro_rules! aggregate {
    ($state:ident, kind: $kind:ident, id: $id:ty, command: $command:ty, event: $event:ty, error: $error:ty, fold_version: $fold:literal) => {
        impl $crate::Aggregate for $state {
            const KIND: $crate::AggregateKind = $crate::AggregateKind::$kind;
            const FOLD_VERSION: u32 = $fold;
            type Id = $id;
            type Command = $command;
            type Event = $event;
            type Error = $error;

            fn decide(&self, command: &$command) -> $crate::Decision<$event, $error> {
                decide::decide(self, command)
            }
            fn evolve(&mut self, event: &$event) {
                state::evolve(self, event);
            }
            fn status(&self) -> &'static str {
                state::status(self)
            }
        }

        impl cqrs_es::Aggregate for $state {
            const TYPE: &'static str = stringify!($state);
            type Command = $command;
            type Event = $event;
            type Error = $error;
            type Services = ();

            async fn handle(
                &mut self,
                command: $command,
                _: &(),
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), $error> {
                if let $crate::Outcome::Executed(events) = decide::decide(self, &command)? {
                    for event in events {
                        sink.write(event, self).await;
                    }
                }
                Ok(())
            }
            fn apply(&mut self, event: $event) {
                state::evolve(self, &event);
            }
        }
    };
}
