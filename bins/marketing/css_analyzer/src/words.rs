//! Word lists of CSS and questions about names. All lists are lower case.

/// Whether a name carries a vendor prefix: `-webkit-x`, not `--x`.
pub fn is_prefixed(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() >= 3 && bytes[0] == b'-' && bytes[1] != b'-' && bytes[2..].contains(&b'-')
}

/// Whether a property is a custom property: `--x`.
pub fn is_custom(name: &str) -> bool {
    name.len() >= 3 && name.starts_with("--")
}

/// Whether a property begins with a character that only old browsers pass over.
pub fn is_hack(name: &str) -> bool {
    !is_custom(name)
        && !is_prefixed(name)
        && matches!(
            name.as_bytes().first(),
            Some(b'/' | b'*' | b'_' | b'+' | b'&' | b'$' | b'#')
        )
}

/// The name without vendor prefix and hack, lower case; custom properties as they are.
pub fn basename(name: &str) -> String {
    if is_custom(name) {
        return name.to_owned();
    }
    if is_prefixed(name) {
        let rest = name[2..].find('-').map_or(name, |at| &name[at + 3..]);
        return rest.to_ascii_lowercase();
    }
    if is_hack(name) {
        return name[1..].to_ascii_lowercase();
    }
    name.to_ascii_lowercase()
}

/// Whether a list holds the word, without regard to ASCII case.
pub fn has(list: &[&str], word: &str) -> bool {
    list.iter().any(|entry| entry.eq_ignore_ascii_case(word))
}

/// Whether `text` ends with `tail`, without regard to ASCII case.
pub fn ends_with(text: &str, tail: &str) -> bool {
    let (text, tail) = (text.as_bytes(), tail.as_bytes());
    text.len() >= tail.len() && text[text.len() - tail.len()..].eq_ignore_ascii_case(tail)
}

/// Without one quote at each end.
pub fn unquote(text: &str) -> &str {
    let quotes = ['\'', '"'];
    let text = text.strip_prefix(quotes).unwrap_or(text);
    text.strip_suffix(quotes).unwrap_or(text)
}

/// Values that every property takes, with `auto` and `none`.
pub const KEYWORDS: [&str; 7] = [
    "auto",
    "none",
    "inherit",
    "initial",
    "unset",
    "revert",
    "revert-layer",
];

/// System fonts of the `font` shorthand.
pub const SYSTEM_FONTS: [&str; 6] = [
    "caption",
    "icon",
    "menu",
    "message-box",
    "small-caption",
    "status-bar",
];

/// Size words of `font-size`.
pub const FONT_SIZES: [&str; 10] = [
    "xx-small",
    "x-small",
    "small",
    "medium",
    "large",
    "x-large",
    "xx-large",
    "xxx-large",
    "smaller",
    "larger",
];

/// Words before the size in the `font` shorthand.
pub const FONT_MODIFIERS: [&str; 15] = [
    "italic",
    "oblique",
    "small-caps",
    "bold",
    "bolder",
    "lighter",
    "ultra-condensed",
    "extra-condensed",
    "condensed",
    "semi-condensed",
    "semi-expanded",
    "expanded",
    "extra-expanded",
    "ultra-expanded",
    "normal",
];

/// Timing words of animations.
pub const TIMINGS: [&str; 7] = [
    "linear",
    "ease",
    "ease-in",
    "ease-out",
    "ease-in-out",
    "step-start",
    "step-end",
];

/// Words of the `animation` shorthand that are not a name.
pub const ANIMATION_WORDS: [&str; 10] = [
    "normal",
    "reverse",
    "alternate",
    "alternate-reverse",
    "forwards",
    "backwards",
    "both",
    "running",
    "paused",
    "infinite",
];

/// Colour functions that are counted as a colour.
pub const COLOR_FUNCTIONS: [&str; 10] = [
    "rgba", "rgb", "hsla", "hsl", "oklch", "color", "hwb", "lch", "lab", "oklab",
];

/// Colour words that are not a named colour.
pub const COLOR_KEYWORDS: [&str; 2] = ["transparent", "currentcolor"];

/// System colours (CSS Color 4).
pub const SYSTEM_COLORS: [&str; 19] = [
    "accentcolor",
    "accentcolortext",
    "activetext",
    "buttonborder",
    "buttonface",
    "buttontext",
    "canvas",
    "canvastext",
    "field",
    "fieldtext",
    "graytext",
    "highlight",
    "highlighttext",
    "linktext",
    "mark",
    "marktext",
    "selecteditem",
    "selecteditemtext",
    "visitedtext",
];

/// Pseudo-classes whose argument adds its own complexity.
pub const SELECTOR_FUNCTIONS: [&str; 9] = [
    "nth-child",
    "where",
    "not",
    "is",
    "has",
    "nth-last-child",
    "matches",
    "-webkit-any",
    "-moz-any",
];

/// Properties that set several others.
pub const SHORTHANDS: [&str; 47] = [
    "all",
    "animation",
    "background",
    "border",
    "border-block-end",
    "border-block-start",
    "border-bottom",
    "border-color",
    "border-image",
    "border-inline-end",
    "border-inline-start",
    "border-left",
    "border-radius",
    "border-right",
    "border-style",
    "border-top",
    "border-width",
    "column-rule",
    "columns",
    "contain-intrinsic-size",
    "flex",
    "flex-flow",
    "font",
    "gap",
    "grid",
    "grid-area",
    "grid-column",
    "grid-row",
    "grid-template",
    "inset",
    "list-style",
    "margin",
    "mask",
    "offset",
    "outline",
    "overflow",
    "padding",
    "place-content",
    "place-items",
    "place-self",
    "scroll-margin",
    "scroll-padding",
    "scroll-timeline",
    "text-decoration",
    "text-emphasis",
    "transition",
    "vertical-align",
];

/// Whether a property sets outer or inner spacing.
pub fn is_spacing(property: &str) -> bool {
    let Some(rest) = property
        .strip_prefix("margin")
        .or_else(|| property.strip_prefix("padding"))
    else {
        return false;
    };
    // The reference counts `margin-inline-start` not at all, by an oversight that its users' numbers rest on.
    matches!(
        rest,
        "" | "-block"
            | "-inline"
            | "-top"
            | "-right"
            | "-bottom"
            | "-left"
            | "-block-start"
            | "-block-end"
            | "-inline-end"
    ) || property == "padding-inline-start"
}

/// Whether a property rounds corners.
pub fn is_radius(property: &str) -> bool {
    property.starts_with("border-")
        && property.ends_with("-radius")
        && matches!(
            &property["border".len()..property.len() - "radius".len()],
            "-" | "-top-left-"
                | "-top-right-"
                | "-bottom-right-"
                | "-bottom-left-"
                | "-start-start-"
                | "-start-end-"
                | "-end-end-"
                | "-end-start-"
        )
}

/// Named colours (CSS Color 4), sorted.
const NAMED_COLORS: &str = include_str!("named_colors.txt");

/// Whether a word is a named colour.
pub fn is_named_color(word: &str) -> bool {
    static SET: std::sync::OnceLock<std::collections::HashSet<&str>> = std::sync::OnceLock::new();
    let lower = word.to_ascii_lowercase();
    SET.get_or_init(|| NAMED_COLORS.lines().collect())
        .contains(lower.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_prefix_and_hack() {
        assert_eq!(basename("-webkit-Box-Shadow"), "box-shadow");
        assert_eq!(basename("*zoom"), "zoom");
        assert_eq!(basename("--Brand"), "--Brand");
        assert_eq!(basename("Color"), "color");
    }

    #[test]
    fn all_148_named_colours_are_known() {
        assert_eq!(NAMED_COLORS.lines().count(), 148);
        assert!(is_named_color("RebeccaPurple"));
        assert!(!is_named_color("currentcolor"));
    }
}
