"""A step as a CUDA graph: one launch for many small kernels, whose own launches would take longer than they run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

_log = logging.getLogger(__name__)

#: Tensors that change from step to step, in groups.
Inputs = Mapping[int, tuple[Tensor, ...]]


@dataclass
class _Captured:
    """A step for inputs of certain shapes."""

    inputs: tuple[Inputs, ...]  #: the copies that the graph reads
    graph: torch.cuda.CUDAGraph | None = None  #: None until the second step


class StepGraphs:
    """Runs a step as a CUDA graph, one for each number of examples in a batch.

    Its first run with inputs of certain shapes is an eager one on a side stream, as captures demand: libraries set
    themselves up, kernels are compiled, buffers are made. The second run captures it. Graphs hold addresses: `reset`
    when other tensors of the step than its inputs are replaced (new contents do no harm). Where a capture fails, steps
    run eagerly from then on.

    Args:
        device: a CUDA device.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        self._captured: dict[object, _Captured] = {}
        self._works = True

    def run(self, step: Callable[..., None], *inputs: Inputs) -> None:
        """Run the step on groups of inputs, which need not outlive the call.

        Args:
            step: the same at each call; works on the device alone and never waits for it. (It is not kept: a graph
                that held the owner of its step would keep the owner's memory until the next garbage collection.)
            inputs: in the same order at each call.
        """
        if not self._works:
            step(*inputs)
            return
        shapes = tuple((key, tensor.shape, tensor.dtype) for group in inputs for key in group for tensor in group[key])
        captured = self._captured.get(shapes)
        if captured is None:
            self._captured[shapes] = captured = _Captured(tuple(_copies(group) for group in inputs))
            self._warm_up(step, captured)
            return
        _copy(inputs, captured.inputs)
        if captured.graph is None:
            captured.graph = self._capture(step, captured)
        if captured.graph is None:
            step(*inputs)
        else:
            captured.graph.replay()

    def reset(self) -> None:
        """Forget all graphs."""
        self._captured.clear()

    def _warm_up(self, step: Callable[..., None], captured: _Captured) -> None:
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            step(*captured.inputs)
        current.wait_stream(self._stream)

    def _capture(self, step: Callable[..., None], captured: _Captured) -> torch.cuda.CUDAGraph | None:
        """The step as a graph, not run yet; None where the capture fails."""
        graph = torch.cuda.CUDAGraph()
        try:
            # "thread_local": other threads of the process may use CUDA meanwhile.
            with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):
                step(*captured.inputs)
        except RuntimeError as error:
            _log.warning("Steps run without a CUDA graph, whose capture failed: %s", error)
            self._works = False
            self.reset()
            return None
        return graph


def _copies(group: Inputs) -> Inputs:
    return {key: tuple(tensor.clone() for tensor in tensors) for key, tensors in group.items()}


def _copy(inputs: tuple[Inputs, ...], copies: tuple[Inputs, ...]) -> None:
    for group, target in zip(inputs, copies, strict=True):
        for key, tensors in group.items():
            for tensor, copy in zip(tensors, target[key], strict=True):
                copy.copy_(tensor)
