//! The very documents that let a customization job in, and a model import with the same role: who may take it on, what it
//! may do, what the person needs. Sources: the Bedrock user guide's pages on the service roles of both, on KMS keys and on
//! VPCs of customization jobs.

use serde_json::{Value, json};

/// Where a job runs, as ARNs spell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    pub region: String,
    pub account: String,
}

/// What a role is let do, and no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub bucket: String,
    /// Empty, or ending with a slash.
    pub prefix: String,
    /// A key of the customer's own that the bucket or the model is encrypted with.
    pub kms_key: Option<String>,
    /// Jobs run inside a network of the customer's own.
    pub vpc: bool,
}

pub const ASSUME: &str = "sts:AssumeRole";
pub const SERVICE: &str = "bedrock.amazonaws.com";

impl Place {
    pub fn of(identity_arn: &str, region: &str, account: &str) -> Self {
        let partition = identity_arn.split(':').nth(1).filter(|part| !part.is_empty()).unwrap_or("aws");
        Self { partition: partition.to_owned(), region: region.to_owned(), account: account.to_owned() }
    }

    fn bedrock(&self, account: &str, resource: &str) -> String {
        format!("arn:{}:bedrock:{}:{account}:{resource}", self.partition, self.region)
    }

    /// Every customization job of this account here.
    pub fn jobs(&self) -> String {
        self.bedrock(&self.account, "model-customization-job/*")
    }

    /// Every model import of this account here.
    fn imports(&self) -> String {
        self.bedrock(&self.account, "model-import-job/*")
    }

    pub fn foundation_model(&self, id: &str) -> String {
        self.bedrock("", &format!("foundation-model/{id}"))
    }

    pub fn custom_models(&self) -> String {
        self.bedrock(&self.account, "custom-model/*")
    }

    pub fn deployments(&self) -> String {
        self.bedrock(&self.account, "custom-model-deployment/*")
    }

    pub fn bucket(&self, bucket: &str) -> String {
        format!("arn:{}:s3:::{bucket}", self.partition)
    }

    pub fn objects(&self, bucket: &str, prefix: &str) -> String {
        format!("arn:{}:s3:::{bucket}/{prefix}*", self.partition)
    }
}

/// Bedrock may take the role on, for jobs of this account in this Region alone.
pub fn trust(place: &Place) -> Value {
    document(&[json!({
        "Sid": "CustomizationAndImportJobs",
        "Effect": "Allow",
        "Principal": { "Service": SERVICE },
        "Action": ASSUME,
        "Condition": {
            "StringEquals": { "aws:SourceAccount": place.account },
            "ArnLike": { "aws:SourceArn": [place.jobs(), place.imports()] },
        },
    })])
}

/// What the role may do: exactly this bucket and prefix, and what was asked for beside them.
pub fn permissions(place: &Place, grant: &Grant) -> Value {
    let mut statements = vec![
        // Names of the whole bucket: with which prefix Bedrock lists is documented nowhere, so no condition asks for one.
        json!({
            "Sid": "ListBucket",
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": place.bucket(&grant.bucket),
            "Condition": { "StringEquals": { "aws:ResourceAccount": place.account } },
        }),
        json!({
            "Sid": "ReadAndWrite",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": place.objects(&grant.bucket, &grant.prefix),
            "Condition": { "StringEquals": { "aws:ResourceAccount": place.account } },
        }),
    ];
    if let Some(key) = &grant.kms_key {
        statements.push(kms(place, key));
    }
    if grant.vpc {
        statements.extend(vpc(place));
    }
    document(&statements)
}

/// A customer's key, for S3 and Bedrock only.
fn kms(place: &Place, key: &str) -> Value {
    let through = |service: &str| format!("{service}.{}.amazonaws.com", place.region);
    json!({
        "Sid": "UseKey",
        "Effect": "Allow",
        "Action": KEY_ACTIONS,
        "Resource": key,
        "Condition": { "StringEquals": { "kms:ViaService": [through("s3"), through("bedrock")] } },
    })
}

pub const KEY_ACTIONS: [&str; 4] = ["kms:Decrypt", "kms:GenerateDataKey", "kms:DescribeKey", "kms:CreateGrant"];

/// Network interfaces that a job makes for itself, and takes away again.
fn vpc(place: &Place) -> Vec<Value> {
    let ec2 = |kind: &str| format!("arn:{}:ec2:{}:{}:{kind}/*", place.partition, place.region, place.account);
    vec![
        json!({
            "Sid": "SeeNetwork",
            "Effect": "Allow",
            "Action": [
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeVpcs",
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeSubnets",
                "ec2:DescribeSecurityGroups",
            ],
            "Resource": "*",
        }),
        json!({
            "Sid": "MakeInterfaces",
            "Effect": "Allow",
            "Action": ["ec2:CreateNetworkInterface"],
            "Resource": [ec2("network-interface"), ec2("subnet"), ec2("security-group")],
        }),
        json!({
            "Sid": "TagInterfaces",
            "Effect": "Allow",
            "Action": ["ec2:CreateTags"],
            "Resource": ec2("network-interface"),
            "Condition": { "StringEquals": { "ec2:CreateAction": "CreateNetworkInterface" } },
        }),
        json!({
            "Sid": "UseInterfaces",
            "Effect": "Allow",
            "Action": [
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            "Resource": ec2("network-interface"),
        }),
    ]
}

/// The person may hand this role to Bedrock.
pub fn pass_role(role_arn: &str) -> Value {
    json!({
        "Effect": "Allow",
        "Action": "iam:PassRole",
        "Resource": role_arn,
        "Condition": { "StringEquals": { "iam:PassedToService": SERVICE } },
    })
}

/// One statement that allows actions on resources.
pub fn allow(actions: &[&str], resources: &[String]) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resources })
}

pub fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

pub fn text(document: &Value) -> String {
    serde_json::to_string_pretty(document).unwrap_or_default()
}
