//! The loss chart: what is asked for, the picture, and what a cursor over it reads.

use crate::shapes;

shapes! {
    pub struct ChartRequest {
        /// One job, or up to eight over each other.
        pub jobs: Vec<String>,
        pub width: u32,
        pub height: u32,
        /// Pixels of the screen for each pixel, across: 2 on a dense screen.
        pub density: f64,
        /// Weight of the past in the running mean, 0 to 0.99.
        pub smoothing: f64,
        pub log_scale: bool,
        /// Leaves the lowest and highest hundredth out of the loss axis.
        pub clip_outliers: bool,
        pub axis: ChartAxis,
        pub series: ChartSeries,
        /// The stretch to show; null shows all of the run.
        pub range: Option<ChartRange>,
        pub palette: ChartPalette,
        /// The colours of runs over each other, in their order, as `#rrggbb`.
        pub run_colours: Vec<String>,
    }

    #[derive(Eq, Copy)]
    pub enum ChartAxis { Step, Epoch, Time }

    #[derive(Eq, Copy)]
    pub enum ChartSeries { Both, Training, Validation }

    /// Steps, epochs or seconds, as the axis is.
    #[derive(Copy)]
    pub struct ChartRange {
        pub from: f64,
        pub to: f64,
    }

    /// Colours as `#rrggbb`, taken from the window's tokens.
    #[derive(Eq)]
    pub struct ChartPalette {
        pub ink: String,
        /// Axis labels.
        pub faint_ink: String,
        pub grid: String,
        pub training: String,
        pub validation: String,
    }

    pub struct Chart {
        /// A picture, drawn by the app itself; null while there is no point to draw.
        pub svg: Option<String>,
        /// The plot inside the picture, in pixels.
        pub plot: ChartPlot,
        pub shown: Option<ChartRange>,
        pub lines: Vec<ChartLine>,
        pub training_points: u64,
        pub validation_points: u64,
    }

    #[derive(Copy)]
    pub struct ChartPlot {
        pub left: f64,
        pub top: f64,
        pub right: f64,
        pub bottom: f64,
    }

    /// What a cursor reads along one line: a few hundred places.
    pub struct ChartLine {
        pub job: String,
        pub validation: bool,
        pub points: Vec<ChartPoint>,
    }

    /// One place of a line, which stands for the points of its bucket.
    #[derive(Copy)]
    pub struct ChartPoint {
        pub at: f64,
        /// What the line says there: smoothed, where it is.
        pub value: f64,
        /// The lowest and highest raw value of the bucket.
        pub low: f64,
        pub high: f64,
        /// Pixels.
        pub x: f64,
        pub y: f64,
    }

    pub struct SaveChartRequest {
        pub chart: ChartRequest,
        pub what: ChartFile,
        /// For a PNG: the picture as the window drew it, in Base64.
        pub png: Option<String>,
    }

    #[derive(Eq, Copy)]
    pub enum ChartFile { Svg, Png, Csv }

    pub struct SavedChart {
        /// The name of the file; null when the person closed the dialog.
        pub name: Option<String>,
    }
}
