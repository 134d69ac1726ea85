//! The colours of a picture, handed in by the page so that light, dark and print come from the page's own tokens.

use plotters::style::RGBColor;

use crate::ChartError;

/// Colours as `#rrggbb` or `#rgb`. There is no background: the page shines through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    /// Words in the middle of an empty chart.
    pub ink: String,
    /// Numbers along the axes, and remarks.
    pub faint_ink: String,
    /// Grid lines.
    pub grid: String,
    /// The training line, its raw values fainter in the same colour; and the bars of the other pictures.
    pub training: String,
    /// The validation line and its points.
    pub validation: String,
}

/// The same colours, understood.
pub(crate) struct Inks {
    pub ink: RGBColor,
    pub faint_ink: RGBColor,
    pub grid: RGBColor,
    pub training: RGBColor,
    pub validation: RGBColor,
}

impl Palette {
    pub(crate) fn inks(&self) -> Result<Inks, ChartError> {
        Ok(Inks {
            ink: colour("ink", &self.ink)?,
            faint_ink: colour("faint ink", &self.faint_ink)?,
            grid: colour("grid", &self.grid)?,
            training: colour("training", &self.training)?,
            validation: colour("validation", &self.validation)?,
        })
    }
}

pub(crate) fn colour(role: &'static str, value: &str) -> Result<RGBColor, ChartError> {
    let digits: Option<Vec<u8>> = value
        .trim()
        .strip_prefix('#')
        .and_then(|hex| hex.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect());
    match digits.as_deref() {
        Some([r, g, b]) => Ok(RGBColor(r * 17, g * 17, b * 17)),
        Some([r1, r2, g1, g2, b1, b2]) => Ok(RGBColor(r1 * 16 + r2, g1 * 16 + g2, b1 * 16 + b2)),
        _ => Err(ChartError::Colour { role, value: value.to_owned() }),
    }
}

/// The light theme's colours.
#[cfg(test)]
pub(crate) fn example() -> Palette {
    Palette {
        ink: "#1d1c1a".into(),
        faint_ink: "#8b877f".into(),
        grid: "#e2dfd8".into(),
        training: "#0b6b74".into(),
        validation: "#c0721a".into(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn long_and_short_hex_mean_the_same() {
        assert_eq!(colour("ink", "#0af").unwrap(), colour("ink", " #00AAFF ").unwrap());
    }

    #[test]
    fn anything_but_hex_is_refused_with_its_role() {
        for value in ["", "#", "red", "#12", "#12345", "#12345g", "var(--x)", "#1d1c1aff", "\"/><script>"] {
            let error = colour("grid", value).unwrap_err().to_string();
            assert!(error.contains("grid") && error.contains(value), "{error}");
        }
    }
}
