//! What is said of two pictures.

use raster::RgbaImage;

use super::*;

fn tolerance() -> Tolerance {
    Tolerance {
        threshold: 0.1,
        allow_pixels: 0,
        count_smoothing: false,
    }
}

/// A page of lines that all differ.
fn page(width: u32, height: u32, down: u32) -> RgbaImage {
    RgbaImage::from_fn(width, height, |x, y| {
        let line = y.saturating_sub(down);
        let ink = y >= down && line % 20 < 8 && x > 10 && (x * 7 + line / 20 * 13) % 11 < 5;
        image(if ink {
            [20, 20, 20, 255]
        } else {
            [255, 255, 255, 255]
        })
    })
}

fn image(pixel: [u8; 4]) -> image::Rgba<u8> {
    image::Rgba(pixel)
}

#[test]
fn equal_pictures_are_the_same() {
    let one = page(200, 300, 0);
    let (found, _) = compare(&one, &one.clone(), &tolerance());
    assert!(found.same && found.pixels == 0 && found.largest.is_none() && found.shift.is_none());
}

#[test]
fn a_shift_of_four_pixels_is_named_whichever_way() {
    let (one, two) = (page(400, 900, 0), page(400, 900, 4));
    let (found, _) = compare(&one, &two, &tolerance());
    assert!(!found.same);
    assert_eq!(found.shift.unwrap().down, 4, "{found:?}");
    let (back, _) = compare(&two, &one, &tolerance());
    assert_eq!(back.shift.unwrap().down, -4, "{back:?}");
}

#[test]
fn a_column_that_moved_alone_is_named_and_a_new_text_is_not() {
    let one = page(400, 600, 0);
    let mut column = one.clone();
    for (x, y, pixel) in page(400, 600, 7).enumerate_pixels() {
        if x >= 300 && y >= 100 {
            column.put_pixel(x, y, *pixel);
        }
    }
    let (found, _) = compare(&one, &column, &tolerance());
    assert_eq!(found.shift.unwrap().down, 7, "{found:?}");
    let mut text = one.clone();
    for (x, y, pixel) in text.enumerate_pixels_mut() {
        if (100..140).contains(&y) && x < 200 {
            pixel.0 = [
                (x * 31 % 256) as u8,
                (y * 17 % 256) as u8,
                (x * y % 256) as u8,
                255,
            ];
        }
    }
    let (found, _) = compare(&one, &text, &tolerance());
    assert_eq!(found.shift, None, "{found:?}");
    assert!(!found.same);
}

#[test]
fn the_largest_part_hangs_together_by_its_corners() {
    let one = RgbaImage::from_pixel(100, 100, image([255, 255, 255, 255]));
    let mut two = one.clone();
    for at in 0..10 {
        two.put_pixel(20 + at, 30 + at, image([0, 0, 0, 255]));
    }
    for x in 60..69 {
        two.put_pixel(x, 80, image([0, 0, 0, 255]));
    }
    let strict = Tolerance {
        count_smoothing: true,
        ..tolerance()
    };
    let (found, marks) = compare(&one, &two, &strict);
    assert_eq!(found.pixels, 19);
    let area = Area {
        x: 20,
        y: 30,
        width: 10,
        height: 10,
    };
    assert_eq!(found.largest, Some(Region { area, pixels: 10 }));
    let drawn = drawing(&two, &found, &marks);
    assert_eq!(drawn.get_pixel(65, 80).0, [214, 0, 48, 255]);
    let allowed = Tolerance {
        allow_pixels: 19,
        ..strict
    };
    assert!(compare(&one, &two, &allowed).0.same);
}

#[test]
fn another_size_is_a_difference_whatever_is_allowed() {
    let (one, two) = (page(100, 100, 0), page(100, 120, 0));
    let allowed = Tolerance {
        allow_pixels: 1_000_000,
        ..tolerance()
    };
    let (found, marks) = compare(&one, &two, &allowed);
    assert!(!found.same);
    assert_eq!(found.pixels, 2000);
    assert_eq!(drawing(&two, &found, &marks).dimensions(), (100, 120));
}
