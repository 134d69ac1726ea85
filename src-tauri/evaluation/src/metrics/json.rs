//! Answers that are JSON: which members of the reference came out right.

use serde_json::Value;

/// The members of the reference by name, and whether the prediction has the same value there; `None` where the
/// reference is no object.
pub fn fields(reference: &str, prediction: &str) -> Option<Vec<(String, bool)>> {
    let Ok(Value::Object(wanted)) = serde_json::from_str(reference) else { return None };
    let said: Option<Value> = serde_json::from_str(prediction).ok();
    Some(
        wanted
            .into_iter()
            .map(|(name, value)| {
                let right = said.as_ref().and_then(|said| said.get(&name)).is_some_and(|found| *found == value);
                (name, right)
            })
            .collect(),
    )
}

/// Members that are right and members there are. A reference that is no object, or an empty one, is one member: itself.
pub(super) fn counts(reference: &str, prediction: &str) -> Vec<f64> {
    match fields(reference, prediction) {
        Some(fields) if !fields.is_empty() => {
            vec![fields.iter().filter(|(_, right)| *right).count() as f64, fields.len() as f64]
        }
        _ => vec![f64::from(u8::from(reference == prediction)), 1.0],
    }
}
