"""Submit, wishes and deletion: what the database holds after each, and what is refused."""

from collections.abc import Callable

import optuna
import pytest
from optuna.storages import RDBStorage
from sqlalchemy import func, select

from studies.db.engine import Database
from studies.db.mirror import mirror
from studies.db.models import Base
from studies.db.queries import find_study, find_suite, list_studies, trials_frame
from studies.errors import InputError, NotFoundError, StateError
from studies.service import MAX_NOTES, Service
from studies.spec import SuiteSpec
from tests.factories import insert_study, insert_suite, make_spec, make_suite


class RecordingBell:
    """Stands for the broker: remembers who was rung for."""

    def __init__(self) -> None:
        self.rung: list[tuple[str, str]] = []

    def ring_if_possible(self, study_id: str, device: str) -> None:
        self.rung.append((study_id, device))


@pytest.fixture
def bell() -> RecordingBell:
    return RecordingBell()


@pytest.fixture
def service(database: Database, bell: RecordingBell) -> Service:
    return Service(database, bell)  # type: ignore[arg-type]  # rings in memory


def test_submit_writes_all_trials_and_rings(service: Service, bell: RecordingBell) -> None:
    study_id = service.submit(make_spec(device="cpu"))
    record = find_study(service.db, study_id)
    assert study_id.startswith("s-")
    assert (record.state, record.counts) == ("waiting", {"waiting": 8})
    assert trials_frame(service.db, study_id)["alpha"].notna().all()
    assert bell.rung == [(study_id, "cpu")]


def test_suites_act_as_one(service: Service, bell: RecordingBell) -> None:
    suite_id = service.submit(make_suite())
    assert suite_id.startswith("u-")
    ids = [study.id for study in find_suite(service.db, suite_id).studies]
    assert sorted(study_id for study_id, _ in bell.rung) == sorted(ids)
    service.pause(suite_id)
    assert {record.state for record in service.studies(suite_id)} == {"paused"}
    service.resume(suite_id)
    service.cancel(suite_id)
    assert {record.state for record in service.studies(suite_id)} == {"cancelled"}
    service.delete(suite_id)
    with pytest.raises(NotFoundError):
        service.studies(suite_id)


@pytest.mark.parametrize("act", ["cancel", "pause", "resume"])
def test_ended_studies_refuse_wishes(service: Service, act: str) -> None:
    study_id, suite_id = insert_study(service.db), insert_suite(service.db)
    for ended in (study_id, suite_id):
        with pytest.raises(StateError, match="has ended, so it cannot be"):
            getattr(service, act)(ended)


def test_cancelled_studies_stay_cancelled(service: Service) -> None:
    study_id = service.submit(make_spec())
    service.cancel(study_id)
    service.cancel(study_id)
    acts: list[Callable[[], object]] = [
        lambda: service.pause(study_id),
        lambda: service.resume(study_id),
        lambda: service.retry(study_id),
        lambda: service.extend(study_id, 1),
    ]
    for act in acts:
        with pytest.raises(StateError, match="was cancelled, so"):
            act()


def test_unknown_ids(service: Service) -> None:
    with pytest.raises(NotFoundError, match="no study has the id 's-nothing'"):
        service.cancel("s-nothing")
    with pytest.raises(NotFoundError, match="no suite has the id 'u-nothing'"):
        service.delete("u-nothing")


def test_retry_replaces_failed_trials_only(service: Service, bell: RecordingBell) -> None:
    study_id = insert_study(service.db, states={3: "failed", 5: "pruned"})
    before = trials_frame(service.db, study_id).set_index("trial")["alpha"]
    assert service.retry(study_id) == 1
    after = trials_frame(service.db, study_id).set_index("trial")["alpha"]
    assert list(after.index) == [0, 1, 2, 4, 5, 6, 7, 8]
    assert after[8] == before[3]
    record = find_study(service.db, study_id)
    assert (record.state, record.counts["waiting"], record.n_trials) == ("running", 1, 8)
    assert service.retry(study_id) == 0
    assert len(bell.rung) == 1


def test_extend_continues_the_sampler(service: Service) -> None:
    short, whole = service.submit(make_spec(n_trials=4)), service.submit(make_spec(n_trials=9))
    service.extend(short, 2)
    service.extend(short, 3)
    columns = ["trial", "alpha", "beta1", "beta2", "epsilon"]
    first, second = (trials_frame(service.db, study_id)[columns] for study_id in (short, whole))
    assert first.equals(second)
    assert find_study(service.db, short).spec.n_trials == 9


def test_extend_refuses_grids_and_nonsense(service: Service) -> None:
    space = {"alpha": [1e-3, 1e-2], "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    grid = service.submit(make_spec(sampler="grid", n_trials=2, search_space=space))
    with pytest.raises(StateError, match="is a grid, whose 2 points are all in it"):
        service.extend(grid, 1)
    with pytest.raises(InputError, match="must be at least 1, got 0"):
        service.extend(grid, 0)


def test_delete_leaves_nothing_behind(service: Service) -> None:
    study_id = insert_study(service.db)
    mirror(service.db, study_id)
    service.delete(study_id)
    assert list_studies(service.db) == ()
    with service.db.read() as connection:
        for table in Base.metadata.sorted_tables:
            assert connection.execute(select(func.count()).select_from(table)).scalar() == 0, table.name
    storage = RDBStorage(service.db.url)
    assert optuna.get_all_study_names(storage) == []
    storage.remove_session()
    storage.engine.dispose()


def test_suites_are_extended_and_retried_whole_or_not_at_all(service: Service) -> None:
    space = {"alpha": [1e-3, 1e-2], "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    grid = make_spec(name="b", sampler="grid", n_trials=2, search_space=space)
    suite_id = service.submit(SuiteSpec(suite="mixed", studies=(make_spec(name="a"), grid)))
    with pytest.raises(StateError, match="is a grid"):
        service.extend(suite_id, 3)
    assert [record.n_trials for record in service.studies(suite_id)] == [8, 2]


def test_extend_beyond_what_a_study_may_have_is_one_line(service: Service) -> None:
    study_id = service.submit(make_spec())
    with pytest.raises(InputError, match="n_trials: must be less than or equal to 100000, got 100007"):
        service.extend(study_id, 99_999)
    constants = {"alpha": 0.1, "beta1": 0.5, "beta2": 0.9, "epsilon": 0.1}
    study_id = service.submit(make_spec(search_space=constants, n_trials=1))
    with pytest.raises(InputError, match="n_trials: must be 1 where the search space holds constants only, got 3"):
        service.extend(study_id, 2)


def test_notes(service: Service, database: Database) -> None:
    study_id, other = insert_study(database), insert_study(database)
    for notes, kept in (("  α: 0.1\n<b>", "α: 0.1\n<b>"), ("x" * MAX_NOTES, "x" * MAX_NOTES), (" \n", None)):
        service.annotate(study_id, notes)
        assert (find_study(database, study_id).notes, find_study(database, other).notes) == (kept, None)


@pytest.mark.parametrize(
    ("notes", "problem"), [("x" * (MAX_NOTES + 1), "10,000 characters, got 10,001"), ("\0", r"U\+0000")]
)
def test_notes_that_no_database_keeps_are_refused(
    service: Service, database: Database, notes: str, problem: str
) -> None:
    study_id = insert_study(database)
    with pytest.raises(InputError, match=problem):
        service.annotate(study_id, notes)
    with pytest.raises(NotFoundError, match="s-none"):
        service.annotate("s-none", "text")
    assert find_study(database, study_id).notes is None
