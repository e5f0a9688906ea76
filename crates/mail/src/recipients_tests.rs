//! Lists as they come from spreadsheets, and lists that want to be something else.

use super::*;

fn read(bytes: &[u8]) -> Recipients {
    Recipients::read(bytes, Reading::default()).unwrap()
}

fn told(list: &Recipients) -> Vec<String> {
    let all = list.all.iter();
    all.map(|r| {
        format!("{} {} {}", r.line, r.mailbox.address, r.mailbox.name.as_str())
            .trim_end()
            .to_owned()
    })
    .collect()
}

#[test]
fn a_list_from_a_spreadsheet() {
    let list = read(include_bytes!(
        "../../../fixtures/mail/csv-from-excel/recipients.csv"
    ));
    assert_eq!(
        told(&list),
        [
            "2 ina@quillmoss.example Вебер; Ина",
            "4 olga@xn--bcher-kva.example Ольга вторая строка",
            "7 max@quillmoss.example Max \"M\"",
            "10 max+tag@quillmoss.example Max tag"
        ]
    );
    assert_eq!(list.all[0].data["Город"], "Bonn");
    let skipped: Vec<_> = list.skipped.iter().map(|s| (s.line, s.why)).collect();
    assert_eq!(
        skipped,
        [
            (3, Why::Duplicate),
            (6, Why::Empty),
            (8, Why::Duplicate),
            (9, Why::Invalid)
        ]
    );
    assert!(list.skipped[2].message.contains("line 4"));
    assert_eq!(list.read_as, "CSV, UTF-8, separated by `;`");
}

#[test]
fn hostile_recipients_are_refused_with_their_field() {
    let list = read(include_bytes!(
        "../../../fixtures/mail/header-injection/recipients.json"
    ));
    let refused: Vec<_> = list
        .skipped
        .iter()
        .map(|s| (s.line, s.field.as_deref().unwrap_or_default()))
        .collect();
    assert_eq!(
        refused,
        // 8 and 11 are the address of 3, so they are duplicates of it here; each alone is taken, see below.
        [
            (1, "name"),
            (2, "to"),
            (4, "to"),
            (5, "to"),
            (7, "to"),
            (8, "to"),
            (9, "to"),
            (10, "to"),
            (11, "to"),
            (12, "to")
        ]
    );
    assert!(
        list.skipped
            .iter()
            .any(|s| s.line == 10 && s.message.contains("SMTPUTF8"))
    );
    assert!(
        list.skipped
            .iter()
            .any(|s| s.line == 12 && s.message.contains("--allow-local"))
    );
    assert_eq!(
        told(&list),
        [
            "3 ina@quillmoss.example Weber, Ina \"I\"",
            "6 \"a b\"@quillmoss.example"
        ]
    );
    let rows: Vec<Value> = serde_json::from_slice(include_bytes!(
        "../../../fixtures/mail/header-injection/recipients.json"
    ))
    .unwrap();
    let alone: Vec<usize> = (0..rows.len())
        .filter(|at| {
            let text = |key: &str| rows[*at][key].as_str().unwrap().to_owned();
            !Recipients::one(&text("to"), &text("name"), Rules::default())
                .all
                .is_empty()
        })
        .map(|at| at + 1)
        .collect();
    assert_eq!(alone, [3, 6, 8, 11]);
}

#[test]
fn encodings_are_found_or_asked_for() {
    let text = "email,имя\nина@x.example,Инна\nina@x.example,Инна\n";
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read(&utf16).all[0].data["имя"], "Инна");
    let (old, _, _) = encoding_rs::WINDOWS_1251.encode(text);
    let error = Recipients::read(&old, Reading::default()).unwrap_err();
    assert_eq!(error.code, "encoding_unknown");
    let reading = Reading {
        encoding: Some("windows-1251"),
        ..Reading::default()
    };
    assert_eq!(
        Recipients::read(&old, reading).unwrap().all[0]
            .mailbox
            .name
            .as_str(),
        "Инна"
    );
    let wrong = Reading {
        encoding: Some("utf-8"),
        ..Reading::default()
    };
    assert!(Recipients::read(&old, wrong).is_err());
    assert!(
        Recipients::read(b"a,b\n1,2\n", Reading::default())
            .unwrap_err()
            .code
            == "no_address_column"
    );
    let by_name = Reading {
        column: Some("b"),
        ..Reading::default()
    };
    assert_eq!(
        Recipients::read(b"a\tb\nx\tina@x.example\n", by_name)
            .unwrap()
            .all
            .len(),
        1
    );
}
