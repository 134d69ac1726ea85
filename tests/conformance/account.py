"""What a developer does in a sandbox by boto3: a client for each service, and the few steps every life cycle takes."""

import csv
import io
import os

import boto3
import ledger
from judge import watch
from program import eventually

BASE_MODEL = "whetstone.tiny-v1"
BUCKET = "colours"
# Enough to learn thirty short records by heart, in a few seconds.
BY_HEART = {
    "epochCount": "30",
    "batchSize": "6",
    "learningRate": "0.002",
    "learningRateWarmupSteps": "10",
}


class Account:
    """boto3 clients configured by the environment alone: what a sandbox prints, and what a test changes in it.

    Every answer that one of them gets is judged, and every good one is written down for the table of operations.
    """

    def __init__(self, sandbox, **changed):
        self.environment = {**sandbox.environment(), **changed}
        self.role = self.environment["WHETSTONE_ROLE_ARN"]
        self.s3 = self.client("s3")
        self.bedrock = self.client("bedrock")
        self.runtime = self.client("bedrock-runtime")
        self.sts = self.client("sts")
        self.iam = self.client("iam")
        self.quotas = self.client("service-quotas")
        self.pricing = self.client("pricing")

    def client(self, service, **options):
        # A session takes what it needs from the environment when its clients are made.
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(self.environment)
        try:
            return watch(boto3.Session().client(service, **options), seen)
        finally:
            os.environ.clear()
            os.environ.update(before)

    def upload(self, key, body, bucket=BUCKET):
        try:
            self.s3.create_bucket(Bucket=bucket)
        except self.s3.exceptions.BucketAlreadyOwnedByYou:
            pass
        self.s3.put_object(Bucket=bucket, Key=key, Body=body)
        return f"s3://{bucket}/{key}"

    def job_request(self, name, training, **changed):
        return {
            "jobName": name,
            "customModelName": name,
            "roleArn": self.role,
            "baseModelIdentifier": BASE_MODEL,
            "customizationType": "FINE_TUNING",
            "trainingDataConfig": {"s3Uri": training},
            "outputDataConfig": {"s3Uri": f"s3://{BUCKET}/out"},
            "hyperParameters": BY_HEART,
            **changed,
        }

    def create_job(self, name, training, **changed):
        request = self.job_request(name, training, **changed)
        return self.bedrock.create_model_customization_job(**request)["jobArn"]

    def job(self, arn):
        return self.bedrock.get_model_customization_job(jobIdentifier=arn)

    def job_in(self, arn, *statuses, within=90):
        """The job once its status is one of these; a job that ended otherwise will never get there."""

        def there():
            job = self.job(arn)
            ended = job["status"] in ("Completed", "Failed", "Stopped") and job["status"] not in statuses
            assert not ended, f"{job['status']}: {job.get('failureMessage')}"
            return job if job["status"] in statuses else None

        return eventually(there, within)

    def training_job(self, arn):
        """The job once its training has begun."""

        def training():
            job = self.job(arn)
            assert job["status"] == "InProgress", f"{job['status']}: {job.get('failureMessage')}"
            return job if job["statusDetails"]["trainingDetails"]["status"] == "InProgress" else None

        return eventually(training)

    def metrics(self, arn, file_name):
        """Rows of a metrics file, found as AWS advises, by listing the job's prefix; None while it is not there."""
        prefix = f"out/model-customization-job-{arn.rsplit('/', 1)[-1]}/"
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        keys = [entry["Key"] for entry in listed if entry["Key"].endswith("/" + file_name)]
        if not keys:
            return None
        assert len(keys) == 1, keys
        text = self.s3.get_object(Bucket=BUCKET, Key=keys[0])["Body"].read().decode()
        return list(csv.DictReader(io.StringIO(text)))

    def serve(self, name, model_arn):
        """Deploys a custom model and returns the ARN to converse with, once it is active."""
        arn = self.bedrock.create_custom_model_deployment(modelDeploymentName=name, modelArn=model_arn)[
            "customModelDeploymentArn"
        ]

        def active():
            deployment = self.bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=arn)
            assert deployment["status"] != "Failed", deployment
            return deployment["status"] == "Active"

        eventually(active)
        return arn

    def answer(self, model, prompt):
        answer = self.runtime.converse(modelId=model, **conversation(prompt))
        return answer["output"]["message"]["content"][0]["text"]


def seen(service, operation):
    ledger.LEDGER.record("boto3", service.service_name, operation.name)


def conversation(prompt):
    return {
        "messages": [{"role": "user", "content": [{"text": prompt}]}],
        "inferenceConfig": {"maxTokens": 12, "temperature": 0.0},
    }
