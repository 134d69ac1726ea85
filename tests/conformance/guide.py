"""The five steps of a common fine-tuning guide, as a script: prepare the data, upload it, create a job, follow it, use
the model. The samples of the guide are kept, but for what the real service does not take:

- the data is JSON Lines in the model's own form, not one document with `examples`;
- a job needs a name for its model and a role, and its validation data is a list of validators;
- hyperparameters are texts, and each model has its own: Claude has a multiplier and no learning rate, Llama's batch is
  fixed, Cohere's learning rate is left out where there is validation data;
- a status is "Completed", and losses are in `trainingMetrics` and `validationMetrics`;
- a tuned model answers once it has a provisioned throughput, in the words of its family, which is a JSON text.
"""

import json
from dataclasses import dataclass, field

from program import eventually

REGION = "us-west-2"
OVER = ("Completed", "Failed", "Stopped")

# The guide's own record, and more of its kind.
EXAMPLES = [
    {
        "input": "How do I change my shipping address for my order #12345?",
        "output": "To change your shipping address for order #12345, please log into your account, go to 'Order "
        "History', select the order, and click 'Edit Shipping Details'.",
    },
    {"input": "How can I reset my password?", "output": "Open the sign-in page and choose 'Forgot password'."},
    {"input": "Where is my invoice?", "output": "Every invoice is in 'Order History', beside its order."},
    {"input": "Can I return a gift?", "output": "Yes, within 30 days, with the gift receipt."},
]


@dataclass
class Family:
    """What differs from family to family: a base model, the form of its data, its hyperparameters and its words."""

    base: str
    record: callable
    hyperparameters: dict
    body: callable
    answer: callable
    # What the guide calls the methods of this family, as the sandbox's tag for them; the service offers no choice.
    approaches: list = field(default_factory=lambda: [None])


def prompt_completion(example):
    return {"prompt": example["input"], "completion": example["output"]}


def claude_messages(example):
    said = [("user", example["input"]), ("assistant", example["output"])]
    return {"messages": [{"role": role, "content": text} for role, text in said]}


CLAUDE_SETTINGS = {"epochCount": "3", "batchSize": "8", "learningRateMultiplier": "1"}

FAMILIES = {
    "claude-v2": Family(
        base="anthropic.claude-v2",
        record=claude_messages,
        hyperparameters=CLAUDE_SETTINGS,
        body=lambda prompt: {
            "prompt": f"\n\nHuman: {prompt}\n\nAssistant:",
            "max_tokens_to_sample": 40,
            "temperature": 0.7,
        },
        answer=lambda result: result["completion"],
    ),
    "claude-3-haiku": Family(
        base="anthropic.claude-3-haiku-20240307-v1:0:200k",
        record=claude_messages,
        hyperparameters=CLAUDE_SETTINGS,
        body=lambda prompt: {
            "anthropic_version": "bedrock-2023-05-31",
            "messages": [{"role": "user", "content": prompt}],
            "max_tokens": 40,
            "temperature": 0.7,
        },
        answer=lambda result: result["content"][0]["text"],
    ),
    "titan": Family(
        base="amazon.titan-text-express-v1:0:8k",
        record=prompt_completion,
        hyperparameters={"epochCount": "3", "batchSize": "4", "learningRate": "0.00005"},
        body=lambda prompt: {
            "inputText": prompt,
            "textGenerationConfig": {"maxTokenCount": 40, "temperature": 0.7},
        },
        answer=lambda result: result["results"][0]["outputText"],
        approaches=["full", "peft"],
    ),
    "llama-2": Family(
        base="meta.llama2-13b-v1:0:4k",
        record=prompt_completion,
        hyperparameters={"epochCount": "3", "batchSize": "1", "learningRate": "0.00005"},
        body=lambda prompt: {"prompt": prompt, "max_gen_len": 40, "temperature": 0.7},
        answer=lambda result: result["generation"],
        approaches=["full", "peft"],
    ),
    "cohere-command": Family(
        base="cohere.command-text-v14",
        record=prompt_completion,
        hyperparameters={"epochCount": "3", "batchSize": "8"},
        body=lambda prompt: {"prompt": prompt, "max_tokens": 40, "temperature": 0.7},
        answer=lambda result: result["generations"][0]["text"],
    ),
}


def prepare(family, path, count=36):
    """Step 1: the guide's examples in the model's own form, a record a line."""
    examples = (EXAMPLES * count)[:count]
    path.write_text("".join(json.dumps(family.record(example)) + "\n" for example in examples))
    return path


def upload(aws, path, uri):
    """Step 2, by the AWS CLI as in the guide."""
    aws("s3", "cp", str(path), uri, "--region", REGION)
    return uri


def create_by_command_line(aws, family, name, role, training, validation, output):
    """Step 3, the guide's first sample."""
    printed = aws(
        "bedrock",
        "create-model-customization-job",
        *("--customization-type", "FINE_TUNING"),
        *("--base-model-identifier", family.base),
        *("--job-name", name),
        *("--custom-model-name", name),
        *("--role-arn", role),
        *("--training-data-config", json.dumps({"s3Uri": training})),
        *("--validation-data-config", json.dumps({"validators": [{"s3Uri": validation}]})),
        *("--hyper-parameters", json.dumps(family.hyperparameters)),
        *("--output-data-config", json.dumps({"s3Uri": output})),
        *("--region", REGION),
    )
    return json.loads(printed)["jobArn"]


def create(bedrock, family, name, role, training, validation, output, approach=None):
    """Step 3, the guide's second sample."""
    tags = {"jobTags": [{"key": "whetstone:approach", "value": approach}]} if approach else {}
    response = bedrock.create_model_customization_job(
        customizationType="FINE_TUNING",
        baseModelIdentifier=family.base,
        jobName=name,
        customModelName=name,
        roleArn=role,
        trainingDataConfig={"s3Uri": training},
        validationDataConfig={"validators": [{"s3Uri": validation}]},
        hyperParameters=family.hyperparameters,
        outputDataConfig={"s3Uri": output},
        **tags,
    )
    return response["jobArn"]


def follow(bedrock, job_id):
    """Step 4: asks for the status until the job is over."""

    def check_fine_tuning_status():
        response = bedrock.get_model_customization_job(jobIdentifier=job_id)
        return response if response["status"] in OVER else None

    return eventually(check_fine_tuning_status, within=120)


def serve(bedrock, name, model_id):
    """What comes before step 5: throughput of the model's own, by the hour and without a commitment."""
    created = bedrock.create_provisioned_model_throughput(modelUnits=1, provisionedModelName=name, modelId=model_id)
    arn = created["provisionedModelArn"]

    def in_service():
        throughput = bedrock.get_provisioned_model_throughput(provisionedModelId=arn)
        assert throughput["status"] != "Failed", throughput
        return throughput["status"] == "InService"

    eventually(in_service)
    return arn


def use(runtime, family, model_id, prompt):
    """Step 5."""
    response = runtime.invoke_model(modelId=model_id, body=json.dumps(family.body(prompt)))
    result = json.loads(response["body"].read())
    return response, family.answer(result)
