//! How much a selector weighs: specificity after Selectors 4, and complexity as the number of its parts.

use crate::{
    selector::{Argument, Part, Pseudo, Selector},
    words,
};

/// Specificity (Selectors 4, section 17): ids; classes, attributes and pseudo-classes; types and pseudo-elements.
pub type Specificity = [u64; 3];

fn add(to: &mut Specificity, other: Specificity) {
    for (sum, part) in to.iter_mut().zip(other) {
        *sum += part;
    }
}

fn highest(list: &[Selector<'_>]) -> Specificity {
    list.iter()
        .map(|selector| specificity(&selector.parts))
        .max()
        .unwrap_or_default()
}

/// The first compound of the first selector of an argument.
fn first_compound<'s, 'a>(argument: &'s Argument<'a>) -> &'s [Part<'a>] {
    let Argument::Selectors(list) = argument else {
        return &[];
    };
    let parts = list.first().map_or(&[][..], |selector| &selector.parts);
    let end = parts
        .iter()
        .position(|part| matches!(part, Part::Combinator(_)))
        .unwrap_or(parts.len());
    &parts[..end]
}

/// Specificity of one complex selector.
pub fn specificity(parts: &[Part<'_>]) -> Specificity {
    let mut sum = [0, 0, 0];
    for part in parts {
        match part {
            Part::Id => sum[0] += 1,
            Part::Class | Part::Attribute(_) => sum[1] += 1,
            Part::Type(_) => sum[2] += 1,
            Part::PseudoClass(pseudo) => add(&mut sum, pseudo_class(pseudo)),
            Part::PseudoElement(pseudo) => add(&mut sum, pseudo_element(pseudo)),
            Part::Combinator(_) | Part::Universal | Part::Nesting | Part::Percentage => {}
        }
    }
    sum
}

fn pseudo_class(pseudo: &Pseudo<'_>) -> Specificity {
    let name = pseudo.name.to_ascii_lowercase();
    match name.as_str() {
        "where" => [0, 0, 0],
        "-webkit-any" | "any" => [0, u64::from(matches!(pseudo.argument, Argument::Selectors(_))), 0],
        "-moz-any" | "is" | "matches" | "not" | "has" => match &pseudo.argument {
            Argument::Selectors(list) => highest(list),
            _ => [0, 0, 0],
        },
        "nth-child" | "nth-last-child" => {
            let mut sum = [0, 1, 0];
            if let Argument::Nth { of: Some(list), .. } = &pseudo.argument {
                add(&mut sum, highest(list));
            }
            sum
        }
        "host" | "host-context" => {
            let mut sum = [0, 1, 0];
            add(&mut sum, specificity(first_compound(&pseudo.argument)));
            sum
        }
        "after" | "before" | "first-letter" | "first-line" => [0, 0, 1],
        _ => [0, 1, 0],
    }
}

fn pseudo_element(pseudo: &Pseudo<'_>) -> Specificity {
    let name = pseudo.name.to_ascii_lowercase();
    let mut sum = [0, 0, 1];
    if name == "slotted" {
        add(&mut sum, specificity(first_compound(&pseudo.argument)));
    } else if name.starts_with("view-transition-")
        && matches!(first_compound(&pseudo.argument), [Part::Universal])
    {
        sum = [0, 0, 0];
    }
    sum
}

/// Number of parts, where vendor prefixes and attribute values count extra and arguments count their own parts.
pub fn complexity(parts: &[Part<'_>]) -> u64 {
    parts
        .iter()
        .map(|part| match part {
            Part::Attribute(attribute) => 1 + u64::from(!attribute.value.is_empty()),
            Part::PseudoClass(pseudo) => {
                let own = 1 + u64::from(words::is_prefixed(pseudo.name));
                own + argument_complexity(
                    &pseudo.argument,
                    words::has(&words::SELECTOR_FUNCTIONS, pseudo.name),
                )
            }
            Part::PseudoElement(pseudo) => {
                1 + u64::from(words::is_prefixed(pseudo.name)) + argument_complexity(&pseudo.argument, false)
            }
            _ => 1,
        })
        .sum()
}

/// `transparent`: the pseudo-class stands for its argument, so the list itself counts nothing.
fn argument_complexity(argument: &Argument<'_>, transparent: bool) -> u64 {
    let listed = |list: &[Selector<'_>]| {
        list.iter()
            .map(|selector| complexity(&selector.parts))
            .sum::<u64>()
    };
    match argument {
        Argument::None => 0,
        Argument::Selectors(list) if transparent => all_nested(list),
        Argument::Selectors(list) => 1 + listed(list),
        Argument::Nth { of: Some(list), .. } if transparent && !list.is_empty() => all_nested(list),
        Argument::Nth {
            formula,
            of: Some(list),
        } => 1 + u64::from(*formula) + if list.is_empty() { 0 } else { 1 + listed(list) },
        Argument::Nth { formula, of: None } => u64::from(*formula),
        Argument::Languages(count) => *count as u64,
    }
}

/// Complexity of every selector of a list and of every list below it.
fn all_nested(list: &[Selector<'_>]) -> u64 {
    let mut sum = 0;
    for selector in list {
        sum += complexity(&selector.parts);
        for part in &selector.parts {
            if let Part::PseudoClass(pseudo) | Part::PseudoElement(pseudo) = part {
                match &pseudo.argument {
                    Argument::Selectors(list) | Argument::Nth { of: Some(list), .. } => {
                        sum += all_nested(list);
                    }
                    _ => {}
                }
            }
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selector::parse;

    fn one(text: &str) -> (Specificity, u64) {
        let list = parse(text, (0, text.len()));
        assert_eq!(list.len(), 1, "{text}");
        (specificity(&list[0].parts), complexity(&list[0].parts))
    }

    #[test]
    fn specificity_follows_selectors_4() {
        assert_eq!(one("#a .b[c] > d::before").0, [1, 2, 2]);
        assert_eq!(one(":is(#a, .b) :where(#c)").0, [1, 0, 0]);
        assert_eq!(one("li:nth-child(2n+1 of .x, #y)").0, [1, 1, 1]);
        assert_eq!(one(":not(.a.b, c)").0, [0, 2, 0]);
        assert_eq!(one("svg|a *|*").0, [0, 0, 1]);
    }

    #[test]
    fn complexity_counts_parts_and_combinators() {
        assert_eq!(one("a").1, 1);
        assert_eq!(one("a > b").1, 3);
        assert_eq!(one("[type=\"x\"]").1, 2);
        assert_eq!(one("input::-moz-focus-inner").1, 3);
        assert_eq!(one("a:not(.b)").1, 3);
        assert_eq!(one("li:nth-child(2n+1)").1, 3);
    }
}
