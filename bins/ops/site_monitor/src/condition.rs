//! Conditions on a probe: `[STATUS] == 200`, `len([BODY].items) > 3`, `[BODY] == pat(*welcome*)`.
//!
//! Operators `== != < <= > >=`; functions `len`, `has`, `pat` (wildcard `*`), `any`. Times are in milliseconds,
//! or with a unit: `1.5s`, `48h`, `14d`.

mod parse;

use std::fmt;

use serde_json::Value;

use parse::{number, operand};

/// What a condition may look at.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(crate) connected: bool,
    pub(crate) status: Option<u16>,
    pub(crate) response_ms: f64,
    pub(crate) dns_ms: f64,
    pub(crate) ip: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) certificate_days: Option<f64>,
}

/// A parsed condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Condition {
    text: String,
    left: Operand,
    test: Test,
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Compare(Operator, Operand),
    /// `has(...)` alone.
    Holds,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Debug, PartialEq)]
enum Operand {
    Status,
    ResponseTime,
    DnsTime,
    Ip,
    Connected,
    CertificateDays,
    Header(String),
    Body(Vec<Step>),
    Length(Box<Operand>),
    Has(Box<Operand>),
    Pattern(String),
    Any(Vec<Operand>),
    Number(f64),
    Text(String),
}

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Field(String),
    Index(usize),
}

/// The verdict on one condition.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) holds: bool,
    /// What was seen instead, short.
    pub(crate) actual: String,
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Condition {
    /// Reads a condition; the error says what is not understood.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        const OPERATORS: [(&str, Operator); 6] = [
            ("==", Operator::Equal),
            ("!=", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        let found = OPERATORS
            .iter()
            .filter_map(|(sign, operator)| text.find(&format!(" {sign} ")).map(|at| (at, *sign, *operator)))
            .min_by_key(|(at, ..)| *at);
        let (left, test) = match found {
            Some((at, sign, operator)) => {
                let right = operand(text[at + sign.len() + 2..].trim())?;
                (operand(text[..at].trim())?, Test::Compare(operator, right))
            }
            None => (operand(text.trim())?, Test::Holds),
        };
        if test == Test::Holds && !matches!(left, Operand::Has(_) | Operand::Connected) {
            return Err(format!(
                "`{text}` has no operator; write for example `[STATUS] == 200`"
            ));
        }
        Ok(Self {
            text: text.trim().to_owned(),
            left,
            test,
        })
    }

    /// Judges the facts.
    pub(crate) fn judge(&self, facts: &Facts) -> Verdict {
        let left = value(&self.left, facts);
        let holds = match &self.test {
            Test::Holds => left == Value::Bool(true),
            Test::Compare(operator, right) => compare(&left, *operator, right, facts),
        };
        let actual = match &left {
            Value::Null => "nothing".to_owned(),
            Value::String(text) => text.chars().take(80).collect(),
            other => other.to_string().chars().take(80).collect(),
        };
        Verdict { holds, actual }
    }
}

fn value(operand: &Operand, facts: &Facts) -> Value {
    let number = |n: f64| serde_json::Number::from_f64(n).map_or(Value::Null, Value::Number);
    match operand {
        Operand::Status => facts.status.map_or(Value::Null, Value::from),
        Operand::ResponseTime => number(facts.response_ms),
        Operand::DnsTime => number(facts.dns_ms),
        Operand::Ip => facts.ip.clone().map_or(Value::Null, Value::from),
        Operand::Connected => Value::Bool(facts.connected),
        Operand::CertificateDays => facts.certificate_days.map_or(Value::Null, number),
        Operand::Header(name) => facts
            .headers
            .iter()
            .find(|(n, _)| n == name)
            .map_or(Value::Null, |(_, v)| Value::from(v.as_str())),
        Operand::Body(steps) if steps.is_empty() => Value::from(facts.body.as_str()),
        Operand::Body(steps) => {
            let json: Value = serde_json::from_str(&facts.body).unwrap_or_default();
            let mut here = &json;
            for step in steps {
                let next = match step {
                    Step::Field(name) => here.get(name),
                    Step::Index(index) => here.get(index),
                };
                match next {
                    Some(next) => here = next,
                    None => return Value::Null,
                }
            }
            here.clone()
        }
        Operand::Length(inner) => match value(inner, facts) {
            Value::Array(items) => Value::from(items.len()),
            Value::Object(map) => Value::from(map.len()),
            Value::String(text) => serde_json::from_str::<Vec<Value>>(&text).map_or_else(
                |_| Value::from(text.chars().count()),
                |items| Value::from(items.len()),
            ),
            Value::Null => Value::Null,
            other => Value::from(other.to_string().chars().count()),
        },
        Operand::Has(inner) => Value::Bool(!value(inner, facts).is_null()),
        Operand::Number(n) => number(*n),
        Operand::Text(text) | Operand::Pattern(text) => Value::from(text.as_str()),
        Operand::Any(_) => Value::Null,
    }
}

fn compare(left: &Value, operator: Operator, right: &Operand, facts: &Facts) -> bool {
    let equal = |right: &Operand| match right {
        Operand::Pattern(pattern) => wildcard(pattern, &plain(left)),
        other => same(left, &value(other, facts)),
    };
    match (operator, right) {
        (Operator::Equal, Operand::Any(options)) => options.iter().any(equal),
        (Operator::NotEqual, Operand::Any(options)) => !options.iter().any(equal),
        (Operator::Equal, right) => equal(right),
        (Operator::NotEqual, right) => !equal(right),
        (operator, right) => {
            let (Some(a), Some(b)) = (as_number(left), as_number(&value(right, facts))) else {
                return false;
            };
            match operator {
                Operator::Less => a < b,
                Operator::LessOrEqual => a <= b,
                Operator::Greater => a > b,
                _ => a >= b,
            }
        }
    }
}

fn same(left: &Value, right: &Value) -> bool {
    match (as_number(left), as_number(right)) {
        (Some(a), Some(b)) => a == b,
        _ => !left.is_null() && plain(left) == plain(right),
    }
}

fn as_number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| number(value.as_str()?))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `*` stands for any run of characters.
fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut open_end = pattern.ends_with('*');
    let parts: Vec<_> = parts.collect();
    for (index, part) in parts.iter().enumerate() {
        if index + 1 == parts.len() {
            open_end |= part.is_empty();
            return open_end || rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            connected: true,
            status: Some(200),
            response_ms: 143.0,
            dns_ms: 2.0,
            ip: Some("127.0.0.1".into()),
            headers: vec![("content-type".into(), "application/json".into())],
            body: r#"{"items": [{"name": "a"}, {"name": "b"}], "status": "UP", "n": 5}"#.into(),
            certificate_days: Some(13.5),
        }
    }

    #[test]
    fn conditions_hold_or_not() {
        for (text, holds) in [
            ("[STATUS] == 200", true),
            ("[STATUS] == any(200, 204)", true),
            ("[STATUS] != any(500, 502)", true),
            ("[STATUS] < 300", true),
            ("[RESPONSE_TIME] < 150", true),
            ("[RESPONSE_TIME] < 0.1s", false),
            ("[CERTIFICATE_DAYS] > 14", false),
            ("[CERTIFICATE_DAYS] > 13d", true),
            ("[HEADER].Content-Type == pat(*json)", true),
            ("[BODY].status == UP", true),
            ("[BODY].items[1].name == b", true),
            ("[BODY].items[7].name == b", false),
            ("[BODY].n >= 5", true),
            ("len([BODY].items) == 2", true),
            ("has([BODY].missing) == false", true),
            ("has([BODY].status)", true),
            ("[BODY] == pat(*\"UP\"*)", true),
            ("[BODY] == pat(UP)", false),
            ("[IP] == 127.0.0.1", true),
            ("[CONNECTED] == true", true),
            ("[BODY].missing != x", true),
        ] {
            let condition = Condition::parse(text).unwrap();
            assert_eq!(
                condition.judge(&facts()).holds,
                holds,
                "{text}: {:?}",
                condition.judge(&facts())
            );
        }
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for text in ["[STATUS]", "[NOPE] == 1", "[HEADER] == 1", "200", "[BODY == 1"] {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn wildcards_match_whole_texts() {
        assert!(
            wildcard("a*c", "abbbc") && wildcard("*", "") && wildcard("abc", "abc") && wildcard("*b*", "abc")
        );
        assert!(!wildcard("a*c", "abcd") && !wildcard("abc", "abcd") && !wildcard("b*", "abc"));
    }
}
