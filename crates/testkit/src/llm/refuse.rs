//! What each vendor refuses, in its own form of error.

use serde_json::{Value, json};

use super::{Fault, Manners, dialect::Question, dialect::Spoken, dialect::tokens};

/// Status, headers and body of a refusal.
pub(super) struct Refused {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Value,
}

fn refused(status: u16, body: Value) -> Refused {
    Refused {
        status,
        headers: Vec::new(),
        body,
    }
}

/// The error object of a dialect.
pub(super) fn error(dialect: Spoken, status: u16, message: &str, param: Option<&str>) -> Value {
    match dialect {
        Spoken::OpenAi => {
            let kind = match status {
                401 => "authentication_error",
                429 => "rate_limit_exceeded",
                500.. => "server_error",
                _ => "invalid_request_error",
            };
            let code = param.map(|_| "unsupported_parameter");
            json!({"error": {"message": message, "type": kind, "param": param, "code": code}})
        }
        Spoken::Anthropic => {
            let kind = match status {
                401 => "authentication_error",
                403 => "permission_error",
                404 => "not_found_error",
                429 => "rate_limit_error",
                529 => "overloaded_error",
                500.. => "api_error",
                _ => "invalid_request_error",
            };
            json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"})
        }
        Spoken::Gemini => {
            let name = match status {
                401 => "UNAUTHENTICATED",
                404 => "NOT_FOUND",
                429 => "RESOURCE_EXHAUSTED",
                503 | 529 => "UNAVAILABLE",
                500.. => "INTERNAL",
                _ => "INVALID_ARGUMENT",
            };
            json!({"error": {"code": status, "message": message, "status": name}})
        }
        Spoken::Ollama => json!({"error": message}),
    }
}

/// The refusal that a fault is, if it is one.
pub(super) fn by_fault(dialect: Spoken, fault: &Fault) -> Option<Refused> {
    Some(match fault {
        Fault::RateLimited(wait) => {
            let mut refusal = refused(429, error(dialect, 429, "Rate limit reached", None));
            match (wait, dialect) {
                (Some(seconds), Spoken::Gemini) => {
                    refusal.body["error"]["details"] = json!([{
                        "@type": "type.googleapis.com/google.rpc.RetryInfo",
                        "retryDelay": format!("{seconds}s")
                    }]);
                }
                (Some(seconds), _) => refusal.headers.push(("retry-after", seconds.to_string())),
                (None, _) => {}
            }
            refusal
        }
        Fault::Quota => match dialect {
            Spoken::OpenAi => refused(
                429,
                json!({"error": {"message": "You exceeded your current quota", "type": "insufficient_quota", "param": null, "code": "insufficient_quota"}}),
            ),
            Spoken::Anthropic => refused(400, error(dialect, 400, "Your credit balance is too low", None)),
            Spoken::Gemini => {
                let mut body = error(dialect, 429, "Quota exceeded", None);
                body["error"]["details"] = json!([{
                    "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}]
                }]);
                refused(429, body)
            }
            Spoken::Ollama => refused(429, error(dialect, 429, "billing limit", None)),
        },
        Fault::Status(status) => refused(*status, error(dialect, *status, "It failed", None)),
        Fault::Rejected(message) => refused(400, error(dialect, 400, message, None)),
        Fault::Redirect(target) => Refused {
            status: 307,
            headers: vec![("location", target.clone())],
            body: json!({}),
        },
        _ => return None,
    })
}

/// What a server with these manners refuses of a call.
pub(super) fn by_manners(question: &Question, manners: &Manners, body: &Value) -> Option<Refused> {
    let dialect = question.dialect;
    let no = |message: &str, param: Option<&str>| Some(refused(400, error(dialect, 400, message, param)));
    if dialect == Spoken::Anthropic && body["max_tokens"].as_u64().is_none() {
        return no("max_tokens: Field required", None);
    }
    if manners.reasoning && dialect == Spoken::OpenAi {
        if !body["max_tokens"].is_null() {
            return no(
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
                Some("max_tokens"),
            );
        }
        if !body["temperature"].is_null() {
            return no(
                "Unsupported value: 'temperature' does not support 0.5 with this model.",
                Some("temperature"),
            );
        }
    }
    if manners.no_usage_option && !body["stream_options"].is_null() {
        return no("stream_options: Extra inputs are not permitted", None);
    }
    let (schema, json_mode) = match dialect {
        Spoken::OpenAi => {
            let format = &body["response_format"];
            (&format["json_schema"]["schema"], format["type"] == "json_object")
        }
        Spoken::Anthropic => (&body["output_config"]["format"]["schema"], false),
        Spoken::Gemini => {
            let config = &body["generationConfig"];
            let schema = &config["responseJsonSchema"];
            (schema, schema.is_null() && !config["responseMimeType"].is_null())
        }
        Spoken::Ollama => {
            let format = &body["format"];
            (
                if format.is_object() { format } else { &Value::Null },
                format == "json",
            )
        }
    };
    if (manners.no_schema && !schema.is_null()) || (manners.no_json && json_mode) {
        return no("response_format: this schema or JSON mode is not supported", None);
    }
    if let Some(problem) = keyword(dialect, body, schema) {
        return no(&problem, None);
    }
    let needed = tokens(&question.prompt) + question.max_output.unwrap_or(0);
    if manners.context > 0 && needed > manners.context && dialect != Spoken::Ollama {
        return no("This model's maximum context length is exceeded", None);
    }
    None
}

/// Keywords that a vendor refuses in a schema.
fn keyword(dialect: Spoken, body: &Value, schema: &Value) -> Option<String> {
    let strict = body["response_format"]["json_schema"]["strict"] == true;
    match dialect {
        Spoken::OpenAi if strict => walk(schema, &|object| {
            let properties = object.get("properties").and_then(Value::as_object)?;
            let required: Vec<&str> = object
                .get("required")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            if object.get("additionalProperties") != Some(&Value::Bool(false)) {
                return Some("Invalid schema: 'additionalProperties' is required to be false".to_owned());
            }
            let missing = properties
                .keys()
                .find(|name| !required.contains(&name.as_str()))?;
            Some(format!("Invalid schema: 'required' must include '{missing}'"))
        })
        .or_else(|| {
            walk(schema, &|object| {
                object
                    .contains_key("oneOf")
                    .then(|| "Invalid schema: 'oneOf' is not permitted".to_owned())
            })
        }),
        Spoken::Anthropic => walk(schema, &|object| {
            let bound = ["minimum", "maximum", "minLength", "maxLength"]
                .into_iter()
                .find(|key| object.contains_key(*key))?;
            Some(format!(
                "output_config.format.schema: property '{bound}' is not supported"
            ))
        }),
        _ => None,
    }
}

fn walk(schema: &Value, look: &dyn Fn(&serde_json::Map<String, Value>) -> Option<String>) -> Option<String> {
    let object = schema.as_object()?;
    look(object).or_else(|| {
        object
            .iter()
            .find_map(|(key, value)| match (key.as_str(), value) {
                ("properties", Value::Object(named)) => named.values().find_map(|inner| walk(inner, look)),
                ("anyOf" | "oneOf" | "allOf", Value::Array(all)) => {
                    all.iter().find_map(|inner| walk(inner, look))
                }
                ("items", inner) => walk(inner, look),
                _ => None,
            })
    })
}
