//! Pictures and documents that go with a prompt.

use crate::shapes;

shapes! {
    /// What is attached to a prompt. The app keeps a copy of it; the window knows that by its id, never by a path.
    #[derive(Eq)]
    pub struct Attachment {
        /// Of the copy: the same content is the same copy.
        pub id: String,
        /// As the person knows it.
        pub name: String,
        pub kind: AttachmentKind,
        /// As Converse spells it: `png`, `pdf` and so on.
        pub format: String,
        pub bytes: u64,
    }

    #[derive(Eq, Copy)]
    pub enum AttachmentKind { Image, Document }

    /// A file that the person chose or dropped, to be attached.
    pub struct AttachRequest {
        pub token: String,
    }

    /// A picture from the clipboard: it has content and no file.
    pub struct PastedPicture {
        /// In Base64.
        pub data: String,
    }

    pub struct AttachmentId {
        pub id: String,
    }

    /// A picture as the window can show it.
    #[derive(Eq)]
    pub struct ShownPicture {
        /// A `data:` URL, with all of it.
        pub url: String,
    }
}
