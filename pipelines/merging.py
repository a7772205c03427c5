"""SQL that puts records together field by field: those of a registration, and the registrations of a trial.

Generated from the contracts, so that a new column touches no other file. Which record speaks first is decided in
`sql/parts/current_records.sql`, which registration in `sql/parts/trial_sources.sql`; nothing here runs a query.
"""

import re
from collections.abc import Sequence

from pipelines.contracts import Contracts, quote

TOGETHER = {
    "sponsor": ("sponsor", "sponsor_id", "sponsor_class", "sponsor_class_source", "sponsor_is_person"),
    "enrolment": ("enrolment", "enrolment_type"),
    "results_posted": ("results_posted", "results_posted_type"),
}
"""Columns that mean something only together: all of them are taken from the record that has the first one."""

NEVER_FILLED = {
    "start_raw", "primary_completion_raw", "completion_raw", "status", "enrolment", "has_results", "data_version",
    "last_update_posted", "last_update_submitted",
}  # fmt: skip
"""What decides a verdict is taken from one source alone: a date that the register dropped must not come back from
another source that still passes it on. And one source's data version says nothing of another's, nor does the day on
which another source took a record over say when its register updated it."""

UPDATES = ("last_update_posted", "last_update_submitted")
IS_RECORD = "part <> 'results'"
"""The page of results of the EU register has versions of its own: their day is no update of the registration."""

REPEATED = {
    "conditions": ("conditions", "condition_mesh"),
    "interventions": ("interventions", "intervention_mesh"),
    "outcomes": ("outcomes",),
    "analyses": ("analyses",),
    "sponsors": ("sponsors",),
}
"""Lists that each record of a registration repeats: the first record that has any speaks (see `registration_lists`)."""

ADDED_UP = {
    "identifiers": "list_concat(aliases, list_transform(identifiers, lambda i: i.value))",
    "documents": "list_transform(documents, lambda d: coalesce(d.url, d.label, ''))",
    "publications": "list_transform(publications, lambda p: concat_ws(' ', p.pmid, p.doi, p.type))",
}
"""Lists that are those of all records of a registration together, and what tells their items apart."""

OF_ONE_SOURCE = ("countries",)
"""Lists that add up over the records of one source only, the first that has any (see `registration_lists`): where the
trial ran decides verdicts, and a country that the register's record took out must not come back from another source."""

FILLED = "STRUCT(field VARCHAR, item VARCHAR, source VARCHAR)[]"


def merged_registrations(known: Contracts) -> str:
    """The fields of every registration, each from the first of its records that has it (`current_records.place`), and
    which fields, or items of a list, came from another source than the one that speaks first."""
    published = {c.name for c in known.tables["registrations"].columns}
    columns = [c.name for c in known.staging["registration_records"].columns if c.name in published]
    units = {name: _unit(name, columns) for name in columns}
    kept = [c for c in columns if c not in ("registration_id", "trial_id")]
    picked = ",\n    ".join(f"{_picked(c, units[c])} AS {c}" for c in kept)
    always_first = {"registry", "source", "content_hash"} | NEVER_FILLED
    stated = [
        (field_of(c, known), f"{c} IS NOT NULL", ORDERS.get(c, "place"))
        for c in kept
        if units[c] == c and c not in always_first
    ]
    stated += [(field, f"len({name}) > 0", "place") for field, names in REPEATED.items() for name in names]
    stated += [(name, f"len({name}) > 0", "place") for name in OF_ONE_SOURCE]
    alone = ", ".join(f"CASE WHEN {IS_RECORD} THEN {c} END AS {c}" if c in UPDATES else c for c in kept)
    return (
        f"SELECT registration_id, {alone}, []::{FILLED} AS filled_from_others FROM current_records\n"
        "WHERE records = 1 AND in_first_slice()\n"
        "UNION ALL BY NAME\n"
        "SELECT * EXCLUDE (fields, own_items, other_items), list_sort(list_distinct(list_concat(\n"
        "    list_filter(fields, lambda f: f.source <> source),\n"
        "    list_filter(other_items, lambda i: i.item IS NOT NULL AND NOT list_contains(\n"
        "        coalesce(own_items, []), {'field': i.field, 'item': i.item}))))) AS filled_from_others\n"
        f"FROM (SELECT registration_id,\n    {_with_precision(picked)},\n"
        f"    [{', '.join(_filler(*field) for field in stated)}]::{FILLED} AS fields,\n"
        f"    {_items('source = first_source')} AS own_items,\n"
        f"    {_items('source <> first_source', and_source=True)} AS other_items\n"
        "FROM current_records WHERE records > 1 AND in_slice(registration_id) GROUP BY registration_id)"
    )


def _filler(field: str, is_stated: str, order: str) -> str:
    """A field and the source of the first record that states it."""
    source = f"arg_min(source, {order}) FILTER (WHERE {is_stated})"
    return f"\n        {{'field': {quote(field)}, 'item': NULL, 'source': {source}}}"


def _items(of_records: str, and_source: bool = False) -> str:
    """The items of all lists that add up, over some of a registration's records."""
    source = ", 'source': source" if and_source else ""
    lists = ",".join(
        f"\n        list_transform({items}, lambda x: {{'field': {quote(field)}, 'item': x{source}}})"
        for field, items in ADDED_UP.items()
    )
    return f"flatten(list(list_concat({lists})) FILTER (WHERE {of_records}))"


PLACES = {"primary_completion": "primary_place", "completion": "end_place"}
"""Fields of a trial for which another order of its registrations holds than the usual one; see `trial_sources`."""


def trial_fields(known: Contracts) -> str:
    """The fields of every trial, each from the first of its registrations that has it, and which that is.

    The contract of `trials` says which columns belong together: those before a column `<field>_from`. A trial with one
    registration, as nearly all are, is that registration.
    """
    alone: list[str] = []
    several: list[str] = []
    group: list[str] = []
    for name in known.tables["trials"].column_names:
        field, _, suffix = name.rpartition("_")
        if suffix != "from":
            group.append(name)
            continue
        if field == "registered":  # the earliest of all, not the first that speaks
            group = []
            continue
        columns = [c for c in group if c == field or c.startswith(f"{field}_")]
        group = []
        deciding = f"{field}_earliest" if f"{field}_earliest" in columns else field
        place = PLACES.get(field, "place")
        there = f"FILTER (WHERE {deciding} IS NOT NULL)"
        alone += [c if c.endswith(("_raw", "_precision")) else _if_there(deciding, c, c) for c in columns]
        alone.append(_if_there(deciding, "registration_id", name))
        several += [f"{_first(c, place, there)} AS {c}" for c in columns]
        several.append(f"arg_min(registration_id, {place}) {there} AS {name}")
    both = "trial_id, registration_id AS main_registration_id, " + ", ".join(alone)
    many = "trial_id, arg_min(registration_id, place) AS main_registration_id, " + ", ".join(several)
    return (
        f"SELECT {both} FROM trial_sources WHERE is_alone\nUNION ALL BY NAME\n"
        f"SELECT {many} FROM trial_sources WHERE NOT is_alone AND speaks GROUP BY trial_id"
    )


def _if_there(deciding: str, column: str, name: str) -> str:
    return column if deciding == column == name else f"CASE WHEN {deciding} IS NOT NULL THEN {column} END AS {name}"


def _first(column: str, place: str, there: str) -> str:
    """A column of the first registration that has the deciding one; an unusable date still shows what was written."""
    first = f"arg_min_null({column}, {place}) {there}"
    if column.endswith("_raw"):
        return f"coalesce({first}, arg_min({column}, {place}))"
    return f"coalesce({first}, 'none')" if column.endswith("_precision") else first


ORDERS = {
    "status": "(status_rank, place)",
    "completion_raw": "end_rank",
    "registered_raw": "(source <> first_source, registered_earliest, place)",
}
"""Where another order than the usual one decides which record speaks; see `current_records`. A registration with a
record per country was registered when the first of them was entered."""


def _picked(column: str, unit: str) -> str:
    """The expression that takes a column from the right one of a registration's records."""
    if column in ("registry", "source"):
        return f"arg_min({column}, place)"
    alone = " AND source = first_source" if unit in NEVER_FILLED else ""
    alone += f" AND {IS_RECORD}" if column in UPDATES else ""
    alone += " AND NOT ran_on_elsewhere" if unit == "completion_raw" else ""
    if column == "has_results":
        # Results on one record are results. A results page that could not be read may hold some, and a country of which
        # no link to them was seen may have them.
        said = f"FILTER (WHERE true{alone})"
        is_known = f"bool_and(has_results IS NOT NULL) {said}"
        return f"CASE WHEN bool_or(has_results) {said} THEN true WHEN {is_known} THEN false END"
    return f"arg_min_null({column}, {ORDERS.get(unit, 'place')}) FILTER (WHERE {unit} IS NOT NULL{alone})"


def _with_precision(picked: str) -> str:
    """A date that no record has is known to the precision `none`."""
    return re.sub(r"(arg_min_null\(\w+_precision, .*) AS (\w+_precision)", r"coalesce(\1, 'none') AS \2", picked)


def field_of(column: str, known: Contracts) -> str:
    """The field of a registration, as `filled_from_others` names it, that a column of `registrations` belongs to."""
    return _unit(column, known.staging["registration_records"].column_names).removesuffix("_raw")


def _unit(column: str, columns: Sequence[str]) -> str:
    """The column that decides from which record this one is taken."""
    for first, others in TOGETHER.items():
        if column in others:
            return first
    base, _, part = column.rpartition("_")
    if f"{base}_raw" in columns and part in {"raw", "precision", "earliest", "latest", "type"}:
        return f"{base}_raw"
    if part == "source" and base in columns:
        return base
    return column
