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

/// Signs and words, longer ones first; those with `true` are used by several currencies.
const SIGNS: &[(&str, &str, bool)] = &[
    ("R$", "BRL", false),
    ("US$", "USD", false),
    ("U$S", "USD", false),
    ("CA$", "CAD", false),
    ("C$", "CAD", true),
    ("AU$", "AUD", false),
    ("A$", "AUD", false),
    ("NZ$", "NZD", false),
    ("HK$", "HKD", false),
    ("NT$", "TWD", false),
    ("S$", "SGD", true),
    ("MX$", "MXN", false),
    ("€", "EUR", false),
    ("£", "GBP", false),
    ("₽", "RUB", false),
    ("₴", "UAH", false),
    ("₹", "INR", false),
    ("₺", "TRY", false),
    ("₩", "KRW", false),
    ("₪", "ILS", false),
    ("฿", "THB", false),
    ("₫", "VND", false),
    ("₱", "PHP", false),
    ("₦", "NGN", false),
    ("₸", "KZT", false),
    ("₾", "GEL", false),
    ("₼", "AZN", false),
    ("֏", "AMD", false),
    ("₡", "CRC", false),
    ("円", "JPY", false),
    ("元", "CNY", false),
    ("원", "KRW", false),
    ("$", "USD", true),
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
    CODES.iter().find(|(known, ..)| *known == code)
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
    let mut best: Option<(usize, Found<'a>)> = None;
    let mut take = |at: usize, found: Found<'a>| {
        let nearer = best.as_ref().is_none_or(|(known, kept)| {
            let same = at == *known && found.written.len() > kept.written.len();
            let covered = at_end && at > *known && at < known + kept.written.len();
            same || (if at_end {
                at > *known && !covered
            } else {
                at < *known
            })
        });
        if nearer {
            best = Some((at, found));
        }
    };
    for (sign, code, shared) in SIGNS {
        for (at, written) in text.match_indices(sign) {
            // `R$` must not be the end of a word.
            let letters = sign.chars().next().is_some_and(char::is_alphabetic);
            let glued = letters && text[..at].ends_with(char::is_alphabetic) && sign.is_ascii();
            if !glued {
                take(at, sure(code, written, *shared));
            }
        }
    }
    for (at, written) in text.match_indices(['¥', '￥']) {
        take(at, yen_or_yuan(written, hint));
    }
    for (at, word) in words(text) {
        let lower = word.to_lowercase();
        if word.len() == 3
            && let Some((code, ..)) = entry(&word.to_ascii_uppercase())
            && (word.chars().all(|c| c.is_ascii_uppercase()) || word.chars().all(|c| c.is_ascii_lowercase()))
        {
            take(at, sure(code, word, false));
        } else if let Some((_, code)) = WORDS.iter().find(|(known, _)| *known == lower) {
            take(at, sure(code, word, false));
        } else if matches!(lower.as_str(), "kr" | "kr.") {
            take(at, crowns(word, hint));
        }
    }
    best.map(|(_, found)| found)
}

fn sure<'a>(code: &'static str, written: &'a str, shared: bool) -> Found<'a> {
    Found {
        code: Some(code),
        written,
        inferred: shared,
        ambiguous: None,
    }
}

fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    text.split(|c: char| !c.is_alphabetic()).filter_map(move |word| {
        // `split` takes one character between two words.
        let here = at;
        let after = here + word.len();
        at = after + text[after..].chars().next().map_or(0, char::len_utf8);
        (!word.is_empty()).then_some((here, word))
    })
}

/// Whether a text is Japanese by its letters or by the words for tax that stand beside prices.
pub(super) fn is_japanese(text: &str) -> bool {
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
