//! How a page is opened.

use std::path::PathBuf;

use app_core::Secret;
use url::Url;

/// Size of the window that a page sees.
#[derive(Clone, Debug)]
pub struct Viewport {
    /// Width in CSS pixels.
    pub width: u32,
    /// Height in CSS pixels.
    pub height: u32,
    /// Device pixels for each CSS pixel.
    pub scale: f64,
    /// Whether it is a phone or tablet: the page's viewport element counts, and it can be touched.
    pub mobile: bool,
    /// `User-Agent`, where it is not the browser's own.
    pub user_agent: Option<String>,
}

/// Which medium the styles are chosen for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Media {
    /// A screen.
    #[default]
    Screen,
    /// Paper.
    Print,
}

/// A user and password, for the page's own origin.
#[derive(Clone, Debug)]
pub struct Account {
    /// `user:password`.
    pub secret: Secret,
}

/// How a page is opened. Headers, cookies and the account go to the origin of `url` alone.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Address of the page.
    pub url: Url,
    /// Window.
    pub viewport: Viewport,
    /// Medium.
    pub media: Media,
    /// Whether the page is told that dark colours are wanted.
    pub dark: bool,
    /// Whether the page is told that little motion is wanted.
    pub reduced_motion: bool,
    /// Whether the white ground below the page is left out.
    pub omit_background: bool,
    /// Further headers.
    pub headers: Vec<(String, Secret)>,
    /// Cookies.
    pub cookies: Vec<(String, Secret)>,
    /// User and password.
    pub account: Option<Account>,
    /// Folder whose files a `file:` page may show; without it there are none.
    pub files: Option<PathBuf>,
    /// Whether scripts of the page run.
    pub scripts: bool,
    /// Whether the page may reach anything but `files`.
    pub network: bool,
}

impl Setup {
    /// A page of the web in a window of 1280x720.
    pub fn new(url: Url) -> Self {
        Self {
            url,
            viewport: Viewport {
                width: 1280,
                height: 720,
                scale: 1.0,
                mobile: false,
                user_agent: None,
            },
            media: Media::Screen,
            dark: false,
            reduced_motion: false,
            omit_background: false,
            headers: Vec::new(),
            cookies: Vec::new(),
            account: None,
            files: None,
            scripts: true,
            network: true,
        }
    }

    /// The headers for the page's own origin, with the account as one of them.
    pub(crate) fn own_headers(&self) -> Vec<(String, String)> {
        use base64::Engine as _;
        let given = self
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.reveal().to_owned()));
        let account = self.account.as_ref().map(|account| {
            let encoded = base64::engine::general_purpose::STANDARD.encode(account.secret.reveal());
            ("Authorization".to_owned(), format!("Basic {encoded}"))
        });
        given.chain(account).collect()
    }
}
