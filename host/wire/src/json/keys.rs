//! Definition of the keys that a visitor reads.

/// Defines the enum `Key` of the keys that a visitor reads, and `Other`.
macro_rules! keys {
    ($($key:ident = $name:literal,)+) => {
        /// Keys that the visitor reads, wherever they occur.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(super) enum Key {
            /// Any other key.
            #[default]
            Other,
            $($key,)+
        }

        impl Key {
            /// Returns the key with this name.
            pub fn of(text: &crate::json::JsonText<'_>) -> Self {
                match text.raw {
                    Some(name) if text.decoded_len == name.len() => Self::named(name),
                    Some(escaped) => Self::named(crate::json::unescape(escaped).as_bytes()),
                    None => Self::Other,
                }
            }

            fn named(name: &[u8]) -> Self {
                match name {
                    $(_ if name == $name.as_bytes() => Self::$key,)+
                    _ => Self::Other,
                }
            }

            /// Returns the name of the key.
            #[allow(dead_code, reason = "not every visitor needs the names of its keys")]
            pub const fn name(self) -> &'static str {
                match self {
                    Self::Other => "",
                    $(Self::$key => $name,)+
                }
            }
        }
    };
}
pub(crate) use keys;
