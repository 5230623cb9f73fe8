"""Compiled products of sparse rows with the weights of b lanes, for the CPU.

The innermost operation works on the numbers of all lanes of one feature: one vector that LLVM keeps in registers,
however wide the CPU's own are. A loop over the lanes would stay scalar: LLVM unrolls it before it looks for vectors,
and cannot rule out that outputs overlap inputs.

Each lane's sums run over the same entries in the same order, and products and sums round alone, so that a lane's
numbers depend neither on its place nor on its mates.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic, models, overload, register_model

from adam_core.kernels.compilation import compiled


class RowProducts(NamedTuple):
    """Products of n sparse rows with blocks of one width b; arrays are C-contiguous, their numbers of one dtype.

    theta [F + 1, b] holds the weights and, last, the biases.
    """

    #: (theta, starts, ends, features, values, logits [n or more, b]): fills the first n logits; the entries of row i
    #: are starts[i] ... ends[i] - 1.
    logits: Callable[..., None]

    #: (theta, columns, column_starts, rows, values, labels [n], probabilities [n or more, b], l2, gradient [F + 1, b]):
    #: fills the gradient, the mean over rows of row times (probability - label), plus l2 times the weights; the entries
    #: are as `by_column` gives them. The probabilities are overwritten.
    gradient: Callable[..., None]


@lru_cache
def row_products(width: int) -> RowProducts:
    """The products for blocks of `width` lanes, compiled when they are first called."""

    def logits(theta: Any, starts: Any, ends: Any, features: Any, values: Any, logits: Any) -> None:
        biases = _load(theta, theta.shape[0] - 1, width)
        for row in range(starts.size):
            total = biases
            entry, end = starts[row], ends[row]
            while entry + 1 < end:  # in pairs, since a sum has to wait for the one before it
                pair = values[entry] * _load(theta, features[entry], width)
                total = total + (pair + values[entry + 1] * _load(theta, features[entry + 1], width))
                entry += 2
            if entry < end:
                total = total + values[entry] * _load(theta, features[entry], width)
            _store(logits, row, total)

    def gradient(
        theta: Any,
        columns: Any,
        column_starts: Any,
        rows: Any,
        values: Any,
        labels: Any,
        probabilities: Any,
        l2: Any,
        gradient: Any,
    ) -> None:
        bias = theta.shape[0] - 1
        gradient[bias] = 0
        total = _load(gradient, bias, width)
        for row in range(labels.size):
            residual = 1 / labels.size * (_load(probabilities, row, width) - labels[row])
            _store(probabilities, row, residual)
            total = total + residual
        _store(gradient, bias, total)
        for column in range(bias):
            total = l2 * _load(theta, columns[column], width)
            for entry in range(column_starts[column], column_starts[column + 1]):
                total = total + values[entry] * _load(probabilities, rows[entry], width)
            _store(gradient, columns[column], total)

    return RowProducts(compiled(logits), compiled(gradient))


@compiled
def by_column(
    starts: Any, ends: Any, features: Any, values: Any, columns: Any, column_starts: Any, rows: Any, column_values: Any
) -> None:
    """Sort the entries of n rows by their features, and those of a feature by their rows.

    A gradient is then written once, where row by row its numbers would be fetched and stored for each entry. Features
    of as many entries are neighbours: then the CPU foresees where a feature's entries end.

    Args:
        starts: [n], of each row, its first entry.
        ends: [n], the entry after its last.
        features: of the entries.
        values: of the entries.
        columns: [F], to be filled, as the others: the features, those with the fewest entries first.
        column_starts: [F + 1], the entries of columns[c] are column_starts[c] ... column_starts[c + 1] - 1.
        rows: a place for each entry of these rows.
        column_values: likewise.
    """
    sizes = np.zeros(columns.size, np.int64)
    for row in range(starts.size):
        for entry in range(starts[row], ends[row]):
            sizes[features[entry]] += 1
    first_of_size = np.zeros(starts.size + 2, np.int64)
    for feature in range(sizes.size):
        first_of_size[sizes[feature] + 1] += 1
    for size in range(1, first_of_size.size):
        first_of_size[size] += first_of_size[size - 1]
    for feature in range(sizes.size):
        columns[first_of_size[sizes[feature]]] = feature
        first_of_size[sizes[feature]] += 1
    place = sizes  # of each feature's next entry
    column_starts[0] = 0
    for column in range(columns.size):
        column_starts[column + 1] = column_starts[column] + sizes[columns[column]]
        place[columns[column]] = column_starts[column]
    for row in range(starts.size):
        for entry in range(starts[row], ends[row]):
            feature = features[entry]
            rows[place[feature]] = row
            column_values[place[feature]] = values[entry]
            place[feature] += 1


@compiled
def keep_entries(
    starts: Any,
    ends: Any,
    features: Any,
    values: Any,
    noise: Any,
    first_kept: Any,
    scale: Any,
    kept_starts: Any,
    kept_ends: Any,
    kept_features: Any,
    kept_values: Any,
) -> None:
    """Copy the entries of n rows whose noise is at least `first_kept`, times `scale`.

    Args:
        starts: [n], of each row, its first entry.
        ends: [n], the entry after its last.
        features: of the entries.
        values: of the entries.
        noise: a byte for each entry of these rows, in their order.
        first_kept: the smallest byte that keeps an entry.
        scale: of the values.
        kept_starts: [n], to be filled, as the others.
        kept_ends: [n].
        kept_features: a place for each entry of these rows; what is left over has no meaning.
        kept_values: likewise.
    """
    n_seen, n_kept = 0, 0
    for row in range(starts.size):
        start, size = starts[row], ends[row] - starts[row]
        row_features, row_values = features[start : start + size], values[start : start + size]
        row_noise = noise[n_seen : n_seen + size]
        kept_starts[row] = n_kept
        for entry in range(size):
            kept_features[n_kept] = row_features[entry]
            kept_values[n_kept] = row_values[entry] * scale
            n_kept += row_noise[entry] >= first_kept  # a branch would be mispredicted every second time
        kept_ends[row] = n_kept
        n_seen += size


class _Lanes(types.Type):
    """The type of a vector with one number of each lane."""

    def __init__(self, dtype: Any, width: int) -> None:
        self.dtype = dtype
        self.width = width
        super().__init__(name=f"Lanes({dtype}, {width})")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    """Lanes are a vector of LLVM."""

    def __init__(self, manager: Any, lanes: _Lanes) -> None:
        number = manager.lookup(lanes.dtype).get_value_type()
        super().__init__(manager, lanes, ir.VectorType(number, lanes.width))  # type: ignore[no-untyped-call]


def _load_row(typing: Any, matrix: Any, row: Any, width: Any) -> Any:
    """Row `row` of a matrix [rows, width]."""
    lanes = _Lanes(matrix.dtype, width.literal_value)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = builder.load(_address(context, builder, matrix, arguments, lanes))
        vector.align = _itemsize(lanes)
        return vector

    return lanes(matrix, types.intp, width), generate


def _store_row(typing: Any, matrix: Any, row: Any, lanes: Any) -> Any:
    """Write row `row` of a matrix [rows, width]."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        store = builder.store(arguments[2], _address(context, builder, matrix, arguments, lanes))
        store.align = _itemsize(lanes)
        return context.get_dummy_value()

    return types.void(matrix, types.intp, lanes), generate


_load: Any = intrinsic(prefer_literal=True)(_load_row)
_store: Any = intrinsic(_store_row)


def _address(context: Any, builder: Any, matrix: Any, arguments: Any, lanes: _Lanes) -> Any:
    """The address of row arguments[1] of the matrix arguments[0], as that of a vector."""
    if matrix.layout != "C":
        raise TypingError(f"lanes must lie in a C-contiguous matrix, got layout {matrix.layout}")
    data = context.make_array(matrix)(context, builder, arguments[0]).data
    first = builder.gep(data, [builder.mul(arguments[1], ir.IntType(64)(lanes.width))])
    return builder.bitcast(first, context.get_value_type(lanes).as_pointer())


def _itemsize(lanes: _Lanes) -> int:
    """Bytes of one number: all that addresses are sure to be multiples of."""
    return int(lanes.dtype.bitwidth) // 8


def _define(symbol: Callable[[Any, Any], Any], instruction: str) -> None:
    """Define an operator for lanes with lanes, or with a number for all lanes."""

    def operation(typing: Any, left: Any, right: Any) -> Any:
        lanes = left if isinstance(left, _Lanes) else right
        operands = [operand if operand == lanes else lanes.dtype for operand in (left, right)]

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            vectors = [
                argument if operand == lanes else _spread(context, builder, argument, lanes)
                for argument, operand in zip(arguments, operands, strict=True)
            ]
            return getattr(builder, instruction)(*vectors)

        return lanes(*operands), generate

    compiled_operation: Any = intrinsic(operation)

    @overload(symbol)
    def choose(left, right):  # type: ignore[no-untyped-def]  # Numba compares the two signatures
        if isinstance(left, _Lanes) or isinstance(right, _Lanes):
            return lambda left, right: compiled_operation(left, right)
        return None


def _spread(context: Any, builder: Any, number: Any, lanes: _Lanes) -> Any:
    """A vector that holds the number for all lanes."""
    zeroth = ir.IntType(32)(0)
    first = builder.insert_element(context.get_value_type(lanes)(ir.Undefined), number, zeroth)
    return builder.shuffle_vector(first, first, ir.VectorType(zeroth.type, lanes.width)([0] * lanes.width))


_define(operator.add, "fadd")
_define(operator.sub, "fsub")
_define(operator.mul, "fmul")
