use std::sync::Arc;

use axum::{Router, body::Body, http::Request};
use logrec_core::Ring;
use tower::ServiceExt;

use super::*;
use crate::http::{App, router};

fn api() -> Router {
    router(App::new(Arc::new(Ring::default())))
}

async fn status(method: &str, path: &str) -> u16 {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Body::from("x"))
        .unwrap();
    api().oneshot(request).await.unwrap().status().as_u16()
}

/// What is described is answered, and every other method of a described path is refused.
#[tokio::test]
async fn described_is_what_is_answered() {
    for path in [
        "/logs",
        "/logs/stats",
        "/logs/context",
        "/logs/fields",
        "/logs/patterns",
        "/logs/volume",
        "/logs/trends",
        "/logs/digest",
        "/logs/stream",
        "/marks",
    ] {
        for method in ["get", "post", "put", "delete", "patch"] {
            let is_described = ENDPOINTS.iter().any(|e| e.path == path && e.method == method);
            let status = status(&method.to_uppercase(), path).await;
            assert_eq!(is_described, status != 405, "{method} {path}: {status}");
        }
    }
    for path in DOCUMENT["paths"].as_object().unwrap().keys() {
        assert_ne!(status("GET", path).await, 404, "{path}");
    }
}

#[test]
fn every_reference_leads_somewhere_and_every_example_is_accepted() {
    let text = DOCUMENT.to_string();
    for reference in text.split("\"#/components/").skip(1) {
        let path = reference.split('"').next().unwrap();
        let pointer = format!("/components/{path}");
        assert!(DOCUMENT.pointer(&pointer).is_some(), "{pointer}");
    }
    let reader = logrec_reader::Reader::default();
    for param in [FILTERS, PAGE, SHAPE].concat() {
        if matches!(param.example, "CURSOR") {
            continue;
        }
        let name = param.name.replace("NAME", "http.status");
        reader.request([(name, param.example)]).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[test]
fn the_page_holds_every_parameter_and_no_markup_of_theirs() {
    let page = String::from_utf8(PAGE_HTML.clone()).unwrap();
    for endpoint in ENDPOINTS {
        assert!(page.contains(&format!("id=\"{}\"", endpoint.id)), "{}", endpoint.id);
        for param in endpoint.params.iter().flat_map(|table| table.iter()) {
            assert!(page.contains(&format!("<code>{}</code>", param.name)), "{}", param.name);
        }
    }
    assert!(page.contains("level&gt;=WARNING") && !page.contains("<script"));
}
