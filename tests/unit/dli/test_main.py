"""The entry point, before click has been loaded."""

import pytest

from dli.main import app


def interrupted() -> None:
    raise KeyboardInterrupt


def test_ctrl_c_while_the_commands_are_loaded_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("dli.main._group", interrupted)
    with pytest.raises(SystemExit) as ended:
        app(["workflow", "list"])
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "")
