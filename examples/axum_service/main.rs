//! A small shop's backend with logrec built in. Three lines of it, marked, are logrec's.
//!
//! ```text
//! cargo run -p logrec --example axum_service
//! curl -X POST localhost:3000/orders -H 'content-type: application/json' \
//!      -d '{"customer":"ann","items":[{"article":"tea","count":2}]}'
//! curl 'localhost:3000/api/debug/logs?min_level=WARNING'
//! ```
//!
//! Orders of more than ten of an article fail at the warehouse, those for `mallory` at the bank: there
//! is something to find.

use std::{
    collections::HashMap,
    fmt,
    net::Ipv4Addr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use axum::{
    Json, Router,
    extract::{Path, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use tracing::{Instrument as _, error, info, info_span, warn};
use tracing_subscriber::{filter::LevelFilter, fmt as console, prelude::*};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let buffer = logrec::LogBuffer::new().service("shop"); // logrec 1: the buffer
    tracing_subscriber::registry()
        .with(console::layer().with_filter(LevelFilter::INFO))
        .with(buffer.layer()) // logrec 2: what is logged goes there too, debug included
        .init();

    let app = Router::new()
        .route("/orders", post(place_order))
        .route("/orders/{id}", get(show_order))
        .route("/healthz", get(|| async { "ok" }))
        .layer(middleware::from_fn(log_request))
        .with_state(Shop::default());
    let app = app.nest("/api/debug", buffer.router()); // logrec 3: and is asked for here

    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 3000)).await?;
    info!(address = %listener.local_addr()?, "listening");
    axum::serve(listener, app).await
}

/// A span for each request, whose fields are on everything that is logged within.
async fn log_request(request: Request, next: Next) -> Response {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = info_span!("request", request = number, %method, path);
    async move {
        let started = Instant::now();
        let response = next.run(request).await;
        let took_ms = started.elapsed().as_secs_f64() * 1e3;
        let status = response.status().as_u16();
        match status {
            500.. => error!(status, took_ms, "request failed"),
            400.. => warn!(status, took_ms, "request refused"),
            _ => info!(status, took_ms, "request served"),
        }
        response
    }
    .instrument(span)
    .await
}

#[derive(Clone, Default)]
struct Shop {
    orders: Arc<Mutex<HashMap<u64, Order>>>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Order {
    #[serde(default)]
    id: u64,
    customer: String,
    items: Vec<Item>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Item {
    article: String,
    count: u32,
}

async fn place_order(
    State(shop): State<Shop>,
    Json(mut order): Json<Order>,
) -> Result<Json<Order>, OrderError> {
    static NEXT: AtomicU64 = AtomicU64::new(1001);
    order.id = NEXT.fetch_add(1, Ordering::Relaxed);
    let span = info_span!("order", order = order.id, customer = %order.customer);
    async {
        tracing::debug!(items = order.items.len(), "checking stock");
        order.items.iter().try_for_each(reserve).map_err(OrderError::Stock)?;
        charge(&order.customer).map_err(OrderError::Payment)?;
        info!("order placed");
        let mut orders = shop.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.insert(order.id, order.clone());
        Ok::<_, OrderError>(())
    }
    .instrument(span.clone())
    .await
    .inspect_err(|failure| {
        let failure: &(dyn std::error::Error + 'static) = failure;
        span.in_scope(|| error!(error = failure, "order not placed"));
    })?;
    Ok(Json(order))
}

async fn show_order(
    State(shop): State<Shop>,
    Path(id): Path<u64>,
) -> Result<Json<Order>, StatusCode> {
    let orders = shop.orders.lock().unwrap_or_else(PoisonError::into_inner);
    orders.get(&id).cloned().map(Json).ok_or_else(|| {
        warn!(order = id, "no such order");
        StatusCode::NOT_FOUND
    })
}

/// Takes an article off the shelf.
fn reserve(item: &Item) -> Result<(), Unavailable> {
    const ON_STOCK: u32 = 10;
    if item.count > ON_STOCK {
        let Item { article, count } = item.clone();
        return Err(Unavailable(format!("{count} of `{article}` wanted, {ON_STOCK} on stock")));
    }
    tracing::debug!(article = item.article, count = item.count, "reserved");
    Ok(())
}

/// Asks the bank.
fn charge(customer: &str) -> Result<(), Unavailable> {
    if customer == "mallory" {
        warn!(attempt = 1, "the bank did not answer, trying again");
        return Err(Unavailable("connection to bank.example:443 timed out".to_owned()));
    }
    Ok(())
}

/// Something outside did not do what was asked of it.
#[derive(Debug)]
struct Unavailable(String);

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unavailable {}

/// Why an order was not placed.
#[derive(Debug)]
enum OrderError {
    Stock(Unavailable),
    Payment(Unavailable),
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stock(_) => "an article is not on stock",
            Self::Payment(_) => "the payment failed",
        })
    }
}

impl std::error::Error for OrderError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Stock(cause) | Self::Payment(cause) => Some(cause),
        }
    }
}

impl IntoResponse for OrderError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Stock(_) => StatusCode::CONFLICT,
            Self::Payment(_) => StatusCode::BAD_GATEWAY,
        };
        (status, self.to_string()).into_response()
    }
}
