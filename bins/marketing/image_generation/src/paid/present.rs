//! `models`: who can be asked, for how much, and until when.

use app_core::{Context, ToolResult, Usd, config::Price};
use jiff::{civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::Serialize;

use super::link::section;
use crate::provider::{Provider, Quality};

/// Every model that is known or configured.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Models {
    /// In the order of the providers.
    pub models: Vec<Model>,
    /// Retired models that are configured, and providers without a key.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// One model.
#[derive(Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "the names are those of the output")]
pub struct Model {
    /// Whose it is.
    pub provider: Provider,
    /// Its name.
    pub model: String,
    /// Whether it is asked where nobody says another.
    pub usual: bool,
    /// What a square picture of medium quality costs at most, without references; absent where the price table does
    /// not say.
    pub most_usd: Option<Usd>,
    /// Last day of the present price; the model is not sold afterwards unless the table has another entry.
    pub until: Option<String>,
    /// Whether it can be asked today.
    pub on_sale: bool,
    /// Whether its key is set; true where it takes none.
    pub key: bool,
}

/// Looks at the price table and the settings; asks nobody.
pub fn models(ctx: &Context) -> ToolResult<Models> {
    let today = ctx.now().to_zoned(TimeZone::UTC).date();
    let prices = ctx.config().prices()?;
    let mut found = Models {
        models: Vec::new(),
        warnings: Vec::new(),
    };
    for provider in Provider::ALL {
        let Some(remote) = provider.remote() else {
            found.models.push(canvas());
            continue;
        };
        let own = section(provider, ctx)?.model;
        let usual = own.clone().unwrap_or_else(|| remote.usual_model().to_owned());
        let mut names: Vec<String> = remote.models().iter().map(|name| (*name).to_owned()).collect();
        if !names.contains(&usual) {
            names.insert(0, usual.clone());
        }
        let mut key = remote.keys().is_empty();
        for name in remote.keys() {
            key |= ctx.config().find_secret(name)?.is_some();
        }
        if !key {
            found.warnings.push(format!(
                "{provider} has no key: {} is not set",
                remote.keys().join(" or ")
            ));
        }
        for name in names {
            let priced = remote.priced_as(&name);
            let price = prices.get(priced, today).ok();
            let until = price
                .map_or_else(|| prices.history(priced).last(), Some)
                .and_then(|price| price.until);
            if name == usual && price.is_none() {
                found.warnings.push(no_price(provider, &name, until));
            }
            found.models.push(Model {
                provider,
                usual: name == usual,
                most_usd: price.and_then(|price| square(price, &name)),
                until: until.map(|day| day.to_string()),
                on_sale: price.is_some(),
                key,
                model: name,
            });
        }
    }
    Ok(found)
}

fn no_price(provider: Provider, model: &str, until: Option<Date>) -> String {
    match until {
        Some(day) => format!("`{model}`, which {provider} is asked for, was sold until {day}"),
        None => format!("`{model}`, which {provider} is asked for, has no price in prices.toml"),
    }
}

fn square(price: &Price, model: &str) -> Option<Usd> {
    let quality = Quality::default().name();
    price
        .image_bound(
            model,
            quality,
            (1024, 1024),
            app_core::config::ImageTokens::default(),
        )
        .ok()
}

fn canvas() -> Model {
    Model {
        provider: Provider::Canvas,
        model: crate::canvas::MODEL.to_owned(),
        usual: true,
        most_usd: Some(Usd::ZERO),
        until: None,
        on_sale: true,
        key: true,
    }
}
