"""CUDA graphs of a step, captured by a stand-in for torch.cuda that records; real ones are marked gpu."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor

from adam_core.arrays.cuda_graph import Inputs, StepGraphs
from adam_core.arrays.lane_updates import TABLE_STEPS, LaneSetting, LaneUpdates
from adam_core.arrays.trial_array import TrialArray
from adam_core.models.softmax_regression import SoftmaxRegression
from adam_core.models.stacked_model import Batch
from adam_core.randomness import Purpose, stream
from adam_core.schedules import Schedule

CPU = torch.device("cpu")


class FakeGraph:
    """What a step that runs under capture leaves to be done."""

    def __init__(self) -> None:
        self.work: Any = None
        self.n_replays = 0

    def replay(self) -> None:
        self.n_replays += 1
        self.work()


class FakeStream:
    """A stream that logs what it waits for."""

    def __init__(self, log: list[str], name: str) -> None:
        self.log, self.name = log, name

    def wait_stream(self, other: "FakeStream") -> None:
        self.log.append(f"{self.name} waits for {other.name}")


class FakeCuda:
    """Stands in for torch.cuda on a CPU."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.graphs: list[FakeGraph] = []
        self.capturing: FakeGraph | None = None
        self.fails = False
        self.current = FakeStream(self.log, "current")

    def Stream(self, device: torch.device) -> FakeStream:
        return FakeStream(self.log, "side")

    def current_stream(self, device: torch.device) -> FakeStream:
        return self.current

    def stream(self, chosen: FakeStream) -> Any:
        self.log.append(f"on {chosen.name}")
        return nullcontext()

    def CUDAGraph(self) -> FakeGraph:
        return FakeGraph()

    @contextmanager
    def graph(self, graph: FakeGraph, *, stream: FakeStream, capture_error_mode: str) -> Iterator[None]:
        assert capture_error_mode == "thread_local"
        self.log.append(f"capture on {stream.name}")
        self.capturing = graph
        try:
            yield
            if self.fails:
                raise RuntimeError("operation not permitted when stream is capturing")
        finally:
            self.capturing = None
        self.graphs.append(graph)


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> FakeCuda:
    fake = FakeCuda()
    monkeypatch.setattr("adam_core.arrays.cuda_graph.torch.cuda", fake)
    return fake


class Adder:
    """A step that adds its inputs to a total, on the stand-in's terms: under capture nothing happens yet."""

    def __init__(self, cuda: FakeCuda) -> None:
        self.cuda = cuda
        self.total = 0.0
        self.n_calls = 0

    def __call__(self, *inputs: Inputs) -> None:
        self.n_calls += 1
        if self.cuda.capturing is None:
            self.add(*inputs)
        else:
            self.cuda.capturing.work = partial(self.add, *inputs)

    def add(self, *inputs: Inputs) -> None:
        for group in inputs:
            for tensors in group.values():
                self.total += sum(float(tensor.sum()) for tensor in tensors)


def inputs_of(value: float, n: int = 2) -> tuple[Inputs, Inputs]:
    return {0: (torch.full((n,), value),), 5: (torch.full((n,), value), torch.ones(1))}, {0: (torch.full((3,), value),)}


def test_first_a_run_on_a_side_stream_then_a_capture_then_replays(cuda: FakeCuda) -> None:
    graphs, step = StepGraphs(CPU), Adder(cuda)
    totals = []
    for value in (1.0, 2.0, 3.0, 4.0):
        graphs.run(step, *inputs_of(value))
        totals.append(step.total)
    assert totals == [8.0, 8.0 + 15.0, 23.0 + 22.0, 45.0 + 29.0]
    assert step.n_calls == 2
    assert [graph.n_replays for graph in cuda.graphs] == [3]
    assert cuda.log == ["side waits for current", "on side", "current waits for side", "capture on side"]


def test_the_inputs_need_not_outlive_the_call(cuda: FakeCuda) -> None:
    graphs, step = StepGraphs(CPU), Adder(cuda)
    for value in (1.0, 2.0, 3.0):
        inputs = inputs_of(value)
        graphs.run(step, *inputs)
        for tensor in (*inputs[0][0], *inputs[0][5], *inputs[1][0]):
            tensor.fill_(float("nan"))
    assert step.total == 8.0 + 15.0 + 22.0


@pytest.mark.parametrize("change", ["examples", "dtype", "seeds"])
def test_other_shapes_have_a_graph_of_their_own(cuda: FakeCuda, change: str) -> None:
    graphs, step = StepGraphs(CPU), Adder(cuda)
    batches, coefficients = inputs_of(1.0)
    others = {
        "examples": inputs_of(1.0, n=3)[0],
        "dtype": {key: tuple(tensor.double() for tensor in tensors) for key, tensors in batches.items()},
        "seeds": {1: batches[0], 5: batches[5]},
    }
    for _ in range(4):
        graphs.run(step, batches, coefficients)
        graphs.run(step, others[change], coefficients)
    assert [graph.n_replays for graph in cuda.graphs] == [3, 3]


def test_reset_starts_anew(cuda: FakeCuda) -> None:
    graphs, step = StepGraphs(CPU), Adder(cuda)
    for _ in range(3):
        graphs.run(step, *inputs_of(1.0))
    graphs.reset()
    for _ in range(3):
        graphs.run(step, *inputs_of(1.0))
    assert [graph.n_replays for graph in cuda.graphs] == [2, 2]
    assert step.total == 6 * 8.0


def test_where_a_capture_fails_steps_run_eagerly_after_one_warning(
    cuda: FakeCuda, caplog: pytest.LogCaptureFixture
) -> None:
    graphs, step = StepGraphs(CPU), Adder(cuda)
    cuda.fails = True
    with caplog.at_level(logging.INFO, logger="adam_core"):
        for n in (2, 2, 2, 3, 3, 3):
            graphs.run(step, *inputs_of(1.0, n))
    assert step.total == 3 * 8.0 + 3 * 10.0
    assert [record.getMessage() for record in caplog.records] == [
        "Steps run without a CUDA graph, whose capture failed: operation not permitted when stream is capturing"
    ]
    assert cuda.log.count("capture on side") == 1


def array_of(device: torch.device = CPU) -> TrialArray:
    model = SoftmaxRegression(20, 3, 1e-2, 4, device, torch.float32)
    settings = [
        LaneSetting({"alpha": 0.01 * (lane + 1), "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-8}, Schedule())
        for lane in range(10)
    ]
    return TrialArray(
        model,
        LaneUpdates("adam", {}, steps_per_epoch=3),
        settings,
        [lane % 2 for lane in range(10)],
        lambda seed, layer: stream(5, seed, Purpose.INITIAL_WEIGHTS, layer=layer),
    )


def batches_of(array: TrialArray, number: int) -> dict[int, Batch]:
    """Every third batch is smaller."""
    n = 8 if number % 3 else 5
    batches: dict[int, Batch] = {}
    for seed in array.seeds:
        source = torch.Generator().manual_seed(1000 * number + seed)
        batches[seed] = (torch.randn(n, 20, generator=source), torch.randint(0, 3, (n,), generator=source))
    return batches


def train(array: TrialArray, device: torch.device = CPU) -> Tensor:
    """Past the end of a table of coefficients, with lanes frozen, removed and loaded in between."""
    for number in range(1, TABLE_STEPS + 20):
        batches = batches_of(array, number)
        array.step(number, {seed: tuple(part.to(device) for part in batch) for seed, batch in batches.items()})
        if number == 10:
            array.freeze({1, 4})
        if number == 20:
            array.remove({3})
        if number == 30:
            array.load_state_dict(array.state_dict())
        if number == 40:
            array.remove({0, 2, 6})
    return array.parameters()[0]


def test_an_array_that_replays_computes_the_same_bits(cuda: FakeCuda, monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in's graphs work on the blocks that stood when they were captured, as real ones do."""
    expected = train(array_of())
    graphed = array_of()
    graphed._graphs = StepGraphs(CPU)
    compute = graphed._compute

    def step(*inputs: Any) -> None:
        if cuda.capturing is None:
            compute(*inputs)
        else:
            cuda.capturing.work = partial(on_blocks, graphed._blocks, *inputs)

    def on_blocks(blocks: Any, *inputs: Any) -> None:
        current, graphed._blocks = graphed._blocks, blocks
        compute(*inputs)
        graphed._blocks = current

    monkeypatch.setattr(graphed, "_compute", step)
    assert torch.equal(train(graphed), expected)
    assert len(cuda.graphs) == 2 * 4  # two sizes of batches, at the start and after each of three packings
    assert sum(graph.n_replays for graph in cuda.graphs) == TABLE_STEPS + 19 - 2 * 4


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_replays_on_a_gpu_compute_the_bits_of_eager_steps() -> None:
    device = torch.device("cuda", torch.cuda.current_device())
    eager, graphed = array_of(device), array_of(device)
    eager._graphs = None
    assert torch.equal(train(graphed, device), train(eager, device))
    assert graphed._graphs is not None and graphed._graphs._works


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_step_that_waits_for_the_gpu_runs_eagerly(caplog: pytest.LogCaptureFixture) -> None:
    total = torch.zeros((), device="cuda")

    def step(inputs: Inputs) -> None:
        total.add_(inputs[0][0].sum().item())

    graphs = StepGraphs(torch.device("cuda", torch.cuda.current_device()))
    for _ in range(3):
        graphs.run(step, {0: (torch.ones(2, device="cuda"),)})
    assert float(total) == 6.0
    assert len(caplog.records) == 1
