"""Query parameters and body fields that several routes share, each with one strict reading."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Query as _Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

_DIGITS = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_FLAGS = {"true": True, "false": False}
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class Strict(BaseModel):
    """Fields of a query or body; what is not listed is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


def _number(text: Any) -> int:
    if not isinstance(text, str) or _DIGITS.fullmatch(text) is None:
        raise PydanticCustomError("int_parsing", "a whole number is needed")
    return int(text)


def _flag(text: Any) -> bool:
    if text not in _FLAGS:
        raise PydanticCustomError("bool_parsing", "true or false is needed")
    return _FLAGS[text]


def _day(text: Any) -> date:
    try:
        if _DAY.fullmatch(text) is None:  # fromisoformat takes week dates, too
            raise ValueError
        return date.fromisoformat(text)
    except ValueError as exc:
        raise PydanticCustomError("date_form", "a date is needed") from exc


def _instant(text: Any) -> datetime | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise PydanticCustomError("string_type", "a text is needed")
    try:
        if _INSTANT.fullmatch(text) is None:
            raise ValueError
        return datetime.fromisoformat(text.upper())
    except ValueError as exc:
        raise PydanticCustomError("instant_form", "a time with zone is needed") from exc


def listed(value: Any) -> Any:
    """For a parameter that may come several times: one is a list, too."""
    return [value] if isinstance(value, str) else value


Model = TypeVar("Model", bound=BaseModel)
Query = Annotated[Model, _Query()]
"""The query of a route: every parameter is a field of the model, others are refused."""

Digits = BeforeValidator(_number)
"""After the limits of a number, which are else missing in the description."""
Flag = Annotated[bool, BeforeValidator(_flag)]
Day = Annotated[date, BeforeValidator(_day)]
Instant = Annotated[datetime | None, BeforeValidator(_instant)]

Source = Literal["manual", "code"]
Limit = Annotated[int, Field(ge=1, le=500), Digits]
Offset = Annotated[int, Field(ge=0, le=2**53), Digits]
Wait = Annotated[
    int,
    Field(ge=0, le=30, description="Answer when there is news, at the latest after this."),
    Digits,
]
Reason = Annotated[str, Field(max_length=500)]


class Page(Strict):
    """Which part of a list."""

    limit: Limit = 50
    offset: Offset = 0
