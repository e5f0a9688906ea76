//! What the provider promises: honest refusals, upright pixels, round trips.

use proptest::prelude::*;

use super::*;
use app_core::ErrorKind;

/// A picture with a different colour in each corner.
fn corners(width: u32, height: u32) -> Pixels {
    Pixels::Rgb(RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([
            if x < width / 2 { 250 } else { 5 },
            if y < height / 2 { 250 } else { 5 },
            (x * 3) as u8,
        ])
    }))
}

fn options() -> EncodeOptions {
    EncodeOptions::default()
}

fn kind_of(bytes: &[u8]) -> (ErrorKind, String) {
    let error = decode(bytes, "x.png", &Limits::default()).unwrap_err();
    (error.kind, error.message)
}

#[test]
fn every_format_survives_a_round_trip() {
    let picture = corners(40, 30);
    for format in [Format::Png, Format::Webp, Format::Bmp, Format::Tiff] {
        let bytes = encode(picture.clone(), format, &options()).unwrap();
        let back = decode(&bytes, "x", &Limits::default()).unwrap();
        assert_eq!(back.format, format);
        assert_eq!(back.pixels, picture, "{format:?}");
    }
    for format in [Format::Jpeg, Format::Gif] {
        let bytes = encode(picture.clone(), format, &options()).unwrap();
        let back = decode(&bytes, "x", &Limits::default()).unwrap();
        assert_eq!(
            (back.format, back.pixels.width(), back.pixels.height()),
            (format, 40, 30)
        );
        let [r, g, ..] = back.pixels.as_bytes()[..] else {
            panic!("no pixels")
        };
        assert!(r > 225 && g > 225, "{format:?} {r} {g}");
    }
}

#[test]
fn a_bomb_is_refused_from_its_header() {
    // A PNG header that promises 30000x30000 and has no pixels at all: refusing it needs no decoding.
    let mut png = encode(corners(4, 4), Format::Png, &options()).unwrap();
    png[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let crc = crc32(&png[12..29]);
    png[29..33].copy_from_slice(&crc.to_be_bytes());
    let (kind, message) = kind_of(&png);
    assert_eq!(kind, ErrorKind::InvalidInput);
    assert_eq!(
        message,
        "`x.png` is too large: 30000x30000 is 900 megapixels, the limit is 100"
    );
}

/// CRC of PNG (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| {
            if c & 1 == 1 {
                (c >> 1) ^ 0xedb8_8320
            } else {
                c >> 1
            }
        })
    })
}

#[test]
fn an_animation_counts_all_its_frames() {
    let gif = encode(corners(100, 100), Format::Gif, &options()).unwrap();
    // Repeat the one frame: everything between the header with its table and the trailer.
    let start = gif.windows(3).position(|w| w == [0x21, 0xf9, 4]).unwrap();
    let frame = gif[start..gif.len() - 1].to_vec();
    let mut many = gif[..start].to_vec();
    (0..50).for_each(|_| many.extend_from_slice(&frame));
    many.push(0x3b);
    assert_eq!(decode(&many, "x", &Limits::default()).unwrap().frames, 50);
    let tight = Limits {
        max_pixels: 400_000,
        ..Limits::default()
    };
    let error = decode(&many, "x.gif", &tight).unwrap_err();
    assert!(error.message.contains("100x100, 50 frames"), "{}", error.message);
}

#[test]
fn wrong_content_is_named_for_what_it_is() {
    assert_eq!(kind_of(b"").1, "`x.png` is empty");
    assert_eq!(kind_of(b"hello world, not an image").1, "`x.png` is not an image");
    assert_eq!(
        kind_of(b"\0\0\0\x20ftypavif\0\0\0\0").1,
        "cannot read `x.png`: AVIF is not supported by this build"
    );
    for format in [
        Format::Png,
        Format::Jpeg,
        Format::Gif,
        Format::Webp,
        Format::Bmp,
        Format::Tiff,
    ] {
        let whole = encode(corners(64, 64), format, &options()).unwrap();
        let (kind, message) = kind_of(&whole[..whole.len() / 2]);
        assert_eq!(kind, ErrorKind::InvalidInput, "{format:?}");
        assert!(
            message.contains("cannot decode `x.png` as"),
            "{format:?}: {message}"
        );
    }
}

/// A JPEG whose EXIF says that it has to be turned.
fn turned_jpeg(orientation: u8) -> Vec<u8> {
    let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0]);
    encode(
        corners(40, 20),
        Format::Jpeg,
        &EncodeOptions {
            metadata: Metadata {
                exif: Some(exif),
                ..Metadata::default()
            },
            ..options()
        },
    )
    .unwrap()
}

#[test]
fn orientation_is_applied_and_then_forgotten() {
    let picture = decode(&turned_jpeg(6), "x", &Limits::default()).unwrap();
    assert_eq!((picture.pixels.width(), picture.pixels.height()), (20, 40));
    // Stored top left is shown top right.
    let rgb = picture.pixels.into_rgb(Color::BLACK);
    assert!(rgb.get_pixel(18, 1)[0] > 200 && rgb.get_pixel(18, 1)[1] > 200);
    let again = encode(
        Pixels::Rgb(rgb),
        Format::Jpeg,
        &EncodeOptions {
            metadata: picture.metadata,
            ..options()
        },
    )
    .unwrap();
    let again = decode(&again, "x", &Limits::default()).unwrap();
    assert_eq!((again.pixels.width(), again.pixels.height()), (20, 40));
}

#[test]
fn stripping_keeps_every_pixel_and_the_orientation() {
    let bytes = turned_jpeg(8);
    let picture = decode(&bytes, "x", &Limits::default()).unwrap();
    let stripped = strip_metadata(&bytes, picture.format).unwrap();
    let back = decode(&stripped, "x", &Limits::default()).unwrap();
    assert_eq!(back.pixels, picture.pixels);

    let upright = turned_jpeg(1);
    let picture = decode(&upright, "x", &Limits::default()).unwrap();
    let stripped = strip_metadata(&upright, picture.format).unwrap();
    assert!(!stripped.windows(4).any(|w| w == b"Exif"));
    assert_eq!(
        decode(&stripped, "x", &Limits::default()).unwrap().pixels,
        picture.pixels
    );
}

#[test]
fn transparency_does_not_bleed_when_scaled() {
    // Fully transparent green beside opaque red: the result must hold no green.
    let image = RgbaImage::from_fn(40, 40, |x, _| {
        if x < 20 {
            image::Rgba([0, 255, 0, 0])
        } else {
            image::Rgba([255, 0, 0, 255])
        }
    });
    let small = resize(&Pixels::Rgba(image), 10, 10, Filter::Lanczos3)
        .unwrap()
        .into_rgba();
    assert!(small.pixels().all(|p| p[3] < 8 || p[1] < 8), "{small:?}");
}

#[test]
fn colours_are_read_in_the_usual_ways() {
    assert_eq!("#f00".parse::<Color>().unwrap().rgba(), [255, 0, 0, 255]);
    assert_eq!("0080ff40".parse::<Color>().unwrap().rgba(), [0, 128, 255, 64]);
    assert_eq!(Color::new([1, 2, 3, 255]).to_string(), "#010203");
    assert!("#12".parse::<Color>().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), magic in 0usize..7) {
        let start: &[u8] = [&b""[..], b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"BM", b"II*\0"][magic];
        let mut all = start.to_vec();
        all.extend_from_slice(&bytes);
        let _ = decode(&all, "x", &Limits { max_memory: 1 << 24, ..Limits::default() });
    }

    #[test]
    fn damaged_pictures_never_panic(format in 0usize..6, cut in 0usize..100, at in 0usize..100, flip in any::<u8>()) {
        let format = [Format::Png, Format::Jpeg, Format::Gif, Format::Webp, Format::Bmp, Format::Tiff][format];
        let mut bytes = encode(corners(24, 24), format, &options()).unwrap();
        let spot = bytes.len() * at / 100;
        bytes[spot] ^= flip;
        bytes.truncate(bytes.len() * (100 - cut) / 100);
        if let Ok(picture) = decode(&bytes, "x", &Limits { max_memory: 1 << 26, ..Limits::default() }) {
            let _ = strip_metadata(&bytes, picture.format);
        }
    }

    #[test]
    fn any_size_can_be_scaled_to_any_other(w in 1u32..60, h in 1u32..60, tw in 1u32..60, th in 1u32..60) {
        let scaled = resize(&corners(w, h), tw, th, Filter::Lanczos3).unwrap();
        prop_assert_eq!((scaled.width(), scaled.height()), (tw, th));
    }
}
