//! Aligns two sequences, so that one extra element is told as one and not as a difference in every later place.

/// A step of an alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The same key on both sides.
    Both(usize, usize),
    /// Only the control has it.
    Missing(usize),
    /// Only the candidate has it.
    Extra(usize),
}

/// Above this many elements a side, elements are paired by their place.
const MAX: usize = 2000;

/// The longest common subsequence of the keys.
pub(super) fn align<K: PartialEq>(a: &[K], b: &[K]) -> Vec<Step> {
    if a.len() > MAX || b.len() > MAX {
        return by_place(a.len(), b.len());
    }
    let width = b.len() + 1;
    let mut longest = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i * width + j] = if a[i] == b[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut steps = Vec::new();
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            steps.push(Step::Both(i, j));
            i += 1;
            j += 1;
        } else if j == b.len() || i < a.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            steps.push(Step::Missing(i));
            i += 1;
        } else {
            steps.push(Step::Extra(j));
            j += 1;
        }
    }
    steps
}

fn by_place(a: usize, b: usize) -> Vec<Step> {
    let both = (0..a.min(b)).map(|i| Step::Both(i, i));
    let missing = (b..a).map(Step::Missing);
    let extra = (a..b).map(Step::Extra);
    both.chain(missing).chain(extra).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_extra_and_one_missing_are_one_each() {
        let steps = align(&["a", "b", "c"], &["a", "x", "b"]);
        assert_eq!(
            steps,
            [
                Step::Both(0, 0),
                Step::Extra(1),
                Step::Both(1, 2),
                Step::Missing(2)
            ]
        );
    }
}
