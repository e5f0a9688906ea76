//! Currencies by code, sign and word.

use super::Hint;

/// A currency found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Code; `None` when the sign leaves it open.
    pub code: Option<&'static str>,
    /// How it is written there.
    pub written: &'a str,
    /// Whether several currencies use the sign and one was chosen.
    pub inferred: bool,
    /// Why the code is left open.
    pub ambiguous: Option<String>,
}

/// Code, digits behind the point, decimal mark of the place (a blank where both are in use).
const CODES: &[(&str, u32, char)] = &[
    ("AED", 2, '.'),
    ("ALL", 2, ','),
    ("AMD", 2, '.'),
    ("ARS", 2, ','),
    ("AUD", 2, '.'),
    ("AZN", 2, ','),
    ("BAM", 2, ','),
    ("BDT", 2, '.'),
    ("BGN", 2, ','),
    ("BHD", 3, '.'),
    ("BRL", 2, ','),
    ("BYN", 2, ','),
    ("CAD", 2, '.'),
    ("CHF", 2, '.'),
    ("CLP", 0, ','),
    ("CNY", 2, '.'),
    ("COP", 2, ','),
    ("CRC", 2, ','),
    ("CZK", 2, ','),
    ("DKK", 2, ','),
    ("DOP", 2, '.'),
    ("EGP", 2, '.'),
    ("EUR", 2, ' '),
    ("GBP", 2, '.'),
    ("GEL", 2, ','),
    ("GHS", 2, '.'),
    ("HKD", 2, '.'),
    ("HUF", 2, ','),
    ("IDR", 2, ','),
    ("ILS", 2, '.'),
    ("INR", 2, '.'),
    ("ISK", 0, ','),
    ("JOD", 3, '.'),
    ("JPY", 0, '.'),
    ("KES", 2, '.'),
    ("KGS", 2, ','),
    ("KRW", 0, '.'),
    ("KWD", 3, '.'),
    ("KZT", 2, ','),
    ("LKR", 2, '.'),
    ("MAD", 2, ','),
    ("MDL", 2, ','),
    ("MKD", 2, ','),
    ("MXN", 2, '.'),
    ("MYR", 2, '.'),
    ("NGN", 2, '.'),
    ("NOK", 2, ','),
    ("NZD", 2, '.'),
    ("PEN", 2, '.'),
    ("PHP", 2, '.'),
    ("PKR", 2, '.'),
    ("PLN", 2, ','),
    ("PYG", 0, ','),
    ("QAR", 2, '.'),
    ("RON", 2, ','),
    ("RSD", 2, ','),
    ("RUB", 2, ','),
    ("SAR", 2, '.'),
    ("SEK", 2, ','),
    ("SGD", 2, '.'),
    ("THB", 2, '.'),
    ("TND", 3, ','),
    ("TRY", 2, ','),
    ("TWD", 2, '.'),
    ("UAH", 2, ','),
    ("USD", 2, '.'),
    ("UYU", 2, ','),
    ("UZS", 2, ','),
    ("VND", 0, ','),
    ("ZAR", 2, '.'),
];

/// Signs of one currency each, apart from `$`.
const SIGNS: &[(char, &str)] = &[
    ('€', "EUR"),
    ('£', "GBP"),
    ('₽', "RUB"),
    ('₴', "UAH"),
    ('₹', "INR"),
    ('₺', "TRY"),
    ('₩', "KRW"),
    ('₪', "ILS"),
    ('฿', "THB"),
    ('₫', "VND"),
    ('₱', "PHP"),
    ('₦', "NGN"),
    ('₸', "KZT"),
    ('₾', "GEL"),
    ('₼', "AZN"),
    ('֏', "AMD"),
    ('₡', "CRC"),
    ('円', "JPY"),
    ('元', "CNY"),
    ('원', "KRW"),
];

/// What stands before `$`; those with `true` are used for several currencies.
const DOLLARS: &[(&str, &str, bool)] = &[
    ("", "USD", true),
    ("R", "BRL", false),
    ("US", "USD", false),
    ("CA", "CAD", false),
    ("C", "CAD", true),
    ("AU", "AUD", false),
    ("A", "AUD", false),
    ("NZ", "NZD", false),
    ("HK", "HKD", false),
    ("NT", "TWD", false),
    ("S", "SGD", true),
    ("MX", "MXN", false),
];

/// Words, which must stand alone.
const WORDS: &[(&str, &str)] = &[
    ("руб", "RUB"),
    ("рублей", "RUB"),
    ("рубль", "RUB"),
    ("рубля", "RUB"),
    ("р", "RUB"),
    ("грн", "UAH"),
    ("тг", "KZT"),
    ("zł", "PLN"),
    ("zl", "PLN"),
    ("kč", "CZK"),
    ("ft", "HUF"),
    ("lei", "RON"),
    ("leu", "RON"),
    ("лв", "BGN"),
    ("tl", "TRY"),
    ("euro", "EUR"),
    ("euros", "EUR"),
    ("евро", "EUR"),
    ("dollars", "USD"),
    ("rs", "INR"),
    ("sfr", "CHF"),
    ("fr", "CHF"),
];

/// Digits behind the point that amounts of this currency have; two when it is unknown.
pub fn minor_digits(code: &str) -> u32 {
    entry(code).map_or(2, |(_, digits, _)| *digits)
}

/// The decimal mark used where it is paid; `None` when both are.
pub fn decimal_mark(code: &str) -> Option<char> {
    entry(code).map(|(_, _, mark)| *mark).filter(|mark| *mark != ' ')
}

fn entry(code: &str) -> Option<&'static (&'static str, u32, char)> {
    let at = CODES.binary_search_by_key(&code, |(known, ..)| known).ok()?;
    CODES.get(at)
}

/// A code as schema.org wants it, from a code in any case or a sign; with what was repaired.
pub fn code(text: &str, hint: &Hint) -> Option<(String, Option<&'static str>)> {
    let text = text.trim();
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        let upper = text.to_ascii_uppercase();
        let repair = (upper != text).then_some("currency in upper case");
        return Some((upper, repair));
    }
    let found = find(text, true, hint)?.code?;
    Some((found.to_owned(), Some("currency from its sign")))
}

/// The currency in a piece of text beside a number: the one nearest to it, which is at the end when `at_end`.
pub fn find<'a>(text: &'a str, at_end: bool, hint: &Hint) -> Option<Found<'a>> {
    let mut last = None;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        let (found, length) = if c.is_alphabetic() {
            word(rest, hint)
        } else {
            (sign(rest, c, hint), c.len_utf8())
        };
        at += length;
        if found.is_some() {
            if !at_end {
                return found;
            }
            last = found;
        }
    }
    last
}

/// A currency that the text begins with by a sign.
fn sign<'a>(rest: &'a str, c: char, hint: &Hint) -> Option<Found<'a>> {
    if c.is_ascii() {
        return (c == '$').then(|| sure("USD", &rest[..1], true));
    }
    let written = &rest[..c.len_utf8()];
    if matches!(c, '¥' | '￥') {
        return Some(yen_or_yuan(written, hint));
    }
    let (_, code) = SIGNS.iter().find(|(sign, _)| *sign == c)?;
    Some(sure(code, written, false))
}

/// A word at the beginning of the text with the currency that it names, and how many bytes it takes.
fn word<'a>(rest: &'a str, hint: &Hint) -> (Option<Found<'a>>, usize) {
    let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    let word = &rest[..end];
    if rest[end..].starts_with('$')
        && let Some((before, code, shared)) = DOLLARS.iter().find(|(before, ..)| *before == word)
    {
        let length = before.len() + 1;
        return (Some(sure(code, &rest[..length], *shared)), length);
    }
    // Scripts without blanks between words: the sign stands before what follows.
    if let Some(found) = word
        .chars()
        .next()
        .filter(|c| !c.is_ascii())
        .and_then(|c| sign(rest, c, hint))
    {
        let length = found.written.len();
        return (Some(found), length);
    }
    (named(word, hint), end)
}

/// The currency of a code or word.
fn named<'a>(word: &'a str, hint: &Hint) -> Option<Found<'a>> {
    // In lower case only those that are no words of a language.
    const LOWER: &[&str] = &[
        "aud", "brl", "cad", "chf", "cny", "czk", "dkk", "eur", "gbp", "huf", "inr", "jpy", "kzt", "nok",
        "pln", "rub", "sek", "uah", "usd",
    ];
    let one_case = |word: &str| word.bytes().all(|b| b.is_ascii_uppercase()) || LOWER.contains(&word);
    if word.len() == 3
        && one_case(word)
        && let Some((code, ..)) = entry(&word.to_ascii_uppercase())
    {
        return Some(sure(code, word, false));
    }
    // No word of the table is longer.
    if word.len() > 16 {
        return None;
    }
    let lower = word.to_lowercase();
    if lower == "kr" {
        return Some(crowns(word, hint));
    }
    let (_, code) = WORDS.iter().find(|(known, _)| *known == lower)?;
    Some(sure(code, word, false))
}

fn sure<'a>(code: &'static str, written: &'a str, shared: bool) -> Found<'a> {
    Found {
        code: Some(code),
        written,
        inferred: shared,
        ambiguous: None,
    }
}

/// Whether a text is Japanese by its letters or by the words for tax that stand beside prices.
pub(super) fn is_japanese(text: &str) -> bool {
    if !text.chars().any(|c| c >= '\u{3040}') {
        return false;
    }
    let kana = text.chars().any(|c| matches!(c, '\u{3040}'..='\u{30ff}'));
    kana || ["税込", "税抜", "円"].iter().any(|word| text.contains(word))
}

fn yen_or_yuan<'a>(written: &'a str, hint: &Hint) -> Found<'a> {
    let code = if hint.is("ja", "jp") {
        Some("JPY")
    } else if hint.is("zh", "cn") {
        Some("CNY")
    } else {
        None
    };
    Found {
        code,
        written,
        inferred: code.is_some(),
        ambiguous: code.is_none().then(|| format!("`{written}` is JPY or CNY")),
    }
}

fn crowns<'a>(written: &'a str, hint: &Hint) -> Found<'a> {
    let code = [
        ("sv", "se", "SEK"),
        ("nb", "no", "NOK"),
        ("no", "no", "NOK"),
        ("da", "dk", "DKK"),
        ("is", "is", "ISK"),
    ]
    .into_iter()
    .find(|(language, country, _)| hint.is(language, country))
    .map(|(.., code)| code);
    Found {
        code,
        written,
        inferred: code.is_some(),
        ambiguous: code.is_none().then(|| format!("`{written}` is SEK, NOK or DKK")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_and_the_nearest_currency_is_found() {
        assert!(CODES.is_sorted_by_key(|(code, ..)| *code));
        let of = |text, at_end| find(text, at_end, &Hint::default()).map(|found| (found.code, found.written));
        assert_eq!(of("EUR or US$", true), Some((Some("USD"), "US$")));
        assert_eq!(of("EUR or US$", false), Some((Some("EUR"), "EUR")));
        assert_eq!(of("R$", true), Some((Some("BRL"), "R$")));
        assert_eq!(of("円（税込）", false), Some((Some("JPY"), "円")));
        assert_eq!(of(" Kč/ks", false), Some((Some("CZK"), "Kč")));
        assert_eq!(of("руб.", false), Some((Some("RUB"), "руб")));
        assert_eq!(of("kr", false), Some((None, "kr")));
        assert_eq!(of("Try all Eur", false), None, "words that look like codes");
    }
}
