//! The bucket: is it where the job is, may it be listed and written, and with which key does it encrypt?

use whetstone_cloud::CloudErrorCode;
use whetstone_contract::CheckId;

use super::Round;
use super::policies::{self, Grant, KEY_ACTIONS};
use super::verdict::{Answered as _, check, refused, said, unasked};

pub async fn look(round: &mut Round<'_>) {
    let Some(bucket) = round.subject.bucket.clone() else {
        for id in [CheckId::BucketRegion, CheckId::BucketList, CheckId::BucketWrite, CheckId::Key] {
            round.add(check(id, "A bucket").skipped("No bucket is chosen for this connection."));
        }
        return;
    };
    if !region(round, &bucket).await {
        for id in [CheckId::BucketList, CheckId::BucketWrite, CheckId::Key] {
            round.add(check(id, &bucket).skipped("The bucket could not be looked at."));
        }
        return;
    }
    list(round, &bucket).await;
    write(round, &bucket).await;
    key(round, &bucket).await;
}

/// Says whether the bucket can be looked at here.
async fn region(round: &mut Round<'_>, bucket: &str) -> bool {
    let asked = check(CheckId::BucketRegion, &format!("s3:HeadBucket {bucket}"));
    let here = round.subject.region.clone();
    let may = policies::allow(&["s3:ListBucket"], &[round.place.bucket(bucket)]);
    let (done, goes_on) = match round.cloud.bucket_place(bucket).await {
        Ok(place) => match (place.region, place.refused) {
            (Some(region), _) if region != here => (
                asked
                    .failed(format!("It is in {region}, and jobs of this connection run in {here}."))
                    .mend(format!("Choose or create a bucket in {here}, or use a connection for {region}.")),
                false,
            ),
            (_, Some(error)) => (refused(asked, &error, &may), true),
            (Some(region), None) => (asked.ok(format!("It is in {region}.")), true),
            (None, None) => (asked.unknown("It is there; the endpoint does not tell where."), true),
        },
        Err(error) if error.code == CloudErrorCode::NotFound => {
            (asked.failed("There is no such bucket.").mend(format!("Create it in {here}, or choose another.")), false)
        }
        Err(error) => (refused(asked, &error, &may), false),
    };
    round.add(done);
    goes_on
}

async fn list(round: &mut Round<'_>, bucket: &str) {
    let prefix = &round.subject.prefix;
    let asked = check(CheckId::BucketList, &format!("s3:ListBucket {bucket}/{prefix}"));
    let done = match round.cloud.may_list(bucket, prefix).await {
        Ok(()) => asked.ok("You may list it."),
        Err(error) => refused(asked, &error, &policies::allow(&["s3:ListBucket"], &[round.place.bucket(bucket)])),
    };
    round.add(done);
}

async fn write(round: &mut Round<'_>, bucket: &str) {
    let objects = round.place.objects(bucket, &round.subject.prefix);
    let actions = ["s3:GetObject", "s3:PutObject"];
    let statement = policies::allow(&actions, &[objects]);
    if round.subject.probe {
        let key = format!("{}whetstone-probe", round.subject.prefix);
        let asked = check(CheckId::BucketWrite, &format!("s3:PutObject, GetObject, DeleteObject {key}"));
        let done = match round.cloud.write_and_take_away(bucket, &key).await {
            Ok(()) => asked.ok("A small object was written, read and deleted."),
            // What is not deleted is not in the way of a job.
            Err(error) if error.operation == "DeleteObject" => asked
                .warning(format!("{key} was written and read, and could not be deleted: {}", said(&error)))
                .mend("Delete it when you may. Jobs do not need to delete anything."),
            Err(error) => refused(asked, &error, &statement),
        };
        round.add(done);
        return;
    }
    let asked = check(CheckId::BucketWrite, "s3:PutObject, GetObject by iam:SimulatePrincipalPolicy");
    let Some(caller) = round.caller.clone() else {
        round.add(asked.unknown("IAM cannot be asked about this kind of caller; write a small object to find out."));
        return;
    };
    let object = format!("{}/{}datasets/a-job/training.jsonl", round.place.bucket(bucket), round.subject.prefix);
    let done = match round.cloud.simulate(&caller, &actions, &[object], &[]).await {
        Ok(decisions) => {
            let denied: Vec<&str> =
                decisions.iter().filter(|one| !one.allowed).map(|one| one.action.as_str()).collect();
            if denied.is_empty() {
                asked.ok("By your policies you may. The bucket's own policy was not asked; a small object would tell.")
            } else {
                asked
                    .failed(format!("You may not: {}.", denied.join(", ")))
                    .policy("Ask for this statement.", &statement)
            }
        }
        Err(error) => unasked(asked, &error, &policies::allow(&["iam:SimulatePrincipalPolicy"], &[caller])),
    };
    round.add(done);
}

async fn key(round: &mut Round<'_>, bucket: &str) {
    let asked = check(CheckId::Key, "s3:GetEncryptionConfiguration");
    let key = match round.cloud.bucket_key(bucket).await {
        Ok(None) => {
            round.add(asked.ok("It encrypts with a key of AWS's; nobody needs a permission for that."));
            return;
        }
        Ok(Some(key)) => key,
        Err(error) => {
            let statement = policies::allow(&["s3:GetEncryptionConfiguration"], &[round.place.bucket(bucket)]);
            round.add(unasked(asked, &error, &statement));
            return;
        }
    };
    let Some(role) = round.subject.role_arn.clone() else {
        round.add(asked.skipped(format!("It encrypts with {key}. No role is chosen that could need it.")));
        return;
    };
    let through = format!("s3.{}.amazonaws.com", round.place.region);
    let context = [("kms:ViaService", through.as_str())];
    let done = match round.cloud.simulate(&role, &KEY_ACTIONS[..2], std::slice::from_ref(&key), &context).await {
        Ok(decisions) if decisions.iter().all(|one| one.allowed) => {
            asked.ok(format!("It encrypts with {key}, and the role may use it. The key's own policy was not asked."))
        }
        Ok(_) => {
            let grant = Grant {
                bucket: bucket.to_owned(),
                prefix: round.subject.prefix.clone(),
                kms_key: Some(key.clone()),
                vpc: false,
            };
            asked.failed(format!("It encrypts with {key}, and the role may not use that.")).policy(
                "Give the role this policy, and name the role in the key's own policy.",
                &policies::permissions(&round.place, &grant),
            )
        }
        Err(error) => unasked(asked, &error, &policies::allow(&["iam:SimulatePrincipalPolicy"], &[role])),
    };
    round.add(done);
}
