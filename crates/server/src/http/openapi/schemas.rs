//! The shapes of bodies and answers. Closed: a member that is not described here is a defect, and the
//! tests look for it.

use logrec_reader::{EntryField, FieldKind};
use serde_json::{Map, Value, json};

pub(super) fn all() -> Value {
    json!({
        "Error": object(json!({ "success": fixed(false), "error": text() }), &["success", "error"]),
        "Entry": entry(),
        "LogsAnswer": logs(),
        "ContextAnswer": { "oneOf": [surroundings(), story()] },
        "FieldsAnswer": fields(),
        "PatternsAnswer": patterns(),
        "VolumeAnswer": volume(),
        "TrendsAnswer": trends(),
        "DigestAnswer": digest(),
        "StatsAnswer": stats(),
        "NewEntries": {
            "oneOf": [{ "$ref": "#/components/schemas/NewEntry" }, { "type": "array", "items": { "$ref": "#/components/schemas/NewEntry" } }],
        },
        "NewEntry": new_entry(),
        "IngestAnswer": ingest(),
        "IngestRefusal": { "oneOf": [{ "$ref": "#/components/schemas/Error" }, ingest_refusal()] },
        "ClearAnswer": object(
            json!({ "success": fixed(true), "message": text(), "entries_removed": whole() }),
            &["success", "message", "entries_removed"],
        ),
        "Mark": object(
            json!({ "name": text(), "timestamp": number(), "note": text() }),
            &["name", "timestamp"],
        ),
        "NewMark": object(
            json!({
                "name": { "type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_.-]+$" },
                "note": { "type": "string", "maxLength": 250 },
                "time": { "type": ["string", "number"], "description": "when, as `since` takes it; default now" },
            }),
            &["name"],
        ),
        "MarksAnswer": object(
            json!({ "success": fixed(true), "data": list("Mark"), "count": whole() }),
            &["success", "data", "count"],
        ),
        "MarkAnswer": object(
            json!({ "success": fixed(true), "data": { "$ref": "#/components/schemas/Mark" } }),
            &["success", "data"],
        ),
    })
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn whole() -> Value {
    json!({ "type": "integer", "minimum": 0 })
}

fn number() -> Value {
    json!({ "type": "number" })
}

fn flag() -> Value {
    json!({ "type": "boolean" })
}

fn fixed(flag: bool) -> Value {
    json!({ "const": flag })
}

fn list(of: &str) -> Value {
    json!({ "type": "array", "items": { "$ref": format!("#/components/schemas/{of}") } })
}

/// Closed: with these members and no others.
fn object(properties: Value, required: &[&str]) -> Value {
    let mut schema =
        json!({ "type": "object", "required": required, "additionalProperties": false });
    schema["properties"] = properties;
    schema
}

fn applied() -> Value {
    json!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] }, "description": "what was given" })
}

fn entry() -> Value {
    let mut properties = Map::new();
    for field in EntryField::ALL {
        let mut schema = match field.kind() {
            FieldKind::Number => number(),
            FieldKind::Whole => whole(),
            FieldKind::Text => text(),
            FieldKind::Object => json!({ "type": "object" }),
        };
        schema["description"] = field.about().into();
        properties.insert(field.name().to_owned(), schema);
    }
    let fold = object(
        json!({ "count": whole(), "first": number(), "last": number(), "ids": { "type": "array", "items": text() } }),
        &["count", "first", "last", "ids"],
    );
    properties.insert("fold".to_owned(), fold);
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn too_large() -> Value {
    let one = object(json!({ "id": text(), "bytes": whole() }), &["id", "bytes"]);
    json!({ "type": "array", "items": one, "description": "entries that no answer of this budget can hold" })
}

fn logs() -> Value {
    object(
        json!({
            "success": fixed(true), "data": list("Entry"), "count": whole(), "entries": whole(),
            "filters_applied": applied(), "next_cursor": text(), "prev_cursor": text(),
            "missed": whole(), "note": text(), "omitted": whole(), "too_large": too_large(),
        }),
        &["success", "data", "count", "filters_applied"],
    )
}

fn surroundings() -> Value {
    object(
        json!({
            "success": fixed(true), "data": list("Entry"), "count": whole(), "entries": whole(), "id": text(),
            "more_before": flag(), "more_after": flag(), "filters_applied": applied(), "omitted": whole(),
            "too_large": too_large(),
        }),
        &["success", "data", "count", "id", "more_before", "more_after", "filters_applied"],
    )
}

fn story() -> Value {
    let occurrences = object(
        json!({ "count": whole(), "first": number(), "last": number() }),
        &["count", "first", "last"],
    );
    let omitted = object(
        json!({ "stack_lines": whole(), "before": whole(), "after": whole() }),
        &["stack_lines", "before", "after"],
    );
    let data = object(
        json!({
            "entry": { "$ref": "#/components/schemas/Entry" }, "message": text(), "message_cut_bytes": whole(),
            "root_cause": text(), "occurrences": occurrences, "stack": { "type": "array", "items": text() },
            "led_by": { "enum": ["trace", "task", "thread", "logger", "time"] },
            "before": list("Entry"), "more_before": flag(), "after": list("Entry"), "more_after": flag(),
        }),
        &["entry", "occurrences", "led_by", "before", "more_before"],
    );
    object(
        json!({ "success": fixed(true), "data": data, "filters_applied": applied(), "omitted": omitted }),
        &["success", "data", "filters_applied"],
    )
}

fn fields() -> Value {
    let value = object(json!({ "value": text(), "count": whole() }), &["value", "count"]);
    let values = object(
        json!({
            "entries": whole(), "distinct": whole(), "complete": flag(),
            "values": { "type": "array", "items": value }, "other": whole(),
        }),
        &["entries", "distinct", "complete", "values", "other"],
    );
    let each = json!({ "type": "object", "additionalProperties": values });
    let mut data = each.clone();
    data["properties"] = json!({ "attributes": each });
    let omitted = object(
        json!({ "fields": whole(), "attributes": whole(), "values_each": whole() }),
        &["fields", "attributes", "values_each"],
    );
    object(
        json!({
            "success": fixed(true), "data": data, "entries": whole(), "filters_applied": applied(),
            "omitted": omitted, "untold_attributes": whole(),
        }),
        &["success", "data", "entries", "filters_applied"],
    )
}

fn patterns() -> Value {
    let levels = json!({ "type": "object", "additionalProperties": whole() });
    let pattern = object(
        json!({
            "id": text(), "template": text(), "count": whole(), "share": number(),
            "change": { "enum": ["new", "gone", "shifted", "steady"] }, "before": whole(),
            "per_minute": number(), "per_minute_before": number(), "levels": levels, "logger": text(),
            "first": number(), "last": number(), "trend": { "type": "array", "items": whole() },
            "samples": { "type": "array", "items": text() }, "q": text(),
        }),
        &["id", "template", "count", "share", "levels", "first", "last", "trend", "samples", "q"],
    );
    let window = object(json!({ "from": number(), "to": number() }), &["from", "to"]);
    let compared = object(
        json!({
            "from": number(), "to": number(), "entries": whole(), "note": text(),
            "new": whole(), "gone": whole(), "shifted": whole(), "steady": whole(),
        }),
        &["from", "to", "entries"],
    );
    object(
        json!({
            "success": fixed(true), "data": { "type": "array", "items": pattern }, "count": whole(),
            "patterns": whole(), "entries": whole(), "window": window, "compared_to": compared,
            "forgotten": whole(), "filters_applied": applied(), "omitted": whole(),
        }),
        &["success", "data", "count", "patterns", "entries", "window", "filters_applied"],
    )
}

fn volume() -> Value {
    let counts = json!({ "type": "array", "items": whole() });
    let series =
        object(json!({ "value": text(), "count": whole(), "counts": counts }), &["value", "count"]);
    let data = object(
        json!({
            "from": number(), "to": number(), "step": number(), "total": counts,
            "series": { "type": "array", "items": series },
        }),
        &["from", "to", "step", "series"],
    );
    let event = object(
        json!({
            "kind": { "enum": ["spike", "drop", "silence"] }, "value": text(), "from": number(), "to": number(),
            "per_step": number(), "usual": number(),
        }),
        &["kind", "value", "from", "to", "per_step", "usual"],
    );
    let omitted = object(
        json!({ "series": whole(), "events": whole(), "counts": flag() }),
        &["series", "events", "counts"],
    );
    object(
        json!({
            "success": fixed(true), "data": data, "events": { "type": "array", "items": event },
            "entries": whole(), "filters_applied": applied(), "omitted": omitted,
        }),
        &["success", "data", "events", "entries", "filters_applied"],
    )
}

fn trends() -> Value {
    let quantiles = json!({ "p50": number(), "p95": number(), "p99": number() });
    let side = object(quantiles.clone(), &["p50", "p95", "p99"]);
    let shift = object(
        json!({ "at": number(), "before": side, "after": side, "chance": number() }),
        &["at", "before", "after", "chance"],
    );
    let mut part = quantiles.clone();
    part["sampled"] = whole();
    let part = object(part, &["sampled"]);
    let mut one = quantiles;
    for (key, schema) in [
        ("pattern", text()),
        ("template", text()),
        ("name", text()),
        ("nth", whole()),
        ("attribute", text()),
        ("unit", json!({ "enum": ["s", "bytes", "percent", ""] })),
        ("count", whole()),
        ("min", number()),
        ("max", number()),
        ("parts", json!({ "type": "array", "items": part })),
        ("shift", shift),
    ] {
        one[key] = schema;
    }
    let one = object(
        one,
        &["pattern", "template", "unit", "count", "min", "p50", "p95", "p99", "max", "parts"],
    );
    let window = object(json!({ "from": number(), "to": number() }), &["from", "to"]);
    object(
        json!({
            "success": fixed(true), "data": { "type": "array", "items": one }, "count": whole(),
            "numbers": whole(), "shifts": whole(), "entries": whole(), "window": window, "untold": whole(),
            "filters_applied": applied(), "omitted": whole(),
        }),
        &["success", "data", "count", "numbers", "shifts", "entries", "window", "filters_applied"],
    )
}

fn digest() -> Value {
    let moment = json!({ "type": "string", "format": "date-time" });
    let kinds =
        json!({ "type": "string", "enum": ["new", "more", "less", "silent", "shift", "rare"] });
    let number_that_moved = object(
        json!({
            "name": text(), "unit": { "type": "string", "enum": ["none", "seconds", "bytes", "percent"] },
            "p50_before": number(), "p50_after": number(), "p95_before": number(), "p95_after": number(),
            "chance": number(),
        }),
        &["name", "unit", "p50_before", "p50_after", "p95_before", "p95_after", "chance"],
    );
    let finding = object(
        json!({
            "at": moment, "until": moment, "kind": kinds, "anomaly": flag(), "suspect": flag(),
            "what": text(), "level": text(), "logger": text(), "message": text(), "exception": text(),
            "attributes": text(), "value": text(), "count": whole(), "per_hour_before": number(),
            "per_hour_after": number(), "expected_every_s": number(),
            "numbers": { "type": "array", "items": number_that_moved }, "pattern": text(), "id": text(),
        }),
        &["at", "kind", "anomaly", "suspect", "what", "level", "logger", "message", "count", "id"],
    );
    let noise = object(
        json!({ "level": text(), "logger": text(), "template": text(), "count": whole() }),
        &["level", "logger", "template", "count"],
    );
    let coverage = object(
        json!({
            "entries": whole(), "from": moment, "to": moment,
            "levels": { "type": "object", "additionalProperties": whole() }, "loggers": whole(),
            "patterns": whole(), "sources": whole(), "overwritten": whole(), "dropped": whole(),
            "untold": whole(),
        }),
        &[
            "entries",
            "levels",
            "loggers",
            "patterns",
            "sources",
            "overwritten",
            "dropped",
            "untold",
        ],
    );
    object(
        json!({
            "success": fixed(true),
            "verdict": object(json!({ "anomalies": whole(), "onset": moment }), &["anomalies"]),
            "coverage": coverage,
            "findings": { "type": "array", "items": finding },
            "noise": { "type": "array", "items": noise },
            "next": { "type": "array", "items": text() },
            "omitted": whole(),
        }),
        &["success", "verdict", "coverage", "findings", "noise", "next", "omitted"],
    )
}

fn stats() -> Value {
    let time = json!({ "type": ["number", "null"] });
    let levels = json!({ "type": "object", "additionalProperties": whole() });
    let figures = json!({
        "total_entries": whole(), "oldest_entry": time, "newest_entry": time, "max_size": whole(),
        "level_counts": levels, "bytes": whole(), "max_bytes": whole(), "recorded": whole(),
        "evicted": whole(), "dropped": whole(), "truncated": whole(),
    });
    let mut source = figures.clone();
    for (key, schema) in [
        ("kind", json!({ "enum": ["ring", "recording", "file"] })),
        ("name", text()),
        ("service", text()),
        ("process", whole()),
        ("started", number()),
        ("state", text()),
        ("ended", number()),
        ("trouble", text()),
    ] {
        source[key] = schema;
    }
    let mut data = figures;
    data["sources"] =
        json!({ "type": "array", "items": object(source, &["kind", "name", "total_entries"]) });
    data["followers"] = json!({ "type": "array", "items": { "type": "object" } });
    data["followers_total"] = whole();
    data["store"] = json!({ "type": "object" });
    let data = object(
        data,
        &[
            "total_entries",
            "oldest_entry",
            "newest_entry",
            "max_size",
            "level_counts",
            "sources",
            "followers",
            "store",
        ],
    );
    object(json!({ "success": fixed(true), "data": data }), &["success", "data"])
}

fn new_entry() -> Value {
    json!({
        "type": "object",
        "properties": {
            "message": text(),
            "timestamp": { "type": ["number", "string"], "description": "seconds since the epoch, or RFC 3339; default the arrival" },
            "level": { "type": ["string", "integer"], "description": "a name in any case, or a Python level number; default INFO" },
            "logger": text(),
        },
        "required": ["message"],
        "description": "Fields of an entry; other keys become attributes.",
    })
}

fn ingest_errors() -> Value {
    let error = object(json!({ "index": whole(), "error": text() }), &["index", "error"]);
    json!({ "type": "array", "items": error })
}

fn ingest() -> Value {
    object(
        json!({ "success": fixed(true), "accepted": whole(), "rejected": whole(), "errors": ingest_errors() }),
        &["success", "accepted", "rejected", "errors"],
    )
}

fn ingest_refusal() -> Value {
    object(
        json!({
            "success": fixed(false), "accepted": whole(), "rejected": whole(), "error": text(),
            "errors": ingest_errors(),
        }),
        &["success", "accepted", "rejected", "error", "errors"],
    )
}
