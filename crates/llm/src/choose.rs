//! Which model is asked: from the call, the environment, `[llm]` of `onejob.toml`, and what each provider usually is.

use std::sync::Arc;

use app_core::{
    Context, Secret, ToolError, ToolResult, Usd,
    config::process_env,
    contract::settings::{LlmProvider, LlmSettings},
};
use garde::Validate;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::{
    client::Llm,
    model::{Dialect, Model, host_of},
    privacy::Privacy,
};

/// What a caller may say about the model; the same fields in every tool that asks one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default)]
pub struct ModelOptions {
    /// Who answers; `offline` needs no model and sends nothing.
    #[garde(skip)]
    pub provider: Option<LlmProvider>,
    /// Name of the model, as the provider knows it.
    #[garde(inner(length(min = 1, max = 200)))]
    pub model: Option<String>,
    /// Most dollars that this run may come to.
    #[garde(skip)]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub max_usd: Option<Usd>,
    /// Ask anew, also where an answer was kept.
    #[garde(skip)]
    pub fresh: bool,
    /// Send personal data to a host outside, where they are what the tool is for.
    #[garde(skip)]
    pub allow_personal_data: bool,
}

/// What a tool needs of the model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Whether personal data are its product, so that no pseudonyms can stand for them.
    pub personal_data: bool,
    /// Whether it runs until stopped, so that `max_usd` of one run says nothing; the ledger's limits hold all the same.
    pub unending: bool,
}

/// Who answers.
#[derive(Clone, Debug)]
pub enum Chosen {
    /// Nobody: [`offline`](crate::offline) chooses sentences.
    Offline,
    /// A model.
    Model(Llm),
}

/// Chooses who answers, before anything else is asked of anybody.
///
/// Fails with `config` when there is no key (naming its variable), when the address is none, or when the host of the
/// model may not be asked; with `invalid_input` when the model has no price, or personal data would leave.
pub async fn choose(ctx: &Context, options: &ModelOptions, needs: &Needs) -> ToolResult<Chosen> {
    let settings = ctx.config().settings()?.llm.clone();
    let provider = options
        .provider
        .or(settings.provider)
        .unwrap_or(LlmProvider::Openai);
    let Some(dialect) = Dialect::of(provider) else {
        return Ok(Chosen::Offline);
    };
    // What `[llm]` says of model, address and key is about its own provider: no other's key goes to that address.
    let same = settings.provider.unwrap_or(LlmProvider::Openai) == provider;
    let (base, of_dotenv) = base(ctx, dialect, settings.base_url.as_deref().filter(|_| same))?;
    let near = is_near(&base).await;
    let host = host_of(&base);
    if !near && !settings.remote {
        return Err(
            ToolError::config(format!("`{host}` is outside, and `llm.remote` is false here"))
                .code("remote_model_forbidden")
                .hint("choose a model of this machine, or `--provider offline`"),
        );
    }
    if !near && needs.personal_data && !(options.allow_personal_data || settings.allow_personal_data) {
        return Err(ToolError::invalid(
            "allow_personal_data",
            format!("this would send people's names and numbers to `{host}`"),
        )
        .code("personal_data_would_leave")
        .hint("`--allow-personal-data` allows it, `--provider ollama` or `offline` keeps them here"));
    }
    let key = key(
        ctx,
        dialect,
        settings.key_variable.as_deref().filter(|_| same),
        near,
        of_dotenv,
    )?;
    if key.is_some() && base.scheme() == "http" && !near {
        return Err(
            ToolError::config(format!("the key would go to `{host}` unencrypted"))
                .code("unencrypted_key")
                .hint("use an https address"),
        );
    }
    let name = options
        .model
        .clone()
        .or_else(|| settings.model.clone().filter(|_| same))
        .or_else(|| {
            (dialect == Dialect::OpenAi)
                .then(|| ctx.env("OPENAI_MODEL"))
                .flatten()
        })
        .unwrap_or_else(|| dialect.default_model().to_owned());
    let day = ctx.now().to_zoned(TimeZone::UTC).date();
    let price = ctx.config().prices()?.for_calls(&name, &host, day)?.clone();
    let model = Model {
        dialect,
        context: settings
            .context
            .filter(|_| same)
            .unwrap_or(dialect.default_context()),
        headers: if same {
            settings.headers.clone()
        } else {
            std::collections::BTreeMap::new()
        },
        base,
        name,
        price,
        key,
    };
    let privacy = Privacy::settle(settings.privacy, near);
    let max_usd = (!needs.unending).then(|| options.max_usd.unwrap_or(settings.max_usd));
    let llm = Llm::open(ctx, Arc::new(model), privacy, max_usd, options.fresh, &settings)?;
    Ok(Chosen::Model(llm))
}

/// The address of the provider, and whether it comes from `.env`.
fn base(ctx: &Context, dialect: Dialect, setting: Option<&str>) -> ToolResult<(Url, bool)> {
    if let Some(text) = setting {
        return Ok((dialect.base(text)?, false));
    }
    for variable in dialect.base_variables() {
        if let Some(text) = ctx.env(variable) {
            return Ok((dialect.base(&text)?, process_env(variable).is_none()));
        }
    }
    Ok((dialect.base(dialect.default_base())?, false))
}

/// The key. A `.env` lies in the working directory, which may come from a stranger: an address from there gets no key
/// from elsewhere.
fn key(
    ctx: &Context,
    dialect: Dialect,
    variable: Option<&str>,
    near: bool,
    base_of_dotenv: bool,
) -> ToolResult<Option<Secret>> {
    let usual = dialect.key_variables();
    let names: Vec<&str> = variable.map_or_else(|| usual.to_vec(), |name| vec![name]);
    for name in &names {
        let Some(key) = ctx.config().find_secret(name)? else {
            continue;
        };
        let of_dotenv = process_env(name).is_none() && ctx.env(name).is_some_and(|text| text == key.reveal());
        if base_of_dotenv && !of_dotenv {
            return Err(ToolError::config(format!(
                "the address of the model comes from `.env`, and would get `{name}`, which does not"
            ))
            .code("key_would_leave")
            .hint("put the address into the environment, or as `llm.base_url` into onejob.toml"));
        }
        return Ok(Some(key));
    }
    match names.first() {
        // A server of one's own mostly has none.
        None => Ok(None),
        Some(_) if near => Ok(None),
        Some(name) => ctx.secret(name).map(Some).map_err(|error| {
            let hint = error.hint.clone().unwrap_or_default();
            error.hint(format!("{hint}; or `--provider offline`, which asks no model"))
        }),
    }
}

/// Whether a host is this machine or lies in its network. A name counts by where it leads; one that leads nowhere, or
/// partly outside, is outside.
async fn is_near(base: &Url) -> bool {
    match base.host() {
        Some(Host::Ipv4(address)) => web::http::is_private(address.into()),
        Some(Host::Ipv6(address)) => web::http::is_private(address.into()),
        Some(Host::Domain(name)) if name == "localhost" || name.ends_with(".localhost") => true,
        Some(Host::Domain(name)) => match tokio::net::lookup_host((name, 0)).await {
            Ok(found) => {
                let found: Vec<_> = found.collect();
                !found.is_empty() && found.iter().all(|address| web::http::is_private(address.ip()))
            }
            Err(_) => false,
        },
        None => false,
    }
}

/// Time limits of the settings.
pub(crate) fn limits(settings: &LlmSettings) -> web::http::StreamLimits {
    let seconds = std::time::Duration::from_secs;
    web::http::StreamLimits {
        connect: seconds(settings.connect_s),
        first_byte: seconds(settings.first_byte_s),
        silence: seconds(settings.silence_s),
        whole: seconds(settings.call_s),
        ..web::http::StreamLimits::default()
    }
}
