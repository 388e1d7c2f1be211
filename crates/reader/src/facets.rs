//! `GET /logs/fields`: which values the fields of the entries that match have, with counts.

use logrec_core::{Filter, Query, Times};
use logrec_insight::facets::{By, Facet, Facets, Values, Wanted};

use crate::{
    Reader,
    json::{self, Object},
    params::{
        Applied, FILTERS, Kind, Param, ParamError, QUERY_TIME_MAX, Reading, TOKENS_MAX, TOKENS_MIN,
        budget, err, number, whole,
    },
    wire,
};

/// Values shown of a field unless asked for otherwise.
const TOP_DEFAULT: usize = 10;
/// Most values shown of a field.
const TOP_MAX: u64 = 100;
/// Fields counted unless asked for otherwise: those with few values.
const FIELDS_DEFAULT: [Facet; 7] = [
    Facet::Level,
    Facet::Logger,
    Facet::Module,
    Facet::Function,
    Facet::ThreadName,
    Facet::Process,
    Facet::Service,
];

/// The parameters of `GET /logs/fields` beside the filters.
pub const FACETS: &[Param] = &[
    Param {
        name: "fields",
        kind: Kind::Text,
        example: "level,logger,attr.room",
        about: "which fields to count, with commas; attributes for all of them, attr.NAME for one. Default: level, logger, module, function, thread_name, process, service and attributes",
    },
    Param {
        name: "top",
        kind: Kind::Whole(1, TOP_MAX),
        example: "10",
        about: "most values shown of a field, default 10",
    },
    Param {
        name: "max_tokens",
        kind: Kind::Whole(TOKENS_MIN, TOKENS_MAX),
        example: "1000",
        about: "the whole answer takes at most so many tokens of four bytes; it says what it left out",
    },
];

/// A question for facets.
#[derive(Clone, Debug)]
pub struct FacetsRequest {
    fields: Vec<Facet>,
    attributes: Wanted,
    top: usize,
    max_bytes: Option<usize>,
    filter: Filter,
    applied: Vec<(String, Applied)>,
}

impl FacetsRequest {
    /// Reads parameters: [`FACETS`] and the filters.
    ///
    /// # Errors
    /// The first parameter that is unknown, given twice, or has a value that cannot be used.
    pub fn parse<N: AsRef<str>, V: AsRef<str>>(
        params: impl IntoIterator<Item = (N, V)>,
        times: &Times<'_>,
    ) -> Result<Self, ParamError> {
        let (mut fields, mut attributes) = (FIELDS_DEFAULT.to_vec(), Wanted::All);
        let (mut top, mut max_bytes) = (TOP_DEFAULT, None);
        let tables = [FACETS, FILTERS];
        let reading = Reading::all(params, &tables, times, |name, value| {
            Ok(Some(match name {
                "fields" => {
                    (fields, attributes) = named(name, value)?;
                    Applied::Text(value.to_owned())
                }
                "top" => {
                    let given = whole(name, value, 1, TOP_MAX)?;
                    top = usize::try_from(given).unwrap_or(TOP_DEFAULT);
                    number(given)
                }
                "max_tokens" => {
                    let (bytes, tokens) = budget(name, value)?;
                    max_bytes = Some(bytes);
                    tokens
                }
                _ => return Ok(None),
            }))
        })?;
        let (filter, applied) = (reading.filter, reading.applied);
        Ok(Self { fields, attributes, top, max_bytes, filter, applied })
    }
}

/// Fields and attributes of a list of names, each once.
fn named(name: &str, value: &str) -> Result<(Vec<Facet>, Wanted), ParamError> {
    let (mut fields, mut attributes, mut all) = (Vec::new(), Vec::new(), false);
    for part in value.split(',').map(str::trim) {
        match By::from_name(part) {
            Some(By::Field(facet)) if fields.contains(&facet) => {}
            Some(By::Field(facet)) => fields.push(facet),
            Some(By::Attribute(attribute)) => attributes.push(attribute),
            None if part == "attributes" => all = true,
            None => {
                let known: Vec<&str> = Facet::ALL
                    .iter()
                    .map(|f| f.name())
                    .chain(["attributes", "attr.NAME"])
                    .collect();
                let hint = logrec_core::nearest(part, &known)
                    .map_or_else(String::new, |near| format!("did you mean `{near}`? "));
                let (part, known) = (logrec_core::shown(part), known.join(", "));
                let message = format!(
                    "`{name}` names `{part}`, which cannot be counted; {hint}There are {known}"
                );
                return Err(err(name, message));
            }
        }
    }
    let wanted = if all { Wanted::AllAnd(attributes) } else { Wanted::Named(attributes) };
    Ok((fields, wanted))
}

impl Reader {
    /// Answers `GET /logs/fields`, as JSON. Never larger than the request's budget. `None` when the search
    /// took too long.
    #[must_use]
    pub fn facets(&self, request: &FacetsRequest) -> Option<Vec<u8>> {
        let filter = request.filter.clone();
        let query = Query { filter, time_limit: Some(QUERY_TIME_MAX), ..Query::default() };
        let mut facets = Facets::new(request.attributes.clone());
        let is_whole = self.visit(&query, &mut |row| facets.add(&row));
        is_whole.then(|| render(&facets, request))
    }
}

/// What of the facets an answer shows.
#[derive(Clone, Copy, Debug)]
struct Cut {
    fields: usize,
    top: usize,
    attributes: usize,
    brief: bool,
}

fn render(facets: &Facets, request: &FacetsRequest) -> Vec<u8> {
    let budget = request.max_bytes.unwrap_or(usize::MAX);
    let attributes = facets.attributes().len();
    let mut cut = Cut { fields: request.fields.len(), top: request.top, attributes, brief: false };
    loop {
        let out = written(facets, request, cut);
        // What matters least goes first: rare values, then rare attributes, then the echo.
        if out.len() <= budget {
            return out;
        }
        match cut {
            Cut { top: 4.., .. } => cut.top /= 2,
            Cut { attributes: 1.., .. } => cut.attributes /= 2,
            Cut { brief: false, .. } => cut.brief = true,
            Cut { top: 1.., .. } => cut.top -= 1,
            Cut { fields: 1.., .. } => cut.fields -= 1,
            Cut { .. } => return out,
        }
    }
}

fn written(facets: &Facets, request: &FacetsRequest, cut: Cut) -> Vec<u8> {
    let mut out = Vec::new();
    let mut answer = Object::new(&mut out);
    answer.bool("success", true);
    let mut data = Object::new(answer.plain("data"));
    for facet in &request.fields[..cut.fields] {
        if let Some(values) = facets.field(*facet) {
            write(data.plain(facet.name()), values, cut.top);
        }
    }
    let attributes = facets.attributes();
    let mut omitted = 0;
    if !attributes.is_empty() {
        let mut object = Object::new(data.plain("attributes"));
        for (name, values) in &attributes[..cut.attributes] {
            write(object.key(name), values, cut.top);
        }
        object.end();
        omitted = attributes.len() - cut.attributes;
    }
    data.end();
    answer.uint("entries", facets.entries);
    wire::applied(answer.plain("filters_applied"), &request.applied, |_| !cut.brief);
    if request.max_bytes.is_some() {
        let mut left = Object::new(answer.plain("omitted"));
        left.uint("fields", (request.fields.len() - cut.fields) as u64);
        left.uint("attributes", omitted as u64);
        left.uint("values_each", (request.top - cut.top) as u64);
        left.end();
    }
    if facets.untold_attributes > 0 {
        answer.uint("untold_attributes", facets.untold_attributes);
    }
    answer.end();
    out
}

fn write(out: &mut Vec<u8>, values: &Values, top: usize) {
    let top = values.top(top);
    let told: u64 = top.iter().map(|(_, count)| count).sum();
    let mut object = Object::new(out);
    object.uint("entries", values.entries).uint("distinct", values.distinct() as u64);
    // More values than are told apart: there are at least so many.
    object.bool("complete", values.untold == 0);
    json::array(object.plain("values"), top, |out, (value, count)| {
        let mut one = Object::new(out);
        one.string("value", value).uint("count", count);
        one.end();
    });
    object.uint("other", values.values.saturating_sub(told));
    object.end();
}
