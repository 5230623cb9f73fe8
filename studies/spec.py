"""What a user asks for: a study or a suite, validated, with every default filled in.

YAML, JSON and Python give the same objects. Whatever is wrong is told in one line that names the key, the value and
what is allowed.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, model_validator

from studies.errors import InputError, NotFoundError
from studies.optimizers import Optimizer, find_optimizer
from studies.parameters import PARAMETERS
from studies.rule_options import complete_options
from studies.schedule import Schedule
from studies.search_space import (
    Dimension,
    Number,
    Range,
    SearchSpace,
    Value,
    complete,
    contains,
    grid_size,
    is_searched,
    shown,
)
from studies.spec_errors import one_line
from studies.workloads import Workload, find_workload
from studies.workloads.demands import check_demands

Name = Annotated[
    str, Field(strict=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$")
]
MAX_TRIALS = 100_000
Count = Annotated[int, Field(strict=True, ge=1)]

ADAPTIVE_SAMPLERS = ("tpe", "gp", "cmaes")

_STORED = object()  # the context of what is read back, of which the workload is not asked for


class StudySpec(BaseModel):
    """One optimizer on one workload over one search space.

    `epochs`, `batch_size`, `schedule`, `options` and the parameters that `search_space` does not name take the
    workload's and the optimizer's defaults, and are written into the spec, so that it says all that a study needs.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    workload: str = Field(strict=True)
    optimizer: str = Field(strict=True)
    options: dict[str, Any] = Field(default_factory=dict)
    search_space: SearchSpace = Field(default_factory=dict)
    sampler: Literal["random", "qmc", "grid", "tpe", "gp", "cmaes"] = "qmc"
    pruner: Literal["none", "successive-halving", "hyperband", "median"] = "none"
    n_trials: Annotated[Count, Field(le=MAX_TRIALS)] = 128
    n_seeds: Annotated[Count, Field(le=1_000)] = 3
    epochs: Annotated[Count, Field(le=10_000)] = None  # type: ignore[assignment]  # filled in from the workload
    batch_size: Count = None  # type: ignore[assignment]  # filled in from the workload
    schedule: Schedule = None  # type: ignore[assignment]  # filled in from the workload
    data: Literal["real", "synthetic"] = "real"
    objective: Literal["train_loss", "validation_loss", "validation_error", "epochs_to_target"] = "train_loss"
    target: Annotated[Number, Field(gt=0)] | None = None
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 0
    device: Literal["any", "gpu", "cpu"] = "any"
    diagnostics: Annotated[bool, Field(strict=True)] = False
    enqueue: tuple[dict[str, Value], ...] = ()

    @classmethod
    def stored(cls, given: Mapping[str, Any]) -> Self:
        """Return a spec from the database, checked when it was submitted, though its workload may not be found here."""
        return cls.model_validate(given, context=_STORED)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, given: Any, info: ValidationInfo) -> Any:
        """Fill in what depends on the workload and the optimizer."""
        if not isinstance(given, Mapping):
            return given
        filled = dict(given)
        workload, optimizer = filled.get("workload"), filled.get("optimizer")
        if isinstance(workload, str) and info.context is not _STORED:
            entry = find_workload(workload)
            filled.setdefault("epochs", entry.epochs)
            filled.setdefault("batch_size", entry.batch_size)
            filled.setdefault("schedule", {"alpha": entry.schedule})
        space = filled.get("search_space", {})
        if isinstance(optimizer, str) and isinstance(space, Mapping):
            filled["search_space"] = {**find_optimizer(optimizer).default_space, **space}
        return filled

    @model_validator(mode="after")
    def _check(self, info: ValidationInfo) -> Self:
        optimizer = self.optimizer_entry
        self._check_space(optimizer)
        if info.context is not _STORED:
            self._check_workload()
        if (self.objective == "epochs_to_target") != (self.target is not None):
            raise ValueError(
                "target: the train_loss to reach must be given with the objective epochs_to_target, and only then, "
                f"got {self.target} with {self.objective}"
            )
        self._check_enqueue(optimizer)
        if self.sampler == "grid":
            self._check_grid()
        return self

    def _check_workload(self) -> None:
        check_demands(self.workload_entry, self.data, self.batch_size, self.objective)
        if self.batch_size > self.n_train:
            raise ValueError(f"batch_size: must be at most the {self.n_train} training examples, got {self.batch_size}")

    def _check_space(self, optimizer: Optimizer) -> None:
        space: dict[str, Dimension] = {}
        for name in (*optimizer.defaults, *self.search_space):
            if name not in optimizer.defaults:
                raise ValueError(f"search_space: must name only {', '.join(optimizer.defaults)}, got {name!r}")
            if name in self.search_space:
                try:
                    space[name] = complete(name, self.search_space[name])
                except ValueError as error:
                    raise ValueError(f"search_space.{name}: {error}") from None
        object.__setattr__(self, "search_space", space)
        object.__setattr__(self, "options", complete_options(optimizer, space, self.options))
        if self.n_trials > 1 and not any(is_searched(dimension) for dimension in space.values()):
            raise ValueError(f"n_trials: must be 1 where the search space holds constants only, got {self.n_trials}")

    def _check_enqueue(self, optimizer: Optimizer) -> None:
        for index, given in enumerate(self.enqueue):
            key = f"enqueue[{index}]"
            for name, value in given.items():
                if name not in self.search_space:
                    raise ValueError(f"{key}: must name only {', '.join(self.search_space)}, got {name!r}")
                if problem := PARAMETERS[name].check(value):
                    raise ValueError(f"{key}.{name}: {problem}, got {shown(value)}")
            setting = {name: given.get(name, optimizer.defaults[name]) for name in self.search_space}
            if outside := contains(self.search_space, setting):
                raise ValueError(f"{key}.{outside}: must lie in the search space, got {shown(setting[outside])}")
        n_first = len(self.first_settings)
        if n_first > self.n_trials:
            raise ValueError(
                f"enqueue: must leave room for {optimizer.defaults_from} default in n_trials={self.n_trials}, got "
                f"{n_first} settings to try first"
            )

    def _check_grid(self) -> None:
        for name, dimension in self.search_space.items():
            if isinstance(dimension, Range):
                raise ValueError(f"search_space.{name}: must be a list or a constant for the sampler grid, got a range")
        size = grid_size(self.search_space)
        if size > MAX_TRIALS:
            raise ValueError(f"search_space: must hold at most {MAX_TRIALS} points of a grid, got {size}")
        if "n_trials" in self.model_fields_set and self.n_trials != size:
            raise ValueError(
                f"n_trials: must be the number of points of the grid, {size}, or left out, got {self.n_trials}"
            )
        object.__setattr__(self, "n_trials", size)

    @property
    def members(self) -> tuple["StudySpec", ...]:
        """The studies that are submitted: this one."""
        return (self,)

    @property
    def workload_entry(self) -> Workload:
        """The catalogue's entry of the workload."""
        return find_workload(self.workload)

    @property
    def known_workload(self) -> Workload | None:
        """The catalogue's entry of the workload; None where it is not installed here (any more), as results may be."""
        try:
            return self.workload_entry
        except NotFoundError:
            return None

    @property
    def workload_label(self) -> str:
        """The workload's name, which says so where the data are synthetic."""
        return self.workload + (" (synthetic)" if self.data == "synthetic" else "")

    @property
    def workload_title(self) -> str:
        """The workload's title, which says so where the data are synthetic."""
        title = self.known_workload.title if self.known_workload else f"{self.workload} (not installed here)"
        return title + (" (synthetic data)" if self.data == "synthetic" else "")

    @property
    def optimizer_entry(self) -> Optimizer:
        """The catalogue's entry of the optimizer."""
        return find_optimizer(self.optimizer)

    @property
    def modes(self) -> list[str]:
        """The options in words, the form of ε always, the others where they are on."""
        off = ("none", False)
        said = {name: value for name, value in self.options.items() if name == "epsilon_mode" or value not in off}
        return [name if value is True else f"{name} {value}" for name, value in said.items()]

    @property
    def holdout(self) -> bool:
        """Whether the validation examples are held out of the training set."""
        return self.objective.startswith("validation")

    @property
    def n_train(self) -> int:
        """Training examples, without those held out."""
        entry = self.workload_entry
        return entry.n_train - (entry.n_validation if self.holdout else 0)

    @property
    def default_setting(self) -> dict[str, float] | None:
        """The optimizer's default setting; None where the search space does not contain it."""
        setting = {name: self.optimizer_entry.defaults[name] for name in self.search_space}
        return None if contains(self.search_space, setting) else setting

    @property
    def first_settings(self) -> list[dict[str, float]]:
        """The settings tried before the sampler's: the default, then the enqueued ones, each once."""
        defaults = self.optimizer_entry.defaults
        enqueued = [{name: given.get(name, defaults[name]) for name in self.search_space} for given in self.enqueue]
        settings: list[dict[str, float]] = []
        for setting in (self.default_setting, *enqueued):
            if setting is not None and setting not in settings:
                settings.append(setting)
        return settings

    @property
    def warnings(self) -> list[str]:
        """What the user should know before the study runs."""
        if self.default_setting is None:
            whose = self.optimizer_entry.defaults_from
            return [f"{self.name}: the search space does not contain {whose} defaults, so they are not tried"]
        return []

    def to_json(self) -> dict[str, Any]:
        """Return the spec as JSON values; `parse_study` takes them back."""
        return self.model_dump(mode="json")


class SuiteSpec(BaseModel):
    """Several studies submitted together to be compared; all share one seed, so that comparisons are paired."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    suite: Name
    studies: Annotated[tuple[StudySpec, ...], Field(min_length=1, max_length=1_000)]

    @model_validator(mode="before")
    @classmethod
    def _spread_defaults(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        spread = dict(given)
        defaults, studies = spread.pop("defaults", {}), spread.get("studies")
        if not isinstance(defaults, Mapping):
            raise ValueError(f"defaults: must be a mapping of keys of a study, got {defaults!r}")
        if isinstance(studies, list | tuple):
            spread["studies"] = [{**defaults, **study} if isinstance(study, Mapping) else study for study in studies]
        return spread

    @model_validator(mode="after")
    def _check(self) -> Self:
        seeds = {study.seed for study in self.studies}
        if len(seeds) > 1:
            raise ValueError(f"studies: all studies of a suite must share one seed, got {sorted(seeds)}")
        names = [study.name for study in self.studies]
        if repeated := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"studies: every study of a suite must have a name of its own, got {repeated!r} twice")
        return self

    @property
    def members(self) -> tuple[StudySpec, ...]:
        """The studies that are submitted."""
        return self.studies


Spec = StudySpec | SuiteSpec


def parse_study(given: Mapping[str, Any]) -> StudySpec:
    """Return the study that a mapping describes.

    Raises:
        InputError: what is wrong, by key, value and what is allowed.
    """
    try:
        return StudySpec.model_validate(given)
    except ValidationError as error:
        raise InputError(one_line(error, (StudySpec,))) from None


def parse(given: object) -> Spec:
    """Return the study or suite that a mapping describes.

    Raises:
        InputError: what is wrong, a line for each key.
    """
    if not isinstance(given, Mapping):
        raise InputError(f"a spec must be a mapping of keys, got {type(given).__name__}")
    if "suite" not in given:
        return parse_study(given)
    try:
        return SuiteSpec.model_validate(given)
    except ValidationError as error:
        raise InputError(one_line(error, (StudySpec, SuiteSpec))) from None
