//! Inference: InvokeModel, Converse, their streams, and CountTokens.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `target` | which weights a model id means, and of which family they are |
//! | `models` | weights in memory |
//! | `invoke`, `dialects`, `members` | InvokeModel: its headers, each family's bodies and answers, and how a body is refused |
//! | `converse`, `settings` | Converse requests and answers |
//! | `count_tokens` | CountTokens |
//! | `conversation` | turns: who may speak when, and how the older prompts spell roles out |
//! | `answering` | one answer being made, off the async threads, and broken off when its client goes away |
//! | `events` | the event stream |
//!
//! Deliberately absent: tools, images, documents, guardrails, structured output, and prompt routers. Each is refused
//! in words.

mod answering;
mod conversation;
mod converse;
mod count_tokens;
mod dialects;
mod events;
mod family;
#[cfg(fuzzing)]
pub mod fuzzing;
mod invoke;
mod members;
pub(crate) mod models;
mod settings;
mod target;

use http::Method;

use crate::router::{CONTROL_BODY, Handler, Operation};

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
    Operation {
        name: "InvokeModelWithResponseStream",
        method: Method::POST,
        path: "/model/{modelId}/invoke-with-response-stream",
        body_limit: RUNTIME_BODY,
        handler: Handler::Runtime(|app, call| Box::pin(invoke::invoke_with_stream(app, call))),
    },
    Operation {
        name: "CountTokens",
        method: Method::POST,
        path: "/model/{modelId}/count-tokens",
        // The body of an InvokeModel request in base64, with what stands around it.
        body_limit: RUNTIME_BODY / 3 * 4 + CONTROL_BODY,
        handler: Handler::Runtime(|app, call| Box::pin(count_tokens::count_tokens(app, call))),
    },
];
