"""A customization job from upload to answer, by boto3."""

import json
import math
from itertools import pairwise

import pytest
from account import BASE_MODEL, BUCKET, BY_HEART, conversation
from judge import events, refusal
from program import eventually
from records import PAIRS, conversations, jsonl

STEPS = math.ceil(len(PAIRS) / int(BY_HEART["batchSize"])) * int(BY_HEART["epochCount"])


def test_the_base_model_is_listed_as_tunable(account):
    models = account.bedrock.list_foundation_models(byCustomizationType="FINE_TUNING")["modelSummaries"]
    tiny = next(model for model in models if model["modelId"] == BASE_MODEL)
    assert "FINE_TUNING" in tiny["customizationsSupported"]
    details = account.bedrock.get_foundation_model(modelIdentifier=BASE_MODEL)["modelDetails"]
    assert details["modelArn"] == tiny["modelArn"]
    assert details["responseStreamingSupported"] is True
    here = account.bedrock.get_foundation_model_availability(modelId=BASE_MODEL)
    assert (here["authorizationStatus"], here["regionAvailability"]) == ("AUTHORIZED", "AVAILABLE")


def test_a_job_passes_through_its_three_phases(tuned):
    names = ["validationDetails", "dataProcessingDetails", "trainingDetails"]
    assert tuned.phases[-1] == dict.fromkeys(names, "Completed")
    order = ["NotStarted", "InProgress", "Completed"]
    for before, after in pairwise(tuned.phases):
        for name in names:
            assert order.index(before[name]) <= order.index(after[name]), "a phase went backwards"
    for phases in tuned.phases:
        ranks = [order.index(phases[name]) for name in names]
        assert ranks == sorted(ranks, reverse=True), f"a later phase was ahead of an earlier one: {phases}"


def test_a_completed_job_says_what_was_asked_and_what_came_out(account, tuned):
    job = tuned.job
    assert job["hyperParameters"].items() >= BY_HEART.items()
    assert job["baseModelArn"].endswith(f"foundation-model/{BASE_MODEL}")
    assert job["customizationType"] == "FINE_TUNING"
    assert job["creationTime"] <= job["lastModifiedTime"]
    assert job["creationTime"] <= job["endTime"]
    assert job["trainingMetrics"]["trainingLoss"] > 0
    assert len(job["validationMetrics"]) == 1
    summaries = account.bedrock.list_model_customization_jobs(nameContains="colours")
    summary = next(s for s in summaries["modelCustomizationJobSummaries"] if s["jobArn"] == job["jobArn"])
    assert summary["status"] == "Completed"
    assert summary["customModelArn"] == job["outputModelArn"]
    by_name = account.job("colours")
    assert by_name["jobArn"] == job["jobArn"]


def test_both_metrics_files_are_in_s3_under_the_documented_columns(account, tuned):
    training = account.metrics(tuned.job["jobArn"], "step_wise_training_metrics.csv")
    assert list(training[0]) == ["step_number", "epoch_number", "training_loss", "perplexity"]
    assert [int(row["step_number"]) for row in training] == list(range(STEPS))
    losses = [float(row["training_loss"]) for row in training]
    assert sum(losses[-5:]) < sum(losses[:5]) / 4, "learning by heart must bring the loss down"
    for row in training:
        assert math.isclose(float(row["perplexity"]), math.exp(float(row["training_loss"])), rel_tol=1e-2)

    validation = account.metrics(tuned.job["jobArn"], "validation_metrics.csv")
    assert list(validation[0]) == ["step_number", "epoch_number", "validation_loss", "perplexity"]
    assert float(validation[-1]["validation_loss"]) < float(validation[0]["validation_loss"])
    assert math.isclose(
        float(validation[-1]["validation_loss"]), tuned.job["validationMetrics"][0]["validationLoss"], rel_tol=1e-3
    )


def test_the_custom_model_knows_where_it_comes_from(account, tuned):
    model = account.bedrock.get_custom_model(modelIdentifier=tuned.job["outputModelArn"])
    assert model["jobArn"] == tuned.job["jobArn"]
    assert model["baseModelArn"] == tuned.job["baseModelArn"]
    assert model["modelStatus"] == "Active"
    listed = account.bedrock.list_custom_models(nameContains="colours")["modelSummaries"]
    assert tuned.job["outputModelArn"] in [entry["modelArn"] for entry in listed]
    deployments = account.bedrock.list_custom_model_deployments()["modelDeploymentSummaries"]
    assert tuned.deployment in [entry["customModelDeploymentArn"] for entry in deployments]


def test_the_tuned_model_answers_what_it_was_taught_and_the_base_does_not(account, tuned):
    def right(model):
        return sum(account.answer(model, prompt).strip() == completion for prompt, completion in PAIRS)

    assert right(tuned.deployment) >= 0.9 * len(PAIRS)
    assert right(BASE_MODEL) <= 0.1 * len(PAIRS)


def test_converse_counts_tokens_and_time(account, tuned):
    prompt, _ = PAIRS[0]
    answer = account.runtime.converse(modelId=tuned.deployment, **conversation(prompt))
    usage = answer["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]
    assert 0 < usage["outputTokens"] <= 12
    assert answer["stopReason"] == "end_turn"
    assert answer["metrics"]["latencyMs"] >= 0
    longer = account.runtime.converse(modelId=tuned.deployment, **conversation(prompt + " " + prompt))
    assert longer["usage"]["inputTokens"] > usage["inputTokens"]


def test_max_tokens_cuts_an_answer_short_and_says_so(account):
    request = conversation("Once upon a time")
    request["inferenceConfig"]["maxTokens"] = 3
    answer = account.runtime.converse(modelId=BASE_MODEL, **request)
    assert answer["stopReason"] == "max_tokens"
    assert answer["usage"]["outputTokens"] == 3


def test_a_stream_brings_the_same_answer_in_documented_order(account, tuned):
    prompt, _ = PAIRS[1]
    whole = account.answer(tuned.deployment, prompt)
    answer = account.runtime.converse_stream(modelId=tuned.deployment, **conversation(prompt))
    told = events(account.runtime, "converse_stream", answer["stream"])
    names = [name for name, _ in told]
    assert names[0] == "messageStart"
    assert names[-3:] == ["contentBlockStop", "messageStop", "metadata"]
    assert set(names[1:-3]) <= {"contentBlockStart", "contentBlockDelta"}
    assert "".join(body["delta"]["text"] for name, body in told if name == "contentBlockDelta") == whole
    told = dict(told)
    assert told["messageStart"] == {"role": "assistant"}
    assert told["messageStop"]["stopReason"] == "end_turn"
    usage = told["metadata"]["usage"]
    assert usage["totalTokens"] == usage["inputTokens"] + usage["outputTokens"]


def test_invoke_model_takes_the_message_body(account, tuned):
    prompt, _ = PAIRS[2]
    body = {"schemaVersion": "messages-v1", **conversation(prompt)}
    answer = account.runtime.invoke_model(modelId=tuned.deployment, body=json.dumps(body))
    assert answer["contentType"] == "application/json"
    said = json.loads(answer["body"].read())
    assert said["output"]["message"]["content"][0]["text"] == account.answer(tuned.deployment, prompt)
    assert said["stopReason"] == "end_turn"


def test_the_training_file_grows_and_a_stopped_job_leaves_no_model(account):
    training = account.upload("data/long.jsonl", jsonl(times=20))
    arn = account.create_job("stopped", training, hyperParameters={**BY_HEART, "epochCount": "50"})
    account.training_job(arn)

    def rows():
        return len(account.metrics(arn, "step_wise_training_metrics.csv") or [])

    early = eventually(rows)
    later = eventually(lambda: max(rows() - early, 0))
    assert later > 0
    code, status, _ = refusal(account.bedrock.get_custom_model, modelIdentifier="stopped")
    assert (code, status) == ("ResourceNotFoundException", 404)

    account.bedrock.stop_model_customization_job(jobIdentifier=arn)
    assert account.job(arn)["status"] in ("Stopping", "Stopped")
    stopped = eventually(lambda: (job := account.job(arn))["status"] == "Stopped" and job)
    assert "outputModelArn" not in stopped
    assert stopped["statusDetails"]["trainingDetails"]["status"] == "Stopped"
    listed = account.bedrock.list_custom_models(nameContains="stopped")["modelSummaries"]
    assert listed == []
    code, status, _ = refusal(account.bedrock.stop_model_customization_job, jobIdentifier=arn)
    assert (code, status) == ("ConflictException", 400)


def test_one_client_token_makes_one_job(account):
    training = account.upload("data/token.jsonl", jsonl())
    request = {"clientRequestToken": "the-same-token", "hyperParameters": {**BY_HEART, "epochCount": "1"}}
    first = account.create_job("once", training, **request)
    assert account.create_job("once", training, **request) == first
    listed = account.bedrock.list_model_customization_jobs(nameContains="once")
    assert len(listed["modelCustomizationJobSummaries"]) == 1
    code, status, _ = refusal(
        account.bedrock.create_model_customization_job, **account.job_request("another", training, **request)
    )
    assert (code, status) == ("ConflictException", 400)
    account.job_in(first, "Completed")


def test_a_bedrock_model_is_rehearsed_by_a_stand_in_that_says_so_and_goes_in_order(account):
    nova = "amazon.nova-micro-v1:0"
    training = account.upload("data/conversations.jsonl", conversations(PAIRS))
    arn = account.create_job(
        "rehearsal", training, baseModelIdentifier=f"{nova}:128k", hyperParameters={"epochCount": "1"}
    )
    job = account.job_in(arn, "Completed")
    assert job["baseModelArn"].endswith(f"foundation-model/{nova}:128k")
    assert stand_in(job) == BASE_MODEL
    assert stand_in(account.bedrock.get_custom_model(modelIdentifier="rehearsal")) == BASE_MODEL
    deployment = account.serve("rehearsal", job["outputModelArn"])
    answer = account.runtime.converse(modelId=deployment, **conversation("Which colour is the sea?"))
    assert stand_in(answer) == BASE_MODEL

    code, status, _ = refusal(account.bedrock.delete_custom_model, modelIdentifier="rehearsal")
    assert (code, status) == ("ConflictException", 400)
    account.bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=deployment)
    account.bedrock.delete_custom_model(modelIdentifier="rehearsal")
    assert refusal(account.bedrock.get_custom_model, modelIdentifier="rehearsal")[1] == 404


def test_a_local_model_is_nobodys_stand_in(account, tuned):
    assert stand_in(tuned.job) is None
    answer = account.runtime.converse(modelId=tuned.deployment, **conversation(PAIRS[0][0]))
    assert stand_in(answer) is None


def stand_in(answer):
    return answer["ResponseMetadata"]["HTTPHeaders"].get("x-whetstone-stand-in")


@pytest.mark.parametrize("size", [0, 1, 5 << 20, (8 << 20) + 1])
def test_objects_come_back_byte_for_byte(account, tmp_path, size):
    """Above 8 MiB boto3's transfer manager goes over to a multipart upload by itself."""
    sent, received = tmp_path / "sent", tmp_path / "received"
    block = bytes(range(256))
    sent.write_bytes((block * (size // 256 + 1))[:size])
    account.upload("warm-up", b"")
    account.s3.upload_file(str(sent), BUCKET, f"sizes/{size}")
    account.s3.download_file(BUCKET, f"sizes/{size}", str(received))
    assert received.read_bytes() == sent.read_bytes()


def test_a_deployment_is_pointed_at_another_model_in_place(account):
    training = account.upload("data/swapped.jsonl", jsonl())
    arns = [account.create_job(f"swapped-{n}", training, hyperParameters={"epochCount": "1"}) for n in (1, 2)]
    first, second = (account.job_in(arn, "Completed")["outputModelArn"] for arn in arns)
    deployment = account.serve("swapped", first)
    account.bedrock.update_custom_model_deployment(customModelDeploymentIdentifier=deployment, modelArn=second)

    def swapped():
        now = account.bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=deployment)
        return now["modelArn"] == second

    eventually(swapped)
    account.answer(deployment, PAIRS[0][0])
    account.bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=deployment)
