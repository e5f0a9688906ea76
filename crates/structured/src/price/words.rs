//! Words that stand beside prices, and the customs of languages.

use super::Hint;

/// The decimal mark of the page's language.
pub(super) fn decimal_mark(hint: &Hint) -> Option<char> {
    let region = hint.language.as_deref().unwrap_or_default().to_ascii_lowercase();
    match region.replace('_', "-").as_str() {
        "de-ch" | "de-li" | "fr-ch" | "it-ch" | "es-mx" | "es-us" => return Some('.'),
        _ => {}
    }
    match hint.tongue()?.as_str() {
        "en" | "ja" | "zh" | "ko" | "th" | "he" | "hi" | "ms" | "ga" | "mt" => Some('.'),
        "de" | "fr" | "es" | "it" | "nl" | "pt" | "pl" | "cs" | "sk" | "ru" | "uk" | "be" | "bg" | "sr"
        | "hr" | "sl" | "da" | "sv" | "nb" | "nn" | "no" | "fi" | "et" | "lv" | "lt" | "hu" | "ro" | "el"
        | "tr" | "id" | "vi" | "ca" | "gl" | "eu" | "is" | "kk" | "ka" | "az" => Some(','),
        _ => None,
    }
}

/// What a word before a number says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The price before a reduction.
    List,
    /// The price that is paid.
    Now,
    /// The lowest of several.
    From,
    /// A saving, an instalment, a shipping fee: no price of the product.
    Aside,
}

/// The role that a lower-case word gives.
pub(super) fn role(word: &str) -> Option<Role> {
    Some(match word {
        "was" | "before" | "rrp" | "msrp" | "list" | "regular" | "regularly" | "originally" | "original"
        | "statt" | "uvp" | "vorher" | "bisher" | "avant" | "antes" | "prima" | "было" | "старая"
        | "вместо" | "раньше" | "było" | "původně" | "před" | "tidigare" | "förr" | "zamiast" => {
            Role::List
        }
        "now" | "sale" | "jetzt" | "nur" | "maintenant" | "ahora" | "ora" | "сейчас" | "теперь" | "teraz"
        | "nyní" | "agora" | "only" | "nu" => Role::Now,
        "from" | "ab" | "от" | "od" | "desde" | "dès" | "partir" | "da" | "starting" | "vanaf" | "від"
        | "fra" | "från" => Role::From,
        "save" | "saving" | "savings" | "sparen" | "shipping" | "versand" | "delivery" | "versandkosten"
        | "доставка" | "économisez" | "deposit" | "pfand" | "month" | "monat" => Role::Aside,
        _ => return None,
    })
}

/// Whether the text says that something costs nothing.
pub(super) fn is_free(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_alphabetic())
        .filter(|word| !word.is_empty())
        .collect();
    // `free shipping` is no price of the product.
    words.len() <= 2
        && words.first().is_some_and(|word| {
            matches!(
                *word,
                "free"
                    | "gratis"
                    | "kostenlos"
                    | "gratuit"
                    | "gratuito"
                    | "бесплатно"
                    | "za"
                    | "zdarma"
                    | "無料"
                    | "免费"
            )
        })
        && (words.len() == 1 || words == ["za", "darmo"] || words == ["free", "download"])
}

/// Whether it is a unit that quantities are told in.
pub(super) fn is_unit(word: &str) -> bool {
    matches!(
        word,
        "kg" | "g"
            | "mg"
            | "gr"
            | "gram"
            | "grams"
            | "l"
            | "ml"
            | "cl"
            | "dl"
            | "liter"
            | "litre"
            | "oz"
            | "lb"
            | "lbs"
            | "m"
            | "cm"
            | "mm"
            | "km"
            | "in"
            | "inch"
            | "inches"
            | "pcs"
            | "pc"
            | "pieces"
            | "stück"
            | "stk"
            | "szt"
            | "ks"
            | "шт"
            | "кг"
            | "г"
            | "гр"
            | "л"
            | "мл"
            | "м"
            | "см"
            | "мм"
            | "pack"
            | "x"
            | "days"
            | "tage"
            | "w"
            | "v"
            | "gb"
            | "tb"
            | "stars"
            | "reviews"
            | "reviewed"
            | "items"
            | "units"
    )
}

/// Whether a word between two numbers makes a range of them.
pub(super) fn is_range(word: &str) -> bool {
    matches!(
        word,
        "-" | "–" | "—" | "…" | ".." | "..." | "~" | "to" | "bis" | "à" | "до" | "do" | "a" | "tot" | "til"
    )
}
