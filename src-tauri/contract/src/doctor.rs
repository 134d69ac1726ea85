//! The access doctor: whether a job would be let in, asked step by step before anything is uploaded.

use crate::shapes;

shapes! {
    /// What to look at. Nothing is changed by it, unless a probe is asked for.
    pub struct DoctorRequest {
        /// Chosen by the caller; each check is told under it as soon as it is done.
        pub request: String,
        /// Null is the current one.
        pub connection: Option<String>,
        /// A base model's id; without one, its checks are skipped.
        pub model: Option<String>,
        /// In place of the connection's own.
        pub role_arn: Option<String>,
        /// In place of the connection's own.
        pub bucket: Option<String>,
        /// Writes an object of a few bytes into the bucket, reads it and deletes it.
        pub probe: bool,
    }

    #[derive(Eq)]
    pub struct DoctorReport {
        /// The connection's name.
        pub name: String,
        pub region: String,
        pub account: Option<String>,
        /// In the order in which they were asked.
        pub checks: Vec<Check>,
        /// The gravest of the checks: failed, warning, else ok.
        pub verdict: CheckState,
    }

    #[derive(Eq)]
    pub struct Check {
        pub id: CheckId,
        pub title: String,
        pub state: CheckState,
        /// The calls that were made, as AWS names them.
        pub asked: String,
        pub answered: String,
        /// Set where something can be done about it.
        pub mend: Option<Mend>,
    }

    #[derive(Eq, Copy)]
    pub enum CheckId {
        Credentials,
        Identity,
        Clock,
        Region,
        Bedrock,
        Model,
        ModelAccess,
        CallerPermissions,
        RoleTrust,
        RolePermissions,
        PassRole,
        BucketRegion,
        BucketList,
        BucketWrite,
        Key,
        Quotas,
    }

    #[derive(Eq, Copy)]
    pub enum CheckState {
        Ok,
        /// It may work, and something is not as it should be.
        Warning,
        Failed,
        /// Not asked, because of what came before or because nothing was chosen.
        Skipped,
        /// Asked, and the answer says nothing either way.
        Unknown,
    }

    #[derive(Eq)]
    pub struct Mend {
        /// What to do, in a sentence.
        pub words: String,
        /// The very policy statement or document that is missing, as JSON.
        pub policy: Option<String>,
        /// A page to open in the browser.
        pub page: Option<String>,
    }
}
