//! XMP packets (ISO 16684-1): taking out what shows or points to other pictures than the one being written.

/// Names, in any namespace, of properties that hold pictures or describe stored pixels.
const NAMES: [&str; 8] = [
    "Thumbnails",
    "HasExtendedXMP",
    "Orientation",
    "ImageWidth",
    "ImageLength",
    "PixelXDimension",
    "PixelYDimension",
    "PreviewImage",
];

/// Namespaces whose properties speak of further pictures, videos or depth maps in the file, which are not written.
const NAMESPACES: [&str; 7] = [
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.google.com/photos/1.0/container/",
    "http://ns.google.com/photos/1.0/camera/",
    "http://ns.google.com/photos/1.0/depthmap/",
    "http://ns.google.com/photos/1.0/image/",
    "http://ns.google.com/photos/1.0/audio/",
    "http://ns.google.com/photos/dd/1.0/device/",
];

/// The packet without them. `None` when it is not well-formed, too large, or still holds a picture: then it cannot be trusted.
pub(crate) fn cleaned(packet: &[u8]) -> Option<Vec<u8>> {
    if packet.len() > 1 << 20 {
        return None;
    }
    let text = std::str::from_utf8(packet).ok()?.trim_end_matches('\0');
    let text = text.trim_start_matches('\u{feff}');
    let document = roxmltree::Document::parse(text).ok()?;
    let mut cuts: Vec<std::ops::Range<usize>> = Vec::new();
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name();
        if unwanted(name.name(), name.namespace()) {
            cuts.push(node.range());
        }
        for attribute in node.attributes().filter(|a| unwanted(a.name(), a.namespace())) {
            cuts.push(attribute.range());
        }
    }
    cuts.sort_by_key(|cut| (cut.start, std::cmp::Reverse(cut.end)));
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for cut in cuts {
        if cut.start >= at {
            out.push_str(text.get(at..cut.start)?);
            at = cut.end;
        }
    }
    out.push_str(text.get(at..)?);
    // Base64 of the first bytes of a JPEG and of a PNG.
    let holds_a_picture = out.contains("/9j/") || out.contains("iVBOR");
    (!holds_a_picture && roxmltree::Document::parse(&out).is_ok()).then(|| out.into_bytes())
}

fn unwanted(name: &str, namespace: Option<&str>) -> bool {
    NAMES.contains(&name) || namespace.is_some_and(|n| NAMESPACES.contains(&n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_and_pointers_go_and_rights_stay() {
        let packet = r#"<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"><dc:rights>Mine</dc:rights><xmp:Thumbnails><rdf:Alt><rdf:li>/9j/4AAQ</rdf:li></rdf:Alt></xmp:Thumbnails></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"#;
        let out = String::from_utf8(cleaned(packet.as_bytes()).unwrap()).unwrap();
        assert!(
            out.contains("Mine") && !out.contains("/9j/") && !out.contains("Orientation"),
            "{out}"
        );
        assert!(cleaned(b"<broken").is_none());
        assert!(cleaned(b"<a>/9j/AAAA</a>").is_none());
    }
}
