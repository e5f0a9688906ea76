//! Links by which a recipient takes himself off the list (RFC 2369, RFC 8058): one for each address, signed, so that
//! nobody takes another off by changing it.

use app_core::contract::Secret;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::hmac;

use crate::{address::Address, book::CampaignKey, letter::Unsubscribe};

/// Octets of the signature that a link carries.
const SIGNATURE: usize = 16;

/// Makes and checks links.
#[derive(Debug)]
pub struct Links {
    base: String,
    key: hmac::Key,
}

/// Why there can be no links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkError {
    /// The page is no `https` address that a header can hold.
    Page,
    /// The secret is shorter than 16 characters.
    Secret,
}

impl std::fmt::Display for LinkError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Page => "the page for unsubscribing is no https:// address",
            Self::Secret => "the secret for unsubscribing is shorter than 16 characters",
        })
    }
}

impl std::error::Error for LinkError {}

impl Links {
    /// Links to a page.
    pub fn new(page: &str, secret: &Secret) -> Result<Self, LinkError> {
        let fits = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"' | '#' | ',');
        if !page.starts_with("https://") || page.len() > 400 || !page.chars().all(fits) {
            return Err(LinkError::Page);
        }
        if secret.reveal().len() < 16 {
            return Err(LinkError::Secret);
        }
        Ok(Self {
            base: page.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes()),
        })
    }

    /// The link of an address.
    pub fn link(&self, campaign: &CampaignKey, address: &Address) -> String {
        let who = URL_SAFE_NO_PAD.encode(address.key());
        let signature = hmac::sign(&self.key, &signed(campaign.as_str(), &who));
        let signature = URL_SAFE_NO_PAD.encode(&signature.as_ref()[..SIGNATURE]);
        let joint = if self.base.contains('?') { '&' } else { '?' };
        format!("{}{joint}c={campaign}&a={who}&s={signature}", self.base)
    }

    /// What a header says; `one_click` only where the header will be signed.
    pub fn header(&self, campaign: &CampaignKey, address: &Address, one_click: bool) -> Unsubscribe {
        Unsubscribe {
            url: self.link(campaign, address),
            one_click,
        }
    }

    /// Whom a link takes off which list: campaign and address as it is compared. `None` when we did not make it.
    pub fn check(&self, link: &str) -> Option<(String, String)> {
        let (_, query) = link.split_once('?')?;
        let value = |name: &str| {
            query
                .split('&')
                .find_map(|pair| pair.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')))
        };
        let (campaign, who, signature) = (
            value("c")?,
            value("a")?,
            URL_SAFE_NO_PAD.decode(value("s")?).ok()?,
        );
        let expected = hmac::sign(&self.key, &signed(campaign, who));
        // In constant time: the first octet that differs must not tell how far a guess went.
        let differences = expected.as_ref()[..SIGNATURE]
            .iter()
            .zip(&signature)
            .fold(signature.len() ^ SIGNATURE, |sum, (a, b)| {
                sum | usize::from(a ^ b)
            });
        if differences != 0 {
            return None;
        }
        let address = String::from_utf8(URL_SAFE_NO_PAD.decode(who).ok()?).ok()?;
        Some((campaign.to_owned(), address))
    }
}

fn signed(campaign: &str, who: &str) -> Vec<u8> {
    format!("unsubscribe\n{campaign}\n{who}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Rules;

    #[test]
    fn a_link_is_good_for_its_address_only() {
        let links = Links::new("https://shop.example/off", &Secret::new("0123456789abcdef")).unwrap();
        let key = CampaignKey::new("spring-1").unwrap();
        let address = |text| Address::parse(text, Rules::default()).unwrap();
        let link = links.link(&key, &address("ina@x.example"));
        assert_eq!(
            links.check(&link),
            Some(("spring-1".to_owned(), "ina@x.example".to_owned()))
        );
        let other = links.link(&key, &address("max@x.example"));
        let signature = link.rsplit("&s=").next().unwrap();
        let forged = format!("{}&s={signature}", other.rsplit_once("&s=").unwrap().0);
        for wrong in [
            forged.as_str(),
            &link[..link.len() - 2],
            "https://shop.example/off",
            &link.replace("c=spring-1", "c=x"),
        ] {
            assert_eq!(links.check(wrong), None, "{wrong}");
        }
        let elsewhere = Links::new("https://shop.example/off", &Secret::new("another secret of 16")).unwrap();
        assert_eq!(elsewhere.check(&link), None);
        assert!(Links::new("http://shop.example/", &Secret::new("0123456789abcdef")).is_err());
        assert!(Links::new("https://shop.example/>", &Secret::new("0123456789abcdef")).is_err());
        assert!(Links::new("https://shop.example/", &Secret::new("short")).is_err());
    }
}
