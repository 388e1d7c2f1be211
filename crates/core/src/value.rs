//! What an attribute holds: JSON's types, with integers kept whole.

/// The value of an attribute. Typed when it was typed at the source.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// JSON's null: the source said there is none.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number that fits.
    Int(i64),
    /// A whole number above `i64::MAX`.
    UInt(u64),
    /// Any other number. Not finite values print as strings, since JSON has none.
    Float(f64),
    /// Text.
    Str(String),
    /// A list, in order.
    Array(Vec<Self>),
    /// Named values, in the order given; names may repeat if the source repeated them.
    Map(Vec<(String, Self)>),
}

impl Value {
    /// The number this is, or `None`. Text that reads as a number is not one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "numbers are compared as f64, as JSON does")]
    pub fn as_f64(&self) -> Option<f64> {
        match *self {
            Self::Int(n) => Some(n as f64),
            Self::UInt(n) => Some(n as f64),
            Self::Float(n) => Some(n),
            _ => None,
        }
    }

    /// The text this is, or `None`.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(s) => Some(s),
            _ => None,
        }
    }
}

macro_rules! value_from {
    ($($from:ty => |$v:ident| $into:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($v: $from) -> Self {
                $into
            }
        }
    )*};
}

value_from! {
    bool => |v| Self::Bool(v);
    i64 => |v| Self::Int(v);
    i32 => |v| Self::Int(v.into());
    u32 => |v| Self::Int(v.into());
    u64 => |v| i64::try_from(v).map_or(Self::UInt(v), Self::Int);
    f64 => |v| Self::Float(v);
    String => |v| Self::Str(v);
    &str => |v| Self::Str(v.to_owned());
    Vec<Self> => |v| Self::Array(v);
}
