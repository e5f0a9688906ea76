//! Polls and quizzes.

use grammers_tl_types::{enums, types};
use serde_json::Value;

/// Results of a hidden poll are told only to those who voted; a quiz has a right answer, the first, and an explanation.
pub(super) fn poll(detail: &Value, kind: &str) -> enums::MessageMedia {
    let (quiz, hidden) = (kind == "quiz", kind == "poll_hidden");
    let text = |text: &str| {
        types::TextWithEntities {
            text: text.to_owned(),
            entities: Vec::new(),
        }
        .into()
    };
    let choices: Vec<(String, i32)> = detail.get("answers").and_then(Value::as_array).map_or_else(
        || vec![("Yes".to_owned(), 3), ("No".to_owned(), 1)],
        |list| {
            let choice = |value: &Value| {
                (
                    value
                        .get("text")
                        .and_then(Value::as_str)
                        .unwrap_or("?")
                        .to_owned(),
                    value.get("voters").and_then(Value::as_i64).unwrap_or_default() as i32,
                )
            };
            list.iter().map(choice).collect()
        },
    );
    let answers = choices.iter().enumerate().map(|(n, (choice, _))| {
        types::PollAnswer {
            text: text(choice),
            option: vec![n as u8],
            media: None,
            added_by: None,
            date: None,
        }
        .into()
    });
    let votes = choices.iter().enumerate().map(|(n, (_, voters))| {
        types::PollAnswerVoters {
            chosen: false,
            correct: quiz && n == 0,
            option: vec![n as u8],
            voters: Some(*voters),
            recent_voters: Some(Vec::new()),
        }
        .into()
    });
    types::MessageMediaPoll {
        poll: types::Poll {
            id: 1,
            closed: false,
            public_voters: false,
            multiple_choice: false,
            quiz,
            open_answers: false,
            revoting_disabled: false,
            shuffle_answers: false,
            hide_results_until_close: false,
            creator: false,
            subscribers_only: false,
            question: text(
                detail
                    .get("question")
                    .and_then(Value::as_str)
                    .unwrap_or("Tea or coffee?"),
            ),
            answers: answers.collect(),
            close_period: None,
            close_date: None,
            countries_iso2: None,
            hash: 0,
        }
        .into(),
        results: types::PollResults {
            min: false,
            has_unread_votes: false,
            can_view_stats: false,
            results: (!hidden).then(|| votes.collect()),
            total_voters: Some(choices.iter().map(|(_, voters)| voters).sum()),
            recent_voters: None,
            solution: quiz.then(|| "Count them".to_owned()),
            solution_entities: quiz.then(Vec::new),
            solution_media: None,
        }
        .into(),
        attached_media: None,
    }
    .into()
}
