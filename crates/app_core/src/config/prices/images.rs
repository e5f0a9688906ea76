//! What a picture costs: by its tokens where the table has them, else by the piece.

use super::{Price, Prices};
use crate::contract::{ErrorKind, ToolError, ToolResult, Usd};

/// Tokens of a call that makes a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImageTokens {
    /// Of the prompt's text.
    pub text: u64,
    /// Of the pictures in the prompt.
    pub image: u64,
    /// Of the answer.
    pub output: u64,
}

impl Prices {
    /// Every price of a model, oldest first; empty for an unknown one.
    pub fn history(&self, model: &str) -> &[Price] {
        self.models.get(model).map_or(&[], Vec::as_slice)
    }
}

impl Price {
    /// Whether pictures are charged by tokens.
    pub fn charges_tokens(&self) -> bool {
        !self.image_tokens.is_empty()
    }

    /// What these tokens cost, rounded up to a nano-dollar; a rate that is absent counts as nothing.
    pub fn image_tokens(&self, count: ImageTokens) -> Usd {
        let text = self.input.unwrap_or(0.0);
        let image = self.image_input.unwrap_or(text);
        let dollars = count.text as f64 * text
            + count.image as f64 * image
            + count.output as f64 * self.output.unwrap_or(0.0);
        let nanos = (dollars * 1e9 - 1e-6).ceil();
        Usd::from_nanos(if nanos < 9e18 {
            nanos.max(0.0) as i64
        } else {
            i64::MAX
        })
    }

    /// The most that one picture of this size and quality may cost, with a prompt of these tokens.
    ///
    /// Fails with `invalid_input`, code `missing_model_image_rate`, when the table does not say: nothing is free but
    /// what it says so of.
    pub fn image_bound(
        &self,
        model: &str,
        quality: &str,
        (width, height): (u32, u32),
        prompt: ImageTokens,
    ) -> ToolResult<Usd> {
        let missing = |what: &str| {
            ToolError::new(
                ErrorKind::InvalidInput,
                format!("the price table does not say what a picture of `{model}` costs: no {what}"),
            )
            .code("missing_model_image_rate")
            .hint("complete its entry in prices.toml")
        };
        if !self.charges_tokens() {
            let piece = self.per_image.ok_or_else(|| missing("`per_image`"))?;
            return Ok(piece + self.image_tokens(prompt));
        }
        if self.input.is_none() || self.output.is_none() {
            return Err(missing("`input` and `output`"));
        }
        let most = *self
            .image_tokens
            .get(quality)
            .ok_or_else(|| missing(&format!("`image_tokens` for quality `{quality}`")))?;
        let megapixels = (f64::from(width) * f64::from(height) / f64::from(1 << 20)).max(1.0);
        Ok(self.image_tokens(ImageTokens {
            output: (most as f64 * megapixels).ceil() as u64 + prompt.output,
            ..prompt
        }))
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn pictures_are_charged_by_tokens_or_by_the_piece() {
        let prices = Prices::parse(
            r#"
            [[models.tokens]]
            from = "2025-01-01"
            input = 5e-6
            image_input = 8e-6
            output = 30e-6
            image_tokens = { low = 300, high = 7100 }
            [[models.piece]]
            from = "2025-01-01"
            input = 1e-6
            per_image = 0.03
            [[models.neither]]
            from = "2025-01-01"
            input = 1e-6
            "#,
        )
        .unwrap();
        let day = date(2025, 6, 1);
        let price = |model: &str| prices.get(model, day).unwrap().clone();
        let prompt = ImageTokens {
            text: 100,
            image: 10,
            output: 0,
        };
        let bound = |model: &str, quality: &str, size| {
            price(model)
                .image_bound(model, quality, size, prompt)
                .map(Usd::nanos)
        };
        assert_eq!(
            bound("tokens", "low", (1024, 1024)).unwrap(),
            500_000 + 80_000 + 9_000_000
        );
        assert_eq!(
            bound("tokens", "low", (2048, 1024)).unwrap(),
            580_000 + 18_000_000
        );
        assert_eq!(bound("piece", "low", (1024, 1024)).unwrap(), 30_000_000 + 110_000);
        for (model, quality) in [("tokens", "odd"), ("neither", "low")] {
            let error = bound(model, quality, (64, 64)).unwrap_err();
            assert_eq!(error.code, "missing_model_image_rate", "{model}");
        }
        assert!(price("tokens").charges_tokens() && !price("piece").charges_tokens());
        assert_eq!(
            (prices.history("piece").len(), prices.history("none").len()),
            (1, 0)
        );
    }
}
