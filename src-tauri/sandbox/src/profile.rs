//! A profile of the AWS config file that points at a sandbox. Everything else in the file keeps its bytes.
//!
//! The file belongs to the person and to many other programs, so it is neither parsed into a model nor written back
//! from one: sections are found by their header lines, a section is added at the end, and one is replaced only when its
//! first line says that it was made here. Deliberately absent: the credentials file, and any change to another profile.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::home::Connection;

/// The line by which a section of ours is known again.
const MARK: &str = "# Made by `whetstone sandbox env --write-profile`; made anew by the same call.";

#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    #[error("'{0}' cannot be a profile's name: letters, digits, '-', '_' and '.' can")]
    Name(String),
    #[error("{} has a profile '{name}' already, which was not made here: choose another name", path.display())]
    Taken { name: String, path: PathBuf },
    #[error("the AWS config file {} cannot be used: {source}", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// A change of the AWS config file that is prepared and not made yet.
#[derive(Debug)]
pub struct ProfileChange {
    path: PathBuf,
    section: String,
    content: Vec<u8>,
}

impl ProfileChange {
    pub(crate) fn prepare(path: &Path, name: &str, connection: &Connection) -> Result<Self, ProfileError> {
        let fine = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || !name.bytes().all(fine) {
            return Err(ProfileError::Name(name.to_owned()));
        }
        // A link to the file stays one: what it leads to is replaced.
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let before = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(ProfileError::File { path, source }),
        };
        let section = section(name, connection);
        let content = with_section(&before, name, &section)
            .ok_or_else(|| ProfileError::Taken { name: name.to_owned(), path: path.clone() })?;
        Ok(Self { path, section, content })
    }

    /// The file that will be changed.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What will be in it, without the secret.
    pub fn shown(&self) -> String {
        let secret = |line: &&str| !line.starts_with("aws_secret_access_key");
        self.section.lines().filter(secret).map(|line| format!("{line}\n")).collect()
    }

    /// Makes the change: written beside, synced and renamed, readable by whom the file was readable by before.
    pub fn write(&self) -> Result<(), ProfileError> {
        let failed = |source| ProfileError::File { path: self.path.clone(), source };
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(failed)?;
        let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        draft.write_all(&self.content).map_err(failed)?;
        if let Ok(before) = fs::metadata(&self.path) {
            draft.as_file().set_permissions(before.permissions()).map_err(failed)?;
        }
        draft.as_file().sync_all().map_err(failed)?;
        draft.persist(&self.path).map(|_| ()).map_err(|error| failed(error.error))
    }
}

fn header(name: &str) -> String {
    if name == "default" { "[default]".to_owned() } else { format!("[profile {name}]") }
}

fn section(name: &str, connection: &Connection) -> String {
    let Connection { endpoint, access_key_id, secret_access_key, region } = connection;
    format!(
        "{}\n{MARK}\nendpoint_url = {endpoint}\nregion = {region}\naws_access_key_id = {access_key_id}\n\
         aws_secret_access_key = {secret_access_key}\n",
        header(name)
    )
}

/// The file with the section in it; `None` when a section of that name is someone else's.
fn with_section(before: &[u8], name: &str, section: &str) -> Option<Vec<u8>> {
    let crlf = before.windows(2).any(|pair| pair == b"\r\n");
    let section = if crlf { section.replace('\n', "\r\n") } else { section.to_owned() };
    let mut content = Vec::with_capacity(before.len() + section.len() + 2);
    let Some((start, end)) = find(before, name) else {
        content.extend_from_slice(before);
        let line_end: &[u8] = if crlf { b"\r\n" } else { b"\n" };
        if !before.is_empty() && !before.ends_with(b"\n") {
            content.extend_from_slice(line_end);
        }
        if !before.is_empty() {
            content.extend_from_slice(line_end);
        }
        content.extend_from_slice(section.as_bytes());
        return Some(content);
    };
    let ours = lines(&before[start..end]).nth(1).is_some_and(|(_, line)| line.trim_ascii() == MARK.as_bytes());
    if !ours {
        return None;
    }
    // Only the lines that are ours go: what a person wrote below them, and the space to the next section, stay.
    let own = section.lines().count();
    let kept = lines(&before[start..end]).nth(own).map_or(end, |(at, _)| start + at);
    content.extend_from_slice(&before[..start]);
    content.extend_from_slice(section.as_bytes());
    content.extend_from_slice(&before[kept..end]);
    content.extend_from_slice(&before[end..]);
    Some(content)
}

/// Where the section of this profile begins and where the next one does.
fn find(text: &[u8], name: &str) -> Option<(usize, usize)> {
    let mut start = None;
    for (at, line) in lines(text) {
        let Some(found) = section_name(line) else { continue };
        if let Some(start) = start {
            return Some((start, at));
        }
        if found == name.as_bytes() {
            start = Some(at);
        }
    }
    start.map(|start| (start, text.len()))
}

fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    text.split_inclusive(|byte| *byte == b'\n').map(move |line| {
        let start = at;
        at += line.len();
        (start, line)
    })
}

/// The profile that a header line names: `[default]`, `[profile NAME]`, with quotes and space as people write them.
/// Another section has an empty name.
fn section_name(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
    // A continued value is indented; a header is not.
    let inside = line.strip_prefix(b"[")?;
    let inside = inside[..inside.iter().position(|byte| *byte == b']')?].trim_ascii();
    if inside == b"default" {
        return Some(inside);
    }
    let Some(name) = inside.strip_prefix(b"profile").filter(|rest| rest.first().is_some_and(u8::is_ascii_whitespace))
    else {
        return Some(b"");
    };
    let name = name.trim_ascii();
    let quoted = |quote: &[u8]| name.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    Some(quoted(b"\"").or_else(|| quoted(b"'")).unwrap_or(name))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failure here is a failed test")]
mod tests {
    use super::*;

    fn connection(port: u16) -> Connection {
        Connection {
            endpoint: format!("http://127.0.0.1:{port}"),
            access_key_id: "AKIAEXAMPLE".to_owned(),
            secret_access_key: "a-secret".to_owned(),
            region: "us-east-1".to_owned(),
        }
    }

    fn added(before: &[u8], name: &str) -> Option<Vec<u8>> {
        with_section(before, name, &section(name, &connection(4566)))
    }

    #[test]
    fn a_profile_is_added_and_every_other_byte_stays() {
        for before in [
            "",
            "[default]\nregion = eu-west-1",
            "[default]\nregion = eu-west-1\n\n\n",
            "[profile a]\r\nregion = x\r\ns3 =\r\n  max_concurrent_requests = 3\r\n",
            "\u{feff}# a comment\n[sso-session box]\nsso_region = x\n",
            "not = in a section\n[profile \"box 2\"]\n",
        ] {
            let after = added(before.as_bytes(), "box").unwrap();
            assert!(after.starts_with(before.as_bytes()), "{before:?}");
            let text = String::from_utf8(after).unwrap();
            assert_eq!(text.matches("[profile box]").count(), 1, "{text}");
            assert_eq!(text.contains("[profile box]\r\n"), before.contains('\r'), "{text:?}");
            assert!(text.is_char_boundary(before.len()));
        }
        let odd = b"[profile caf\xe9]\nregion = \xff\xfe\n";
        assert!(added(odd, "box").unwrap().starts_with(odd), "bytes that are no text are no reason to touch them");
    }

    #[test]
    fn our_own_profile_is_made_anew_where_it_stands() {
        let first = added(b"[default]\nregion = x\n", "box").unwrap();
        let mut longer = first;
        longer.extend_from_slice(b"output = json\n\n# mine\n[profile z]\nregion = y\n");
        let again = with_section(&longer, "box", &section("box", &connection(9000))).unwrap();
        let expected = String::from_utf8(longer).unwrap().replace(":4566", ":9000");
        assert_eq!(String::from_utf8(again).unwrap(), expected);
    }

    #[test]
    fn someone_elses_profile_is_left_alone() {
        for theirs in ["[profile box]\nregion = x\n", "[profile 'box']\n", "[ profile  box ] # c\n", "[profile box]"] {
            assert!(added(theirs.as_bytes(), "box").is_none(), "{theirs}");
        }
        assert!(added(b"[default]\n", "default").is_none());
        assert!(added(b"[profile box2]\n  [profile box]\n", "box").is_some(), "an indented line is no header");
    }

    #[test]
    fn a_change_is_written_whole_and_shows_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("aws/config");
        let change = ProfileChange::prepare(&path, "box", &connection(4566)).unwrap();
        assert!(!path.exists(), "nothing happens before it is asked for");
        assert!(change.shown().contains("endpoint_url") && !change.shown().contains("a-secret"));
        change.write().unwrap();
        assert!(fs::read_to_string(&path).unwrap().contains("aws_secret_access_key = a-secret"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            let link = folder.path().join("link");
            std::os::unix::fs::symlink(&path, &link).unwrap();
            ProfileChange::prepare(&link, "second", &connection(1)).unwrap().write().unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert!(fs::read_to_string(&path).unwrap().contains("[profile second]"));
        }
        let named = |name: &str| ProfileChange::prepare(&path, name, &connection(1)).is_err();
        assert!(named("") && named("a b") && named("a]"));
    }
}
