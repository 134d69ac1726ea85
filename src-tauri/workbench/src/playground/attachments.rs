//! What is attached to prompts: checked when it is taken, and kept as a copy that is named by its content.
//!
//! Owns `attachments/` in the data folder. A copy is what is sent, so a file that changes later changes no conversation, and
//! a program of the code tab finds it where it says. A copy goes when no conversation names it any more, at the latest at
//! the next start.
//!
//! Formats and limits are those that the service model of Bedrock Runtime documents for a message of Converse (`Message`,
//! `ImageFormat`, `DocumentFormat`, `DocumentBlock`; aws-sdk-bedrockruntime 1.153). Whether its MB are millions of bytes or
//! of 1,048,576 is not said: what is refused here is too large by both. Deliberately absent: limits of a request as a whole
//! and of single models, which no source at hand gives; there the endpoint decides.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use imagesize::ImageType;
use sha2::{Digest, Sha256};
use whetstone_contract::{AppError, Attachment, AttachmentKind, ErrorCode, PickedFile, ShownPicture};

use crate::Workbench;
use crate::errors::from_io;
use crate::files::write_whole;
use crate::import::blocking;

/// Pictures in one message.
pub const MOST_IMAGES: u32 = 20;
/// Documents in one message.
pub const MOST_DOCUMENTS: u32 = 5;
/// 3.75 MB.
const IMAGE_BYTES: usize = 3_932_160;
/// 4.5 MB.
const DOCUMENT_BYTES: usize = 4_718_592;
/// Pixels of the longer side.
const IMAGE_SIDE: usize = 8000;
/// Characters of a document's name, as the API reference has it.
const NAME_LENGTH: usize = 200;

/// What file names end with, and what Converse calls it.
const FORMATS: [(&str, AttachmentKind, &str); 15] = [
    ("png", AttachmentKind::Image, "png"),
    ("jpg", AttachmentKind::Image, "jpeg"),
    ("jpeg", AttachmentKind::Image, "jpeg"),
    ("gif", AttachmentKind::Image, "gif"),
    ("webp", AttachmentKind::Image, "webp"),
    ("pdf", AttachmentKind::Document, "pdf"),
    ("csv", AttachmentKind::Document, "csv"),
    ("doc", AttachmentKind::Document, "doc"),
    ("docx", AttachmentKind::Document, "docx"),
    ("xls", AttachmentKind::Document, "xls"),
    ("xlsx", AttachmentKind::Document, "xlsx"),
    ("html", AttachmentKind::Document, "html"),
    ("htm", AttachmentKind::Document, "html"),
    ("txt", AttachmentKind::Document, "txt"),
    ("md", AttachmentKind::Document, "md"),
];

const FORMATS_IN_WORDS: &str =
    "Attach a picture (PNG, JPEG, GIF, WebP) or a document (PDF, CSV, DOC, DOCX, XLS, XLSX, HTML, TXT, MD).";

/// What file names may end with, for dialogs.
pub fn extensions() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|(extension, ..)| *extension)
}

/// What a file of this name would be beside a prompt.
pub fn attaches_as(name: &str) -> Option<AttachmentKind> {
    known(name).map(|(kind, _)| kind)
}

fn known(name: &str) -> Option<(AttachmentKind, &'static str)> {
    let (_, extension) = name.rsplit_once('.')?;
    let found = FORMATS.iter().find(|(known, ..)| known.eq_ignore_ascii_case(extension))?;
    Some((found.1, found.2))
}

/// The kind and the format of a copy, which its id says; none for what is no id.
pub(super) fn parts(id: &str) -> Option<(AttachmentKind, &'static str)> {
    let (hash, format) = id.split_once('.')?;
    let lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let named = FORMATS.iter().find(|(_, _, name)| *name == format)?;
    (hash.len() == 64 && hash.bytes().all(lower_hex)).then_some((named.1, named.2))
}

pub struct Attachments {
    folder: PathBuf,
    /// Attached or sent since the start: the window may still hold them, whatever the conversations say.
    in_use: Mutex<HashSet<String>>,
}

impl Attachments {
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, in_use: Mutex::default() }
    }

    /// Checks what the person chose, and keeps a copy.
    fn take(&self, name: &str, content: &[u8]) -> Result<Attachment, AppError> {
        let Some((kind, format)) = known(name) else {
            return Err(
                refused(format!("“{name}” is of a kind that Bedrock takes in no prompt.")).hint(FORMATS_IN_WORDS)
            );
        };
        if content.is_empty() {
            return Err(refused(format!("“{name}” is empty.")));
        }
        check_size(name, kind, content.len())?;
        let format = match kind {
            AttachmentKind::Image => picture_format(name, content)?,
            AttachmentKind::Document => format,
        };
        let hash: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        let id = format!("{hash}.{format}");
        self.used(&id);
        let path = self.folder.join(&id);
        if !path.exists() {
            write_whole(&path, content).map_err(|error| from_io(&format!("The copy of “{name}”"), &error))?;
        }
        Ok(Attachment { id, name: name.to_owned(), kind, format: format.to_owned(), bytes: content.len() as u64 })
    }

    /// Where a copy lies, whether it is there or not.
    pub(super) fn path(&self, id: &str) -> Result<PathBuf, AppError> {
        let known = parts(id).map(|_| self.folder.join(id));
        known.ok_or_else(|| AppError::new(ErrorCode::Bug, "The window named an attachment that cannot be one."))
    }

    /// What is to be sent.
    pub(super) fn content(&self, attachment: &Attachment) -> Result<Vec<u8>, AppError> {
        let path = self.path(&attachment.id)?;
        self.used(&attachment.id);
        std::fs::read(path).map_err(|error| {
            AppError::new(ErrorCode::NotFound, format!("The copy of “{}” is no longer there.", attachment.name))
                .detail(error.to_string())
                .hint("It went with a conversation that was deleted. Attach the file again.")
        })
    }

    /// Deletes the copies that none of the documents names and that were not used since the start. An id is so long that it
    /// stands in a document only to name its copy.
    pub(super) fn sweep(&self, documents: impl FnOnce() -> Result<Vec<String>, AppError>) -> Result<(), AppError> {
        // Held to the end, so that nothing is deleted that is being attached again.
        let in_use = self.in_use.lock().unwrap_or_else(PoisonError::into_inner);
        let there = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let ids = there.map(|file| file.file_name().to_string_lossy().into_owned());
        let unused: Vec<String> = ids.filter(|id| !in_use.contains(id)).collect();
        if unused.is_empty() {
            return Ok(());
        }
        let documents = documents()?;
        for id in unused.iter().filter(|id| !documents.iter().any(|document| document.contains(id.as_str()))) {
            if let Err(error) = std::fs::remove_file(self.folder.join(id)) {
                tracing::warn!(%error, "the copy of an attachment could not be deleted");
            }
        }
        Ok(())
    }

    fn used(&self, id: &str) {
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
    }
}

impl Workbench {
    pub(crate) async fn choose_attachments(&self) -> Vec<PickedFile> {
        self.host.pick_attachments().await.iter().map(|path| self.picked.remember(path)).collect()
    }

    pub(crate) async fn attach_picked(&self, token: &str) -> Result<Attachment, AppError> {
        let path = self.picked.path(token)?;
        self.attach(move || {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Ok((name.clone(), read(&path, &name)?))
        })
        .await
    }

    pub(crate) async fn attach_clipboard(&self, data: String) -> Result<Attachment, AppError> {
        self.attach(move || {
            let content = STANDARD.decode(data).ok();
            let content = content.ok_or_else(|| refused("What was pasted is no picture.".to_owned()))?;
            // What it is decides about the name; what is no picture is refused under this one.
            let format = imagesize::image_type(&content).ok().and_then(spelled).unwrap_or("png");
            Ok((format!("Pasted picture.{format}"), content))
        })
        .await
    }

    async fn attach(
        &self,
        content: impl FnOnce() -> Result<(String, Vec<u8>), AppError> + Send + 'static,
    ) -> Result<Attachment, AppError> {
        let attachments = Arc::clone(&self.playground.attachments);
        blocking(move || content().and_then(|(name, content)| attachments.take(&name, &content))).await
    }

    pub(crate) async fn show_picture(&self, id: String) -> Result<ShownPicture, AppError> {
        let path = self.playground.attachments.path(&id)?;
        let Some((AttachmentKind::Image, format)) = parts(&id) else {
            return Err(AppError::new(ErrorCode::Bug, "A document is no picture to be shown."));
        };
        blocking(move || {
            let content = std::fs::read(path).map_err(|error| from_io("The picture", &error))?;
            Ok(ShownPicture { url: format!("data:image/{format};base64,{}", STANDARD.encode(content)) })
        })
        .await
    }
}

/// The content of a file that is not too large, which is looked at before it is read.
fn read(path: &Path, name: &str) -> Result<Vec<u8>, AppError> {
    let trouble = |error: std::io::Error| {
        AppError::new(ErrorCode::FileUnavailable, format!("“{name}” cannot be read."))
            .detail(error.to_string())
            .hint("Check that the file is still there and can be read.")
    };
    let bytes = std::fs::metadata(path).map_err(trouble)?.len();
    if let Some(kind) = attaches_as(name) {
        check_size(name, kind, usize::try_from(bytes).unwrap_or(usize::MAX))?;
    }
    std::fs::read(path).map_err(trouble)
}

fn check_size(name: &str, kind: AttachmentKind, bytes: usize) -> Result<(), AppError> {
    let (most, words) = match kind {
        AttachmentKind::Image => (IMAGE_BYTES, "pictures of at most 3.75 MB"),
        AttachmentKind::Document => (DOCUMENT_BYTES, "documents of at most 4.5 MB"),
    };
    if bytes <= most {
        return Ok(());
    }
    Err(refused(format!("“{name}” is too large: Bedrock takes {words}.")).hint("Attach a smaller file."))
}

/// By the content, as Bedrock compares the two: a WebP that is called `.png` is sent as WebP.
fn picture_format(name: &str, content: &[u8]) -> Result<&'static str, AppError> {
    let format = imagesize::image_type(content).ok().and_then(spelled);
    let (Some(format), Ok(size)) = (format, imagesize::blob_size(content)) else {
        return Err(refused(format!("“{name}” is no picture in PNG, JPEG, GIF or WebP.")));
    };
    if size.width.max(size.height) > IMAGE_SIDE {
        let words = format!("“{name}” is {} × {} pixels: Bedrock takes at most 8,000 a side.", size.width, size.height);
        return Err(refused(words).hint("Attach a smaller picture."));
    }
    Ok(format)
}

fn spelled(kind: ImageType) -> Option<&'static str> {
    match kind {
        ImageType::Png => Some("png"),
        ImageType::Jpeg => Some("jpeg"),
        ImageType::Gif => Some("gif"),
        ImageType::Webp => Some("webp"),
        _ => None,
    }
}

fn refused(message: String) -> AppError {
    AppError::new(ErrorCode::InvalidInput, message)
}

/// Names that the documents of one request are told under: none twice, and with the characters that Converse takes.
#[derive(Default)]
pub(super) struct DocumentNames(HashSet<String>);

impl DocumentNames {
    pub(super) fn name(&mut self, file: &str) -> String {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-()[] ".contains(letter);
        let plain: String = stem.chars().map(|letter| if allowed(letter) { letter } else { '-' }).collect();
        let words: Vec<&str> = plain.split(' ').filter(|word| !word.is_empty()).collect();
        // What is left of a name in another script says nothing.
        let says = plain.chars().any(char::is_alphanumeric);
        let base: String =
            if says { words.join(" ").chars().take(NAME_LENGTH - 6).collect() } else { "Document".into() };
        let numbered = (2_u32..).map(|number| format!("{base} ({number})"));
        let name = std::iter::once(base.clone()).chain(numbered).find(|name| !self.0.contains(name));
        let name = name.unwrap_or(base);
        self.0.insert(name.clone());
        name
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test fails loudly where it stands")]
mod tests {
    use super::*;

    /// The head of a PNG, which says how large it is.
    fn png(width: u32, height: u32) -> Vec<u8> {
        let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
        [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &sides, &[8, 2, 0, 0, 0, 0, 0, 0, 0]].concat()
    }

    fn shelf() -> (tempfile::TempDir, Attachments) {
        let folder = tempfile::tempdir().unwrap();
        let attachments = Attachments::new(folder.path().join("attachments"));
        (folder, attachments)
    }

    #[test]
    fn the_same_content_is_one_copy_under_any_name() {
        let (_folder, shelf) = shelf();
        let (one, other) = (shelf.take("a.png", &png(4, 4)).unwrap(), shelf.take("b.PNG", &png(4, 4)).unwrap());
        assert_eq!(one.id, other.id);
        assert_eq!((other.name.as_str(), other.kind, other.bytes), ("b.PNG", AttachmentKind::Image, 33));
        assert_eq!(shelf.content(&one).unwrap(), png(4, 4));
        assert_eq!(std::fs::read_dir(&shelf.folder).unwrap().count(), 1);
    }

    #[test]
    fn a_picture_is_sent_as_what_it_is_and_not_as_it_is_called() {
        let (_folder, shelf) = shelf();
        let taken = shelf.take("photo.jpg", &png(4, 4)).unwrap();
        assert_eq!(taken.format, "png");
        assert_eq!(parts(&taken.id), Some((AttachmentKind::Image, "png")));
    }

    #[test]
    fn what_bedrock_would_refuse_is_refused_in_words() {
        let (_folder, shelf) = shelf();
        let large = [png(4, 4), vec![0; IMAGE_BYTES]].concat();
        for (name, content, words) in [
            ("tool.exe", b"MZ".to_vec(), "takes in no prompt"),
            ("notes", b"text".to_vec(), "takes in no prompt"),
            ("notes.txt", Vec::new(), "is empty"),
            ("photo.png", b"<svg/>".to_vec(), "is no picture"),
            ("photo.png", large, "at most 3.75 MB"),
            ("rates.csv", vec![b'1'; DOCUMENT_BYTES + 1], "at most 4.5 MB"),
            ("wide.png", png(8001, 4), "8001 × 4 pixels"),
        ] {
            let error = shelf.take(name, &content).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidInput, "{name}");
            assert!(error.message.contains(words), "{words} in {}", error.message);
        }
        assert!(!shelf.folder.exists(), "nothing that was refused is kept");
        shelf.take("just.png", &png(8000, 1)).unwrap();
    }

    #[test]
    fn the_window_can_name_nothing_but_a_copy() {
        let (_folder, shelf) = shelf();
        let hash = "0".repeat(64);
        for id in ["../whetstone.db", "", "a.png", &format!("{hash}.exe"), &format!("{hash}/../x.png"), &hash] {
            assert!(shelf.path(id).is_err(), "{id}");
        }
        assert!(shelf.path(&format!("{hash}.png")).is_ok());
    }

    #[test]
    fn a_copy_goes_when_nobody_names_it_any_more() {
        let (folder, first) = shelf();
        let kept = first.take("kept.txt", b"kept").unwrap();
        let gone = first.take("gone.txt", b"gone").unwrap();
        first.sweep(|| Ok(Vec::new())).unwrap();
        assert!(first.content(&gone).is_ok(), "the window may still hold what was attached since the start");
        let next = Attachments::new(folder.path().join("attachments"));
        next.sweep(|| Ok(vec![format!("{{\"id\":\"{}\"}}", kept.id)])).unwrap();
        assert!(next.content(&kept).is_ok());
        assert_eq!(next.content(&gone).unwrap_err().code, ErrorCode::NotFound);
    }

    #[test]
    fn documents_are_told_under_names_that_converse_takes_and_none_twice() {
        let mut names = DocumentNames::default();
        assert_eq!(names.name("Rates  2026_Q1.v2.xlsx"), "Rates 2026-Q1-v2");
        assert_eq!(names.name("Rates 2026_Q1.v2.pdf"), "Rates 2026-Q1-v2 (2)");
        assert_eq!(names.name("目次.pdf"), "Document");
        assert_eq!(names.name(&format!("{}.md", "long ".repeat(90))).len(), NAME_LENGTH - 6);
    }
}
