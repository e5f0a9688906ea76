//! What paid models cost, with the dates between which each price holds.

mod images;
mod tokens;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

use crate::contract::{ErrorKind, ToolError, ToolResult, Usd};

pub use images::ImageTokens;
pub use tokens::{Tier, TokenCount};

/// Price list by model name, and by host for servers that charge the same for whatever they run.
#[derive(Clone, Debug, Default)]
pub struct Prices {
    models: BTreeMap<String, Vec<Price>>,
    hosts: BTreeMap<String, Vec<Price>>,
}

/// What a model costs from a date on, in dollars. A rate that is absent is not sold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// First day (UTC) of this price.
    pub from: Date,
    /// Last day (UTC) of it: the model is not sold afterwards, unless another entry says so.
    #[serde(default)]
    pub until: Option<Date>,
    /// Further names of the model.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// Host, with its port where it is not the usual one, for which alone this price holds.
    #[serde(default)]
    pub host: Option<String>,
    /// Per input token.
    #[serde(default)]
    pub input: Option<f64>,
    /// Per input token that the provider had in its cache; as any other without this.
    #[serde(default)]
    pub cached_input: Option<f64>,
    /// Per output token.
    #[serde(default)]
    pub output: Option<f64>,
    /// Other rates for calls with longer prompts.
    #[serde(default)]
    pub tiers: Vec<Tier>,
    /// Per image.
    #[serde(default)]
    pub per_image: Option<Usd>,
    /// Per video.
    #[serde(default)]
    pub per_video: Option<Usd>,
    /// Per input token of a picture; as any other input without this.
    #[serde(default)]
    pub image_input: Option<f64>,
    /// Most output tokens of a picture of a megapixel (1024x1024), by quality. With it pictures are charged by tokens.
    #[serde(default)]
    pub image_tokens: BTreeMap<String, u64>,
    /// Whether a picture that the provider made and then held back costs nothing.
    #[serde(default)]
    pub filtered_is_free: bool,
}

impl Prices {
    /// The list in `shared-config/prices.toml` when this version was built.
    pub fn shipped() -> ToolResult<Self> {
        Self::parse(include_str!("../../../../shared-config/prices.toml")).map_err(ToolError::internal)
    }

    /// Reads `[[models."name"]]` and `[[hosts."name"]]` tables. Fails with a text that names the trouble.
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            #[serde(default)]
            models: BTreeMap<String, Vec<Price>>,
            #[serde(default)]
            hosts: BTreeMap<String, Vec<Price>>,
        }
        let mut file: File = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let tables = [("model", &mut file.models), ("host", &mut file.hosts)];
        for (kind, table) in tables {
            for (name, prices) in table {
                prices.sort_by_key(|price| price.from);
                for price in prices {
                    price
                        .check()
                        .map_err(|problem| format!("{kind} `{name}` {problem}"))?;
                }
            }
        }
        Ok(Self {
            models: file.models,
            hosts: file.hosts,
        })
    }

    /// Names of all models, sorted.
    pub fn models(&self) -> impl Iterator<Item = &str> {
        self.models.keys().map(String::as_str)
    }

    /// The price of `model` on `day`, wherever it runs. An unknown model is refused, never free.
    pub fn get(&self, model: &str, day: Date) -> ToolResult<&Price> {
        let known = self.models.get(model).ok_or_else(|| self.unknown(model))?;
        let holds = |price: &&Price| price.host.is_none() && price.holds_on(day);
        known
            .iter()
            .rev()
            .find(holds)
            .ok_or_else(|| out_of_date(model, day, known.iter()))
    }

    /// The price of calls to `model` at `host` (with its port where it is not the usual one) on `day`: that of the
    /// model at this host, else of the model anywhere, else of the host.
    ///
    /// Fails with `invalid_input`, code `unknown_model_cost`, and the lines to add: nothing is free but what the table
    /// says so of, since a server on this machine may pass calls on to one that charges.
    pub fn for_calls(&self, model: &str, host: &str, day: Date) -> ToolResult<&Price> {
        let named = |price: &&Price| price.aliases.iter().any(|alias| alias == model);
        let own = self.models.get(model).into_iter().flatten();
        let entries: Vec<&Price> = own.chain(self.models.values().flatten().filter(named)).collect();
        let at = |wanted: Option<&str>| {
            let here = entries.iter().filter(|p| p.host.as_deref() == wanted);
            here.filter(|p| p.holds_on(day)).max_by_key(|p| p.from).copied()
        };
        let of_host = || {
            let prices = self.hosts.get(host).into_iter().flatten();
            prices.filter(|p| p.holds_on(day)).max_by_key(|p| p.from)
        };
        let found = at(Some(host)).or_else(|| at(None)).or_else(of_host);
        let usable = found.filter(|price| price.input.is_some() && price.output.is_some());
        usable.ok_or_else(|| {
            if let Some(price) = found {
                let (code, what) = if price.input.is_none() {
                    ("missing_model_input_rate", "input")
                } else {
                    ("missing_model_output_rate", "output")
                };
                let message = format!("model `{model}` has no price per {what} token");
                return ToolError::new(ErrorKind::InvalidInput, message).code(code);
            }
            let error = if entries.is_empty() {
                ToolError::new(
                    ErrorKind::InvalidInput,
                    format!("no price is known for model `{model}` at `{host}`"),
                )
                .code("unknown_model_cost")
            } else {
                out_of_date(model, day, entries.iter().copied())
            };
            error.hint(format!(
                "add to prices.toml, in dollars per token: [[models.{model:?}]] from = \"{day}\" input = ... output = ..."
            ))
        })
    }

    fn unknown(&self, model: &str) -> ToolError {
        ToolError::new(
            ErrorKind::InvalidInput,
            format!("no price is known for model `{model}`"),
        )
        .code("unknown_model_cost")
        .hint(format!(
            "add it to prices.toml; known: {}",
            self.models().collect::<Vec<_>>().join(", ")
        ))
    }
}

/// No entry holds on this day: the model is not sold yet, or not any more.
fn out_of_date<'a>(model: &str, day: Date, known: impl Iterator<Item = &'a Price>) -> ToolError {
    let last = known.filter_map(|price| price.until).max();
    let message = match last {
        Some(last) if last < day => format!("model `{model}` was sold until {last}"),
        _ => format!("no price of model `{model}` holds on {day}"),
    };
    ToolError::new(ErrorKind::InvalidInput, message).code("unknown_model_cost")
}

impl Price {
    fn check(&mut self) -> Result<(), String> {
        self.tiers.sort_by_key(|tier| tier.above);
        let rates = [self.input, self.cached_input, self.output, self.image_input].into_iter();
        let tiers = self.tiers.iter().flat_map(Tier::rates);
        if rates
            .chain(tiers)
            .flatten()
            .any(|rate| !rate.is_finite() || rate < 0.0)
        {
            return Err("has a rate that is not a positive number".to_owned());
        }
        if self.until.is_some_and(|until| until < self.from) {
            return Err(format!(
                "has a price that ends before it begins, on {}",
                self.from
            ));
        }
        Ok(())
    }

    fn holds_on(&self, day: Date) -> bool {
        self.from <= day && self.until.is_none_or(|until| day <= until)
    }

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
    fn calls_are_priced_by_host_alias_and_day() {
        let prices = Prices::parse(
            r#"
            [[models."big"]]
            from = "2025-01-01"
            aliases = ["big-latest"]
            input = 1e-6
            output = 2e-6
            [[models."big"]]
            from = "2025-01-01"
            host = "cheap.example"
            input = 5e-7
            output = 1e-6
            [[models."old"]]
            from = "2024-01-01"
            until = "2025-03-01"
            input = 1e-6
            output = 1e-6
            [[models."half"]]
            from = "2024-01-01"
            input = 1e-6
            [[hosts."localhost:11434"]]
            from = "2025-01-01"
            input = 0
            output = 0
            "#,
        )
        .unwrap();
        let day = date(2025, 6, 1);
        let input = |model: &str, host: &str| prices.for_calls(model, host, day).unwrap().input;
        assert_eq!(input("big", "api.example"), Some(1e-6));
        assert_eq!(input("big-latest", "api.example"), Some(1e-6));
        assert_eq!(input("big", "cheap.example"), Some(5e-7));
        assert_eq!(input("qwen2.5:3b", "localhost:11434"), Some(0.0));
        let refused = |model: &str| prices.for_calls(model, "localhost:4000", day).unwrap_err();
        let unknown = refused("qwen2.5:3b");
        assert_eq!(
            (unknown.code.as_str(), unknown.kind.exit_code()),
            ("unknown_model_cost", 2)
        );
        assert!(unknown.hint.unwrap().contains(r#"[[models."qwen2.5:3b"]]"#));
        assert_eq!(refused("old").message, "model `old` was sold until 2025-03-01");
        assert_eq!(refused("half").code, "missing_model_output_rate");
        assert!(prices.for_calls("old", "x", date(2025, 3, 1)).is_ok());
        assert!(Prices::parse("[[models.m]]\nfrom = \"2025-02-01\"\nuntil = \"2025-01-01\"").is_err());
    }

    #[test]
    fn the_shipped_list_is_readable() {
        assert!(Prices::shipped().unwrap().models().count() >= 3);
    }
}
