//! Inference: Converse, ConverseStream and InvokeModel.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `target` | which weights a model id means |
//! | `models` | weights in memory |
//! | `converse` | Converse requests and answers, and the events of a stream |
//! | `invoke` | InvokeModel's bodies |
//! | `answering` | one answer being made, off the async threads, and broken off when its client goes away |
//!
//! Deliberately absent in this storey: tools, images, documents, guardrails, InvokeModelWithResponseStream, CountTokens.

mod answering;
mod converse;
mod invoke;
pub(crate) mod models;
mod target;

use http::Method;

use crate::router::{Handler, Operation};

/// The service's limit of an InvokeModel body; Converse shares it.
const RUNTIME_BODY: usize = 25_000_000;

pub(crate) const OPERATIONS: &[Operation] = &[
    Operation {
        name: "Converse",
        method: Method::POST,
        path: "/model/{modelId}/converse",
        body_limit: RUNTIME_BODY,
        handler: Handler::Runtime(|app, call| Box::pin(converse::converse(app, call))),
    },
    Operation {
        name: "ConverseStream",
        method: Method::POST,
        path: "/model/{modelId}/converse-stream",
        body_limit: RUNTIME_BODY,
        handler: Handler::Runtime(|app, call| Box::pin(converse::converse_stream(app, call))),
    },
    Operation {
        name: "InvokeModel",
        method: Method::POST,
        path: "/model/{modelId}/invoke",
        body_limit: RUNTIME_BODY,
        handler: Handler::Runtime(|app, call| Box::pin(invoke::invoke(app, call))),
    },
];
