//! What was asked and answered, as a page that stands on its own.

use std::path::Path;
use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

pub struct Report {
    text: String,
}

impl Report {
    pub fn begin(region: &str, endpoint_url: Option<&str>) -> Self {
        let now = DateTime::from(SystemTime::now()).fmt(Format::DateTime).unwrap_or_default();
        let at = match endpoint_url {
            Some(url) => {
                format!("**Not AWS**: the profile leads to {url}. What is said below is true of that endpoint only.")
            }
            None => "Asked of AWS itself.".to_owned(),
        };
        Self { text: format!("# Live lane, {now}\n\nRegion {region}. {at}\n") }
    }

    pub fn section(&mut self, title: &str) {
        println!("== {title}");
        self.text += &format!("\n## {title}\n\n");
    }

    pub fn line(&mut self, text: &str) {
        println!("   {text}");
        self.text += &format!("- {text}\n");
    }

    /// A point that the facts leave open, and that is not open any more.
    pub fn settled(&mut self, text: &str) {
        self.line(&format!("settled: {text}"));
    }

    pub fn unsettled(&mut self, what: &str, why: &str) {
        self.line(&format!("not settled: {what} ({why})"));
    }

    pub fn note(&mut self, text: &str) {
        println!("{text}");
        self.text += &format!("\n{text}\n");
    }

    pub fn save(&self, path: &str) -> Result<(), String> {
        let trouble = |error: std::io::Error| format!("{path}: {error}");
        if let Some(folder) = Path::new(path).parent() {
            std::fs::create_dir_all(folder).map_err(trouble)?;
        }
        std::fs::write(path, &self.text).map_err(trouble)
    }
}
