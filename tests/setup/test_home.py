import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from callcenter.config import Settings
from callcenter.errors import ConfigError
from callcenter.home import only_one_up, open_home, refuse_second_up, refuse_taken_port
from tests.servers import test_settings as settings_in


def refusal(settings: Settings) -> str:
    with pytest.raises(ConfigError) as refused:
        open_home(settings)
    assert "\n" not in refused.value.message
    return refused.value.message


def test_an_empty_directory_becomes_a_home_and_stays_one(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    first = open_home(settings)
    assert open_home(settings) == first
    assert (tmp_path / "callcenter-home").read_text() == "1\n"


def test_a_directory_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert "not ours" in refusal(settings_in(tmp_path))
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "not a directory" in refusal(settings_in(tmp_path / "file"))


def test_a_home_of_another_format_is_refused(tmp_path: Path) -> None:
    open_home(settings_in(tmp_path))
    (tmp_path / "callcenter-home").write_text("7\n")
    assert "format '7'" in refusal(settings_in(tmp_path))


def test_data_of_another_postgresql_is_refused(tmp_path: Path) -> None:
    open_home(settings_in(tmp_path))
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("16\n")
    assert "PostgreSQL 16" in refusal(settings_in(tmp_path))


def test_a_disk_without_room_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    settings = replace(settings_in(tmp_path / "home"), min_free_mb=10**9)
    assert "MB are free" in refusal(settings)
    assert not list((tmp_path / "home").iterdir())


def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    settings = settings_in(closed / "home")
    if os.geteuid() == 0:  # root writes everywhere: ask in a child that gave root up
        tmp_path.chmod(0o711)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.setuid(65534)
                open_home(settings)
            except ConfigError as error:
                code = 0 if "cannot be" in error.message else 2
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    else:
        assert "cannot be" in refusal(settings)


def test_a_taken_port_is_refused_with_a_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"PORT {port} is in use.*PORT={port + 1}"):
            refuse_taken_port("127.0.0.1", port)
    refuse_taken_port("127.0.0.1", port)


def test_a_second_up_in_the_same_home_is_refused_and_names_the_first(tmp_path: Path) -> None:
    open_home(settings_in(tmp_path))
    with only_one_up(tmp_path):
        running = rf"already running.*process {os.getpid()}"
        with pytest.raises(ConfigError, match=running):
            refuse_second_up(tmp_path)
        with pytest.raises(ConfigError, match=running), only_one_up(tmp_path):
            pass
    refuse_second_up(tmp_path)
    refuse_second_up(tmp_path / "never-made")
