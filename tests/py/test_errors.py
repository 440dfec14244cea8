"""errors.py: one table, the same as the core's."""

from __future__ import annotations

import pickle

import pytest

from azora_orchestrator import _core, errors

pytestmark = pytest.mark.native


def test_the_table_equals_the_cores_and_adds_only_those_of_python() -> None:
    ours = [(row.code, row.status) for row in errors.ERRORS]
    added = [("forked_handle", 500), ("unreachable", 503), ("access_denied", 401)]
    assert ours == [*_core.error_table(), *added]


def test_every_class_of_the_module_has_its_row_and_its_line_in_the_drawing() -> None:
    drawn = errors.__doc__ or ""
    classes = {
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.AzoraError)
    } - {errors.AzoraError}
    assert classes == {row.error for row in errors.ERRORS}
    for row in errors.ERRORS:
        line = next(line for line in drawn.splitlines() if f" {row.error.__name__} " in line)
        assert f" {row.code} " in line
        assert f" {row.status} " in line


@pytest.mark.parametrize("row", errors.ERRORS, ids=lambda row: row.code)
def test_an_error_keeps_code_message_and_faults_through_a_pickle(row: errors.ErrorRow) -> None:
    error = errors.error_from_code(row.code, "what happened", [("id", "is missing")])
    assert type(error) is row.error
    assert error.args == (row.code, "what happened", [("id", "is missing")])
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.faults) == (row.error, "what happened", error.faults)
    assert copy.faults[0].field == "id"


def test_familiar_builtin_classes_catch_them_too() -> None:
    assert issubclass(errors.InvalidSpec, ValueError)
    assert issubclass(errors.UnknownService, LookupError)
    assert issubclass(errors.TimedOut, TimeoutError)
    assert issubclass(errors.ServerUnreachable, ConnectionError)
    assert issubclass(errors.AccessDenied, PermissionError)
    assert not isinstance(errors.TimedOut("late").args[0], int)


def test_the_core_raises_these_classes() -> None:
    core = _core.Core({})
    with pytest.raises(errors.InvalidSpec, match="type") as caught:
        core.register(['{"id":"a","endpoint":"http://127.0.0.1:1"}'], "python", "", [False])
    assert [fault.field for fault in caught.value.faults] == ["type"]
    with pytest.raises(errors.InvalidJson):
        core.register(["{"], "python", "", [False])
    with pytest.raises(errors.InvalidArgument, match="colour"):
        _core.Core({"colour": 1})
    core.close(5000)
