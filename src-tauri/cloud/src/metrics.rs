//! The loss files that a job leaves in its output folder.
//!
//! AWS documents three different places for the validation file, so a file is known by its name, wherever below the job's folder it stands.
//! Whether the files are there before the end of a job is not documented either: where they are, they are read.

use crate::{Cloud, CloudError, CloudErrorCode, Job, ObjectSummary};

const TRAINING_FILE: &str = "step_wise_training_metrics.csv";
const VALIDATION_FILE: &str = "validation_metrics.csv";

/// One line of a loss file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MetricsPoint {
    /// From 0.
    pub step: f64,
    pub epoch: Option<f64>,
    /// May be no number, when the training diverged.
    pub loss: f64,
    pub perplexity: Option<f64>,
}

/// What the loss files of a job say so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    pub training: Vec<MetricsPoint>,
    pub validation: Vec<MetricsPoint>,
    /// Lines that are neither; something is wrong with the files when there are any.
    pub unreadable_lines: usize,
}

impl Metrics {
    /// Takes in what was read last.
    pub fn take(&mut self, news: MetricsNews) {
        for (points, news) in [(&mut self.training, news.training), (&mut self.validation, news.validation)] {
            match news {
                SeriesNews::Same => {}
                SeriesNews::More(mut more) => points.append(&mut more),
                SeriesNews::Anew(all) => *points = all,
            }
        }
        self.unreadable_lines += news.unreadable_lines;
    }
}

/// How far the loss files of a job were read: kept by the caller from one look to the next, so that a file that grew is read on from there.
#[derive(Debug, Clone, Default)]
pub struct MetricsReader {
    training: Place,
    validation: Place,
}

/// What the files say since the last look.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MetricsNews {
    pub training: SeriesNews,
    pub validation: SeriesNews,
    pub unreadable_lines: usize,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub enum SeriesNews {
    #[default]
    Same,
    /// These follow what is known.
    More(Vec<MetricsPoint>),
    /// The file is another one than before: what was known of it counts no more.
    Anew(Vec<MetricsPoint>),
}

impl MetricsNews {
    pub fn is_nothing(&self) -> bool {
        self.training == SeriesNews::Same && self.validation == SeriesNews::Same
    }
}

/// Where the reading of one file stands.
#[derive(Debug, Clone, Default)]
struct Place {
    seen: Option<ObjectSummary>,
    /// Of the whole lines that were read, in bytes.
    read: u64,
    /// The line with the columns' names, and the last one read: by the latter a file that merely grew is told from one that was written anew.
    header: Vec<u8>,
    last_line: Vec<u8>,
}

impl Cloud {
    /// Reads the loss files of a job whole. Both series are empty as long as there are no files.
    ///
    /// # Errors
    /// As for [`Cloud::metrics_news`].
    pub async fn metrics(&self, job: &Job) -> Result<Metrics, CloudError> {
        let mut metrics = Metrics::default();
        metrics.take(self.metrics_news(job, &mut MetricsReader::default()).await?);
        Ok(metrics)
    }

    /// Reads what was added to the loss files since the reader's last look; a file that did not change is not asked for.
    ///
    /// # Errors
    /// `NotFound` when the bucket is gone, `Validation` when the job's output location is not in S3, `TooLarge` for a file that no job writes.
    pub async fn metrics_news(&self, job: &Job, reader: &mut MetricsReader) -> Result<MetricsNews, CloudError> {
        let mut news = MetricsNews::default();
        let Some(folder) = job.output_folder()? else { return Ok(news) };
        let objects = self.list_objects(&folder.bucket, &folder.key).await?;
        let is_over = job.status.is_over();
        for (file, column, place, series) in [
            (TRAINING_FILE, "training_loss", &mut reader.training, &mut news.training),
            (VALIDATION_FILE, "validation_loss", &mut reader.validation, &mut news.validation),
        ] {
            let Some(object) = newest(&objects, file) else { continue };
            if place.seen.as_ref() == Some(object) && (!is_over || place.read == object.size) {
                continue;
            }
            news.unreadable_lines += self.read_on(&folder.bucket, object, column, is_over, place, series).await?;
        }
        Ok(news)
    }

    async fn read_on(
        &self,
        bucket: &str,
        object: &ObjectSummary,
        column: &str,
        is_over: bool,
        place: &mut Place,
        series: &mut SeriesNews,
    ) -> Result<usize, CloudError> {
        let mut points = Vec::new();
        let same_file = place.seen.as_ref().is_some_and(|seen| seen.key == object.key);
        if same_file && !place.last_line.is_empty() && object.size >= place.read {
            let from = place.read - place.last_line.len() as u64;
            let rest = self.get_object_from(bucket, &object.key, from).await?;
            if let Some(rest) = rest.strip_prefix(place.last_line.as_slice()) {
                let content = [place.header.as_slice(), rest].concat();
                let unreadable = parse(&content, column, is_over, &mut points);
                place.note(object, place.read, rest, is_over);
                if !points.is_empty() {
                    *series = SeriesNews::More(points);
                }
                return Ok(unreadable);
            }
        }
        let content = self.get_object(bucket, &object.key).await?;
        let unreadable = parse(&content, column, is_over, &mut points);
        let end_of_header = content.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        *place = Place { header: content[..end_of_header].to_vec(), ..Place::default() };
        place.note(object, 0, &content, is_over);
        *series = SeriesNews::Anew(points);
        Ok(unreadable)
    }

    /// The end of an object, from this byte on.
    async fn get_object_from(&self, bucket: &str, key: &str, from: u64) -> Result<Vec<u8>, CloudError> {
        const OPERATION: &str = "GetObject";
        let range = format!("bytes={from}-");
        let object = self.s3.get_object().bucket(bucket).key(key).range(range).send().await;
        let body = object.map_err(CloudError::of(OPERATION))?.body.collect().await;
        let body = body.map_err(|error| CloudError::new(OPERATION, CloudErrorCode::Unreachable, error.to_string()))?;
        Ok(body.to_vec())
    }
}

impl Place {
    /// Notes what of `rest`, which begins at `before`, was read: its whole lines, or all of it at the end of a job.
    fn note(&mut self, object: &ObjectSummary, before: u64, rest: &[u8], is_over: bool) {
        let whole =
            if is_over { rest.len() } else { rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1) };
        if whole > 0 {
            let end = whole.saturating_sub(usize::from(rest[whole - 1] == b'\n'));
            let begin = rest[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
            self.last_line = rest[begin..whole].to_vec();
        }
        self.read = before + whole as u64;
        self.seen = Some(object.clone());
    }
}

/// Of several files of the same name, the one written last tells of the present state.
fn newest<'a>(objects: &'a [ObjectSummary], file: &str) -> Option<&'a ObjectSummary> {
    let named = |object: &&ObjectSummary| object.key.rsplit('/').next() == Some(file);
    objects.iter().filter(named).max_by_key(|object| object.modified)
}

/// Reads one file into `points` and gives the number of lines that could not be read.
/// Columns are known by their names, in any order. While the job runs, a last line without an end may be half of one (a loss of 0.1 that will be
/// 0.173), so it is left for the next time.
fn parse(content: &[u8], loss_column: &str, is_over: bool, points: &mut Vec<MetricsPoint>) -> usize {
    let whole_lines = if is_over {
        content
    } else {
        content.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |end| &content[..=end])
    };
    let whole_lines = whole_lines.strip_prefix(b"\xef\xbb\xbf").unwrap_or(whole_lines);
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(whole_lines);
    let Ok(columns) = reader.byte_headers().cloned() else { return 1 };
    let place = |name: &str| columns.iter().position(|column| column.eq_ignore_ascii_case(name.as_bytes()));
    let (Some(step_at), Some(loss_at)) = (place("step_number"), place(loss_column)) else {
        return usize::from(!columns.is_empty());
    };
    let (epoch_at, perplexity_at) = (place("epoch_number"), place("perplexity"));

    let mut unreadable = 0;
    for line in reader.byte_records() {
        let Ok(line) = line else {
            unreadable += 1;
            continue;
        };
        let number = |at: usize| std::str::from_utf8(line.get(at)?).ok()?.parse::<f64>().ok();
        match (number(step_at), number(loss_at)) {
            (Some(step), Some(loss)) => points.push(MetricsPoint {
                step,
                epoch: epoch_at.and_then(number),
                loss,
                perplexity: perplexity_at.and_then(number),
            }),
            _ => unreadable += 1,
        }
    }
    unreadable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str, is_over: bool) -> (Vec<(f64, f64)>, usize) {
        let mut points = Vec::new();
        let unreadable = parse(text.as_bytes(), "training_loss", is_over, &mut points);
        (points.iter().map(|point| (point.step, point.loss)).collect(), unreadable)
    }

    #[test]
    fn columns_may_stand_in_any_order() {
        let mut points = Vec::new();
        let text = "perplexity,training_loss,epoch_number,step_number\r\n3.32,1.2,0,0\r\n2.71,1.0,0,1\r\n";
        assert_eq!(parse(text.as_bytes(), "training_loss", true, &mut points), 0);
        assert_eq!(
            points,
            [
                MetricsPoint { step: 0.0, epoch: Some(0.0), loss: 1.2, perplexity: Some(3.32) },
                MetricsPoint { step: 1.0, epoch: Some(0.0), loss: 1.0, perplexity: Some(2.71) },
            ]
        );
    }

    #[test]
    fn half_a_last_line_waits_for_its_other_half() {
        let text = "step_number,epoch_number,training_loss,perplexity\n0,0,1.5,4.4\n1,0,1.2";
        assert_eq!(parsed(text, false), (vec![(0.0, 1.5)], 0));
        assert_eq!(parsed(text, true), (vec![(0.0, 1.5), (1.0, 1.2)], 0));
        assert_eq!(parsed("step_number,epoch_nu", false), (vec![], 0));
        assert_eq!(parsed("", true), (vec![], 0));
    }

    #[test]
    fn a_loss_that_is_no_number_is_handed_on() {
        let (points, unreadable) = parsed("step_number,training_loss\n0,nan\n1,inf\n", true);
        assert_eq!((points.len(), unreadable), (2, 0));
        assert!(points[0].1.is_nan() && points[1].1.is_infinite());
    }

    #[test]
    fn lines_that_cannot_be_read_are_counted() {
        let text = "\u{feff}step_number,training_loss\n0,1.5\noops\n\n2,what\n3,1.1\n";
        assert_eq!(parsed(text, true), (vec![(0.0, 1.5), (3.0, 1.1)], 2));
        assert_eq!(parsed("<html>not a table</html>\n", true), (vec![], 1));
    }
}
