//! How well questions find what they should: recall and rank over a list of questions with their right answers.

use app_core::ToolResult;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    question::Question,
    search::{Hit, Wanted},
    store::Memory,
};

/// A question and its right answers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GoldQuestion {
    /// The question, in words.
    pub question: String,
    /// Documents that it should find: their id, or what their field `id` says.
    pub expect: Vec<String>,
}

/// How well it went.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Measured {
    /// Questions asked.
    pub questions: usize,
    /// Hits looked at for each.
    pub limit: usize,
    /// Mean part of the right answers among the hits.
    pub recall: f64,
    /// Mean of one divided by the rank of the first right answer (0 where there is none).
    pub mean_reciprocal_rank: f64,
    /// Questions whose answers were not all found.
    pub misses: Vec<Miss>,
}

/// A question that did not find all.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Miss {
    /// The question.
    pub question: String,
    /// What it should have found and did not.
    pub missing: Vec<String>,
}

impl Memory {
    /// Asks every question of a collection and looks at the first `limit` hits. A question without a word finds nothing.
    pub fn measure(
        &self,
        collection: &str,
        questions: &[GoldQuestion],
        limit: usize,
    ) -> ToolResult<Measured> {
        let wanted = Wanted {
            collection,
            limit,
            conditions: &[],
            as_of: None,
            explain: false,
        };
        let (mut recall, mut rank) = (0.0, 0.0);
        let mut misses = Vec::new();
        for gold in questions {
            let hits = match Question::words(&gold.question) {
                Ok(question) => self.search(&question, &wanted)?.hits,
                Err(_) => Vec::new(),
            };
            let found = |expected: &String| hits.iter().position(|hit| is(hit, expected));
            let places: Vec<Option<usize>> = gold.expect.iter().map(found).collect();
            let right = places.iter().flatten().count();
            recall += right as f64 / gold.expect.len().max(1) as f64;
            rank += places
                .iter()
                .flatten()
                .min()
                .map_or(0.0, |place| 1.0 / (*place as f64 + 1.0));
            if right < gold.expect.len() {
                let missing = gold
                    .expect
                    .iter()
                    .zip(&places)
                    .filter(|(_, place)| place.is_none());
                let missing = missing.map(|(id, _)| id.clone()).collect();
                misses.push(Miss {
                    question: gold.question.clone(),
                    missing,
                });
            }
        }
        let all = questions.len().max(1) as f64;
        Ok(Measured {
            questions: questions.len(),
            limit,
            recall: recall / all,
            mean_reciprocal_rank: rank / all,
            misses,
        })
    }
}

fn is(hit: &Hit, expected: &str) -> bool {
    hit.document.id == expected
        || hit.document.document.get("id").and_then(|id| id.as_str()) == Some(expected)
}
