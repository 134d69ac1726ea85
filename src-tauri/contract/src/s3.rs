//! What lies in S3, to look at, to take a dataset from, and to bring to this computer.

use crate::shapes;

shapes! {
    pub struct Bucket {
        pub name: String,
        pub created_at: Option<i64>,
    }

    /// What is directly below a place, a page at a time.
    #[derive(Eq)]
    pub struct PlaceRequest {
        pub bucket: String,
        /// Empty, or the folder's key with the slash at its end.
        pub prefix: String,
        /// `next` of the page before.
        pub after: Option<String>,
    }

    pub struct PlaceListing {
        pub folders: Vec<PlaceFolder>,
        pub objects: Vec<PlaceObject>,
        /// There is more: ask with it as `after`.
        pub next: Option<String>,
    }

    #[derive(Eq)]
    pub struct PlaceFolder {
        pub name: String,
        pub prefix: String,
    }

    #[derive(Eq)]
    pub struct PlaceObject {
        pub name: String,
        pub key: String,
        pub bytes: u64,
        pub modified_at: Option<i64>,
    }

    #[derive(Eq)]
    pub struct ObjectRequest {
        pub bucket: String,
        pub key: String,
    }

    /// The head of an object and the beginning of what is in it.
    pub struct ObjectPreview {
        pub bytes: u64,
        pub modified_at: Option<i64>,
        pub content_type: Option<String>,
        /// Null where it is not text.
        pub text: Option<String>,
        /// There is more than `text`.
        pub cut: bool,
    }

    #[derive(Eq)]
    pub struct FolderRequest {
        pub bucket: String,
        pub prefix: String,
    }

    /// Parts of an upload that nobody completed: invisible in a listing, and paid for.
    pub struct AbandonedUpload {
        pub bucket: String,
        pub key: String,
        pub id: String,
        pub begun_at: Option<i64>,
        pub parts: u64,
        pub bytes: u64,
    }

    #[derive(Eq)]
    pub struct AbandonedRequest {
        pub bucket: String,
        pub key: String,
        pub id: String,
    }
}
