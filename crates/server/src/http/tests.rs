//! Routes without a socket. The contract over real connections is in the black-box tests.

use axum::http::Request;
use http_body_util::BodyExt;
use logrec_core::{Entry, Level, RingOptions, Timestamp};
use tower::ServiceExt;

use super::*;

async fn call(router: &Router, method: &str, uri: &str, body: &str) -> (u16, serde_json::Value) {
    let request = Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "localhost")
        .header("content-type", "application/json")
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    assert_eq!(response.headers()["content-type"], "application/json", "{uri}");
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap())
}

fn test_app() -> Router {
    app(App::new(Arc::new(Ring::new(RingOptions::default()))))
}

#[tokio::test]
async fn post_get_stats_delete() {
    let app = test_app();
    let body = r#"[{"message":"one","level":"ERROR"},{"message":"two"},{"level":"INFO"}]"#;
    let (status, answer) = call(&app, "POST", "/api/debug/logs", body).await;
    assert_eq!(status, 200);
    assert_eq!((&answer["accepted"], &answer["rejected"]), (&2.into(), &1.into()));
    assert_eq!(answer["errors"][0]["index"], 2);
    let (_, answer) = call(&app, "GET", "/api/debug/logs?level=error", "").await;
    assert_eq!(answer["data"][0]["message"], "one");
    let (_, answer) = call(&app, "GET", "/api/debug/logs/stats", "").await;
    assert_eq!(answer["data"]["total_entries"], 2);
    let (_, answer) = call(&app, "DELETE", "/api/debug/logs", "").await;
    let expected =
        serde_json::json!({"success": true, "message": "Log buffer cleared", "entries_removed": 2});
    assert_eq!(answer, expected);
    let (_, answer) = call(&app, "GET", "/api/debug/logs", "").await;
    assert_eq!(answer["count"], 0);
}

#[tokio::test]
async fn nested_in_an_application() {
    let router = router(App::new(Arc::new(Ring::default())));
    let app = Router::new().nest("/api/debug", router).route("/own", get(|| async { "own" }));
    let (status, _) = call(&app, "GET", "/api/debug/logs", "").await;
    assert_eq!(status, 200);
    let (status, answer) = call(&app, "GET", "/api/debug/nothing", "").await;
    assert_eq!((status, &answer["success"]), (404, &false.into()));
    assert!(answer["error"].as_str().unwrap().contains("`/api/debug/nothing`"), "{answer}");
    let (status, _) = call(&app, "PUT", "/api/debug/logs", "").await;
    assert_eq!(status, 405);
}

#[tokio::test]
async fn a_long_poll_ends_with_the_first_new_entry() {
    let ring = Arc::new(Ring::default());
    let app = app(App::new(Arc::clone(&ring)));
    ring.push(&Entry::new(Timestamp::now(), Level::Error, "before"));
    let waiting =
        tokio::spawn(
            async move { call(&app, "GET", "/api/debug/logs?wait=60&level=ERROR", "").await },
        );
    // Whatever was there when the poll began does not end it; what matches later does. Pushed again
    // until it does, since the poll may begin at any time.
    while !waiting.is_finished() {
        ring.push(&Entry::new(Timestamp::now(), Level::Info, "not this"));
        ring.push(&Entry::new(Timestamp::now(), Level::Error, "this"));
        tokio::task::yield_now().await;
    }
    let (status, answer) = waiting.await.unwrap();
    assert_eq!(status, 200);
    assert!(answer["data"].as_array().unwrap().iter().all(|e| e["message"] == "this"));
}
