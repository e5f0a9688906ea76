//! What a call would cost by the price list of the day.

use app_core::{Context, ErrorKind, ToolError, ToolResult};

use crate::input::Estimate;

/// Cost in dollars by the price list of the day.
pub(crate) fn price(estimate: &Estimate, ctx: &Context) -> ToolResult<f64> {
    let prices = ctx.config().prices()?;
    let day = ctx.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let price = prices.get(&estimate.model, day)?;
    let mut cost = price.text(&estimate.model, estimate.input_chars, estimate.output_chars)?;
    for (count, rate, unit) in [
        (estimate.images, price.per_image, "image"),
        (estimate.videos, price.per_video, "video"),
    ] {
        if count > 0 {
            let rate = rate.ok_or_else(|| {
                ToolError::new(
                    ErrorKind::InvalidInput,
                    format!("model `{}` has no price per {unit}", estimate.model),
                )
                .code(format!("missing_model_{unit}_rate"))
            })?;
            cost += rate.times(i64::from(count)).dollars();
        }
    }
    Ok(cost)
}
