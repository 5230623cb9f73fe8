"""Ringing: what a message carries, and what a broker out of reach costs."""

import json
import logging
import time

import pytest
import redis

from studies.dispatch import RUN_TASK, Bell
from studies.errors import ServiceError
from studies.settings import Settings
from tests.processes import running_redis

NOWHERE = "redis://:secret@127.0.0.1:1/0"


def test_message_names_the_task_and_carries_the_id_alone(settings: Settings) -> None:
    with running_redis(settings) as found:
        assert found.broker_url is not None
        Bell(found.broker_url).ring("s-abcdefgh", "gpu")
        with redis.Redis.from_url(found.broker_url) as client:
            message = json.loads(client.lindex("gpu", 0))
    assert message["headers"]["task"] == RUN_TASK
    assert message["content-type"] == "application/json"
    assert "s-abcdefgh" in message["headers"]["argsrepr"]


def test_broker_out_of_reach_is_one_line_soon_and_without_the_password() -> None:
    started = time.monotonic()
    with pytest.raises(ServiceError) as raised:
        Bell(NOWHERE).ring("s-abcdefgh", "any")
    assert time.monotonic() - started < 10
    assert "cannot reach Redis at redis://:**@127.0.0.1:1/0" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_broker_out_of_reach_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        Bell(NOWHERE).ring_if_possible("s-abcdefgh", "any")
    assert "cannot reach Redis" in caplog.text
