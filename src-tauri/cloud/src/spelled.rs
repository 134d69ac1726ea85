//! States as AWS spells them, and the way from the SDK's types to plain ones.

use std::time::SystemTime;

use aws_smithy_types::DateTime;

/// Declares an enum of states with AWS's spelling of each. A state that AWS adds one day is kept as it is written instead of failing the call.
macro_rules! spelled {
    ($(#[$doc:meta])* $name:ident { $($variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $name {
            $($variant,)+
            /// One that was not known when this was written.
            Other(String),
        }

        impl $name {
            /// AWS's spelling.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => stringify!($variant),)+
                    Self::Other(text) => text,
                }
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                $(if text == stringify!($variant) {
                    return Self::$variant;
                })+
                Self::Other(text.to_owned())
            }
        }
    };
}
pub(crate) use spelled;

/// A time of AWS's; none for one that this computer's clock could not show.
pub(crate) fn time(time: &DateTime) -> Option<SystemTime> {
    SystemTime::try_from(*time).ok()
}
