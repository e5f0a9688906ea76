//! What is sent to whom, and what is said before anything is sent.

use serde_json::{Value, json};
use testkit::images::{Scene, png};

use crate::town::{Town, error, usd};

#[test]
fn every_provider_is_asked_in_its_own_way() {
    let town = Town::new(Vec::new());
    for provider in ["openai", "gemini", "stability", "automatic1111"] {
        let name = format!("{provider}.png");
        let output = town
            .generate(&["-p", provider, "--size", "1536x864", "-o", &name, "--seed", "7"])
            .expect_code(0)
            .json();
        assert_eq!(output["images"][0]["provider"], provider, "{output}");
        let found = image::open(town.sandbox.path(&name)).unwrap();
        assert_eq!(
            found.width(),
            output["images"][0]["width"].as_u64().unwrap() as u32
        );
    }
    let asked = town.services.asked();
    assert!(asked.iter().all(|asked| asked.refused.is_none()), "{asked:?}");
    let [openai, gemini, stability, webui] = &asked[..] else {
        panic!("{} requests", asked.len())
    };
    assert_eq!(
        openai.json,
        json!({"model": "gpt-image-2", "prompt": "A red teapot", "n": 1, "size": "1536x864", "quality": "medium",
               "output_format": "png"})
    );
    assert_eq!(
        openai.header("authorization"),
        Some("Bearer canary-OPENAI_API_KEY")
    );
    assert_eq!(gemini.path, "/v1/models/gemini-3.1-flash-image:generateContent");
    assert_eq!(
        gemini.json["generationConfig"]["responseModalities"],
        json!(["TEXT", "IMAGE"])
    );
    assert_eq!(gemini.json["generationConfig"]["seed"], 7);
    assert_eq!(stability.header("accept"), Some("image/*"));
    assert_eq!(
        (
            stability.field("aspect_ratio").as_str(),
            stability.field("seed").as_str()
        ),
        ("16:9", "7")
    );
    assert_eq!(
        (&webui.json["width"], &webui.json["height"]),
        (&json!(1536), &json!(864))
    );
}

#[test]
fn references_and_masks_go_along() {
    let town = Town::new(Vec::new());
    town.sandbox.file("room.png", png(64, 48));
    town.sandbox.file("cup.jpg", testkit::images::JPEG);
    town.sandbox.file("mask.png", png(64, 48));
    let both = ["--reference", "room.png", "--mask", "mask.png"];
    let more = ["--references", "cup.jpg"];
    town.generate(&[&["-p", "openai"][..], &both, &more].concat())
        .expect_code(0);
    town.generate(&[&["-p", "automatic1111"][..], &both].concat())
        .expect_code(0);
    town.generate(&[&["-p", "gemini", "--reference", "room.png"][..], &more].concat())
        .expect_code(0);
    let ultra = [
        "-p",
        "stability",
        "--model",
        "stable-image-ultra",
        "--reference",
        "room.png",
        "--strength",
        "0.4",
    ];
    town.generate(&ultra).expect_code(0);
    let asked = town.services.asked();
    assert!(asked.iter().all(|asked| asked.refused.is_none()), "{asked:?}");
    let names: Vec<&str> = asked[0].form.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(asked[0].path, "/v1/images/edits");
    assert_eq!(names[6..], ["image[]", "image[]", "mask"]);
    assert_eq!(asked[0].form[6].bytes, png(64, 48));
    // The names of the user's files are nobody's business.
    assert_eq!(asked[0].form[7].file_name.as_deref(), Some("picture.jpg"));
    assert!(asked[1].path.ends_with("img2img"));
    assert_eq!(asked[2].json["contents"][0]["parts"].as_array().unwrap().len(), 3);
    assert_eq!(
        (asked[3].path.as_str(), asked[3].field("strength").as_str()),
        ("/v2beta/stable-image/generate/ultra", "0.4")
    );
    let sidecar = town.json("a-red-teapot_1.json");
    let hash = app_core::files::sha256(&png(64, 48));
    assert_eq!(sidecar["references"][0]["sha256"], Value::String(hash));
    assert_eq!(sidecar["references"][2]["role"], "mask");
}

#[test]
fn a_sidecar_says_what_was_sent_and_what_it_cost() {
    let town = Town::new(Vec::new());
    let args = [
        "-p",
        "openai",
        "--size",
        "1080x1080",
        "--negative-prompt",
        "people",
        "-o",
        "t.png",
    ];
    let output = town.generate(&args).expect_code(0).json();
    // 20 tokens of text and 1056 of the picture.
    assert_eq!(output["cost_usd"], 0.03178);
    let warnings = output["warnings"].to_string();
    assert!(
        warnings.contains("openai makes 1088x1088, not 1080x1080"),
        "{warnings}"
    );
    assert!(warnings.contains("knows no negative prompt"), "{warnings}");
    let sidecar = town.json("t.json");
    for (key, value) in [
        ("provider", json!("openai")),
        ("model", json!("gpt-image-2")),
        ("prompt_sent", json!("A red teapot")),
        ("asked_size", json!("1080x1080")),
        ("width", json!(1088)),
        ("request_id", json!("req_0123456789")),
        ("cost_usd", json!(0.03178)),
        ("seed", Value::Null),
    ] {
        assert_eq!(sidecar[key], value, "{key}");
    }
    assert_eq!(sidecar["usage"]["output_tokens"], 1056);
    let entry = &town.ledger()[0];
    assert_eq!(
        (entry.what.as_str(), entry.spent_usd),
        ("openai: gpt-image-2", Some(usd("0.03178")))
    );
    assert!(
        entry.reserved_usd > usd("0.05"),
        "set aside by the upper bound: {entry:?}"
    );
}

#[test]
fn wrong_input_costs_nothing_and_names_its_field() {
    let town = Town::new(Vec::new());
    town.sandbox.file(
        "pic.gif",
        b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;",
    );
    town.sandbox.file("room.png", png(64, 48));
    town.sandbox.file("small.png", png(8, 8));
    town.sandbox
        .file("huge.png", [png(64, 48), vec![0; 21 << 20]].concat());
    for (args, code, needle) in [
        (
            &["-p", "openai", "--reference", "pic.gif"][..],
            2,
            "PNG, JPEG and WebP",
        ),
        (
            &["-p", "openai", "--reference", "huge.png"],
            2,
            "larger than 20 MB",
        ),
        (&["-p", "openai", "--reference", "absent.png"], 66, "absent.png"),
        (
            &["-p", "openai", "--reference", "room.png", "--mask", "small.png"],
            2,
            "64x48, not 8x8",
        ),
        (
            &["-p", "openai", "--mask", "room.png"],
            2,
            "there is no reference",
        ),
        (
            &[
                "--providers",
                "gemini,stability",
                "--reference",
                "room.png",
                "--mask",
                "room.png",
            ],
            2,
            "takes no mask",
        ),
        (
            &["-p", "stability", "--reference", "room.png"],
            2,
            "takes no reference",
        ),
        (&["-p", "stability", "--seed", "4294967295"], 2, "4294967294"),
        (&["-p", "gemini", "-n", "11"], 2, "at most 10"),
        (
            &["-p", "openai", "--model", "gpt-image-1"],
            2,
            "sold until 2026-10-22",
        ),
        (
            &["-p", "openai", "--model", "gpt-image-99"],
            2,
            "no price is known",
        ),
        (&["--providers", "openai,opneai"], 2, "not a provider"),
        (
            &["--providers", "openai,gemini", "--model", "gpt-image-2"],
            2,
            "exactly one provider",
        ),
        (&["-p", "openai", "-o", "a.gif"], 2, ".png, .jpg or .webp"),
        (
            &["-p", "canvas", "--references", "room.png"],
            2,
            "a card has no references",
        ),
    ] {
        let finished = town.generate(args).expect_code(code);
        assert!(finished.stderr.contains(needle), "{args:?}: {}", finished.stderr);
    }
    assert!(town.services.asked().is_empty() && town.ledger().is_empty());
}

#[test]
fn an_address_in_the_answer_is_fetched_and_only_from_where_it_may_lie() {
    let at = |url: String| Scene::Json(200, json!({"created": 1, "data": [{"url": url}]}));
    let other = testkit::ImageServices::start(Vec::new()).unwrap();
    let foreign = at(format!("{}/file.png", other.url()));
    let town = Town::new(vec![foreign]);
    let told = error(&town.generate(&["-p", "openai"]).expect_code(69));
    assert_eq!(told["code"], "picture_address_refused");
    assert!(
        other.asked().is_empty(),
        "a private address of somebody else was asked"
    );
}
