"""Another reader of workbooks than their writer: the zip and its XML, as ECMA-376 describes them.

What does not belong here: assertions.
"""

import io
import zipfile
from xml.etree import ElementTree

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def sheets(content: bytes) -> dict[str, list[list[str | float | bool | None]]]:
    """The cells of each sheet: text, numbers (days too, as the number of a spreadsheet), booleans; None if empty.

    Raises:
        AssertionError: a cell is a formula, or the sheet leads elsewhere.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as folder:
        assert folder.testzip() is None
        assert not [name for name in folder.namelist() if "externalLink" in name or "vba" in name.lower()]
        texts = [
            "".join(part.text or "" for part in item.iter(f"{_MAIN}t"))
            for item in ElementTree.fromstring(folder.read("xl/sharedStrings.xml"))
        ]
        listed = ElementTree.fromstring(folder.read("xl/workbook.xml")).iter(f"{_MAIN}sheet")
        names = [sheet.get("name") for sheet in listed]
        return {
            name: _rows(ElementTree.fromstring(folder.read(f"xl/worksheets/sheet{number}.xml")), texts)
            for number, name in enumerate(names, start=1)
        }


def _rows(sheet: ElementTree.Element, texts: list[str]) -> list[list[str | float | bool | None]]:
    assert sheet.find(f".//{_MAIN}f") is None and sheet.find(f".//{_MAIN}hyperlink") is None
    rows = []
    for row in sheet.iter(f"{_MAIN}row"):
        cells: list[str | float | bool | None] = []
        for cell in row.iter(f"{_MAIN}c"):
            place = _place(cell.get("r"))
            cells += [None] * (place - len(cells)) + [_value(cell, texts)]
        rows.append(cells)
    return rows


def _place(reference: str) -> int:
    """Column A is 0, AA is 26."""
    place = 0
    for letter in reference.rstrip("0123456789"):
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _value(cell: ElementTree.Element, texts: list[str]) -> str | float | bool | None:
    held = cell.find(f"{_MAIN}v")
    if held is None:
        return None
    kind = cell.get("t", "n")
    return texts[int(held.text)] if kind == "s" else bool(int(held.text)) if kind == "b" else float(held.text)
