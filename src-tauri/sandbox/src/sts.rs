//! STS GetCallerIdentity: whose key signed. There is one: the user whose key the folder holds, who may do everything.
//!
//! Deliberately absent: session tokens, and roles that a client takes on itself.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::app::App;
use crate::iam::user_arn;
use crate::rpc::{Call, Failure, Operation, Protocol, Service};

pub(crate) const SERVICE: Service = Service {
    scope: "sts",
    protocol: Protocol::Query { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
    operations: &[Operation { name: "GetCallerIdentity", handler: get_caller_identity }],
};

fn get_caller_identity(app: &Arc<App>, _: &Call) -> Result<Value, Failure> {
    let keys = app.keys();
    // A user's id has the form of a key's, with another head.
    let id = keys.access_key_id().replacen("AKIA", "AIDA", 1);
    Ok(json!({ "UserId": id, "Account": keys.account(), "Arn": user_arn(keys.account()) }))
}
