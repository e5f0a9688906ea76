//! Whole documents, read back.

use serde_json::{Value, json};

use super::*;
use crate::export::{Format, samples};
use crate::model::{MarkedId, PeerFlags};

fn conversation() -> Value {
    let mut renderer = Format::Json.renderer(Options::default());
    let mut out = Vec::new();
    let all = samples::conversation();
    renderer.begin(&mut out, &samples::header(all.len())).unwrap();
    for (message, attachment) in &all {
        renderer.message(&mut out, message, attachment.as_ref()).unwrap();
    }
    renderer.end(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("\\u2028") && !text.contains('\u{2028}'));
    assert!(
        text.contains("\\u0007"),
        "control characters are escaped as JSON wants"
    );
    serde_json::from_str(&text).unwrap()
}

fn message(document: &Value, id: i64) -> &Value {
    let messages = document["messages"].as_array().unwrap();
    messages.iter().find(|message| message["id"] == id).unwrap()
}

#[test]
fn the_head_is_that_of_a_single_chat() {
    let document = conversation();
    assert_eq!(document["name"], "Demo group");
    assert_eq!(document["type"], "private_supergroup");
    assert_eq!(document["id"], 1002);
    let mut header = samples::header(0);
    header.chat.flags = PeerFlags {
        is_self: true,
        ..PeerFlags::default()
    };
    header.chat.kind = crate::model::ChatKind::User;
    header.chat.id = MarkedId(500);
    let empty: Value = serde_json::from_str(&samples::rendered(Format::Json, &header, &[])).unwrap();
    assert_eq!(
        empty,
        json!({"type": "saved_messages", "id": 500, "messages": []})
    );
}

#[test]
fn the_layout_is_the_one_telegram_desktop_has() {
    let text = samples::rendered(Format::Json, &samples::header(1), &[samples::text(1, "a \"b\"")]);
    assert_eq!(
        text,
        "{\n \"name\": \"Demo group\",\n \"type\": \"private_supergroup\",\n \"id\": 1002,\n \"messages\": [\n  {\n   \"id\": 1,\n   \
         \"type\": \"message\",\n   \"date\": \"2025-01-02T03:04:01\",\n   \"date_unixtime\": \"1735787041\",\n   \
         \"from\": \"Alice Doe\",\n   \"from_id\": \"user111\",\n   \"text\": \"a \\\"b\\\"\",\n   \"text_entities\": [\n    {\n     \
         \"type\": \"plain\",\n     \"text\": \"a \\\"b\\\"\"\n    }\n   ]\n  }\n ]\n}\n"
    );
}

#[test]
fn dates_follow_the_time_zone_and_unix_times_do_not() {
    let options = Options {
        time_zone: TimeZone::fixed(jiff::tz::offset(3)),
        ..Options::default()
    };
    let text = samples::rendered_with(
        Format::Json,
        options,
        &samples::header(1),
        &[samples::text(1, "a")],
    );
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["messages"][0]["date"], "2025-01-02T06:04:01");
    assert_eq!(document["messages"][0]["date_unixtime"], "1735787041");
}

#[test]
fn text_is_a_string_or_a_row_and_its_parts_always_stand_in_text_entities() {
    let document = conversation();
    let formatted = message(&document, 2);
    assert_eq!(
        formatted["text"][0],
        json!({"type": "custom_emoji", "text": "🦊", "document_id": "5368324170671202286"})
    );
    assert_eq!(
        formatted["text"][2],
        json!({"type": "bold", "text": "Welcome everybody here!"})
    );
    assert_eq!(message(&document, 4)["text"], "И ещё одно сообщение подряд");
    assert_eq!(message(&document, 10)["text_entities"], json!([]));
}

#[test]
fn service_entries_have_actor_action_and_what_it_did() {
    let document = conversation();
    let created = message(&document, 1);
    assert_eq!(created["type"], "service");
    assert_eq!(created["actor_id"], "user111");
    assert_eq!(created["members"], json!(["Alice Doe", "Борис"]));
    assert_eq!(created["text"], "");
    let pinned = message(&document, 24);
    assert_eq!(
        (&pinned["action"], &pinned["message_id"]),
        (&json!("pin_message"), &json!(2))
    );
}

#[test]
fn files_that_are_not_there_have_their_sentinel() {
    let document = conversation();
    let photo = message(&document, 7);
    assert_eq!(
        photo["photo"],
        "(File not included. Change data exporting settings to download.)"
    );
    assert_eq!(photo["photo_file_size"], 183_204);
    let video = message(&document, 12);
    assert_eq!(video["media_type"], "video_file");
    assert_eq!(video["duration_seconds"], 74);
    assert_eq!(video["file_name"], "walk <1>.mp4");
    assert!(message(&document, 14).get("media_type").is_none());
    let message = samples::photo(1, "");
    let text = text::Text::new("", &[]);
    let sent = |attachment: &Attachment| {
        let fields = message::object(&message, &text, "", Some(attachment), &TimeZone::UTC);
        serde_json::to_value(fields).unwrap()["photo"].clone()
    };
    let stored = Attachment::Stored {
        path: "photos/1.jpg".to_owned(),
        thumbnail: None,
    };
    assert_eq!(sent(&stored), "photos/1.jpg");
    assert!(
        sent(&Attachment::TooLarge)
            .as_str()
            .unwrap()
            .contains("exceeds maximum size")
    );
}

#[test]
fn polls_places_contacts_reactions_and_the_missing_fields() {
    let document = conversation();
    assert_eq!(
        message(&document, 10)["poll"]["answers"][0],
        json!({"text": "The lake", "voters": 5, "chosen": true})
    );
    assert_eq!(
        message(&document, 18)["location_information"],
        json!({"latitude": 55.75, "longitude": 37.61})
    );
    assert_eq!(message(&document, 19)["place_name"], "Corner café");
    assert_eq!(
        message(&document, 20)["contact_information"]["phone_number"],
        "10000000000"
    );
    let forwarded = message(&document, 22);
    assert_eq!(forwarded["forwarded_from"], "Demo news");
    assert_eq!(forwarded["forwarded_from_id"], "channel9001");
    assert_eq!(
        (&forwarded["views"], &forwarded["forwards"]),
        (&json!(12_345), &json!(6))
    );
    assert_eq!(forwarded["edited_unixtime"], "1735790400");
    assert_eq!(message(&document, 23)["from"], Value::Null);
    assert_eq!(message(&document, 8)["grouped_id"], "13579246801357924");
    let own = message(&document, 26);
    assert_eq!(
        (&own["topic_id"], &own["reply_to_message_id"]),
        (&json!(25), &json!(25))
    );
    assert_eq!(
        own["reactions"],
        json!([
            {"type": "emoji", "count": 1, "emoji": "🔥", "recent": [
                {"from": "Борис", "from_id": "user112", "date": "2025-01-02T03:30:00"}]},
            {"type": "custom_emoji", "count": 3, "document_id": "42"},
            {"type": "paid", "count": 5},
        ])
    );
}
