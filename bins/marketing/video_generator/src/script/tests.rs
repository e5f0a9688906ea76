//! Sentences, pictures and lengths.

use super::*;
use crate::timeline::Timeline;

fn wish(duration: Option<f64>) -> Wish {
    Wish {
        duration,
        aspect: Aspect::Wide,
        fps: Rate::default(),
        crossfade: 0.5,
        music: None,
    }
}

#[test]
fn sentences_end_where_people_end_them() {
    assert_eq!(
        sentences("# Tea, 3.5 grams!\n\n- It costs 4.99 **today**. Really?! Да… Нет\n---\n茶。水。"),
        [
            "Tea, 3.5 grams!",
            "It costs 4.99 today.",
            "Really?!",
            "Да…",
            "Нет",
            "茶。",
            "水。"
        ]
    );
}

#[test]
fn the_length_is_kept_to_the_frame_whatever_there_is_to_show() {
    for (sentences, pictures) in [(1, 0), (7, 3), (2, 9), (40, 0), (0, 5), (3, 3)] {
        let said: Vec<String> = (0..sentences).map(|i| "word ".repeat(i * i % 17 + 1)).collect();
        let shown: Vec<PathBuf> = (0..pictures).map(|i| PathBuf::from(format!("{i}.png"))).collect();
        for seconds in [0.1, 0.5, 1.0, 2.0, 5.0, 12.34, 61.7] {
            let spec = compose(&said, &shown, &wish(Some(seconds)), &mut Vec::new()).unwrap();
            let timeline = Timeline::of(&spec).unwrap();
            assert_eq!(
                timeline.frames,
                (seconds * 30.0).round() as u64,
                "{sentences} {pictures} {seconds}"
            );
        }
        let free = compose(&said, &shown, &wish(None), &mut Vec::new()).unwrap();
        assert_eq!(free.scenes.len(), sentences.max(pictures));
        assert!(Timeline::of(&free).is_ok());
    }
    assert!(compose(&[], &[], &wish(None), &mut Vec::new()).is_err());
}

#[test]
fn no_sentence_is_lost() {
    let said: Vec<String> = (0..11).map(|i| format!("s{i}.")).collect();
    let spec = compose(&said, &[], &wish(Some(4.0)), &mut Vec::new()).unwrap();
    let all: Vec<String> = spec
        .scenes
        .iter()
        .filter_map(|s| Some(s.card.as_ref()?.title.clone()))
        .collect();
    assert_eq!((all.len(), all.join(" ")), (4, said.join(" ")));
}

#[test]
fn pictures_are_taken_as_named_or_by_number() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "shot10.png",
        "shot2.JPG",
        "notes.txt",
        "old.poster.png",
        "a shot.webp",
    ] {
        std::fs::write(dir.path().join(name), b"").unwrap();
    }
    let names = |named: Option<&str>, notes: &mut Vec<String>| -> Vec<String> {
        let found = pictures(dir.path(), named, notes).unwrap();
        found
            .iter()
            .map(|p| p.file_name().unwrap().to_string_lossy().into_owned())
            .collect()
    };
    let mut notes = Vec::new();
    assert_eq!(
        names(None, &mut notes),
        ["a shot.webp", "shot2.JPG", "shot10.png"]
    );
    assert_eq!(
        names(Some("first shot10.png, then `a shot.webp`"), &mut notes),
        ["shot10.png", "a shot.webp"]
    );
    assert!(notes.is_empty(), "{notes:?}");
    assert!(names(Some("gone.png and myshot2.jpg"), &mut notes).is_empty());
    assert_eq!(notes.len(), 3, "{notes:?}");
}
