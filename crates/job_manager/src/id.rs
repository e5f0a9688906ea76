//! The name of a job.

use std::{borrow::Cow, fmt, str::FromStr};

use app_core::contract::ToolError;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Name of a job: `j` and its number in the order of arrival, for example `j42`. A bare number is read too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(i64);

impl JobId {
    /// From the number in the store.
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// The number in the store.
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("j{}", self.0))
    }
}

impl FromStr for JobId {
    type Err = ToolError;

    fn from_str(text: &str) -> Result<Self, ToolError> {
        let digits = text.trim();
        let digits = digits.strip_prefix('j').unwrap_or(digits);
        match digits.parse::<i64>() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err(
                ToolError::invalid("id", format!("`{text}` is not the name of a job"))
                    .hint("job names look like `j42`; `onejob list` shows them"),
            ),
        }
    }
}

impl Serialize for JobId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for JobId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|e: ToolError| de::Error::custom(e.message))
    }
}

impl JsonSchema for JobId {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "JobId".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^j?[0-9]+$"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_are_read_and_one_is_written() {
        assert_eq!("j42".parse::<JobId>().unwrap(), "42".parse().unwrap());
        assert_eq!(JobId(42).to_string(), "j42");
        assert!("j-1".parse::<JobId>().is_err());
        assert!("last".parse::<JobId>().is_err());
    }
}
