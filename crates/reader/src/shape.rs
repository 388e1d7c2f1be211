//! The look of an answer: format, projection, budget.

/// Form of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// One JSON object with the entries in `data`.
    #[default]
    Json,
    /// An entry a line, each a JSON object; nothing else.
    Ndjson,
    /// An entry a line, for people.
    Text,
    /// A table-less Markdown list, for people and models.
    Markdown,
}

impl Format {
    /// The format of a name of the contract.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "json" => Self::Json,
            "ndjson" => Self::Ndjson,
            "text" => Self::Text,
            "markdown" => Self::Markdown,
            _ => return None,
        })
    }

    /// Its media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Text => "text/plain; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
        }
    }
}

/// How an answer is rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// The form.
    pub format: Format,
    /// Only these fields of an entry; all when `None`.
    pub fields: Option<Vec<EntryField>>,
    /// The whole answer takes at most so many bytes; whole entries are left out for it.
    pub max_bytes: Option<usize>,
    /// Runs of near-identical entries become one row.
    pub fold: bool,
}

impl Shape {
    pub(crate) fn shows(&self, field: EntryField) -> bool {
        self.fields.as_ref().is_none_or(|fields| fields.contains(&field))
    }
}

macro_rules! entry_fields {
    ($($variant:ident $name:literal $kind:ident $about:literal),* $(,)?) => {
        /// A field of an entry on the wire.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "they are the fields of `Entry`, documented there")]
        pub enum EntryField { $($variant),* }

        impl EntryField {
            /// All, in the order of the wire.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name on the wire.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// What it is in JSON.
            #[must_use]
            pub const fn kind(self) -> FieldKind {
                match self { $(Self::$variant => FieldKind::$kind),* }
            }

            /// What it says, for people and models.
            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about),* }
            }

            /// The field of a name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

/// What a field of an entry is in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum FieldKind {
    Number,
    /// Not negative.
    Whole,
    Text,
    Object,
}

entry_fields! {
    Timestamp "timestamp" Number "seconds since the epoch, UTC, to the microsecond",
    Level "level" Text "TRACE, DEBUG, INFO, WARNING, ERROR or CRITICAL",
    Logger "logger" Text "who says it",
    Message "message" Text "what it says",
    Module "module" Text "module of the code",
    Function "function" Text "function of the code",
    Line "line" Whole "line of the code",
    Thread "thread" Whole "number of the thread",
    ThreadName "thread_name" Text "name of the thread",
    Exception "exception" Text "the full stack trace",
    Id "id" Text "names this entry in other calls; opaque",
    File "file" Text "file of the code",
    Process "process" Whole "number of the process",
    Service "service" Text "name of the service",
    TraceId "trace_id" Text "trace it belongs to",
    SpanId "span_id" Text "span it belongs to",
    Attributes "attributes" Object "what else was logged with it",
}
