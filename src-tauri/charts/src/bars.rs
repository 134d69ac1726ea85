//! How many of each: a row a thing, with its name, its bar and its number.

use plotters::style::text_anchor::HPos;

use crate::{
    ChartError, Palette, axis,
    canvas::{DIGIT, picture},
};

/// What to draw. The names are the data's own; they are cut where they are long, and written as text.
#[derive(Debug, Clone, Copy)]
pub struct Bars<'a> {
    /// From above.
    pub rows: &'a [(String, u64)],
    /// In CSS pixels; the height follows from the number of rows.
    pub width: u32,
    /// Bars take the colour of the training line.
    pub palette: &'a Palette,
}

const ROW: f64 = 22.0;
const MARGIN: f64 = 4.0;
/// Room for a name, as a share of the width.
const NAMES: f64 = 0.36;

/// Draws the bars as one `<svg>` element, without a background.
///
/// # Errors
/// A width without room, a colour that is not `#rrggbb`, or a failure of plotters.
pub fn bars(chart: &Bars<'_>) -> Result<String, ChartError> {
    let inks = chart.palette.inks()?;
    let width = f64::from(chart.width);
    let height = (chart.rows.len() as f64).mul_add(ROW, 2.0 * MARGIN).max(80.0);
    let most = chart.rows.iter().map(|row| row.1).max().unwrap_or(0).max(1) as f64;
    let numbers = axis::grouped(most).chars().count() as f64 * DIGIT + 12.0;
    let left = (width * NAMES).min(longest(chart.rows) as f64 * DIGIT + 12.0);
    let letters = ((left - 12.0) / DIGIT).max(3.0) as usize;
    picture((chart.width, height as u32), &description(chart.rows), |canvas| {
        for (index, (name, count)) in chart.rows.iter().enumerate() {
            let middle = (index as f64 + 0.5).mul_add(ROW, MARGIN);
            canvas.words(&cut(name, letters), (left - 8.0, middle), HPos::Right, inks.ink)?;
            let length = ((width - left - numbers) * (*count as f64 / most)).max(1.0);
            canvas.bar((left, middle - 6.0), (left + length, middle + 6.0), inks.training)?;
            let number = axis::grouped(*count as f64);
            canvas.words(&number, (left + length + 6.0, middle), HPos::Left, inks.faint_ink)?;
        }
        if chart.rows.is_empty() {
            canvas.words("Nothing to count", (width / 2.0, height / 2.0), HPos::Center, inks.ink)?;
        }
        Ok(())
    })
}

fn description(rows: &[(String, u64)]) -> String {
    let row = |(name, count): &(String, u64)| format!("{}: {}", cut(name, 60), axis::grouped(*count as f64));
    rows.iter().map(row).collect::<Vec<_>>().join("; ")
}

fn longest(rows: &[(String, u64)]) -> usize {
    rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0)
}

/// The name on one line, with an ellipsis where it is longer than `letters`.
pub(crate) fn cut(name: &str, letters: usize) -> String {
    let line: String = name.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if line.chars().count() <= letters {
        return line;
    }
    line.chars().take(letters.saturating_sub(1)).chain(['…']).collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]
mod tests {
    use super::*;

    fn draw(rows: &[(&str, u64)]) -> String {
        let rows: Vec<(String, u64)> = rows.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        bars(&Bars { rows: &rows, width: 360, palette: &crate::palette::example() }).unwrap()
    }

    #[test]
    fn each_row_has_its_name_and_its_number() {
        let svg = draw(&[("card_arrival", 1200), ("lost_card", 3)]);
        assert_eq!(svg.matches("<rect").count(), 2);
        for words in ["card_arrival", "lost_card", "1,200", "card_arrival: 1,200; lost_card: 3"] {
            assert!(svg.contains(words), "{words} is not in {svg}");
        }
    }

    #[test]
    fn a_hostile_name_is_text() {
        let svg = draw(&[("<script>alert(\"x\")</script>\u{7}", 1), ("a & b", 2)]);
        assert!(!svg.contains("<script") && svg.contains("&lt;script"), "{svg}");
        assert!(svg.contains("a &amp; b"), "{svg}");
    }

    #[test]
    fn long_names_are_cut_and_nothing_says_so() {
        assert!(draw(&[(&"x".repeat(500), 1)]).len() < 2_000);
        assert!(draw(&[]).contains("Nothing to count"));
    }
}
