"""The report in a real browser: its script runs, its pager works, hostile text stays text."""

import re
from html import unescape

import pytest

from corgi_gym.benchmarks.report import write_report

pytestmark = pytest.mark.browser

SECURITY_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
# Collects errors from the first moment on.
TRAP = "<script>window.errors = []; onerror = (m) => { errors.push(String(m)); };</script>"
# Uses the page as a person would, and leaves what it saw in the title, as lines.
DRIVER = """<script>
const seen = [], id = (x) => document.getElementById(x), place = () => id("place").textContent;
const press = (k) => new KeyboardEvent("keydown", {key: k, bubbles: true});
const key = (k) => document.body.dispatchEvent(press(k));
const choose = (x, v) => { id(x).value = v; id(x).dispatchEvent(new Event("change")); };
const foreign = () => id("page").querySelectorAll("script, img, b, a, iframe").length;
seen.push(place()); id("next").click(); seen.push(place());
key("ArrowRight"); seen.push(place()); key("ArrowLeft"); key("ArrowLeft"); key("ArrowLeft");
seen.push(place());
let all = 0; do { all += foreign(); id("next").click(); } while (!id("next").disabled);
seen.push(place(), all);
choose("show", "new"); seen.push(place()); choose("show", "lost"); seen.push(place());
choose("show", "every"); choose("family", "concepts"); seen.push(place());
choose("view", "training"); seen.push(place(), id("page").querySelectorAll(".column").length);
seen.push(location.hash, errors.length, document.documentElement.scrollWidth <= innerWidth);
document.body.style.width = "360px"; seen.push(document.body.scrollWidth);
document.title = seen.join("\\n");
</script>"""


def between(text, start, end):
    return text.split(start, 1)[1].split(end, 1)[0]


def title_of(document):
    return unescape(between(document, "<title>", "</title>"))


def copy_with(page, name, head="", end="", *, keep_policy=False):
    """A copy of the page with more scripts in it."""
    html = page.read_text(encoding="utf-8")
    html = html if keep_policy else SECURITY_POLICY.sub("", html)
    copy = page.with_name(name)
    copy.write_text(html.replace("<head>", f"<head>{head}").replace("</body>", f"{end}</body>"))
    return copy


def test_page_opens_at_the_asked_session_and_runs_nothing_foreign(finished_run, dump):
    document = dump(write_report(finished_run), "#view=tests&show=every&at=3")
    assert title_of(document) == "corgi-gym run: quickstart"
    assert re.search(r'id="place"[^>]*>3 of 64<', document)
    assert "Before training" in document and "After training" in document
    page = between(document, '<div id="page">', "</section>\n")
    assert "document.title=" in page and "<script" not in page and "<img" not in page


def test_pager_keys_and_filters_work_on_every_session(finished_run, dump):
    page = write_report(finished_run)
    seen = title_of(dump(copy_with(page, "driven.html", TRAP, DRIVER))).split("\n")
    first, second, third, back, last, foreign, new, lost, family, training, columns, *rest = seen
    assert [first, second, third, back, last] == [f"{i} of 64" for i in (1, 2, 3, 1, 64)]
    assert foreign == "0"
    assert new.startswith("1 of ") and (lost.startswith("1 of ") or lost == "none")
    assert family == "1 of 32" and training == "1 of 48" and columns == "4"
    assert rest == ["#view=training&show=every&at=1", "0", "true", "360"]


def test_security_policy_stops_any_other_script(finished_run, dump):
    page = write_report(finished_run)
    attack = (
        "<script>document.title = 'pwned'</script><img src=x onerror=\"document.title='pwned'\">"
    )
    document = dump(copy_with(page, "attacked.html", end=attack, keep_policy=True))
    assert title_of(document) == "corgi-gym run: quickstart" and "1 of 64" in document


def test_interrupted_run_opens(interrupted_run, dump):
    page = write_report(interrupted_run)
    report = "<script>document.title = errors.length + ' errors, ' + "
    report += "document.getElementById('place').textContent</script>"
    assert title_of(dump(copy_with(page, "driven.html", TRAP, report))) == "0 errors, 1 of 64"
