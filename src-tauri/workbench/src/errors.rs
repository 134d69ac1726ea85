//! Errors of the parts, turned into the one shape the window knows. Decided by variant, never by searching a text.

use whetstone_cloud::{CloudError, CloudErrorCode};
use whetstone_contract::{AppError, ErrorCode};

use crate::store::StoreError;

pub fn from_cloud(error: &CloudError) -> AppError {
    use CloudErrorCode as Cloud;
    let (code, hint) = match error.code {
        Cloud::AccessDenied => (ErrorCode::AccessDenied, "Ask for this permission, or choose other credentials."),
        Cloud::Credentials => (ErrorCode::AccessDenied, "Check the credentials of this connection."),
        Cloud::Expired => (ErrorCode::SignIn, "Sign in again; the work goes on where it was."),
        Cloud::CodeNeeded => (ErrorCode::CodeNeeded, "Type the code that your device shows now."),
        Cloud::BedrockOnly => {
            (ErrorCode::AccessDenied, "For data in S3 and for roles, connect with a profile or an access key.")
        }
        Cloud::Signature => (ErrorCode::AccessDenied, "Check the access key and its secret."),
        Cloud::ClockSkew => (ErrorCode::AccessDenied, "Set this computer's clock and try again."),
        Cloud::Validation | Cloud::TooLarge => (ErrorCode::Validation, "Change what the message names and try again."),
        Cloud::WrongRegion => (ErrorCode::Validation, "Choose a bucket in the Region of the connection."),
        Cloud::Conflict => (ErrorCode::Refused, "Choose another name, or wait until the other work has ended."),
        Cloud::NotFound => (ErrorCode::NotFound, "It may have been deleted. Refresh and look again."),
        Cloud::Throttled => (ErrorCode::Throttled, "Wait a moment and try again."),
        Cloud::QuotaExceeded => (ErrorCode::Throttled, "Wait until other work has ended, or ask for a higher quota."),
        Cloud::NotReady => (ErrorCode::Throttled, "The model is still getting ready. Try again in a moment."),
        Cloud::Unavailable | Cloud::Unreachable | Cloud::Timeout => {
            (ErrorCode::Unreachable, "Check the connection and try again.")
        }
        Cloud::LocalFile => (ErrorCode::FileUnavailable, "Check that the file is still there and can be read."),
        Cloud::Cancelled => (ErrorCode::Cancelled, "Start it again when you like."),
        Cloud::Other => (ErrorCode::Bug, "Try again; if it happens again, please report it."),
    };
    let source =
        error.aws_code.as_ref().map_or_else(|| error.operation.to_owned(), |aws| format!("{}: {aws}", error.operation));
    AppError::new(code, error.message.clone()).detail(source).hint(hint)
}

pub fn from_store(error: &StoreError) -> AppError {
    match error {
        StoreError::Newer { .. } => AppError::new(ErrorCode::Refused, "This data folder belongs to a newer Whetstone.")
            .detail(error.to_string())
            .hint("Update the app, or start it with another data folder."),
        StoreError::Database(_) | StoreError::Shape(_) => {
            AppError::new(ErrorCode::Storage, "The app's records could not be read or written.")
                .detail(error.to_string())
                .hint("Check that the disk is not full and the data folder can be written.")
        }
    }
}

pub fn from_io(what: &str, error: &std::io::Error) -> AppError {
    let hint = match error.kind() {
        std::io::ErrorKind::StorageFull => "Free some space and try again.",
        std::io::ErrorKind::PermissionDenied => "Check the permissions of the folder.",
        _ => "Check the disk and try again.",
    };
    AppError::new(ErrorCode::Storage, format!("{what} could not be written or read."))
        .detail(error.to_string())
        .hint(hint)
}

/// A background task that panicked: a defect, told as one.
pub fn from_join(error: &tokio::task::JoinError) -> AppError {
    AppError::new(ErrorCode::Bug, "A part of the program stopped unexpectedly.")
        .detail(error.to_string())
        .hint("Try again; if it happens again, please report it.")
}

/// The session is over: nothing but the person can go on.
pub fn wants_sign_in(error: &CloudError) -> bool {
    matches!(error.code, CloudErrorCode::Expired | CloudErrorCode::Credentials | CloudErrorCode::CodeNeeded)
}

/// Trouble that passes by itself: the same call is worth repeating.
pub fn passes_by_itself(error: &CloudError) -> bool {
    use CloudErrorCode as Cloud;
    matches!(error.code, Cloud::Throttled | Cloud::NotReady | Cloud::Unavailable | Cloud::Unreachable | Cloud::Timeout)
}
