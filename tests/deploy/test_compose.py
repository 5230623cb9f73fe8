"""docker-compose.yml: what it promises, and its services' commands run for real, outside of containers."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import redis
import requests
import torch
import yaml

from studies.settings import Settings
from tests.deploy.containers import NEEDED, PASSWORDS, ROOT, Containers, load_compose

SERVICES = load_compose(PASSWORDS)["services"]
BUILT = ("migrate", "worker-cpu", "worker-gpu", "dashboard")
OPTIONAL = {"worker-gpu": ["gpu"], "flower": ["flower"]}
LASTING = sorted(set(SERVICES) - {"migrate"})


@pytest.fixture(scope="module")
def compose() -> list[str]:
    """The command that reads compose files."""
    for command in (["docker-compose"], ["docker", "compose"]):
        if shutil.which(command[0]):
            found = subprocess.run([*command, "version"], capture_output=True, check=False)
            if found.returncode == 0:
                return command
    if os.environ.get("CI") == "true":
        pytest.fail("docker-compose is not installed, and CI must not go without it")
    pytest.skip("docker-compose is not installed")


@pytest.mark.parametrize("profiles", [(), ("gpu", "flower")])
def test_compose_accepts_the_file(compose: list[str], profiles: tuple[str, ...]) -> None:
    environment = {"PATH": os.environ["PATH"], **NEEDED}
    command = [*compose, *(word for profile in profiles for word in ("--profile", profile)), "config"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    accepted = yaml.safe_load(done.stdout)["services"]
    assert set(accepted) - set(OPTIONAL) == set(SERVICES) - set(OPTIONAL)
    if profiles:
        assert accepted["worker-gpu"]["environment"]["ADAM_STUDIES_DEVICE"] == "gpu"


def test_optional_services_have_a_profile() -> None:
    assert {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service} == OPTIONAL


@pytest.mark.parametrize("missing", NEEDED)
def test_a_password_must_be_given(compose: list[str], missing: str, tmp_path: Path) -> None:
    given = {name: value for name, value in NEEDED.items() if name != missing}
    environment = {"PATH": os.environ["PATH"], **given}
    empty = tmp_path / "empty.env"
    empty.touch()
    command = [*compose, "--env-file", str(empty), "config"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert f"set {missing}" in done.stderr


def test_secrets_come_from_the_environment() -> None:
    texts = [str(value) for service in SERVICES.values() for value in service.get("environment", {}).values()]
    in_urls = {found for text in texts for found in re.findall(r"://[^:@/]*:([^@]+)@", text)}
    assert in_urls == set(NEEDED.values())
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            assert PASSWORDS.get(name, value) == value
    example = (ROOT / ".env.example").read_text("utf-8").splitlines()
    assert {line for line in example if "PASSWORD" in line and "=" in line} == {f"{name}=" for name in PASSWORDS}


def test_only_pages_are_published_and_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"dashboard": ["127.0.0.1:8501:8501"], "flower": ["127.0.0.1:5555:5555"]}
    assert not [name for name, service in SERVICES.items() if service.get("network_mode")]


def test_redis_keeps_an_append_only_file() -> None:
    assert "--appendonly yes" in SERVICES["redis"]["command"][-1]
    assert "redis:/data" in SERVICES["redis"]["volumes"]


@pytest.mark.parametrize("name", ["worker-cpu", "worker-gpu"])
def test_workers_share_prepared_data_that_they_may_write(name: str) -> None:
    folder = Settings.from_environ(SERVICES[name]["environment"]).cache_dir
    assert f"prepared:{folder}" in SERVICES[name]["volumes"]
    assert str(folder) in (ROOT / "worker" / "Dockerfile").read_text("utf-8")


def test_gpu_worker_reserves_an_nvidia_device() -> None:
    (device,) = SERVICES["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])


@pytest.mark.parametrize("name", LASTING)
def test_lasting_service(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"]
    assert service["restart"] == "unless-stopped"
    assert float(service["stop_grace_period"].rstrip("s")) >= 5


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_runs_as_root_or_from_a_moving_tag(name: str) -> None:
    service = SERVICES[name]
    if "build" not in service:
        assert re.search(r":\d+\.\d+", service["image"])
        assert service["user"] not in ("root", "0")
        return
    lines = (ROOT / service["build"]["dockerfile"]).read_text("utf-8").splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert users, "the image runs as root"
    assert users[-1] not in ("root", "0")
    assert all(re.search(r":\d+\.\d+\.\d+", line) for line in lines if line.startswith("FROM "))


@pytest.mark.parametrize("name", SERVICES)
def test_containers_have_no_privileges_and_write_to_volumes_alone(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "/tmp" in {path.partition(":")[0] for path in service["tmpfs"]}


def test_dashboard_image_has_neither_torch_nor_the_worker() -> None:
    text = (ROOT / "dashboard" / "Dockerfile").read_text("utf-8")
    assert '".[dashboard]"' in text
    assert not re.search(r"torch|\bCOPY (worker|adam_core)|\[.*worker", text)


@pytest.fixture(scope="module")
def containers() -> Iterator[Containers]:
    """The stack as `docker compose up` starts it, on a machine without a GPU."""
    # Not pytest's folder: PostgreSQL runs as another user, whom the next pytest session would shut out of it.
    with tempfile.TemporaryDirectory(prefix="adam-studies-deploy-") as folder:
        stack = Containers(Path(folder))
        try:
            stack.start("worker-cpu")
            stack.start("dashboard")
            stack.start("flower")
            yield stack
        finally:
            for service in reversed(list(stack.processes)):
                with suppress(subprocess.TimeoutExpired):
                    stack.stop(service)


STUDY = {
    "name": "tiny",
    "workload": "digits-logistic",
    "optimizer": "adam",
    "n_trials": 4,
    "n_seeds": 2,
    "epochs": 2,
}


def test_every_service_is_healthy(containers: Containers) -> None:
    assert set(containers.processes) == set(SERVICES) - {"worker-gpu"}
    for service in ("postgres", "redis", "worker-cpu", "dashboard", "flower"):
        containers.wait_until_healthy(service)


def test_migration_can_be_repeated(containers: Containers) -> None:
    again = containers.run("migrate", *SERVICES["migrate"]["command"])
    assert again.returncode == 0, again.stderr


def test_redis_demands_its_password_and_appends(containers: Containers) -> None:
    port = containers.ports["6379"]
    with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()
    with redis.Redis(port=port, password=PASSWORDS["REDIS_PASSWORD"]) as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}
        assert client.config_get("dir") == {"dir": str(containers.folder / "volumes" / "redis")}


def test_a_study_completes(containers: Containers) -> None:
    """Submitted from the dashboard's container, trained in the worker's, read back from PostgreSQL."""
    path = Path(containers.environment("dashboard")["HOME"]) / "tiny.yaml"
    path.write_text(yaml.safe_dump(STUDY))
    done = containers.run("dashboard", "adam-studies", "submit", str(path), "--wait")
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{containers.log('worker-cpu')}"
    query = "SELECT state, count(*) AS n, min(epochs_done) AS epochs FROM results GROUP BY state"
    found = containers.run("dashboard", "adam-studies", "sql", query, "--format", "json")
    assert json.loads(found.stdout) == [{"state": "complete", "n": 4, "epochs": 2}]


def test_services_write_to_their_volumes_alone(containers: Containers) -> None:
    """Where they write elsewhere, a container's file system, which is read-only, would stop them."""
    homes = containers.folder / "homes"
    assert [path for path in homes.rglob("*") if path.is_file() and path.name != "tiny.yaml"] == []


def test_worker_logs_json_that_names_worker_study_and_array(containers: Containers) -> None:
    """After a study has been trained; what Celery prints of itself first is for people."""
    lines = [json.loads(line) for line in containers.log("worker-cpu").splitlines() if line.startswith("{")]
    (ended, *_) = (line for line in lines if line["logger"] == "worker.runner")
    assert ended["message"] == f"array {ended['array']} of study {ended['study']}: finished"
    assert {line["worker"] for line in lines} == {ended["worker"]}


def test_flower_shows_the_worker_to_who_has_the_password(containers: Containers) -> None:
    workers = f"http://127.0.0.1:{containers.ports['5555']}/workers"
    assert requests.get(workers, timeout=10).status_code == 401
    page = requests.get(workers, auth=("flower", PASSWORDS["FLOWER_PASSWORD"]), timeout=10)
    assert page.status_code == 200
    assert "w-" in page.text


def test_flower_demands_a_password(containers: Containers) -> None:
    done = containers.run("flower", "env", "FLOWER_PASSWORD=", *SERVICES["flower"]["command"])
    assert (done.returncode, done.stderr) == (1, "flower: set FLOWER_PASSWORD\n")


@pytest.mark.skipif(torch.cuda.is_available(), reason="with a GPU the worker stays")
def test_gpu_worker_says_in_one_line_that_there_is_no_gpu(containers: Containers) -> None:
    done = containers.run("worker-gpu", *SERVICES["worker-gpu"]["command"])
    assert done.returncode != 0
    assert len(done.stderr.splitlines()) == 1
    assert "gpu" in done.stderr.lower()


def test_services_end_within_their_grace(containers: Containers) -> None:
    """The last test of this module: it ends the stack, and the health checks notice."""
    for service in ("flower", "dashboard", "worker-cpu", "redis", "postgres"):
        assert containers.stop(service) == 0, containers.log(service)
        assert containers.check_health(service).returncode != 0
