# SPDX-FileCopyrightText: seek-signal contributors
# SPDX-License-Identifier: MIT
"""A test that fails is tried once more (pytest-rerunfailures, pytest.ini). That it had to be is told at the end of the run, with how it
failed: it is a fault to mend, in the test or in the service."""


def pytest_terminal_summary(terminalreporter):
    passed = {report.nodeid for report in terminalreporter.stats.get("passed", []) if report.when == "call"}
    failed = {report.nodeid for kind in ("failed", "error") for report in terminalreporter.stats.get(kind, [])}
    first_tries = [report for report in terminalreporter.stats.get("rerun", []) if report.nodeid in passed - failed]
    if not first_tries:
        return
    terminalreporter.section("first tries", red=True)
    for report in first_tries:
        terminalreporter.section(report.nodeid, sep="_", red=True)
        terminalreporter.write_line(report.longreprtext)
        for title, text in report.sections:
            terminalreporter.section(title, sep="-")
            terminalreporter.write_line(text)
    names = dict.fromkeys("::".join((report.location[0], report.location[2])) for report in first_tries)  # each once
    terminalreporter.write_line(f"passed only at the second try: {' '.join(names)}", red=True)
