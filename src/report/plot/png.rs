//! A plot as a picture, for slides and for places that show no SVG.
//!
//! The same drawing is rendered, so that both say the same. Text needs a font: DejaVu Sans comes with the
//! program, so that no font of the machine is read and a picture looks alike everywhere.

use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};

/// Pixels for each unit of the drawing: sharp on dense screens and in print at half size.
const SCALE: f32 = 2.0;

fn fonts() -> Arc<Database> {
    static FONTS: OnceLock<Arc<Database>> = OnceLock::new();
    Arc::clone(FONTS.get_or_init(|| {
        let mut fonts = Database::new();
        fonts.load_font_data(dejavu::sans::regular().to_vec());
        fonts.load_font_data(dejavu::sans::bold().to_vec());
        fonts.set_sans_serif_family("DejaVu Sans");
        Arc::new(fonts)
    }))
}

/// Renders an SVG drawing of ours as PNG, on white.
///
/// # Panics
/// If `svg` is no drawing: ours always are.
pub fn png(svg: &str) -> Vec<u8> {
    let options = Options { font_family: "DejaVu Sans".to_owned(), fontdb: fonts(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).expect("our drawings are well formed");
    let size = tree.size().to_int_size().scale_by(SCALE).expect("our drawings have an area");
    let mut pixels = Pixmap::new(size.width(), size.height()).expect("our drawings have an area");
    pixels.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().expect("a picture in memory can be encoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_becomes_a_picture_of_twice_its_size_with_its_text() {
        let with = |text: &str| {
            let style = "font-family=\"Helvetica, Arial, sans-serif\" font-size=\"20\"";
            format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"100\" height=\"40\">\
                 <text x=\"5\" y=\"25\" {style}>{text}</text></svg>"
            )
        };
        let picture = png(&with("tax"));
        assert_eq!(&picture[1..4], b"PNG");
        assert_eq!(&picture[16..24], [0, 0, 0, 200, 0, 0, 0, 80], "width and height");
        assert_ne!(picture, png(&with("")), "text is drawn without any font of the machine");
    }
}
