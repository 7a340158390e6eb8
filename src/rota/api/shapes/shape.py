"""What every object of the API is."""

from __future__ import annotations

from typing import Annotated

from pydantic import AnyUrl, BaseModel, ConfigDict, Field

RUN_ID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
RunIdText = Annotated[
    str, Field(pattern=RUN_ID, examples=["0198c7a0-5b3e-7cc1-9a44-0d6f7a1b2c3d"], description="A UUIDv7.")
]
Seconds = Annotated[float, Field(ge=0, description="Seconds.")]


class Inner(BaseModel):
    """An object within another; nothing stands in it that its schema does not name."""

    model_config = ConfigDict(defer_build=True, extra="forbid")


class Shape(BaseModel):
    """An object of the API; nothing stands in it that its schema does not name."""

    model_config = ConfigDict(defer_build=True, extra="forbid", populate_by_name=True)

    schema_: Annotated[
        AnyUrl | None,
        Field(alias="$schema", description="Where this object's JSON Schema is; on the top object only."),
    ] = None
