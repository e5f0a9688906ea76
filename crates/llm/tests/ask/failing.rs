//! What goes wrong on the way, and what it costs.

use testkit::llm::{Fault, Manners, Script};

use crate::{PROVIDERS, canned, error, place, tool};

#[test]
fn what_is_refused_before_it_is_answered_is_asked_again_and_costs_nothing() {
    for (provider, ..) in PROVIDERS {
        let place = canned("ok");
        place.fake.fail([
            Some(Fault::RateLimited(Some(1))),
            Some(Fault::Status(if provider == "anthropic" { 529 } else { 500 })),
        ]);
        place.ask(provider, &[]).expect_code(0);
        assert_eq!(
            (place.fake.asked().len(), place.ledger().len()),
            (3, 1),
            "{provider}"
        );
    }
}

#[test]
fn refusals_end_with_the_exit_code_of_their_kind() {
    for (provider, ..) in PROVIDERS {
        for (fault, times, code, name) in [
            (Fault::Status(401), 1, 77, "model_http_401"),
            (Fault::Status(404), 1, 69, "model_http_404"),
            (Fault::Status(422), 1, 69, "model_http_422"),
            (Fault::Quota, 1, 75, "insufficient_quota"),
            (Fault::RateLimited(Some(600)), 1, 75, "model_http_429"),
            (Fault::RateLimited(None), 3, 75, "model_http_429"),
            (Fault::Status(503), 3, 75, "model_http_503"),
        ] {
            let place = canned("never");
            place.fake.fail(vec![Some(fault.clone()); 5]);
            let ended = place.ask(provider, &[]).expect_code(code);
            assert_eq!(error(&ended)["code"], name, "{provider} {fault:?}");
            assert_eq!(place.fake.asked().len(), times, "{provider} {fault:?}");
            assert_eq!(
                place.ledger()[0].spent_usd,
                None,
                "given back: {provider} {fault:?}"
            );
        }
    }
}

#[test]
fn a_call_that_left_and_was_not_answered_is_sent_once_and_paid_by_estimate() {
    for (provider, ..) in PROVIDERS {
        for (fault, name) in [
            (Fault::HangUp, "http_failed"),
            (Fault::Cut, "body_broken"),
            (Fault::NoEnd, "answer_incomplete"),
            (Fault::ErrorEvent, ""),
            (Fault::Stall, "http_timeout"),
            (Fault::Status(504), "model_http_504"),
        ] {
            let place = canned("Длинный ответ, который обрывается.");
            place.fake.fail([Some(fault.clone())]);
            let ended = place.ask(provider, &[]).expect_code(75);
            let told = error(&ended);
            assert!(
                name.is_empty() || told["code"] == name,
                "{provider} {fault:?}: {told}"
            );
            assert_eq!(place.fake.asked().len(), 1, "{provider} {fault:?}");
            let entry = &place.ledger()[0];
            assert!(
                entry.unconfirmed && entry.spent_usd.is_some(),
                "{provider} {fault:?}: {entry:?}"
            );
            assert!(entry.spent_usd <= Some(entry.reserved_usd));
        }
    }
}

#[test]
fn silence_ends_after_its_limit_and_a_drip_does_not() {
    let place = canned("slow");
    place.fake.fail([Some(Fault::Silence)]);
    let ended = place.ask("openai", &[]).expect_code(75);
    assert_eq!(error(&ended)["kind"], "timeout");
    assert!(place.ledger()[0].unconfirmed);
    place.fake.fail([Some(Fault::Drip(1))]);
    assert_eq!(place.ask("openai", &[]).expect_code(0).json()["text"], "slow");
}

#[test]
fn only_a_finished_answer_is_a_success_and_the_others_are_paid() {
    for (provider, ..) in PROVIDERS {
        for (fault, names) in [
            (Fault::Length, &["answer_cut_off"][..]),
            (Fault::Refusal, &["answer_refused", "answer_filtered"]),
            (Fault::Empty, &["answer_empty"]),
        ] {
            let place = canned("Whole answer");
            place.fake.fail([Some(fault.clone())]);
            let told = error(&place.ask(provider, &[]).expect_code(69));
            assert!(
                names.contains(&told["code"].as_str().unwrap()),
                "{provider} {fault:?}: {told}"
            );
            let entry = &place.ledger()[0];
            assert!(!entry.unconfirmed && entry.spent_usd.is_some());
            // Nothing of it was kept.
            place.ask(provider, &[]).expect_code(0);
            assert_eq!(place.fake.asked().len(), 2);
        }
    }
}

#[test]
fn an_answer_without_usage_is_not_free() {
    for (provider, ..) in PROVIDERS {
        let place = canned("Answer");
        place.fake.fail([Some(Fault::NoUsage)]);
        let json = place.ask(provider, &[]).expect_code(0).json();
        assert_eq!(json["usage"]["estimated"], true, "{provider}");
        let entry = &place.ledger()[0];
        assert!(
            entry.unconfirmed && entry.spent_usd.unwrap().nanos() > 0,
            "{provider}"
        );
    }
}

#[test]
fn a_prompt_that_was_cut_in_silence_is_noticed() {
    // The server holds less than it was asked for, keeps half of that, and answers as if nothing were.
    let manners = Manners {
        context: 1_000,
        ..Manners::default()
    };
    let place = place(Script::Echo, manners);
    place.settings("provider = \"ollama\"\ncontext = 2000");
    let long = "a".repeat(5_200);
    let told = error(&place.ask("ollama", &["--question", &long]).expect_code(69));
    assert_eq!(told["code"], "prompt_cut");
    assert_eq!(place.fake.asked()[0].body["options"]["num_ctx"], 2_000);
    assert!(place.ledger()[0].spent_usd.is_some());
    let longer = "a".repeat(5_700);
    let refused = error(
        &place
            .ask("ollama", &["--question", &longer, "--max-output", "300"])
            .expect_code(2),
    );
    assert_eq!(refused["code"], "context_exceeded");
    assert_eq!(place.fake.asked().len(), 1);
}

#[test]
fn nothing_follows_a_redirect() {
    let (place, elsewhere) = (canned("x"), canned("never"));
    place.fake.fail([Some(Fault::Redirect(format!(
        "{}/v1/chat/completions",
        elsewhere.fake.url()
    )))]);
    let told = error(&place.ask("openai", &[]).expect_code(69));
    assert_eq!(told["code"], "redirect_refused");
    assert!(elsewhere.fake.asked().is_empty());
    assert_eq!(place.ledger()[0].spent_usd, None);
}

#[test]
fn a_run_that_is_stopped_settles_what_it_had_sent() {
    let place = canned("x");
    place.settings("first_byte_s = 50");
    place.fake.fail([Some(Fault::Silence)]);
    let args = ["--question", "x", "--model", "m", "--provider", "openai"];
    let started = place.sandbox.start(&tool(), &args, b"");
    let begun = std::time::Instant::now();
    while place.fake.asked().is_empty() {
        assert!(begun.elapsed().as_secs() < 10, "nothing is asked");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    started.signal("TERM");
    assert_eq!(started.finish().code, Some(143));
    let entry = &place.ledger()[0];
    assert!(entry.unconfirmed && entry.spent_usd.is_some(), "{entry:?}");
}
