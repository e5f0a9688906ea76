//! A social media post and its design specification, with the rules a finished post must keep.

use app_core::{ToolError, ToolResult};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};
use url::Url;

/// Longest text of a post; Facebook takes longer ones.
const MAX_TEXT: usize = 2_200;
const MAX_TEXT_FACEBOOK: usize = 63_206;
/// Most hashtags of a post.
const MAX_HASHTAGS: usize = 30;
/// Most images of a post on Instagram.
const MAX_IMAGES_INSTAGRAM: usize = 10;
/// Longest alternative text.
const MAX_ALT_TEXT: usize = 1_000;

/// A post.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Post {
    /// Platform, for example `instagram`.
    pub platform: String,
    /// Text in Markdown.
    pub text_content: String,
    /// Images; a post has either images or a video.
    #[serde(default)]
    pub image_paths: Option<Vec<String>>,
    /// Video; a post has either images or a video.
    #[serde(default)]
    pub video_path: Option<String>,
    /// Hashtags without `#`.
    #[serde(default)]
    pub hashtags: Vec<String>,
    /// Accounts mentioned.
    #[serde(default)]
    pub mentions: Vec<String>,
    /// Call to action.
    #[serde(default)]
    pub call_to_action_text: Option<String>,
    /// Address of the call to action.
    #[serde(default)]
    pub call_to_action_url: Option<String>,
    /// Place (Instagram).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_tag: Option<String>,
    /// Alternative text of the images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt_text: Option<String>,
    /// Address whose preview is shown (Facebook).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_preview_url: Option<String>,
    /// When it is to be published (Facebook).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled_publish_time: Option<Value>,
}

impl Post {
    /// Whether the post has images; an empty list counts as none.
    pub fn has_images(&self) -> bool {
        self.image_paths.as_ref().is_some_and(|paths| !paths.is_empty())
    }

    /// Fails with the first rule the post breaks.
    pub fn check(&self) -> ToolResult<()> {
        let platform = self.platform.to_ascii_lowercase();
        let longest = if platform == "facebook" {
            MAX_TEXT_FACEBOOK
        } else {
            MAX_TEXT
        };
        let wrong = |field: &str, message: String| Err(ToolError::invalid(format!("post.{field}"), message));
        if platform.trim().is_empty() {
            return wrong("platform", "a post needs a platform".to_owned());
        }
        let length = self.text_content.chars().count();
        if length > longest {
            return wrong(
                "text_content",
                format!("the text has {length} characters, at most {longest} are allowed"),
            );
        }
        if self.hashtags.len() > MAX_HASHTAGS {
            let count = self.hashtags.len();
            return wrong(
                "hashtags",
                format!("{count} hashtags, at most {MAX_HASHTAGS} are allowed"),
            );
        }
        let images = self.image_paths.as_ref().map_or(0, Vec::len);
        if platform == "instagram" && images > MAX_IMAGES_INSTAGRAM {
            let text = format!("{images} images, at most {MAX_IMAGES_INSTAGRAM} are allowed on Instagram");
            return wrong("image_paths", text);
        }
        if self
            .alt_text
            .as_ref()
            .is_some_and(|text| text.chars().count() > MAX_ALT_TEXT)
        {
            return wrong(
                "alt_text",
                format!("the alternative text is longer than {MAX_ALT_TEXT} characters"),
            );
        }
        for (field, url) in [
            ("call_to_action_url", &self.call_to_action_url),
            ("link_preview_url", &self.link_preview_url),
        ] {
            if let Some(url) = url
                && !is_web_address(url)
            {
                return wrong(field, format!("`{url}` is not an http or https address"));
            }
        }
        match (self.has_images(), self.video_path.is_some()) {
            (false, false) => wrong(
                "image_paths",
                "a post must have either an image or a video".to_owned(),
            ),
            (true, true) => wrong(
                "video_path",
                "a post cannot have both images and a video".to_owned(),
            ),
            _ => Ok(()),
        }
    }
}

/// Whether a text is an http(s) address.
pub fn is_web_address(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// What a picture or video shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaType {
    /// A picture.
    #[default]
    Image,
    /// A video.
    Video,
}

/// A design specification. Fields are written in this order.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct DesignSpec {
    /// Concept.
    pub overall_visual_concept: String,
    /// Picture or video.
    #[serde(default)]
    pub media_type: MediaType,
    /// Prompt of the picture.
    #[serde(default)]
    pub image_prompt: Option<String>,
    /// Script of the video.
    #[serde(default)]
    pub video_script: Option<String>,
    /// Style of the video.
    #[serde(default)]
    pub video_style: Option<String>,
    /// Length of the video.
    #[serde(default)]
    pub video_duration_seconds: Option<Number>,
    /// What the video shows.
    #[serde(default)]
    pub video_assets_description: Option<String>,
    /// Colours.
    pub color_palette: Vec<String>,
    /// Type.
    pub typography: String,
    /// Layout.
    pub layout_guidance: String,
    /// Why it is so.
    pub ml_reasoning: String,
    /// A change that the designer proposes.
    #[serde(default)]
    pub proposed_design_change: Option<String>,
}

/// The title of a report: the first line of the goal that is no heading.
pub fn title_of(goal: Option<&str>) -> String {
    let lines = goal.unwrap_or("").lines().map(str::trim);
    let line = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .next();
    line.unwrap_or_else(|| "Untitled Campaign".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post() -> Post {
        Post {
            platform: "instagram".into(),
            image_paths: Some(vec!["a.png".into()]),
            ..Post::default()
        }
    }

    fn fault(change: impl FnOnce(&mut Post)) -> String {
        let mut changed = post();
        change(&mut changed);
        changed
            .check()
            .map_or_else(|error| error.field_paths[0].clone(), |()| "none".to_owned())
    }

    #[test]
    fn each_rule_names_its_field() {
        assert_eq!(fault(|_| ()), "none");
        assert_eq!(fault(|p| p.image_paths = None), "post.image_paths");
        assert_eq!(fault(|p| p.image_paths = Some(vec![])), "post.image_paths");
        assert_eq!(fault(|p| p.video_path = Some("v.mp4".into())), "post.video_path");
        assert_eq!(
            fault(|p| p.image_paths = Some(vec!["x".into(); 11])),
            "post.image_paths"
        );
        assert_eq!(fault(|p| p.hashtags = vec!["x".into(); 31]), "post.hashtags");
        assert_eq!(fault(|p| p.text_content = "я".repeat(2201)), "post.text_content");
        assert_eq!(
            fault(|p| p.call_to_action_url = Some("javascript:x".into())),
            "post.call_to_action_url"
        );
        let long = |p: &mut Post| {
            p.platform = "Facebook".into();
            p.text_content = "x".repeat(60_000);
        };
        assert_eq!(fault(long), "none");
    }

    #[test]
    fn the_title_is_the_first_line_that_is_no_heading() {
        assert_eq!(
            title_of(Some("# Campaign Goal\n\nПродвинуть новинку")),
            "Продвинуть новинку"
        );
        assert_eq!(title_of(Some("Spring goal\n\nmore")), "Spring goal");
        assert_eq!(title_of(Some("# Campaign Goal\n")), "Untitled Campaign");
        assert_eq!(title_of(None), "Untitled Campaign");
    }
}
