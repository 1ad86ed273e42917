"""Queries over the records of large files: CSV, JSON lines, Parquet.

Every field leaves here as the text that the file holds (DuckDB's sniffer is never asked); what a field means and
which value it may take is decided by the source.
"""

import json
from collections.abc import Sequence

import pyarrow as pa

from pipelines import engine
from pipelines.sources._files import LONGEST_HEADER_BYTES, SHOWN_NAMES, Given

LONGEST_LINE_BYTES = 16 << 20
ANY = "*"
# What no JSON line can hold, so that each line comes whole. Of one such character at a line's end DuckDB says nothing.
_NO_DELIMITER = "chr(1) || chr(2) || chr(3) || chr(4)"


def scan(
    files: Sequence[Given], header: dict[str, str], wanted: Sequence[str], *, known: Sequence[str] = (),
    delimiter: str = ",", numbered: bool = False, rejects: str | None = None,
) -> str:
    """A query over files of one header: `record` (from 1, null unless numbered) and w0, w1, ... for `wanted`.

    Args:
        known: JSON lines only: the names that an object may have (ANY: whatever there is); `broken` says which rule a
            line breaks.
        numbered: Numbers records in file order; costs the parallel scan.
        rejects: Table that collects the lines that are no records, instead of stopping at the first.
    """
    number = "row_number() over ()" if numbered else "null::bigint"
    paths = "[" + ", ".join(engine.text(file.path) for file in files) + "]"
    if files[0].format == "parquet":
        picked = [
            engine.name(name) if header[name] != "text" else f"{engine.name(name)}::varchar" for name in wanted
        ]
        return f"select {_list(number, 'null::varchar', picked)} from read_parquet({paths})"
    common = _common(files[0])
    if rejects:
        common += f", store_rejects = true, rejects_table = {engine.text(rejects)}, " \
                  f"rejects_scan = {engine.text(rejects + '_scans')}"
    if files[0].format == "csv":
        names = list(header)
        fields = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(names)))
        return f"""
            select {_list(number, 'null::varchar', [f'c{names.index(name)}' for name in wanted])}
            from read_csv({paths}, {common}, skip = 1, delim = {engine.text(delimiter)}, quote = '"', escape = '"',
                strict_mode = true, columns = {{{fields}}})
        """
    allowed = _texts(known)
    undeclared = "false" if ANY in known else f"not list_has_all({allowed}, names)"
    usual = _texts(_first_names(files[0], known))  # most lines have the names of the first one in the same order
    pointers = "[" + ", ".join(engine.text(_pointer(name)) for name in wanted) + "]"
    return f"""
        with lines as ({json_lines(files, number, common)}),
        named as (
            select record, line, case when json_valid(line) then json_keys(line) end as names
            from lines
            where trim(line) <> ''
        ),
        judged as (
            select record, line, case
                when names is null then 'it is not whole JSON'
                when not starts_with(ltrim(line), '{{') then 'it is no JSON object'
                when names = {usual} then null
                when {undeclared} then 'it has names that are not declared: '
                    || array_to_string(list_sort(list_filter(
                        names, lambda name: not list_contains({allowed}, name)))[:{SHOWN_NAMES}], ', ')
                when list_unique(names) < len(names) then 'a name is there twice' end as misnamed
            from named
        ),
        nested as (
            select record, line, case
                when misnamed is not null then misnamed
                when regexp_matches(line, ':[ \\t]*[{{\\[]')
                    and list_has_any(json_type(line, {pointers}), ['OBJECT', 'ARRAY'])
                    then 'it holds nested values' end as broken
            from judged
        ),
        parsed as (
            select record, broken, case when broken is null then json_extract_string(line, {pointers}) end as fields
            from nested
        )
        select {_list('record', 'broken', [f'fields[{n}]' for n in range(1, len(wanted) + 1)])} from parsed
    """


def json_lines(files: Sequence[Given], number: str = "row_number() over ()", common: str = "") -> str:
    """A query for `record` and `line` of files of JSON lines, each line as the text that it is."""
    paths = "[" + ", ".join(engine.text(file.path) for file in files) + "]"
    common = common or _common(files[0])
    return f"""
        select {number} as record, ltrim(line, chr(65279)) as line
        from read_csv({paths}, {common}, delim = {_NO_DELIMITER}, quote = '', escape = '',
            columns = {{'line': 'VARCHAR'}}, max_line_size = {LONGEST_LINE_BYTES},
            buffer_size = {4 * LONGEST_LINE_BYTES})
    """


def _common(file: Given) -> str:
    return f"auto_detect = false, header = false, nullstr = '', compression = {engine.text(file.packed)}"


def lines(file: Given) -> str:
    """A query for the line number of each line of a CSV file that is not blank; for people, so it may be slow."""
    return f"""
        select line_number from (
            select row_number() over () as line_number, line
            from read_csv({engine.text(file.path)}, auto_detect = false, header = false, nullstr = '',
                delim = {_NO_DELIMITER}, quote = '', escape = '', strict_mode = false, ignore_errors = true,
                columns = {{'line': 'VARCHAR'}}, max_line_size = {LONGEST_LINE_BYTES},
                compression = {engine.text(file.packed)})
        ) where line is not null
    """


def _first_names(file: Given, known: Sequence[str]) -> Sequence[str]:
    """The names of a JSON file's first line if they may pass; a guess that spares the other lines a slow comparison."""
    try:
        with pa.input_stream(str(file.path), compression=None if file.packed == "none" else file.packed) as stream:
            first = json.loads(stream.read(LONGEST_HEADER_BYTES).split(b"\n")[0], object_pairs_hook=tuple)
    except (OSError, ValueError):
        return []
    names = [name for name, _ in first] if isinstance(first, tuple) else []
    return names if len(names) == len(set(names)) and (ANY in known or set(names) <= set(known)) else []


def _texts(texts: Sequence[str]) -> str:
    return "[" + ", ".join(map(engine.text, texts)) + "]::varchar[]"


def _pointer(name: str) -> str:
    """A name as a JSON pointer; a name that starts with / is one already and may lead into nested objects."""
    return name if name.startswith("/") else "/" + name.replace("~", "~0").replace("/", "~1")


def _list(number: str, broken: str, picked: Sequence[str]) -> str:
    fields = "".join(f", {expression} as w{index}" for index, expression in enumerate(picked))
    return f"{number} as record, {broken} as broken{fields}"
