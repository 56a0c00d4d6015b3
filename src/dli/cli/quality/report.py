"""Reports of a quality run: JUnit XML for build servers, one HTML page for people."""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from dli.models.quality import DqQualityResult

__all__ = ["html_page", "junit_report", "write"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELEMENTS = {"fail": "failure", "error": "error", "skipped": "skipped"}
_SHOWN_SAMPLES = 10

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem}
table{border-collapse:collapse;margin:.5rem 0}
th,td{text-align:left;padding:.25rem .75rem;border-bottom:1px solid #ddd;vertical-align:top}
.pass{color:#17692f}.warn{color:#8a5a00}.fail,.error{color:#b3261e;font-weight:600}
.skipped{color:#666}
@media (prefers-color-scheme:dark){body{background:#111;color:#eee}th,td{border-color:#444}
.pass{color:#7bd88f}.warn{color:#f0c674}.fail,.error{color:#ff8a80}.skipped{color:#aaa}}
"""


def junit_report(result: DqQualityResult) -> str:
    """One test suite; a warning is a passed test with a note in its output."""
    statuses = [entry["status"] for entry in result.test_results]
    suite = ET.Element(
        "testsuite",
        name=_xml(result.target_urn),
        tests=str(len(statuses)),
        failures=str(statuses.count("fail")),
        errors=str(statuses.count("error")),
        skipped=str(statuses.count("skipped")),
        time=f"{result.duration_ms / 1000:.3f}",
        timestamp=result.started_at.isoformat(timespec="seconds"),
    )
    for entry in result.test_results:
        case = ET.SubElement(
            suite,
            "testcase",
            name=_xml(entry["test_name"]),
            classname=_xml(result.target_urn),
            time=f"{entry['execution_time_ms'] / 1000:.3f}",
        )
        if entry["status"] == "warn":
            ET.SubElement(case, "system-out").text = _xml(f"warning: {_told(entry)}")
        elif element := _ELEMENTS.get(entry["status"]):
            ET.SubElement(case, element, message=_xml(_told(entry)))
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True) + "\n"


def html_page(result: DqQualityResult) -> str:
    """A page that needs no other file and no network."""
    title = escape(f"Quality of {result.target_urn}")
    status, started_at = result.status.value, result.started_at.isoformat(timespec="seconds")
    heads = "".join(f"<th>{name}</th>" for name in ("Test", "Type", "Severity", "Status", "Failed"))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{_STYLE}</style></head><body>
<h1>{title}</h1>
<p><span class="{status}">{status}</span>: {result.passed_count} passed, {result.failed_count} did
not, {len(result.test_results)} in all; {result.duration_ms} ms, {escape(started_at)}</p>
<table><thead><tr>{heads}</tr></thead><tbody>
{_lines(map(_html_row, result.test_results))}
</tbody></table>
{_lines(_html_samples(result))}
</body></html>
"""


def write(file: Path, text: str) -> None:
    """The whole file or nothing: an interrupted run leaves no part of it.

    Raises: OSError.
    """
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(file)
    except OSError as error:
        error.filename = str(file)  # the one that was asked for
        raise
    finally:
        part.unlink(missing_ok=True)


def _lines(parts: Iterable[str]) -> str:
    return "\n".join(parts)


def _told(entry: dict[str, Any]) -> str:
    return str(entry["error_message"] or f"{entry['failed_rows']} failing rows")


def _xml(text: str) -> str:
    """XML has no way to write most control characters."""
    return _NOT_XML.sub("\ufffd", text)


def _html_row(entry: dict[str, Any]) -> str:
    name, status = escape(entry["test_name"]), escape(entry["status"])
    told = f"<br>{escape(entry['error_message'])}" if entry["error_message"] else ""
    cells = [name + told, escape(entry["test_type"]), escape(entry["severity"])]
    cells += [f'<span class="{status}">{status}</span>', str(entry["failed_rows"])]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _html_samples(result: DqQualityResult) -> Iterator[str]:
    for entry in result.test_results:
        rows = entry["failed_samples"][:_SHOWN_SAMPLES]
        if not rows:
            continue
        yield f"<h2>{escape(entry['test_name'])}: the first {len(rows)} failing rows</h2>"
        head = "".join(f"<th>{escape(str(name))}</th>" for name in rows[0])
        yield f"<table><thead><tr>{head}</tr></thead><tbody>"
        for row in rows:
            cells = (escape("" if value is None else str(value)) for value in row.values())
            yield f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
        yield "</tbody></table>"
