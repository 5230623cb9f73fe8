"""How α changes in a study."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from studies.search_space import Number


class Schedule(BaseModel):
    """How α changes with t, the number of the step or of the epoch (both from 1).

    constant, inverse-sqrt (α/√t), step-decay (α times `factor` after every `every` steps or epochs) or cosine (from α
    to 0 over the study's epochs).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    alpha: Literal["constant", "inverse-sqrt", "step-decay", "cosine"] = "inverse-sqrt"
    per: Literal["step", "epoch"] = "step"
    factor: Annotated[Number, Field(gt=0, lt=1)] | None = None
    every: Annotated[int, Field(strict=True, ge=1)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, value in (("factor", self.factor), ("every", self.every)):
            if (value is None) == (self.alpha == "step-decay"):
                given = "must be given" if value is None else "must be left out"
                raise ValueError(f"{name} {given} where alpha is {self.alpha}, got {value}")
        return self

    @property
    def words(self) -> str:
        """The schedule as people write it."""
        if self.alpha == "constant":
            return "constant α"
        if self.alpha == "step-decay":
            return f"α × {self.factor:g} every {self.every} {self.per}s"
        return f"{'α/√t' if self.alpha == 'inverse-sqrt' else 'cosine α'} per {self.per}"
