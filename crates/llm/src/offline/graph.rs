//! Sentences as vectors of weighted words, and how much each stands for the others.

use std::collections::BTreeMap;

use memory::analysis::{Purpose, terms};

/// Sentences that have a word in common are compared; a word that more than this many have tells nothing and would make
/// the work grow with the square of the texts.
const COMMON: usize = 400;

/// Rounds in which ranks are handed on; they settle long before.
const ROUNDS: usize = 20;

/// Share of a rank that is handed on.
const DAMPING: f64 = 0.85;

/// Least cosine that connects two sentences.
const LEAST: f64 = 0.1;

/// Fewest words of a sentence that says something.
const FEWEST: usize = 3;

pub(super) struct Graph {
    /// Weights of the words of each sentence, by number of the word, of length 1.
    vectors: Vec<Vec<(u32, f64)>>,
    words: Vec<usize>,
    ranks: Vec<f64>,
    highest: f64,
}

impl Graph {
    pub(super) fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
        let mut counted: Vec<BTreeMap<u32, u32>> = Vec::new();
        let mut words = Vec::new();
        for text in texts {
            let mut counts = BTreeMap::new();
            let found = terms(text, Purpose::Question);
            words.push(
                found
                    .iter()
                    .filter(|term| term.text.chars().any(char::is_alphabetic))
                    .count(),
            );
            for term in found {
                let next = numbers.len() as u32;
                let number = *numbers.entry(term.text).or_insert(next);
                *counts.entry(number).or_insert(0) += 1;
            }
            counted.push(counts);
        }
        let mut having = vec![0_usize; numbers.len()];
        for number in counted.iter().flat_map(BTreeMap::keys) {
            having[*number as usize] += 1;
        }
        let total = counted.len();
        let vectors: Vec<_> = counted
            .iter()
            .map(|counts| vector(counts, &having, total))
            .collect();
        let mut graph = Self {
            ranks: vec![1.0; vectors.len()],
            vectors,
            words,
            highest: 1.0,
        };
        graph.hand_on(&having);
        graph
    }

    /// Whether a sentence has too few words to say anything.
    pub(super) fn is_bare(&self, place: usize) -> bool {
        self.words[place] < FEWEST
    }

    /// Rank as a whole number, so that it compares alike on every machine.
    pub(super) fn rank(&self, place: usize) -> i64 {
        fixed(self.ranks[place])
    }

    /// Rank between 0 and 1.
    pub(super) fn share(&self, place: usize) -> f64 {
        self.ranks[place] / self.highest
    }

    /// Cosine between two sentences.
    pub(super) fn cosine(&self, one: usize, other: usize) -> f64 {
        let (a, b) = (&self.vectors[one], &self.vectors[other]);
        let (mut i, mut j, mut sum) = (0, 0, 0.0);
        while let (Some((left, x)), Some((right, y))) = (a.get(i), b.get(j)) {
            match left.cmp(right) {
                std::cmp::Ordering::Less => i += 1,
                std::cmp::Ordering::Greater => j += 1,
                std::cmp::Ordering::Equal => {
                    sum += x * y;
                    i += 1;
                    j += 1;
                }
            }
        }
        sum
    }

    fn hand_on(&mut self, having: &[usize]) {
        let edges = self.edges(having);
        let sums: Vec<f64> = edges
            .iter()
            .map(|row| row.iter().map(|(_, weight)| weight).sum())
            .collect();
        for _ in 0..ROUNDS {
            let mut next = vec![1.0 - DAMPING; self.ranks.len()];
            for (from, row) in edges.iter().enumerate() {
                for (to, weight) in row {
                    next[*to as usize] += DAMPING * self.ranks[from] * weight / sums[from];
                }
            }
            self.ranks = next;
        }
        self.highest = self.ranks.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    }

    /// Which sentences are alike, by way of the words they share.
    fn edges(&self, having: &[usize]) -> Vec<Vec<(u32, f64)>> {
        let mut of_word: Vec<Vec<(u32, f64)>> = vec![Vec::new(); having.len()];
        for (place, vector) in self.vectors.iter().enumerate() {
            for (number, weight) in vector {
                if having[*number as usize] <= COMMON {
                    of_word[*number as usize].push((place as u32, *weight));
                }
            }
        }
        let mut sums = vec![0.0_f64; self.vectors.len()];
        let mut touched = Vec::new();
        let mut edges = Vec::with_capacity(self.vectors.len());
        for (place, vector) in self.vectors.iter().enumerate() {
            for (number, weight) in vector {
                for (other, theirs) in &of_word[*number as usize] {
                    if *other as usize != place {
                        if sums[*other as usize] == 0.0 {
                            touched.push(*other);
                        }
                        sums[*other as usize] += weight * theirs;
                    }
                }
            }
            touched.sort_unstable();
            let row = touched.drain(..).filter_map(|other| {
                let cosine = std::mem::take(&mut sums[other as usize]);
                (cosine >= LEAST).then_some((other, cosine))
            });
            edges.push(row.collect());
        }
        edges
    }
}

/// Weights by rarity, of length 1.
fn vector(counts: &BTreeMap<u32, u32>, having: &[usize], total: usize) -> Vec<(u32, f64)> {
    let weight = |number: u32, count: u32| {
        let rarity = (1.0 + total as f64) / (1.0 + having[number as usize] as f64);
        f64::from(count) * rarity.ln()
    };
    let raw: Vec<(u32, f64)> = counts
        .iter()
        .map(|(&number, &count)| (number, weight(number, count)))
        .collect();
    let length = raw.iter().map(|(_, weight)| weight * weight).sum::<f64>().sqrt();
    raw.into_iter()
        .filter(|_| length > 0.0)
        .map(|(number, weight)| (number, weight / length))
        .collect()
}

/// A number with nine decimals: the logarithms of two machines differ in the last digits.
pub(super) fn fixed(number: f64) -> i64 {
    (number * 1e9).round() as i64
}
