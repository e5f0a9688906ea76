//! The captions once more, as a file that players show and search: SubRip.

use crate::{rate::Rate, spec::Spec, timeline::Timeline};

/// The captions as SubRip; `None` when there are none. Within a transition a caption gives way in its middle.
pub fn subrip(spec: &Spec, timeline: &Timeline) -> Option<String> {
    let mut cues: Vec<(u64, u64, &str)> = Vec::new();
    for (index, (scene, span)) in spec.scenes.iter().zip(&timeline.spans).enumerate() {
        let from = span.start + span.entry / 2;
        let to = timeline
            .spans
            .get(index + 1)
            .map_or(timeline.frames, |next| next.start + next.entry / 2);
        let text = scene.caption.as_deref().unwrap_or_default().trim();
        if text.is_empty() {
            continue;
        }
        match cues.last_mut() {
            // One sentence over several pictures is one subtitle.
            Some((_, end, last)) if *last == text && *end == from => *end = to,
            _ => cues.push((from, to, text)),
        }
    }
    let written: Vec<String> = cues
        .iter()
        .enumerate()
        .map(|(index, (from, to, text))| {
            // An empty line would end the cue.
            let lines: Vec<&str> = text
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .collect();
            format!(
                "{}\n{} --> {}\n{}\n",
                index + 1,
                clock(*from, spec.fps),
                clock(*to, spec.fps),
                lines.join("\n")
            )
        })
        .collect();
    (!written.is_empty()).then(|| written.join("\n"))
}

fn clock(frame: u64, fps: Rate) -> String {
    let ms = fps.units_of(frame, 1000);
    format!(
        "{:02}:{:02}:{:02},{:03}",
        ms / 3_600_000,
        ms / 60_000 % 60,
        ms / 1000 % 60,
        ms % 1000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cues_follow_each_other_and_stand_as_they_were_written() {
        let text = "fps: 10\nscenes:\n- {color: '#000', duration: 2, caption: \"one --> {x}\\n\\ntwo\"}\n- {color: '#000', duration: 2, caption: same, transition: fade, transition_s: 0.4}\n\
                    - {color: '#111', duration: 1, caption: same}\n- {color: '#111', duration: 1}";
        let spec = Spec::parse(text.as_bytes().to_vec(), "t").unwrap();
        let timeline = Timeline::of(&spec).unwrap();
        assert_eq!(
            subrip(&spec, &timeline).unwrap(),
            "1\n00:00:00,000 --> 00:00:01,800\none --> {x}\ntwo\n\n2\n00:00:01,800 --> 00:00:04,600\nsame\n"
        );
        let silent = Spec::parse(b"scenes: [{color: '#000', duration: 1}]".to_vec(), "t").unwrap();
        assert_eq!(subrip(&silent, &Timeline::of(&silent).unwrap()), None);
    }
}
