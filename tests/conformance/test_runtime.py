"""How models answer and where they come from: every family's bodies, provisioned throughput, import, copy and tags."""

import json
import time

import llama
import pytest
from account import BUCKET, conversation
from command_line import has
from judge import events, refusal
from program import eventually
from records import PAIRS, jsonl

QUESTION = "What did the old man say?"
LLAMA_PROMPT = (
    f"<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n{QUESTION}<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n"
)
# For each family a model, a body, and where its answer has the text.
FAMILIES = {
    "claude-2": (
        "anthropic.claude-v2",
        {"prompt": f"\n\nHuman: {QUESTION}\n\nAssistant:", "max_tokens_to_sample": 8, "temperature": 0},
        lambda reply: reply["completion"],
    ),
    "claude-3": (
        "anthropic.claude-3-haiku-20240307-v1:0",
        {
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 8,
            "temperature": 0,
            "messages": [{"role": "user", "content": QUESTION}],
        },
        lambda reply: reply["content"][0]["text"],
    ),
    "titan": (
        "amazon.titan-text-express-v1:0",
        {"inputText": QUESTION, "textGenerationConfig": {"maxTokenCount": 8, "temperature": 0}},
        lambda reply: reply["results"][0]["outputText"],
    ),
    "llama": (
        "meta.llama3-1-8b-instruct-v1:0",
        {"prompt": LLAMA_PROMPT, "max_gen_len": 8, "temperature": 0},
        lambda reply: reply["generation"],
    ),
    "cohere": (
        "cohere.command-text-v14",
        {"prompt": QUESTION, "max_tokens": 8, "temperature": 0},
        lambda reply: reply["generations"][0]["text"],
    ),
    "nova": (
        "amazon.nova-micro-v1:0",
        {
            "schemaVersion": "messages-v1",
            "messages": [{"role": "user", "content": [{"text": QUESTION}]}],
            "inferenceConfig": {"maxTokens": 8, "temperature": 0},
        },
        lambda reply: reply["output"]["message"]["content"][0]["text"],
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_familys_body_is_answered_counted_and_streamed(account, family):
    model, body, text = FAMILIES[family]
    runtime = account.runtime
    answer = runtime.invoke_model(modelId=model, body=json.dumps(body), accept="application/json")
    assert answer["contentType"] == "application/json"
    whole = text(json.loads(answer["body"].read()))
    counted = answer["ResponseMetadata"]["HTTPHeaders"]["x-amzn-bedrock-input-token-count"]
    tokens = runtime.count_tokens(modelId=model, input={"invokeModel": {"body": json.dumps(body)}})
    assert str(tokens["inputTokens"]) == counted

    stream = runtime.invoke_model_with_response_stream(modelId=model, body=json.dumps(body))
    told = events(runtime, "invoke_model_with_response_stream", stream["body"])
    assert {name for name, _ in told} == {"chunk"}
    chunks = [json.loads(chunk["bytes"]) for _, chunk in told]
    assert chunks[-1]["amazon-bedrock-invocationMetrics"]["inputTokenCount"] == tokens["inputTokens"]
    assert "".join(said(chunk) for chunk in chunks) == whole


def said(chunk):
    """The text of a chunk of any family."""
    nested = chunk.get("contentBlockDelta", {}).get("delta", {}) or chunk.get("delta", {})
    for text in (chunk.get("completion"), chunk.get("outputText"), chunk.get("generation"), chunk.get("text")):
        if text is not None:
            return text
    return nested.get("text", "")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_body_of_another_family_is_malformed(account, family):
    model, body, _ = FAMILIES[family]
    strange = json.dumps({**body, "colour": "red"})
    code, status, message = refusal(account.runtime.invoke_model, modelId=model, body=strange)
    assert (code, status) == ("ValidationException", 400)
    assert message.startswith("Malformed input request: ")
    assert "extraneous key [colour] is not permitted" in message


def test_a_base_model_with_a_context_suffix_has_no_on_demand_throughput(account):
    call = account.runtime.converse
    code, _, message = refusal(call, modelId="amazon.nova-micro-v1:0:128k", **conversation("Hello"))
    assert (code, message) == ("ValidationException", "The provided model doesn't support on-demand throughput.")


def test_the_command_line_counts_tokens(aws):
    question = json.dumps({"converse": {"messages": conversation("Hello")["messages"]}})
    model = "amazon.nova-micro-v1:0"
    told = aws("bedrock-runtime", "count-tokens", "--model-id", model, "--input", question)
    assert json.loads(told)["inputTokens"] > 0
    assert not has("bedrock-runtime", "InvokeModelWithResponseStream"), "then it belongs here"


@pytest.fixture(scope="module")
def titan(account):
    """A custom model that AWS serves by provisioned throughput only."""
    training = account.upload("data/titan.jsonl", jsonl(times=2))
    arn = account.create_job(
        "titan",
        training,
        baseModelIdentifier="amazon.titan-text-express-v1:0:8k",
        hyperParameters={"epochCount": "1"},
        customModelTags=[{"key": "team", "value": "support"}],
    )
    return account.job_in(arn, "Completed")["outputModelArn"]


def in_service(account, arn):
    def there():
        found = account.bedrock.get_provisioned_model_throughput(provisionedModelId=arn)
        assert found["status"] != "Failed", found
        return found if found["status"] == "InService" else None

    return eventually(there)


def test_a_tuned_model_of_titan_answers_by_provisioned_throughput(account, aws, titan):
    bedrock = account.bedrock
    arn = bedrock.create_provisioned_model_throughput(
        modelUnits=1, provisionedModelName="titan", modelId=titan, tags=[{"key": "for", "value": "tests"}]
    )["provisionedModelArn"]
    made = in_service(account, arn)
    assert made["modelArn"] == titan
    answer = account.runtime.converse(modelId=arn, **conversation(PAIRS[0][0]))
    assert answer["usage"]["outputTokens"] > 0
    assert refusal(bedrock.delete_custom_model, modelIdentifier=titan)[0] == "ConflictException"

    base = "amazon.titan-text-express-v1:0:8k"
    bedrock.update_provisioned_model_throughput(
        provisionedModelId=arn, desiredProvisionedModelName="plain", desiredModelId=base
    )
    turned = in_service(account, "plain")
    assert turned["modelArn"].endswith(base)
    listed = bedrock.list_provisioned_model_throughputs(nameContains="pla", statusEquals="InService")
    assert [one["provisionedModelArn"] for one in listed["provisionedModelSummaries"]] == [arn]

    told = aws("bedrock", "get-provisioned-model-throughput", "--provisioned-model-id", arn)
    assert json.loads(told)["status"] == "InService"
    assert arn in aws("bedrock", "list-provisioned-model-throughputs")
    aws("bedrock", "update-provisioned-model-throughput", "--provisioned-model-id", arn,
        "--desired-provisioned-model-name", "plainer")  # fmt: skip
    aws("bedrock", "delete-provisioned-model-throughput", "--provisioned-model-id", "plainer")
    made = aws("bedrock", "create-provisioned-model-throughput", "--model-units", "1",
               "--provisioned-model-name", "again", "--model-id", titan)  # fmt: skip
    bedrock.delete_provisioned_model_throughput(provisionedModelId=json.loads(made)["provisionedModelArn"])


def test_a_commitment_is_kept_and_units_are_bounded(account):
    request = {"provisionedModelName": "committed", "modelId": "amazon.nova-micro-v1:0:128k", "modelUnits": 1}
    create = account.bedrock.create_provisioned_model_throughput
    assert refusal(create, **{**request, "modelUnits": 2})[:2] == ("ServiceQuotaExceededException", 400)
    arn = create(**request, commitmentDuration="OneMonth", clientRequestToken="once")["provisionedModelArn"]
    again = create(**request, commitmentDuration="OneMonth", clientRequestToken="once")
    assert again["provisionedModelArn"] == arn
    end = in_service(account, arn)["commitmentExpirationTime"]
    assert 27 * 86400 < end.timestamp() - time.time() < 32 * 86400
    code, status, _ = refusal(account.bedrock.delete_provisioned_model_throughput, provisionedModelId=arn)
    assert (code, status) == ("ConflictException", 400)


@pytest.fixture(scope="module")
def folder(account, tmp_path_factory):
    """A Llama folder of somebody else's in S3."""
    here = tmp_path_factory.mktemp("llama")
    llama.write(here)
    for file in here.iterdir():
        account.upload(f"models/llama/{file.name}", file.read_bytes())
    return f"s3://{BUCKET}/models/llama/"


def import_job(account, arn):
    def over():
        job = account.bedrock.get_model_import_job(jobIdentifier=arn)
        return job if job["status"] != "InProgress" else None

    return eventually(over)


def source(uri):
    return {"s3DataSource": {"s3Uri": uri}}


def test_an_imported_folder_says_what_a_plain_computation_says(account, aws, folder):
    bedrock, runtime = account.bedrock, account.runtime
    arn = bedrock.create_model_import_job(
        jobName="llama",
        importedModelName="llama",
        roleArn=account.role,
        modelDataSource=source(folder),
        importedModelTags=[{"key": "team", "value": "support"}],
    )["jobArn"]
    job = import_job(account, arn)
    assert job["status"] == "Completed", job.get("failureMessage")
    model = bedrock.get_imported_model(modelIdentifier="llama")
    assert model["modelArn"] == job["importedModelArn"]
    assert (model["modelArchitecture"], model["instructSupported"]) == ("llama", True)

    expected = llama.answer(llama.asked("Hello there"), 12).decode(errors="replace")
    answer = runtime.converse(modelId=model["modelArn"], **conversation("Hello there"))
    assert answer["output"]["message"]["content"][0]["text"] == expected
    assert answer["usage"]["inputTokens"] == len(llama.asked("Hello there"))
    raw = {"prompt": "<|begin|><|start|>user: Hello there<|end|><|start|>", "max_gen_len": 12, "temperature": 0}
    reply = runtime.invoke_model(modelId=model["modelArn"], body=json.dumps(raw))
    assert json.loads(reply["body"].read())["generation"] == expected

    assert bedrock.list_model_import_jobs(nameContains="llama")["modelImportJobSummaries"][0]["jobArn"] == arn
    assert bedrock.list_imported_models()["modelSummaries"][0]["modelArn"] == model["modelArn"]
    assert model["modelArn"] in aws("bedrock", "get-imported-model", "--model-identifier", "llama")
    assert model["modelArn"] in aws("bedrock", "list-imported-models")
    assert arn in aws("bedrock", "list-model-import-jobs")
    aws("bedrock", "delete-imported-model", "--model-identifier", "llama")

    made = aws("bedrock", "create-model-import-job", "--job-name", "again", "--imported-model-name", "again",
               "--role-arn", account.role, "--model-data-source", json.dumps(source(folder)))  # fmt: skip
    assert import_job(account, json.loads(made)["jobArn"])["status"] == "Completed"
    assert '"Completed"' in aws("bedrock", "get-model-import-job", "--job-identifier", "again")
    bedrock.delete_imported_model(modelIdentifier="again")
    assert refusal(bedrock.get_imported_model, modelIdentifier="again")[1] == 404


def test_a_folder_of_another_architecture_fails_its_import_and_says_what_is_taken(account, folder):
    account.upload("models/other/config.json", json.dumps({"model_type": "gpt_bigcode"}).encode())
    account.upload("models/other/tokenizer.json", b"{}")
    account.upload("models/other/model.safetensors", b"")
    arn = account.bedrock.create_model_import_job(
        jobName="other",
        importedModelName="other",
        roleArn=account.role,
        modelDataSource=source(f"s3://{BUCKET}/models/other/"),
    )["jobArn"]
    job = import_job(account, arn)
    assert job["status"] == "Failed"
    assert "gpt_bigcode" in job["failureMessage"]
    assert "Llama" in job["failureMessage"]


def test_a_custom_model_is_copied_to_another_region(account, aws, titan):
    endpoint = account.environment["AWS_ENDPOINT_URL"]
    west = account.client("bedrock", region_name="us-west-2", endpoint_url=endpoint)
    arn = west.create_model_copy_job(
        sourceModelArn=titan, targetModelName="copied", targetModelTags=[{"key": "from", "value": "east"}]
    )["jobArn"]

    def over(arn):
        def ask():
            job = west.get_model_copy_job(jobArn=arn)
            return job if job["status"] != "InProgress" else None

        return eventually(ask)

    job = over(arn)
    assert job["status"] == "Completed", job.get("failureMessage")
    assert west.get_custom_model(modelIdentifier="copied")["modelArn"] == job["targetModelArn"]
    listed = west.list_model_copy_jobs(sourceModelArnEquals=titan)["modelCopyJobSummaries"]
    assert [one["jobArn"] for one in listed] == [arn]
    here = ["--region", "us-west-2"]
    made = json.loads(aws("bedrock", "create-model-copy-job", "--source-model-arn", titan,
                          "--target-model-name", "twice", *here))["jobArn"]  # fmt: skip
    assert over(made)["status"] == "Completed"
    assert '"Completed"' in aws("bedrock", "get-model-copy-job", "--job-arn", made, *here)
    assert made in aws("bedrock", "list-model-copy-jobs", *here)


def test_tags_are_kept_changed_and_bounded(account, aws, titan):
    bedrock = account.bedrock

    def tags():
        listed = bedrock.list_tags_for_resource(resourceARN=titan)["tags"]
        return {tag["key"]: tag["value"] for tag in listed}

    assert tags() == {"team": "support"}
    bedrock.tag_resource(resourceARN=titan, tags=[{"key": "stage", "value": "trial"}, {"key": "team", "value": "legal"}])
    bedrock.untag_resource(resourceARN=titan, tagKeys=["stage"])
    assert tags() == {"team": "legal"}
    many = [{"key": f"key-{number}", "value": ""} for number in range(50)]
    code, status, _ = refusal(bedrock.tag_resource, resourceARN=titan, tags=many)
    assert (code, status) == ("TooManyTagsException", 400)
    aws("bedrock", "tag-resource", "--resource-arn", titan, "--tags", "key=stage,value=live")
    assert "live" in aws("bedrock", "list-tags-for-resource", "--resource-arn", titan)
    aws("bedrock", "untag-resource", "--resource-arn", titan, "--tag-keys", "stage", "team")
    assert tags() == {}
