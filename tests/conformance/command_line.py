"""The AWS CLI from PyPI, in the environment that the sandbox prints. What it prints is judged like boto3's answers."""

import json
import re
import subprocess

import botocore.session
import ledger
from botocore import xform_name
from judge import PARSED, judge

# The CLI prints times as text.
PRINTED = {**PARSED, "timestamp": str}
# What the CLI calls a service, where that is not what botocore calls it.
COMMANDS = {"s3api": "s3"}
MODELS = botocore.session.get_session()


def operations(service):
    """Operations of a service by the CLI's name for them."""
    model = MODELS.get_service_model(COMMANDS.get(service, service))
    return model, {xform_name(name, "-"): name for name in model.operation_names}


def has(service, operation):
    """Whether the CLI has an operation: version 1 leaves out all that answer with an event stream."""
    return not MODELS.get_service_model(service).operation_model(operation).has_event_stream_output


class CommandLine:
    """`aws(service, command, …)` runs a command that must succeed, and returns what it printed."""

    def __init__(self, sandbox):
        self.environment = sandbox.environment()
        self.role = self.environment["WHETSTONE_ROLE_ARN"]

    def __call__(self, *arguments):
        run = self.run(*arguments)
        assert run.returncode == 0, f"aws {' '.join(arguments)}\n{run.stdout}{run.stderr}"
        # `aws s3` is made of many operations and prints none of their answers.
        if arguments[0] != "s3":
            self.judge(*arguments[:2], run.stdout)
        return run.stdout

    def refused(self, *arguments):
        """The error code that a command is refused with; it must be."""
        run = self.run(*arguments)
        assert run.returncode != 0, f"was not refused: {run.stdout}"
        told = re.search(r"An error occurred \((\w+)\) when calling", run.stderr)
        assert told, run.stderr
        return told[1]

    def run(self, *arguments):
        return subprocess.run(["aws", *arguments], env=self.environment, capture_output=True, text=True)

    def judge(self, service, command, printed):
        model, names = operations(service)
        name = names.get(command)
        if name is None:
            return
        operation = model.operation_model(name)
        if operation.output_shape is not None and printed.strip():
            # A member that says nothing is printed as null by the CLI, such as the location of a bucket in us-east-1.
            answer = {name: value for name, value in json.loads(printed).items() if value is not None}
            # A streamed body goes into a file.
            if operation.has_streaming_output:
                answer[operation.output_shape.serialization["payload"]] = b""
            complaints = list(judge(operation.output_shape, answer, f"aws {service} {command}", PRINTED))
            assert not complaints, "\n".join(complaints)
        ledger.LEDGER.record("AWS CLI", model.service_name, name)
