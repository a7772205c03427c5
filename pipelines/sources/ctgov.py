"""ClinicalTrials.gov, API v2 JSON in every served shape: page, array, single object, lines, zip of one file a study.

DuckDB's `read_json` with explicit columns is the fast way for well-formed payloads. Where it fails, a record-by-record
reader decodes each study by itself, saves the good ones and names the bad ones. Both fill the same relation `wire`,
which `ctgov.sql` turns into the staging contract. The paths that are read, and the register's words, stand in
`schemas/sources/ctgov.toml`. Legacy XML and the retired API v1 become studies in the shape of API v2 in
`formats/ctgov_legacy.py` and then go the record-by-record way.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa

from pipelines import dates, privacy, store
from pipelines.contracts import Source, Table, contracts, quote
from pipelines.errors import DataError, PayloadError
from pipelines.formats import ctgov_legacy, json_records, mentions, packing
from pipelines.formats.ctgov_legacy import Record
from pipelines.formats.json_records import Slice
from pipelines.reading import Report

KIND = "registration_records"
SQL = Path(__file__).with_suffix(".sql")

MIB = 1 << 20
LARGEST_RECORD = 64 * MIB
"""Fast way only: records above this go through the record-by-record reader, which has no limit."""
WORTH_PLANNING = 64 * MIB
"""Below this, looking for common subexpressions in so wide a query costs more than finding them saves."""
LARGEST_PAGE = 512 * MIB
"""Fast way only: the register's own pages have some 15 MB."""
ZIP_BATCH = 64 * MIB
SLOW_BATCH = 1000
UNPACKED_GUESS = 30
"""JSON of studies packs 5 to 15 times; the factor bounds the size of a packed file of single records."""

_NUMBER = re.compile(r"NCT\d{8}")
_NO_STUDIES = re.compile(rb'\[\s*\]|\{.*(?:"studies"\s*:\s*\[\s*\]|"NStudiesReturned"\s*:\s*0\b)', re.DOTALL)
"""A search without a hit, as the site serves it."""


# --- the shape that is read -----------------------------------------------------------------------------------------


def wire_tree(source: Source) -> dict[str, Any]:
    """The paths of the source file as a tree: a branch is a dict, a list a one-element list, a text leaf None."""
    tree: dict[str, Any] = {}
    for path in source.fields:
        node: Any = tree
        *branches, leaf = path.split(".")
        for name in branches:
            bare = name.removesuffix("[]")
            node = node.setdefault(bare, [{}] if name.endswith("[]") else {})
            node = node[0] if isinstance(node, list) else node
        node[leaf.removesuffix("[]")] = [None] if leaf.endswith("[]") else None
    return tree


def duckdb_type(node: Any) -> str:
    """The tree as a DuckDB type whose leaves are text."""
    if node is None:
        return "VARCHAR"
    if isinstance(node, list):
        return duckdb_type(node[0]) + "[]"
    return "STRUCT(" + ", ".join(f'"{name}" {duckdb_type(child)}' for name, child in node.items()) + ")"


def arrow_type(node: Any) -> pa.DataType:
    """The same tree as an Arrow type."""
    if node is None:
        return pa.string()
    if isinstance(node, list):
        return pa.list_(arrow_type(node[0]))
    return pa.struct([(name, arrow_type(child)) for name, child in node.items()])


# --- reading --------------------------------------------------------------------------------------------------------


def read(payload: Path, name: str, day: date, out: Path, *, fast: bool = True) -> Report:
    """Reads one payload into the Parquet file `out` (contract registration_records).

    name: how the payload is called in the account. day: date of its snapshot, against which dates are judged.
    fast=False takes the record-by-record way for every record (tests hold the two equal).
    """
    report = Report()
    with store.connect(threads=1, memory_limit="2GB", spill=out.parent) as connection:
        _prepare(connection, contracts().sources["ctgov"], day)
        if payload.stat().st_size < WORTH_PLANNING:
            connection.execute("SET disabled_optimizers = 'common_subexpressions'")
        parts = _Parts(connection, name, out)
        try:
            _read_payload(payload, name, parts, report, fast)
        except PayloadError as error:
            report.reject_payload(name, f"{error}.")
        _flush(parts, report)
        parts.finish()
    report.staged = parts.staged
    return report


def numbers(payload: Path) -> list[str]:
    """The registrations that a listing of all numbers names; a page of it has the shape of a page of studies."""
    page = msgspec.json.decode(b"".join(packing.chunks(payload)))
    found = (study["protocolSection"]["identificationModule"].get("nctId", "") for study in page["studies"])
    return [number for number in found if re.fullmatch(r"NCT[0-9]{8}", number)]


def _read_payload(payload: Path, name: str, parts: "_Parts", report: Report, fast: bool) -> None:
    kind = packing.packing(payload)
    if kind == "empty":
        raise PayloadError("the file is empty")
    if kind == "zip":
        _read_zip(payload, name, parts, report, fast)
        return
    start = packing.first_bytes(payload)
    if not start:
        packing.last_bytes(payload)  # names the damage, if that is why there is nothing
        raise PayloadError("the file is empty")
    form = _form(start)
    if fast and form not in ctgov_legacy.FORMS and _read_fast(payload, form, start, parts, report):
        return
    _read_slowly(packing.chunks(payload), form, start, name, parts, report)


def _form(start: bytes) -> str:
    """One of the retired formats, or the shape of JSON. Raises PayloadError where it is neither."""
    return ctgov_legacy.form(start) or json_records.shape(start)


def _read_zip(payload: Path, name: str, parts: "_Parts", report: Report, fast: bool) -> None:
    """Entries that hold records are read in batches; any other is named. No entry is written under its name."""
    batch: list[tuple[str, bytes]] = []
    size = found = 0
    for entry, content in packing.entries(payload):
        found += 1
        place = f"{name}!{privacy.without_mail(entry)}"
        if isinstance(content, str):
            report.reject_payload(place, privacy.without_mail(f"{content}."))
            continue
        content = content.removeprefix(packing.BOM).strip()
        try:
            _form(content[: 1 << 12])
        except PayloadError as error:
            report.reject_payload(place, f"{error}.")
            continue
        batch.append((place, content))
        size += len(content)
        if size >= ZIP_BATCH:
            _read_entries(batch, parts, report, fast)
            batch, size = [], 0
    _read_entries(batch, parts, report, fast)
    if not found:
        raise PayloadError("the zip archive holds no file")


def _read_entries(batch: list[tuple[str, bytes]], parts: "_Parts", report: Report, fast: bool) -> None:
    if not batch:
        return
    are_studies = fast and all(_is_study(content) for _, content in batch)
    if are_studies and _read_joined([content for _, content in batch], parts, report):
        return
    for place, content in batch:
        start = content[: 1 << 16]
        try:
            _read_slowly([content], _form(start), start, place, parts, report)
        except PayloadError as error:
            report.reject_payload(place, f"{error}.")


def _read_page(payload: Path, parts: "_Parts", report: Report) -> bool:
    """The studies of a page, cut out of it: unpacking their list in DuckDB costs several times as much."""
    content = b""
    try:
        for piece in packing.chunks(payload, LARGEST_PAGE):
            content += piece
            if len(content) > LARGEST_PAGE:
                return False
        studies = msgspec.json.decode(content.removeprefix(packing.BOM), type=_Wrapped).studies
    except (PayloadError, msgspec.DecodeError, RecursionError):
        return False
    return bool(studies) and _read_joined(list(map(bytes, studies or [])), parts, report)


def _read_joined(studies: Sequence[bytes], parts: "_Parts", report: Report) -> bool:
    joined = parts.out.with_name(f".{parts.out.name}.entries")
    try:
        joined.write_bytes(b"\n".join(studies))
        return _read_fast(joined, "objects", studies[0][: 1 << 16], parts, report, expected=len(studies))
    finally:
        joined.unlink(missing_ok=True)


def _is_study(content: bytes) -> bool:
    return _form(content[: 1 << 12]) == "objects" and _root(content) == "protocolSection"


def _root(start: bytes) -> str:
    """The first key of a record: `study` where the site's internal record with its history is served."""
    return "study" if re.match(rb'(\[\s*)?\{\s*"study"\s*:', start) else "protocolSection"


def _read_fast(
    payload: Path, form: str, start: bytes, parts: "_Parts", report: Report, expected: int | None = None
) -> bool:
    """Reads the whole payload with read_json. False: it could not, or found what only the record-by-record reader can
    name; nothing of it was taken."""
    if form == "page":
        return _read_page(payload, parts, report)
    if not _is_whole(payload, form):
        return False
    inner = duckdb_type(parts.tree)
    packed = packing.packing(payload) == "gzip"
    size = payload.stat().st_size * (UNPACKED_GUESS if packed else 1)
    limit = max(size, 16 * MIB) if form == "objects" and size < LARGEST_RECORD else LARGEST_RECORD
    if _root(start) == "study":
        columns = {"study": inner, "history": duckdb_type(parts.tree["history"])}
        study = "SELECT struct_update(study, history := history) AS study FROM raw"
    else:
        columns = {field: duckdb_type(node) for field, node in parts.tree.items()}
        packed_row = ", ".join(f"'{field}': \"{field}\"" for field in parts.tree)
        study = f"SELECT {{{packed_row}}} AS study FROM raw"
    spec = ", ".join(f"{field}: {quote(type_)}" for field, type_ in columns.items())
    query = f"""
        WITH raw AS (
            SELECT * FROM read_json({store.literal(payload)}, columns = {{{spec}}},
                format = '{"array" if form == "array" else "unstructured"}',
                compression = '{"gzip" if packed else "uncompressed"}', maximum_object_size = {limit},
                hive_partitioning = false)
        ), studies AS ({study})
        SELECT {parts.records} + row_number() OVER () AS record_number, study FROM studies"""
    try:
        counted = parts.add(query)
    except (duckdb.Error, UnicodeDecodeError):
        return False
    if counted.bad or not counted.rows or counted.rows != (expected or counted.rows):
        parts.undo(counted)
        return False
    report.records_in += counted.rows
    parts.records += counted.rows
    return True


def _is_whole(payload: Path, form: str) -> bool:
    """Whether the payload unpacks and ends as it should: read_json verifies no checksum and takes an array cut off
    after a comma."""
    try:
        end = packing.last_bytes(payload).rstrip()
    except PayloadError:
        return False
    return end.endswith(b"]" if form == "array" else b"}")


def _read_slowly(pieces: Iterable[bytes], form: str, start: bytes, name: str, parts: "_Parts", report: Report) -> None:
    """Decodes record by record: what cannot be decoded is a rejected record, a wrong shape a rejected field."""
    root = _root(start)
    failure: PayloadError | None = None
    slices: Iterator[Slice]
    if form in ctgov_legacy.FORMS:
        slices = ctgov_legacy.records(pieces, form)
    else:
        slices = json_records.records(pieces, form, root)
    before, rejected = report.records_in, report.rejected
    while True:
        try:
            piece = next(slices)
        except StopIteration:
            break
        except PayloadError as error:
            failure = error
            break
        report.records_in += 1
        parts.records += 1
        row = _decode(piece, name, root, parts.tree, report)
        if row is not None:
            parts.decoded.append({"record_number": parts.records, **row})
        if len(parts.decoded) >= SLOW_BATCH:
            _flush(parts, report)
    if failure:
        good = report.records_in - before - (report.rejected - rejected)
        raise PayloadError(f"{failure}; {good:,} record(s) before that were read")
    if report.records_in == before:
        if not _NO_STUDIES.match(start):
            raise PayloadError("the file is JSON and holds no study")
        report.notes.append(f"{name} holds no study.")


def _decode(piece: Slice, name: str, root: str, tree: dict[str, Any], report: Report) -> dict[str, Any] | None:
    """The study cut to the tree, and which of its fields are misshapen."""
    fault = piece.fault
    if fault is None:
        try:
            study: Any = piece.study if isinstance(piece, Record) else msgspec.json.decode(piece.text)
            if root == "study" and "study" in study:
                study = {**study["study"], "history": study.get("history")}
            faults: list[tuple[str, str]] = []
            cut = _shape(study, tree, "", faults)
            return {"study": cut, "misshapen": [{"field": f, "value": "", "reason": reason} for f, reason in faults]}
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            fault = f"the record is not valid JSON ({error})"
        except RecursionError:
            fault = "the record is nested too deeply"
    number = _NUMBER.search(piece.text[:2000].decode("utf-8", "replace"))
    report.reject_record(f"{name} at byte {piece.offset:,}", fault, number[0] if number else "")
    return None


def _flush(parts: "_Parts", report: Report) -> None:
    """Writes the records that were decoded one by one; a query for each would take longer than reading them."""
    if not parts.decoded:
        return
    faults = pa.list_(pa.struct([(f, pa.string()) for f in ("field", "value", "reason")]))
    schema = pa.schema([("record_number", pa.int64()), ("study", arrow_type(parts.tree)), ("misshapen", faults)])
    parts.connection.register("decoded", pa.Table.from_pylist(parts.decoded, schema))
    counted = parts.add("SELECT record_number, study FROM decoded", misshapen="decoded")
    parts.connection.unregister("decoded")
    parts.decoded = []
    for number, value in counted.bad:
        reason = "the record's NCT number is none" if value else "the record has no NCT number"
        report.reject_record(f"{parts.name}#{number}", reason, value or "")


def _shape(value: Any, node: Any, path: str, faults: list[tuple[str, str]]) -> Any:
    """The value cut to the tree, leaves as text. A single value where a list belongs is a list of one; any other wrong
    shape is nulled and named."""
    if value is None:
        return None
    if node is None:
        if isinstance(value, str):
            return value
        return msgspec.json.encode(value).decode()
    if isinstance(node, list):
        items = value if isinstance(value, list) else [value]
        return [_shape(item, node[0], f"{path}[]", faults) for item in items]
    if not isinstance(value, dict):
        faults.append((path or "record", "not an object"))
        return None
    prefix = f"{path}." if path else ""
    return {name: _shape(value.get(name), child, prefix + name, faults) for name, child in node.items()}


# --- writing --------------------------------------------------------------------------------------------------------


class _Counted:
    """What one part held: its file, rows, and the records without a usable number."""

    def __init__(self, path: Path, rows: int, bad: list[tuple[int, str | None]]) -> None:
        self.path, self.rows, self.bad = path, rows, bad


class _Parts:
    """Collects the parts of one payload (zip batches, rescued records) and joins them into its one staging file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str, out: Path) -> None:
        self.connection, self.name, self.out = connection, name, out
        self.table = contracts().staging[KIND]
        self.tree = wire_tree(contracts().sources["ctgov"])
        self.decoded: list[dict[str, Any]] = []  # records that wait to be written
        self.files: list[Path] = []
        self.records = 0
        self.staged = 0

    def add(self, wire: str, misshapen: str | None = None) -> _Counted:
        """Projects the records of the query `wire` into a part."""
        path = self.out.with_name(f".{self.out.name}.{len(self.files)}.part")
        rows = projection(self.table, self.name, wire, misshapen)
        store.write_parquet(self.connection, rows, path)
        made = f"read_parquet({store.literal(path)}, hive_partitioning = false)"
        ((total, good),) = self.connection.execute(
            f"SELECT count(*), count(*) FILTER (WHERE {_GOOD}) FROM {made}"
        ).fetchall()
        bad: list[tuple[int, str | None]] = []
        if good < total:
            bad = self.connection.execute(
                f"""SELECT record_number, without_mail(registration_id) FROM {made}
                WHERE ({_GOOD}) IS NOT TRUE ORDER BY record_number"""
            ).fetchall()
            store.write_parquet(self.connection, f"FROM {made} WHERE {_GOOD}", path)
        self.files.append(path)
        self.staged += good
        return _Counted(path, total, bad)

    def undo(self, counted: _Counted) -> None:
        """Takes the last part back."""
        self.files.remove(counted.path)
        counted.path.unlink()
        self.staged -= counted.rows - len(counted.bad)

    def finish(self) -> None:
        """Puts the parts together under the payload's own name; a payload without records has an empty file."""
        if len(self.files) == 1:
            self.files[0].replace(self.out)
            return
        parts = ", ".join(map(store.literal, self.files))
        query = f"FROM read_parquet([{parts}], hive_partitioning = false)" if self.files else _empty(self.table)
        store.write_parquet(self.connection, query, self.out)
        for path in self.files:
            path.unlink()


_GOOD = "regexp_full_match(registration_id, 'NCT[0-9]{8}')"


def _empty(table: Table) -> str:
    return "SELECT " + ", ".join(f'NULL::{c.type} AS "{c.name}"' for c in table.columns) + " LIMIT 0"


def projection(table: Table, payload: str, wire: str, misshapen: str | None = None) -> str:
    """The query that turns `wire` (record_number, study) into rows of the staging contract.

    Dates, which ctgov.sql gives as structs, are spread over their columns; the content hash covers every column that
    says something about the trial.
    """
    outside = {"payload", "record_number", "content_hash", "data_version", "rejects", "source", "history"}
    outside |= {"condition_mesh_above", "intervention_mesh_above"}  # MeSH's tree is revised without the record
    expressions = {c.name: f'"{c.name}"' for c in table.columns}
    for column in table.columns:
        base, _, part = column.name.rpartition("_")
        if f"{base}_precision" in expressions and part in {"raw", "precision", "earliest", "latest", "type"}:
            expressions[column.name] = f'"{base}"."{part}"'
    expressions["payload"] = quote(payload)
    hashed = ", ".join(
        f'"{c.name}": {expressions[c.name]}'
        for c in table.columns
        if c.name not in outside and not c.name.endswith(("_precision", "_earliest", "_latest"))
    )
    expressions["content_hash"] = f"md5(CAST({{{hashed}}} AS VARCHAR))"
    if misshapen:
        expressions["rejects"] = f"list_concat(misshapen, {expressions['rejects']})"
        mapped = f"mapped JOIN {misshapen} USING (record_number)"
    else:
        mapped = "mapped"
    columns = ", ".join(
        f'CAST({expression} AS {c.type}) AS "{c.name}"'
        for c, expression in ((c, expressions[c.name]) for c in table.columns)
    )
    return f"WITH wire AS ({wire}), mapped AS ({SQL.read_text(encoding='utf-8')}) SELECT {columns} FROM {mapped}"


def _prepare(connection: duckdb.DuckDBPyConnection, source: Source, day: date) -> None:
    """Sets the snapshot's date and the macros and functions that ctgov.sql uses."""
    connection.execute(f"SET VARIABLE day = DATE '{day}'")
    connection.execute(dates.SQL_MACROS + privacy.SQL_MACROS + _MACROS)
    # Its stubs know no function of whole columns.
    connection.create_function(  # type: ignore[call-overload]
        "numbers_in", mentions.numbers_in_columns, ["VARCHAR[]", "VARCHAR"], "VARCHAR[]", type="arrow"
    )
    for field, words in source.words.items():
        cases = " ".join(f"WHEN {quote(word)} THEN {quote(code)}" for word, code in words.items())
        connection.execute(f"CREATE OR REPLACE MACRO word_{field}(x) AS CASE x {cases} END")


_MACROS = rf"""
CREATE OR REPLACE MACRO flag(x) AS CASE x WHEN 'true' THEN true WHEN 'false' THEN false END;
CREATE OR REPLACE MACRO flag_fault(x) AS CASE WHEN x IS NOT NULL AND x NOT IN ('true', 'false')
    THEN 'not true or false' END;
CREATE OR REPLACE MACRO whole_number(x) AS CASE
    WHEN regexp_full_match(x, '[0-9]{{1,18}}(\.0+)?') THEN TRY_CAST(x AS BIGINT) END;
CREATE OR REPLACE MACRO whole_day(x, reference) AS CASE WHEN length(x) = 10 THEN possible_day(x, reference) END;
CREATE OR REPLACE MACRO day_fault(x, reference) AS CASE WHEN x IS NOT NULL AND whole_day(x, reference) IS NULL
    THEN coalesce(date_fault(x, reference), 'not an exact day') END;
CREATE OR REPLACE MACRO unknown_word(x, code) AS CASE WHEN x IS NOT NULL AND code IS NULL THEN 'unknown word' END;
CREATE OR REPLACE MACRO fault(name, x, reason) AS CASE WHEN reason IS NOT NULL
    THEN {{'field': name, 'value': left(without_mail(x), 200), 'reason': reason}} END;
CREATE OR REPLACE MACRO mail_fault(name, x) AS CASE
    WHEN contains(x, '@') AND regexp_matches(x, '{privacy.EMAIL}')
    THEN {{'field': name, 'value': '{privacy.MASK}', 'reason': 'an e-mail address was removed'}} END;
CREATE OR REPLACE MACRO private_name(x, is_person) AS
    CASE WHEN is_person AND x IS NOT NULL THEN {quote(privacy.PRIVATE_PERSON)} ELSE without_mail(x) END;
CREATE OR REPLACE MACRO leaves_room_for_person(name, class) AS
    coalesce(class NOT IN ('INDUSTRY', 'NIH', 'FED', 'OTHER_GOV', 'NETWORK'), true)
    AND NOT coalesce(
        regexp_matches(split_part(name, ',', 1), '{privacy.ORGANISATION}', 'i')
        OR regexp_matches(name, '{privacy.LEGAL_FORM}', 'i'), false);
CREATE OR REPLACE MACRO has_title(name) AS coalesce(regexp_matches(name, '{privacy.TITLE}'), false);
CREATE OR REPLACE MACRO mesh_terms(meshes) AS list_transform(
    meshes, lambda m: {{'id': without_mail(m.id), 'term': without_mail(m.term)}});
CREATE OR REPLACE MACRO registered_outcomes(outcomes, kind) AS list_transform(
    coalesce(outcomes, []),
    lambda o: {{'kind': kind, 'measure': without_mail(o.measure), 'time_frame': without_mail(o.timeFrame)}});
CREATE OR REPLACE MACRO primary_analyses(outcome, place) AS list_transform(
    coalesce(outcome.analyses, []),
    lambda a, ordinal: {{
        'outcome_ordinal': place, 'outcome_title': without_mail(outcome.title), 'analysis_ordinal': ordinal,
        'p_value': without_mail(a.pValue), 'hypothesis': word_hypothesis(a.nonInferiorityType),
        'hypothesis_source': without_mail(a.nonInferiorityType), 'method': without_mail(a.statisticalMethod),
        'estimate_type': without_mail(a.paramType), 'estimate': without_mail(a.paramValue),
        'ci_percent': without_mail(a.ciPctValue), 'ci_sides': without_mail(a.ciNumSides),
        'ci_lower': without_mail(a.ciLowerLimit), 'ci_upper': without_mail(a.ciUpperLimit)}});
"""


# --- audit ----------------------------------------------------------------------------------------------------------


def audit(payload: Path) -> dict[str, int]:
    """Fields of a payload that the source file knows neither as read nor as ignored: path -> number of records.

    Raises DataError where the payload cannot be read.
    """
    try:
        try:
            return _count_unknown(_studies(payload))
        except duckdb.Error:
            return _count_unknown(_unwrapped(b"".join(packing.chunks(payload))))
    except PayloadError as error:
        raise DataError(f"{payload.name}: {error}.") from None


def _count_unknown(studies: Iterable[bytes | str]) -> dict[str, int]:
    """A typed decoder that refuses unknown fields passes over the records without any; only the others are walked."""
    known = known_tree(contracts().sources["ctgov"])
    decoder = msgspec.json.Decoder(_strict(known, "Study"))
    found: dict[str, int] = {}
    for study in studies:
        try:
            decoder.decode(study)
        except msgspec.ValidationError:
            for path in sorted(set(_unknown(msgspec.json.decode(study), known, ""))):
                found[path] = found.get(path, 0) + 1
        except (msgspec.DecodeError, RecursionError):
            continue  # the reader names it
    return dict(sorted(found.items()))


def known_tree(source: Source) -> dict[str, Any]:
    """The tree of all known paths: as `wire_tree`, with `...` where a branch is known and not looked into."""
    tree = wire_tree(source)
    for path in source.ignored:
        node: Any = tree
        *branches, leaf = path.split(".")
        for index, name in enumerate(branches):
            bare = name.removesuffix("[]")
            if leaf == "*" and index == len(branches) - 1:
                node[bare] = ...
                break
            node = node.setdefault(bare, [{}] if name.endswith("[]") else {})
            node = node[0] if isinstance(node, list) else node
        else:
            node[leaf.removesuffix("[]")] = ...
    return tree


def _strict(node: Any, name: str) -> Any:
    """A type that decodes the tree and refuses what it does not know; leaves are passed over undecoded."""
    if node is None or node is ...:
        return msgspec.Raw
    if isinstance(node, list):
        return msgspec.Raw if node[0] is None else list[_strict(node[0], name)]  # type: ignore[misc]
    fields: list[tuple[str, Any, Any]] = []
    for i, (key, child) in enumerate(node.items()):
        inner = _strict(child, f"{name}_{key}")
        passed_over = inner is msgspec.Raw
        fields.append((f"f{i}", inner if passed_over else inner | None, msgspec.Raw(b"") if passed_over else None))
    names = {f"f{i}": key for i, key in enumerate(node)}
    return msgspec.defstruct(name, fields, forbid_unknown_fields=True, rename=names)


def _unknown(value: Any, node: Any, path: str) -> Iterator[str]:
    if node is None or node is ...:
        return
    if isinstance(node, list):
        for item in value if isinstance(value, list) else [value]:
            yield from _unknown(item, node[0], path)
    elif isinstance(value, dict):
        for key, child in value.items():
            place = f"{path}.{key}" if path else key
            if key in node:
                yield from _unknown(child, node[key], place)
            else:
                yield place


def _studies(payload: Path) -> Iterator[bytes | str]:
    """The JSON text of each study. Raises duckdb.Error where the payload is not well formed.

    The retired formats have none: they are frozen, and a test holds their known fields against real records.
    """
    kind = packing.packing(payload)
    if kind == "zip":
        for _, content in packing.entries(payload):
            if isinstance(content, bytes) and content.lstrip()[:1] in {b"{", b"["} and not ctgov_legacy.is_v1(content):
                yield from _unwrapped(content)
        return
    start = packing.first_bytes(payload)
    form = _form(start)
    if form in ctgov_legacy.FORMS:
        return
    if form == "page":
        yield from _unwrapped(b"".join(packing.chunks(payload)))
        return
    with store.connect() as connection:
        rows = connection.execute(
            f"""SELECT json FROM read_json_objects({store.literal(payload)}, maximum_object_size = {LARGEST_RECORD},
                format = '{"array" if form == "array" else "unstructured"}', ignore_errors = false,
                compression = '{"gzip" if kind == "gzip" else "uncompressed"}')"""
        )
        wrapped = _root(start) == "study"
        while batch := rows.fetchmany(SLOW_BATCH):
            for (text,) in batch:
                yield from _unwrapped(text.encode()) if wrapped else (text,)


class _Wrapped(msgspec.Struct):
    """A page, or the site's internal record with its history: where the studies stand."""

    studies: list[msgspec.Raw] | None = None
    study: msgspec.Raw = msgspec.Raw(b"")


def _unwrapped(content: bytes) -> Iterator[bytes]:
    """The studies in the JSON of a page, of one record, or of several."""
    try:
        wrapped = msgspec.json.decode(content, type=_Wrapped)
    except (msgspec.DecodeError, RecursionError):
        start = content.removeprefix(packing.BOM).lstrip()[: 1 << 16]
        for piece in json_records.records([content], json_records.shape(start), _root(start)):
            if piece.fault is None and len(piece.text) < len(content):
                yield from _unwrapped(piece.text)
        return
    if wrapped.studies is not None:
        yield from map(bytes, wrapped.studies)
    else:
        yield bytes(wrapped.study) or content
