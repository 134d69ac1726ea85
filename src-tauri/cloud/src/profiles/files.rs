//! The AWS configuration files: where they are, which profiles they hold, and in which file a setting stands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::ini::{self, Malformed, Section};
use super::plan::Refusal;

/// What of this program's surroundings the files are read by. Tests have their own.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    pub home: Option<PathBuf>,
    pub variables: BTreeMap<String, String>,
}

impl Surroundings {
    pub fn of_this_process() -> Self {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok().filter(|name| name.starts_with("AWS_"))?;
            Some((name, value.into_string().ok()?))
        });
        Self { home: std::env::home_dir(), variables: variables.collect() }
    }

    /// A variable that is set and not empty.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn file(&self, variable: &str, name: &str) -> PathBuf {
        match (self.variable(variable), &self.home) {
            (Some(path), Some(home)) if path == "~" || path.starts_with("~/") => {
                home.join(path[1..].trim_start_matches('/'))
            }
            (Some(path), _) => PathBuf::from(path),
            (None, Some(home)) => home.join(".aws").join(name),
            (None, None) => PathBuf::from(".aws").join(name),
        }
    }
}

/// One file as it was read.
#[derive(Debug, Clone)]
struct ConfigFile {
    path: PathBuf,
    /// None where there is no such file.
    sections: Option<Result<Vec<Section>, Malformed>>,
}

impl ConfigFile {
    fn read(path: PathBuf) -> Self {
        let sections = match std::fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => Some(Err(Malformed { line: 0, message: error.to_string() })),
            Ok(bytes) => Some(match String::from_utf8(bytes) {
                Ok(text) => ini::parse(&text),
                Err(error) => {
                    let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
                    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                    Err(Malformed { line, message: "this is not UTF-8".into() })
                }
            }),
        };
        Self { path, sections }
    }

    fn sections(&self) -> Result<&[Section], Refusal> {
        match &self.sections {
            None => Ok(&[]),
            Some(Ok(sections)) => Ok(sections),
            Some(Err(malformed)) => Err(Refusal::in_file(malformed.message.clone(), &self.path, malformed.line)),
        }
    }
}

/// The settings of a profile, joined from both files. The credentials file wins.
#[derive(Debug, Clone)]
pub struct Profile {
    pub name: String,
    pub file: PathBuf,
    pub line: usize,
    settings: BTreeMap<String, String>,
    pub(super) in_credentials: Option<Section>,
    pub(super) in_config: Option<Section>,
}

impl Profile {
    pub fn get(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str)
    }

    pub fn has(&self, key: &str) -> bool {
        self.settings.contains_key(key)
    }
}

/// Both files.
#[derive(Debug, Clone)]
pub struct ConfigFiles {
    config: ConfigFile,
    credentials: ConfigFile,
    pub(super) surroundings: Surroundings,
}

impl ConfigFiles {
    /// Reads them now. A file that is not there is empty.
    pub fn read(surroundings: Surroundings) -> Self {
        Self {
            config: ConfigFile::read(surroundings.file("AWS_CONFIG_FILE", "config")),
            credentials: ConfigFile::read(surroundings.file("AWS_SHARED_CREDENTIALS_FILE", "credentials")),
            surroundings,
        }
    }

    pub fn config_path(&self) -> &Path {
        &self.config.path
    }

    pub fn credentials_path(&self) -> &Path {
        &self.credentials.path
    }

    /// Whether either file is there.
    pub fn any(&self) -> bool {
        self.config.sections.is_some() || self.credentials.sections.is_some()
    }

    /// Every profile, in the order of the files.
    ///
    /// # Errors
    /// The file that cannot be read, and where.
    pub fn profiles(&self) -> Result<Vec<Profile>, Refusal> {
        let mut profiles: Vec<Profile> = Vec::new();
        for section in self.config.sections()? {
            let Some(name) = profile_name(&section.name) else { continue };
            // Of two that mean the same profile the later one counts, as for the AWS CLI.
            profiles.retain(|known| known.name != name);
            profiles.push(Profile {
                name,
                file: self.config.path.clone(),
                line: section.line,
                settings: as_map(section),
                in_credentials: None,
                in_config: Some(section.clone()),
            });
        }
        for section in self.credentials.sections()? {
            match profiles.iter_mut().find(|known| known.name == section.name) {
                Some(known) => {
                    known.settings.extend(as_map(section));
                    known.in_credentials = Some(section.clone());
                }
                None => profiles.push(Profile {
                    name: section.name.clone(),
                    file: self.credentials.path.clone(),
                    line: section.line,
                    settings: as_map(section),
                    in_credentials: Some(section.clone()),
                    in_config: None,
                }),
            }
        }
        Ok(profiles)
    }

    /// Sections of the config file that look like profiles and are none, with what is wrong with them.
    pub fn misspelt(&self) -> Vec<(String, usize, String)> {
        let sections = self.config.sections().unwrap_or_default();
        let odd = sections.iter().filter_map(|section| {
            let name = section.name.trim();
            let known = ["sso-session", "services", "preview", "plugins"];
            if profile_name(&section.name).is_some() || known.iter().any(|word| name.starts_with(word)) {
                return None;
            }
            let advice = if section.name != name {
                "take the spaces next to the brackets away".to_owned()
            } else if name.starts_with("profile") {
                "a profile's name with spaces needs quotes".to_owned()
            } else {
                format!("in this file a profile is written [profile {name}]")
            };
            Some((section.name.clone(), section.line, advice))
        });
        odd.collect()
    }

    /// A section such as `[sso-session NAME]`.
    pub(super) fn named_section(&self, kind: &str, name: &str) -> Option<&Section> {
        let sections = self.config.sections().ok()?;
        let fits = |section: &&Section| {
            section.name.starts_with(kind)
                && ini::words(&section.name).is_some_and(|words| words.len() == 2 && words[1] == name)
        };
        sections.iter().rfind(fits)
    }
}

/// The profile that a section of the config file is; sections of other kinds are none.
fn profile_name(section: &str) -> Option<String> {
    if section == "default" {
        return Some(section.to_owned());
    }
    if !section.starts_with("profile") {
        return None;
    }
    ini::words(section).filter(|words| words.len() == 2)?.pop()
}

fn as_map(section: &Section) -> BTreeMap<String, String> {
    section.settings.iter().map(|setting| (setting.key.clone(), setting.value.clone())).collect()
}
