//! What can be wrong with a request for a picture. All of these are mistakes of the caller, except `Draw`.

/// Why no picture was drawn.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// The picture would have no room for an axis and a line.
    #[error(
        "a chart of {width} × {height} px is too small or too large: {least_width} × {least_height} to {most} × {most} px are possible"
    )]
    Size { width: u32, height: u32, least_width: u32, least_height: u32, most: u32 },
    /// Smoothing is the weight of the past: 0 is none of it, 1 would never move.
    #[error("smoothing must be at least 0 and below 1, and is {0}")]
    Smoothing(f64),
    /// Plotters writes plain RGB, so that the picture needs no style sheet where it is shown.
    #[error("the colour for {role} must be written as #rrggbb or #rgb, and is \"{value}\"")]
    Colour { role: &'static str, value: String },
    /// Plotters could not draw.
    #[error("the chart could not be drawn: {0}")]
    Draw(String),
}
