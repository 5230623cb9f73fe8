"""The lease protocol on SQLite and PostgreSQL: who gets what, who may write, and what happens to the unlucky."""

import itertools
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from studies.db import calibrations, claims, leases, submissions, waiting, workers
from studies.db.engine import Database, now, open_database
from studies.db.models import ArrayRow, EpochRow, StudyRow, TrialRow, WorkerRow
from studies.db.queries import find_study, list_workers
from studies.db.records import Claim, EpochMetrics
from studies.db.trial_states import RELEASED
from studies.errors import LeaseLostError
from studies.samplers import draw_adaptive
from studies.settings import Settings
from studies.spec import StudySpec
from tests.factories import make_spec

CPU = workers.WorkerIdentity("w-1", "node-1", 1, "cpu", is_gpu=False, store="a")
OTHER = replace(CPU, id="w-2", pid=2)
GPU = replace(CPU, id="w-3", device="H200", is_gpu=True)


def submit(db: Database, **overrides: object) -> str:
    return submissions.insert_study(db, make_spec(**overrides))


def claim(db: Database, study_id: str, worker: workers.WorkerIdentity = CPU, lanes: int = 100) -> Claim:
    held = claims.claim(db, study_id, worker, lanes)
    assert held is not None
    return held


def epoch_rows(held: Claim, epoch: int, n_seeds: int = 2, loss: float | None = 1.0) -> list[EpochMetrics]:
    return [
        EpochMetrics(t.number, r, epoch, epoch * 12, loss, None, None, loss, 0.1, 0.5, diverged=loss is None)
        for t in held.trials
        for r in range(n_seeds)
    ]


def expire(db: Database, held: Claim) -> None:
    """Let the lease run out, as if its holder had died."""
    with db.write() as connection:
        connection.execute(update(ArrayRow).where(ArrayRow.id == held.array_id).values(lease_expires_at=now() - 1))


def numbers(held: Claim) -> list[int]:
    return [trial.number for trial in held.trials]


def test_claim_takes_whole_trials_in_order_and_at_most_the_lanes(database: Database) -> None:
    study_id = submit(database)
    first = claim(database, study_id, lanes=7)
    assert numbers(first) == [0, 1, 2], "7 lanes hold 3 trials of 2 seeds"
    assert first.trials[0].setting == {"alpha": 0.001, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
    assert numbers(claim(database, study_id, OTHER, lanes=100)) == [3, 4, 5, 6, 7]
    assert claims.claim(database, study_id, CPU, 100) is None


def test_claim_leaves_the_other_living_workers_their_share(database: Database) -> None:
    for worker in (CPU, OTHER):
        workers.register(database, worker)
    study_id = submit(database)
    assert len(claim(database, study_id).trials) == 4
    assert len(claim(database, study_id, OTHER).trials) == 4


def test_claim_takes_whole_blocks_where_it_can(database: Database) -> None:
    study_id = submit(database)
    calibrations.set_block_width(database, study_id, 3)
    calibrations.set_block_width(database, study_id, 5)  # the first stays
    assert numbers(claim(database, study_id)) == [0, 1, 2, 3, 4, 5]
    assert numbers(claim(database, study_id)) == [6, 7]


@pytest.mark.parametrize("wish", ["pause", "cancel"])
def test_nothing_is_claimed_against_the_wish(database: Database, wish: str) -> None:
    study_id = submit(database)
    if wish == "pause":
        submissions.wish(database, study_id, "pause")
    else:
        submissions.wish_cancel(database, study_id)
    assert claims.claim(database, study_id, CPU, 100) is None


def test_device_of_the_spec_is_heeded(database: Database) -> None:
    study_id = submit(database, device="gpu")
    assert claims.claim(database, study_id, CPU, 100) is None
    assert claims.claim(database, study_id, GPU, 100) is not None


def test_first_measurement_of_a_kind_stays(database: Database) -> None:
    assert calibrations.find_block_width(database, "kind") is None
    assert calibrations.keep_block_width(database, "kind", 8) == 8
    assert calibrations.keep_block_width(database, "kind", 16) == 8
    assert calibrations.find_block_width(database, "kind") == 8


def test_two_claimers_never_get_the_same_trial(database: Database) -> None:
    study_id = submit(database, n_trials=40)
    found: list[int] = []
    barrier = threading.Barrier(8)

    def take(index: int) -> None:
        barrier.wait()
        while held := claims.claim(database, study_id, replace(CPU, id=f"w-{index}"), lanes=4):
            found.extend(numbers(held))

    threads = [threading.Thread(target=take, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(40))


def test_late_worker_cannot_write(database: Database) -> None:
    study_id = submit(database)
    late = claim(database, study_id)
    expire(database, late)
    leases.renew(database, late)  # nobody took it over: it is still the holder
    expire(database, late)
    holder = claim(database, study_id, OTHER)
    assert (holder.array_id, numbers(holder)) == (late.array_id, numbers(late))
    writes: list[Callable[[], object]] = [
        lambda: leases.renew(database, late),
        lambda: leases.record_epoch(database, late, 0, epoch_rows(late, 0), {}),
        lambda: leases.set_checkpoint(database, late, "x.pt", "a"),
        lambda: leases.release(database, late),
        lambda: leases.cancel_held(database, late),
        lambda: leases.record_verdicts(database, late, {}, [0]),
    ]
    for write in writes:
        with pytest.raises(LeaseLostError):
            write()
    with database.read() as connection:
        assert connection.execute(select(EpochRow.trial)).all() == []
    leases.record_epoch(database, holder, 0, epoch_rows(holder, 0), {})


def test_replayed_epoch_keeps_the_first_rows(database: Database) -> None:
    held = claim(database, submit(database))
    leases.record_epoch(database, held, 0, epoch_rows(held, 0, loss=2.0), {})
    leases.record_epoch(database, held, 0, epoch_rows(held, 0, loss=9.0), {})
    with database.read() as connection:
        losses = connection.execute(select(EpochRow.train_loss)).scalars().all()
    assert losses == [2.0] * 16


def test_trials_end_with_the_figures_of_their_curves(database: Database) -> None:
    study_id = submit(database, n_trials=2)
    held = claim(database, study_id)
    leases.record_epoch(database, held, 0, epoch_rows(held, 0, loss=2.0), {})
    last = epoch_rows(held, 1, loss=0.5)
    last[3] = replace(last[3], train_loss=None, test_loss=None, test_error=None, diverged=True)  # trial 1, replicate 1
    leases.record_epoch(database, held, 1, last, {0: "complete", 1: "complete"})
    with database.read() as connection:
        good, bad = connection.execute(select(TrialRow.__table__).order_by(TrialRow.number)).all()
        finished = connection.execute(select(ArrayRow.finished)).scalar_one()
    assert (good.state, good.objective, good.objective_std, good.diverged) == ("complete", 0.5, 0.0, False)
    assert (good.epochs_done, good.train_loss, good.seconds) == (1, 0.5, 2.0)
    assert (bad.objective, bad.diverged, bad.train_loss) == ((0.5 + 20.0) / 2, True, None), "the cap is 10 x 2.0"
    assert finished
    record = find_study(database, study_id)
    assert (record.state, record.best_trial, record.n_diverged) == ("complete", 0, 1)


def test_released_array_is_taken_over_with_its_checkpoint(database: Database) -> None:
    study_id = submit(database)
    held = claim(database, study_id)
    leases.record_epoch(database, held, 0, epoch_rows(held, 0), {})
    leases.set_checkpoint(database, held, "x.pt", CPU.store)
    leases.release(database, held)
    again = claim(database, study_id, OTHER)
    assert (again.array_id, again.checkpoint, again.epoch) == (held.array_id, "x.pt", 0)


def test_checkpoint_waits_for_a_worker_that_sees_its_store(database: Database) -> None:
    study_id = submit(database)
    workers.register(database, CPU)
    held = claim(database, study_id, lanes=1000)
    leases.set_checkpoint(database, held, "x.pt", CPU.store)
    leases.release(database, held)
    stranger = replace(OTHER, store="b")
    assert claims.claim(database, study_id, stranger, 100) is None, "a living worker sees the store"
    workers.unregister(database, CPU)
    anew = claim(database, study_id, stranger)
    assert (anew.array_id, anew.checkpoint) == (held.array_id, None)


def test_array_that_keeps_losing_its_lease_is_split_and_a_trial_fails(database: Database) -> None:
    study_id = submit(database, n_trials=2)
    for _ in range(claims.MAX_LOST_LEASES):
        held = claim(database, study_id)
        assert numbers(held) == [0, 1]
        expire(database, held)
    singles = [claim(database, study_id), claim(database, study_id)]
    assert [numbers(single) for single in singles] == [[0], [1]]
    leases.record_epoch(database, singles[1], 0, epoch_rows(singles[1], 0), {1: "complete"})
    for _ in range(claims.MAX_LOST_LEASES - 1):
        expire(database, singles[0])
        singles[0] = claim(database, study_id)
    expire(database, singles[0])
    assert claims.claim(database, study_id, CPU, 100) is None
    record = find_study(database, study_id)
    assert (record.state, record.counts["failed"], record.counts["complete"]) == ("failed", 1, 1)


def test_new_epoch_forgives_lost_leases(database: Database) -> None:
    study_id = submit(database, n_trials=2)
    for epoch in range(2 * claims.MAX_LOST_LEASES):
        held = claim(database, study_id)
        assert numbers(held) == [0, 1]
        leases.record_epoch(database, held, epoch, epoch_rows(held, epoch), {})
        expire(database, held)


def test_error_of_a_holder_counts_and_is_kept(database: Database) -> None:
    study_id = submit(database, n_trials=1)
    for _ in range(claims.MAX_LOST_LEASES):
        leases.release(database, claim(database, study_id), error="RuntimeError: no luck")
    assert claims.claim(database, study_id, CPU, 100) is None
    with database.read() as connection:
        row = connection.execute(select(TrialRow.state, TrialRow.error)).one()
    assert tuple(row) == ("failed", "RuntimeError: no luck")


def test_cancel_ends_what_waits_at_once_and_what_runs_when_its_holder_hears(database: Database) -> None:
    study_id = submit(database)
    held = claim(database, study_id, lanes=4)
    submissions.wish_cancel(database, study_id)
    record = find_study(database, study_id)
    assert (record.state, record.counts) == ("cancelling", {"running": 2, "cancelled": 6})
    assert leases.renew(database, held) == "cancel"
    leases.cancel_held(database, held)
    assert find_study(database, study_id).state == "cancelled"


def test_cancelled_array_of_a_dead_worker_ends_when_anybody_looks(database: Database) -> None:
    study_id = submit(database)
    held = claim(database, study_id)
    submissions.wish_cancel(database, study_id)
    expire(database, held)
    assert [study.id for study in waiting.studies_with_work(database)] == [study_id]
    assert claims.claim(database, study_id, OTHER, 100) is None
    assert find_study(database, study_id).state == "cancelled"
    assert waiting.studies_with_work(database) == []


def test_adaptive_study_has_one_drawer_and_few_trials_in_flight(database: Database) -> None:
    study_id = submit(database, sampler="tpe", n_trials=40)
    spec = find_study(database, study_id).spec
    first = claim(database, study_id, lanes=8)
    assert [trial.setting is None for trial in first.trials] == [False, True, True, True]
    assert claims.claim(database, study_id, OTHER, 100) is None, "one draws at a time"
    _draw(database, first, spec)
    assert len(claim(database, study_id, OTHER).trials) == 6, "10 in flight at most"


def _draw(db: Database, held: Claim, spec: StudySpec) -> None:
    undrawn = [trial.number for trial in held.trials if trial.setting is None]
    leases.set_settings(db, held, spec, dict(zip(undrawn, draw_adaptive(spec, [], undrawn), strict=True)))
    with db.read() as connection:
        rows = connection.execute(select(TrialRow.params, TrialRow.alpha).where(TrialRow.number.in_(undrawn))).all()
    assert all(row.params["alpha"] == row.alpha for row in rows)


def test_work_is_what_waits_or_lost_its_holder(database: Database) -> None:
    study_id = submit(database)
    assert [study.id for study in waiting.studies_with_work(database)] == [study_id]
    held = claim(database, study_id)
    assert waiting.studies_with_work(database) == []
    expire(database, held)
    assert [study.id for study in waiting.studies_with_work(database)] == [study_id]
    with database.read() as connection:
        assert connection.execute(select(ArrayRow.lease_expires_at)).scalar_one() > RELEASED


def test_lease_of_a_dead_worker_ends_though_the_clock_was_set_back(database: Database) -> None:
    workers.register(database, CPU)
    study_id = submit(database)
    held = claim(database, study_id)
    leases.set_checkpoint(database, held, "a.pt", CPU.store)
    hour = 3600.0
    with database.write() as connection:  # the lease and the heartbeat of an hour ago, as the clock has it now
        connection.execute(update(ArrayRow).values(lease_expires_at=ArrayRow.lease_expires_at + hour))
        connection.execute(update(WorkerRow).values(heartbeat_at=WorkerRow.heartbeat_at + hour))
    assert [study.id for study in waiting.studies_with_work(database)] == [study_id]
    assert not list_workers(database)[0].is_live
    elsewhere = replace(OTHER, store="b")  # no living worker sees the checkpoint's store
    taken = claim(database, study_id, elsewhere)
    assert (taken.array_id, taken.checkpoint) == (held.array_id, None)
    with pytest.raises(LeaseLostError):
        leases.renew(database, held)


def test_nobody_takes_over_or_cancels_what_is_being_written(postgresql_settings: Settings) -> None:
    """The holder lives, though its lease ran out. On SQLite nobody else can write meanwhile anyway."""
    database = open_database(postgresql_settings)
    held = claim(database, submit(database))
    expire(database, held)
    with database.write() as connection:
        leases._hold(connection, held)
        assert claims.claim(database, held.study_id, OTHER, 100) is None
        submissions.wish_cancel(database, held.study_id)
        assert find_study(database, held.study_id).state == "cancelling"
    assert leases.renew(database, held) == "cancel"
    database.close()


def test_holders_write_while_others_claim(postgresql_settings: Settings) -> None:
    """Recording an epoch checks a foreign key, and would wait for a claim that locked the study against it."""
    database = open_database(postgresql_settings)
    held = claim(database, submit(database), lanes=2)
    with database.write() as claiming:
        claiming.execute(claims._held_row(select(StudyRow.id), held.study_id))
        with database.write() as other:
            other.exec_driver_sql("SET LOCAL lock_timeout = '2s'")
            leases._hold(other, held)
            assert other.execute(update(ArrayRow).where(ArrayRow.id == held.array_id).values(epoch=0)).rowcount == 1
    database.close()


def test_deletion_waits_for_a_write_and_lets_none_follow(database: Database) -> None:
    held = claim(database, submit(database))
    barrier, lost = threading.Barrier(2), []

    def record() -> None:
        barrier.wait()
        try:
            for epoch in itertools.count():  # until the deletion has its turn
                leases.record_epoch(database, held, epoch, epoch_rows(held, epoch), {})
        except LeaseLostError as error:
            lost.append(error)

    holder = threading.Thread(target=record)
    holder.start()
    barrier.wait()
    submissions.delete_study(database, held.study_id)
    holder.join()
    assert len(lost) == 1
    with database.read() as connection:
        assert connection.execute(select(EpochRow.trial)).all() == []
