"""Lines of a table as Arrow data, for writing them.

Readers do not import this module: pyarrow and numpy take longer to import than an item takes to read.
"""

from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pyarrow as pa

from shared.dataset.schema import Source

_ARROW: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", tz="UTC"),
    tuple[str, ...]: pa.list_(pa.string()),
}


def arrow_schema(of: type[Source]) -> pa.Schema:
    """Derive the columns, in the order of the fields; only `X | None` is nullable."""
    hints = get_type_hints(of)
    return pa.schema([_arrow_field(field.name, hints[field.name]) for field in fields(of)])


def arrow_table(lines: Sequence[Source], schema: pa.Schema) -> pa.Table:
    """Convert lines, or none."""
    columns = zip(*map(astuple, lines), strict=True) if lines else [[] for _ in schema]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def _arrow_field(name: str, hint: Any) -> pa.Field:
    options = get_args(hint) if get_origin(hint) is UnionType else (hint,)
    (kind,) = (option for option in options if option is not NoneType)
    return pa.field(name, _ARROW[kind], nullable=NoneType in options)
