"""The table of operations and clients in docs/sandbox.md is what a full run of these tests makes."""

import os
from pathlib import Path

import command_line
import ledger
import pytest

HERE = Path(__file__).parent


@pytest.fixture
def table(request):
    config = request.config
    asked = [Path(argument).resolve() for argument in config.args]
    if asked != [HERE] or config.option.keyword or request.session.testsfailed:
        pytest.skip("only a full run in which nothing failed has seen everything")
    cannot = {("AWS CLI", *row) for row in ledger.LEDGER.seen if not command_line.has(*row)}
    return ledger.LEDGER.table(cannot)


def test_the_table_of_operations_is_the_one_that_is_committed(table):
    if os.environ.get("UPDATE_CONFORMANCE"):
        ledger.rewrite(table)
    assert ledger.committed() == table, "made anew by: UPDATE_CONFORMANCE=1 scripts/test conformance"
