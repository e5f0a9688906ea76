//! Limits on metrics: `selectors.specificity.max=0,3,0`, `stylesheet.size=50000`.

use std::collections::BTreeMap;

use app_core::{ToolError, ToolResult};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// A metric above its limit.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Breach {
    /// Path of the metric.
    pub metric: String,
    /// What is allowed at most.
    pub limit: Value,
    /// What was found.
    pub actual: Value,
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` is {} (limit {})",
            self.metric,
            plain(&self.actual),
            plain(&self.limit)
        )
    }
}

/// Without brackets, as it is given on the command line.
fn plain(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Limits by metric path, in a stable order.
pub type Limits = BTreeMap<String, Value>;

/// Reads `key=value` entries and a JSON object of limits.
pub fn limits(entries: &[String], object: Option<&BTreeMap<String, Value>>) -> ToolResult<Limits> {
    let mut limits = object.cloned().unwrap_or_default();
    for (at, entry) in entries.iter().enumerate() {
        let field = format!("budget[{at}]");
        let (key, text) = entry.split_once('=').ok_or_else(|| {
            ToolError::invalid(&field, format!("`{entry}` is not `metric=limit`"))
                .hint("for example `--budget stylesheet.size=50000`")
        })?;
        let numbers: Result<Vec<f64>, _> = text.split(',').map(|part| part.trim().parse()).collect();
        let value = match numbers.as_deref() {
            Ok([number]) => as_value(*number),
            Ok(several) => several.iter().copied().map(as_value).collect(),
            Err(_) => return Err(ToolError::invalid(&field, format!("`{text}` is not a number"))),
        };
        limits.insert(key.trim().to_owned(), value);
    }
    Ok(limits)
}

/// A number as it was written: whole ones without a fraction.
fn as_value(number: f64) -> Value {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

/// Every metric above its limit. A path that names no number is an input error.
pub fn breaches(limits: &Limits, metrics: &Value) -> ToolResult<Vec<Breach>> {
    let mut found = Vec::new();
    for (metric, limit) in limits {
        let actual = metric
            .split('.')
            .try_fold(metrics, |value, key| value.get(key))
            .ok_or_else(|| unknown(metric, metrics))?;
        let over = match (numbers(actual), numbers(limit)) {
            (Some(actual), Some(limit)) if actual.len() == limit.len() => {
                actual.partial_cmp(&limit).is_some_and(std::cmp::Ordering::is_gt)
            }
            (Some(actual), Some(_)) => {
                let text = format!("the limit of `{metric}` needs {} numbers", actual.len());
                return Err(ToolError::invalid("budget", text));
            }
            _ => return Err(unknown(metric, metrics)),
        };
        if over {
            found.push(Breach {
                metric: metric.clone(),
                limit: limit.clone(),
                actual: actual.clone(),
            });
        }
    }
    Ok(found)
}

fn unknown(metric: &str, metrics: &Value) -> ToolError {
    let groups: Vec<_> = metrics
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys().cloned())
        .collect();
    ToolError::invalid("budget", format!("`{metric}` is not a metric with a number")).hint(format!(
        "see the output of `analyze`; groups: {}",
        groups.join(", ")
    ))
}

/// A number, or a list of numbers such as a specificity (compared from left to right).
fn numbers(value: &Value) -> Option<Vec<f64>> {
    match value {
        Value::Number(number) => Some(vec![number.as_f64()?]),
        Value::Array(items) if !items.is_empty() => items.iter().map(Value::as_f64).collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn limits_are_compared_and_breaches_named() {
        let metrics = json!({"stylesheet": {"size": 100}, "selectors": {"specificity": {"max": [0, 3, 1]}}});
        let limits = limits(
            &[
                "stylesheet.size=99".into(),
                "selectors.specificity.max=0,3,2".into(),
            ],
            None,
        )
        .unwrap();
        let found = breaches(&limits, &metrics).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].to_string(), "`stylesheet.size` is 100 (limit 99)");
    }

    #[test]
    fn unknown_metrics_and_bad_numbers_are_input_errors() {
        let one = limits(&["no.such=1".into()], None).unwrap();
        assert!(
            breaches(&one, &json!({"stylesheet": {}}))
                .unwrap_err()
                .message
                .contains("no.such")
        );
        assert!(limits(&["a=b".into()], None).is_err());
        assert!(limits(&["a".into()], None).is_err());
    }
}
