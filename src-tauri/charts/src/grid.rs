//! How many of each, in rows and columns: which label was wanted, and which was answered.

use plotters::style::RGBColor;
use plotters::style::text_anchor::HPos;

use crate::{
    ChartError, Palette,
    canvas::{DIGIT, picture},
};

/// What to draw. The names are the data's own; they are cut where they are long, and written as text.
#[derive(Debug, Clone, Copy)]
pub struct Grid<'a> {
    /// From above.
    pub rows: &'a [String],
    /// From the left. They are numbered, and bear their numbers: there is no room for names side by side.
    pub columns: &'a [String],
    /// A row of counts for each row. The fuller a field, the larger its share of its row.
    pub cells: &'a [Vec<u64>],
    /// In CSS pixels; the height follows from the number of rows.
    pub width: u32,
    /// What is on the diagonal takes the colour of the training line, what is beside it that of the validation line.
    pub palette: &'a Palette,
}

const ROW: f64 = 22.0;
const HEAD: f64 = 20.0;
const MARGIN: f64 = 4.0;
/// Room for a name, as a share of the width.
const NAMES: f64 = 0.34;

/// Draws the grid as one `<svg>` element, without a background.
///
/// # Errors
/// A width without room, a colour that is not `#rrggbb`, or a failure of plotters.
pub fn grid(chart: &Grid<'_>) -> Result<String, ChartError> {
    let inks = chart.palette.inks()?;
    let width = f64::from(chart.width);
    let height = (chart.rows.len() as f64).mul_add(ROW, 2.0f64.mul_add(MARGIN, HEAD)).max(80.0);
    let longest = chart.rows.iter().map(|name| name.chars().count() + 3).max().unwrap_or(0);
    let left = (width * NAMES).min(longest as f64 * DIGIT + 12.0);
    let letters = ((left - 12.0) / DIGIT).max(3.0) as usize;
    let column = ((width - left - MARGIN) / chart.columns.len().max(1) as f64).min(64.0);
    let middle_of = |at: usize| (at as f64 + 0.5).mul_add(column, left);
    picture((chart.width, height as u32), &description(chart), |canvas| {
        for (at, name) in chart.columns.iter().enumerate() {
            let head = if at < chart.rows.len() { (at + 1).to_string() } else { cut(name, (column / DIGIT) as usize) };
            canvas.words(&head, (middle_of(at), MARGIN + HEAD / 2.0), HPos::Center, inks.faint_ink)?;
        }
        for (line, (name, counts)) in chart.rows.iter().zip(chart.cells).enumerate() {
            let middle = (line as f64 + 0.5).mul_add(ROW, MARGIN + HEAD);
            let name = format!("{name}  {}", line + 1);
            canvas.words(&cut_front(&name, letters), (left - 8.0, middle), HPos::Right, inks.ink)?;
            let total = counts.iter().sum::<u64>().max(1) as f64;
            for (at, count) in counts.iter().enumerate() {
                let (from, to) = (at as f64 * column + left, (at as f64 + 1.0) * column + left);
                let ink = if at == line { inks.training } else { inks.validation };
                let share = *count as f64 / total;
                let fill = if *count == 0 {
                    mixed(inks.grid, inks.grid, 0.0)
                } else {
                    mixed(inks.grid, ink, 0.25 + 0.75 * share)
                };
                if *count > 0 {
                    canvas.bar((from + 1.0, middle - 10.0), (to - 1.0, middle + 10.0), fill)?;
                    let words = if *count > 0 && 0.25 + 0.75 * share > 0.5 { contrast(fill) } else { inks.ink };
                    canvas.words(&count.to_string(), (middle_of(at), middle), HPos::Center, words)?;
                } else {
                    canvas.bar((middle_of(at) - 1.0, middle - 1.0), (middle_of(at) + 1.0, middle + 1.0), fill)?;
                }
            }
        }
        Ok(())
    })
}

/// Black or white, whichever stands out more.
fn contrast(RGBColor(red, green, blue): RGBColor) -> RGBColor {
    let light = 0.299f64.mul_add(f64::from(red), 0.587f64.mul_add(f64::from(green), 0.114 * f64::from(blue)));
    if light > 140.0 { RGBColor(20, 20, 20) } else { RGBColor(255, 255, 255) }
}

fn mixed(RGBColor(r, g, b): RGBColor, RGBColor(red, green, blue): RGBColor, share: f64) -> RGBColor {
    let mix = |from: u8, to: u8| (f64::from(to) - f64::from(from)).mul_add(share, f64::from(from)).round() as u8;
    RGBColor(mix(r, red), mix(g, green), mix(b, blue))
}

fn description(chart: &Grid<'_>) -> String {
    let rows = chart.rows.iter().zip(chart.cells).enumerate();
    let row = |(at, (name, counts)): (usize, (&String, &Vec<u64>))| {
        format!("{}: {} of {} right", cut(name, 60), counts.get(at).unwrap_or(&0), counts.iter().sum::<u64>())
    };
    rows.map(row).collect::<Vec<_>>().join("; ")
}

/// On one line, with an ellipsis where it is longer than `letters`.
fn cut(name: &str, letters: usize) -> String {
    crate::bars::cut(name, letters.max(2))
}

/// The same, keeping the end: the number stands there.
fn cut_front(name: &str, letters: usize) -> String {
    let backwards: String = name.chars().rev().collect();
    cut(&backwards, letters).chars().rev().collect()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may end at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn each_count_stands_in_its_field_and_hostile_names_are_text() {
        let rows = ["card".to_owned(), "<script>".to_owned()];
        let columns = ["card".to_owned(), "<script>".to_owned(), "other".to_owned()];
        let cells = [vec![31, 17, 0], vec![0, 25, 9]];
        let palette = crate::palette::example();
        let svg = grid(&Grid { rows: &rows, columns: &columns, cells: &cells, width: 400, palette: &palette }).unwrap();
        for words in ["31", "17", "25", "9", "other", "card: 31 of 48 right", "&lt;script"] {
            assert!(svg.contains(words), "{words} is not in {svg}");
        }
        assert!(!svg.contains("<script"), "{svg}");
        assert_eq!(svg.matches("<rect").count(), 6);
    }
}
