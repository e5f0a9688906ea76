//! What paid models cost, with the date from which each price holds.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

use crate::contract::{ErrorKind, ToolError, ToolResult, Usd};

/// Price list by model name.
#[derive(Clone, Debug, Default)]
pub struct Prices(BTreeMap<String, Vec<Price>>);

/// What a model costs from a date on, in dollars. A rate that is absent is not sold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// First day (UTC) of this price.
    pub from: Date,
    /// Per input token.
    #[serde(default)]
    pub input: Option<f64>,
    /// Per output token.
    #[serde(default)]
    pub output: Option<f64>,
    /// Per image.
    #[serde(default)]
    pub per_image: Option<Usd>,
    /// Per video.
    #[serde(default)]
    pub per_video: Option<Usd>,
}

impl Prices {
    /// The list in `shared-config/prices.toml` when this version was built.
    pub fn shipped() -> ToolResult<Self> {
        Self::parse(include_str!("../../../../shared-config/prices.toml")).map_err(ToolError::internal)
    }

    /// Reads `[[models."name"]]` tables. Fails with a text that names the trouble.
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            models: BTreeMap<String, Vec<Price>>,
        }
        let mut file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        for (name, prices) in &mut file.models {
            prices.sort_by_key(|price| price.from);
            let rates = prices.iter().flat_map(|p| [p.input, p.output]).flatten();
            if rates.chain([0.0]).any(|rate| !rate.is_finite() || rate < 0.0) {
                return Err(format!("model `{name}` has a rate that is not a positive number"));
            }
        }
        Ok(Self(file.models))
    }

    /// Names of all models, sorted.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The price of `model` on `day`. An unknown model is refused, never free.
    pub fn get(&self, model: &str, day: Date) -> ToolResult<&Price> {
        let known = self.0.get(model).ok_or_else(|| {
            ToolError::new(
                ErrorKind::InvalidInput,
                format!("no price is known for model `{model}`"),
            )
            .code("unknown_model_cost")
            .hint(format!(
                "add it to prices.toml; known: {}",
                self.models().collect::<Vec<_>>().join(", ")
            ))
        })?;
        known.iter().rev().find(|price| price.from <= day).ok_or_else(|| {
            ToolError::new(
                ErrorKind::InvalidInput,
                format!("no price of model `{model}` holds on {day}"),
            )
            .code("unknown_model_cost")
        })
    }
}

impl Price {
    /// Cost of a text in dollars, with a quarter token a character (the replaced script's rule).
    /// Fails with code `missing_model_input_rate` or `missing_model_output_rate`.
    pub fn text(&self, model: &str, input_chars: usize, output_chars: usize) -> ToolResult<f64> {
        let mut cost = 0.0;
        for (chars, rate, code) in [
            (input_chars, self.input, "missing_model_input_rate"),
            (output_chars, self.output, "missing_model_output_rate"),
        ] {
            if chars > 0 {
                let rate = rate.ok_or_else(|| {
                    ToolError::new(
                        ErrorKind::InvalidInput,
                        format!("model `{model}` has no price per token"),
                    )
                    .code(code)
                })?;
                cost += chars as f64 / 4.0 * rate;
            }
        }
        Ok(cost)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn the_price_of_the_day_counts_and_unknown_models_are_refused() {
        let prices = Prices::parse(
            "[[models.m]]\nfrom = \"2025-01-01\"\nper_image = 0.01\n[[models.m]]\nfrom = \"2025-06-01\"\nper_image = 0.02",
        )
        .unwrap();
        assert_eq!(
            prices.get("m", date(2025, 5, 31)).unwrap().per_image,
            Some(Usd::from_cents(1))
        );
        assert_eq!(
            prices.get("m", date(2025, 6, 1)).unwrap().per_image,
            Some(Usd::from_cents(2))
        );
        assert_eq!(
            prices.get("m", date(2024, 6, 1)).unwrap_err().code,
            "unknown_model_cost"
        );
        assert_eq!(
            prices.get("other", date(2025, 6, 1)).unwrap_err().code,
            "unknown_model_cost"
        );
    }

    #[test]
    fn the_shipped_list_is_readable() {
        assert!(Prices::shipped().unwrap().models().count() >= 3);
    }
}
