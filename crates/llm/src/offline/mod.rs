//! A digest without a model: sentences of the texts themselves, chosen by counting words.
//!
//! A sentence that shares rare words with many others stands for them (a graph of cosines between weighted words, as in
//! LexRank by Erkan and Radev, 2004); each further one is taken for what it adds (maximal marginal relevance, Carbonell
//! and Goldstein, 1998). Nothing is invented, and the same texts give the same sentences on every machine.

mod graph;
mod sentences;

use std::collections::HashMap;

use graph::Graph;
pub use sentences::sentences;

/// What every output made this way says of itself.
pub const LABEL: &str = "offline: sentences from the texts, no model";

/// Sentences that are compared with all chosen ones; those below them in rank are never taken.
const CANDIDATES: usize = 2_000;

/// How much the rank of a sentence counts against what it repeats.
const RANK_SHARE: f64 = 0.7;

/// One text to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source<'a> {
    /// The text.
    pub text: &'a str,
    /// The day it belongs to; texts of one day share a quota.
    pub day: &'a str,
    /// The thread it belongs to; texts of one thread share a quota.
    pub thread: &'a str,
}

/// A chosen sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Which source it is from.
    pub source: usize,
    /// First byte in the source's text.
    pub start: usize,
    /// Byte after it.
    pub end: usize,
}

/// How many sentences, in all and of the same day and thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// In all.
    pub sentences: usize,
    /// Of one day.
    pub per_day: usize,
    /// Of one thread.
    pub per_thread: usize,
}

/// Chooses sentences, and answers them in the order of the sources.
pub fn choose(sources: &[Source<'_>], quota: Quota) -> Vec<Chosen> {
    let mut all = Vec::new();
    for (source, text) in sources.iter().enumerate() {
        for (start, end) in sentences(text.text) {
            all.push(Chosen { source, start, end });
        }
    }
    let texts = all.iter().map(|s| &sources[s.source].text[s.start..s.end]);
    let graph = Graph::of(texts);
    let mut order: Vec<usize> = (0..all.len()).filter(|&place| !graph.is_bare(place)).collect();
    order.sort_by_key(|&place| (std::cmp::Reverse(graph.rank(place)), place));
    order.truncate(CANDIDATES);
    let mut taken: Vec<usize> = Vec::new();
    let mut repeats = vec![0.0_f64; order.len()];
    let (mut days, mut threads) = (HashMap::new(), HashMap::new());
    while taken.len() < quota.sentences {
        let best = (0..order.len())
            .filter(|&at| {
                let source = &sources[all[order[at]].source];
                let used = |table: &HashMap<&str, usize>, name: &str| table.get(name).copied().unwrap_or(0);
                used(&days, source.day) < quota.per_day && used(&threads, source.thread) < quota.per_thread
            })
            .max_by_key(|&at| {
                (
                    graph::fixed(worth(&graph, order[at], repeats[at])),
                    std::cmp::Reverse(order[at]),
                )
            });
        let Some(at) = best else { break };
        let place = order.remove(at);
        repeats.remove(at);
        let source = &sources[all[place].source];
        *days.entry(source.day).or_insert(0) += 1;
        *threads.entry(source.thread).or_insert(0) += 1;
        for (other, repeat) in order.iter().zip(&mut repeats) {
            *repeat = repeat.max(graph.cosine(place, *other));
        }
        taken.push(place);
    }
    taken.sort_unstable();
    taken.into_iter().map(|place| all[place].clone()).collect()
}

fn worth(graph: &Graph, place: usize, repeat: f64) -> f64 {
    RANK_SHARE * graph.share(place) - (1.0 - RANK_SHARE) * repeat
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAT: [(&str, &str); 9] = [
        (
            "d1",
            "Релиз сервера переносим на четверг, потому что тесты падают.",
        ),
        ("d1", "ок"),
        (
            "d1",
            "Тесты сервера падают из-за релиза базы. Кто посмотрит базу?",
        ),
        ("d1", "👍"),
        (
            "d2",
            "Release of the server moves to Thursday, the tests of the database fail.",
        ),
        ("d2", "База починена, тесты сервера прошли, релиз в четверг."),
        ("d2", "lunch?"),
        ("d2", "Счёт 800000 за сервер оплачен, база и релиз готовы."),
        ("d2", "Котик сегодня спит на клавиатуре."),
    ];

    fn picked(quota: Quota) -> Vec<&'static str> {
        let sources: Vec<Source> = CHAT
            .iter()
            .map(|(day, text)| Source {
                text,
                day,
                thread: day,
            })
            .collect();
        let chosen = choose(&sources, quota);
        chosen.iter().map(|c| &CHAT[c.source].1[c.start..c.end]).collect()
    }

    #[test]
    fn what_many_speak_of_is_chosen_and_nothing_is_repeated() {
        let quota = Quota {
            sentences: 3,
            per_day: 9,
            per_thread: 9,
        };
        let first = picked(quota);
        assert_eq!(first.len(), 3);
        assert!(first.iter().any(|s| s.contains("четверг")), "{first:?}");
        assert!(
            !first
                .iter()
                .any(|s| s.contains("Котик") || *s == "ок" || *s == "lunch?"),
            "{first:?}"
        );
        assert_eq!(first, picked(quota), "the same again");
    }

    #[test]
    fn quotas_hold_and_too_few_sentences_are_no_failure() {
        let narrow = Quota {
            sentences: 6,
            per_day: 1,
            per_thread: 9,
        };
        assert_eq!(picked(narrow).len(), 2);
        let none = Source {
            text: "👍",
            day: "d",
            thread: "t",
        };
        let many = Quota {
            sentences: 5,
            per_day: 5,
            per_thread: 5,
        };
        assert!(choose(&[], many).is_empty());
        assert!(choose(&[none], many).len() <= 1);
    }
}
