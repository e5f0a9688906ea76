//! Prices for people.

use super::{
    Hint, Reading, currency,
    lex::{self, Piece},
    number::{self, Number},
    words::{self, Role},
};

/// A number of the text with all that was found out about it.
struct Candidate {
    piece: Piece,
    number: Number,
    /// The currency that stands beside it, with what is said about it.
    currency: Option<(Option<&'static str>, bool, Option<String>)>,
    role: Option<Role>,
}

/// Reads a price that is meant for people. Fails never: without a price, `notes` say why there is none.
pub fn display(text: &str, hint: &Hint) -> Reading {
    let text = lex::plain(text);
    // What the text itself says of its language counts more than where it stands.
    let japanese = currency::is_japanese(&text).then(|| Hint::language("ja"));
    let hint = japanese.as_ref().unwrap_or(hint);
    let mut reading = Reading::default();
    let pieces = split_sign(lex::pieces(&text), &text);
    if pieces.is_empty() {
        reading.free = words::is_free(&text);
        if reading.free {
            reading.amount = super::Decimal::new("0", "");
        } else {
            reading.note("no number");
        }
        return reading;
    }
    let mut candidates = Vec::new();
    let mut from = false;
    for (index, piece) in pieces.iter().enumerate() {
        let before = &text[index.checked_sub(1).map_or(0, |last| pieces[last].end)..piece.begin];
        let after = &text[piece.end..pieces.get(index + 1).map_or(text.len(), |next| next.begin)];
        if piece.negative {
            reading.note(format!("negative: `-{}`", piece.digits));
            continue;
        }
        if after.trim_start().starts_with('%') {
            reading.note("a percentage left aside");
            continue;
        }
        let role = before
            .split(|c: char| !c.is_alphabetic())
            // No word of the tables is longer.
            .filter(|word| !word.is_empty() && word.len() <= 26)
            .filter_map(|word| words::role(&word.to_lowercase()))
            .next_back();
        from |= role == Some(Role::From);
        let beside = beside(before, after, index + 1 < pieces.len(), hint);
        if beside.is_none()
            && let Some(unit) = unit(after)
        {
            reading
                .unit
                .get_or_insert_with(|| format!("{} {unit}", piece.digits));
            continue;
        }
        let code = beside.as_ref().and_then(|(code, ..)| *code);
        let general = code.or_else(|| currency::find(&text, true, hint).and_then(|found| found.code));
        match number::display(&piece.digits, hint, general) {
            Some(number) => candidates.push(Candidate {
                piece: piece.clone(),
                number,
                currency: beside,
                role,
            }),
            None => reading.note("a number without end left aside"),
        }
    }
    choose(candidates, &text, hint, &mut reading);
    reading.from = from && reading.amount.is_some();
    if reading.amount.is_none() {
        reading.note("no price");
    }
    reading
}

/// `35€99`: the sign stands where the decimal mark would.
fn split_sign(pieces: Vec<Piece>, text: &str) -> Vec<Piece> {
    let mut joined: Vec<Piece> = Vec::new();
    for piece in pieces {
        if let Some(last) = joined.last_mut()
            && piece.digits.len() == 2
            && piece.digits.bytes().all(|byte| byte.is_ascii_digit())
            && last.digits.bytes().all(|byte| byte.is_ascii_digit())
            && matches!(&text[last.end..piece.begin], "€" | "£" | "$" | "₽")
        {
            last.digits = format!("{}.{}", last.digits, piece.digits);
            last.end = piece.end;
            continue;
        }
        joined.push(piece);
    }
    joined
}

/// The currency right beside a number; the side that is nearer wins.
fn beside(
    before: &str,
    after: &str,
    more: bool,
    hint: &Hint,
) -> Option<(Option<&'static str>, bool, Option<String>)> {
    let near = |found: currency::Found<'_>| (found.code, found.inferred, found.ambiguous);
    // What is nearer to the next number is left to it.
    let own = if more {
        &after[..after.floor_char_boundary(after.len().min(6))]
    } else {
        after
    };
    let behind = currency::find(own, false, hint).filter(|found| {
        let gap = own.find(found.written).unwrap_or(0);
        gap <= 2
    });
    let ahead = currency::find(before, true, hint).filter(|found| {
        let at = before.rfind(found.written).unwrap_or(0);
        before.len() - at - found.written.len() <= 2
    });
    let glued = |found: &currency::Found<'_>| before.ends_with(found.written);
    match (ahead, behind) {
        (Some(ahead), Some(_)) if glued(&ahead) => Some(near(ahead)),
        (Some(ahead), None) => Some(near(ahead)),
        (Some(ahead), Some(behind)) => Some(near(if own.starts_with(behind.written) || !more {
            behind
        } else {
            ahead
        })),
        (None, behind) => behind.map(near),
    }
}

/// A unit that the number counts.
fn unit(after: &str) -> Option<&str> {
    let word = after.trim_start();
    let end = word.find(|c: char| !c.is_alphabetic()).unwrap_or(word.len());
    let word = &word[..end];
    words::is_unit(&word.to_lowercase()).then_some(word)
}

/// From the numbers that may be prices to the one that is.
fn choose(mut candidates: Vec<Candidate>, text: &str, hint: &Hint, reading: &mut Reading) {
    // Where one number has a currency beside it, a number without one is no price.
    if candidates.iter().any(|candidate| candidate.currency.is_some()) {
        let ranged = range_of(&candidates, text);
        let mut index = 0;
        candidates.retain(|candidate| {
            index += 1;
            candidate.currency.is_some() || ranged.is_some_and(|at| index == at + 1 || index == at + 2)
        });
    }
    if candidates.iter().any(|c| c.role != Some(Role::Aside)) {
        candidates.retain(|candidate| candidate.role != Some(Role::Aside));
    } else {
        candidates.clear();
    }
    let range = range_of(&candidates, text);
    let currency = candidates
        .iter()
        .find_map(|candidate| candidate.currency.clone())
        .or_else(|| {
            currency::find(text, true, hint).map(|found| (found.code, found.inferred, found.ambiguous))
        });
    if candidates.is_empty() {
        return;
    }
    if let Some((code, inferred, ambiguous)) = currency {
        reading.currency = code.map(str::to_owned);
        reading.currency_inferred = inferred;
        if let Some(why) = ambiguous {
            reading.doubt(why);
        }
    }
    let list = candidates
        .iter()
        .position(|candidate| candidate.role == Some(Role::List))
        .filter(|_| candidates.len() > 1);
    let listed = list.map(|at| candidates.remove(at).number);
    let now = candidates
        .iter()
        .position(|candidate| candidate.role == Some(Role::Now))
        .unwrap_or(0);
    if let (Some(at), None) = (range, &listed) {
        let to = candidates[at + 1].number.clone();
        take(&candidates[at].number, reading);
        reading.to = Some(to.value);
        if let Some(why) = to.ambiguous {
            reading.doubt(why);
        }
        return;
    }
    take(&candidates[now].number, reading);
    if let Some(listed) = listed {
        reading.list_price = Some(listed.value);
    }
    if candidates.len() > 1 && candidates[now].role != Some(Role::Now) {
        let count = candidates.len();
        reading.doubt(format!("{count} prices in the text, the first one taken"));
    }
}

fn take(number: &Number, reading: &mut Reading) {
    reading.amount = Some(number.value);
    if let Some(why) = &number.ambiguous {
        reading.doubt(why.clone());
    }
}

/// The first of two neighbours that a dash or word makes a range of.
fn range_of(candidates: &[Candidate], text: &str) -> Option<usize> {
    candidates.windows(2).position(|two| {
        let between = &text[two[0].piece.end..two[1].piece.begin];
        let word: String = between
            .chars()
            .filter(|c| c.is_alphabetic() || matches!(c, '-' | '–' | '—' | '~' | '…' | '.'))
            .collect::<String>()
            .to_lowercase();
        let bare = currency::find(between, true, &Hint::default()).map_or(word.clone(), |found| {
            word.replace(&found.written.to_lowercase(), "")
        });
        words::is_range(&bare) && two[0].number.value <= two[1].number.value
    })
}
