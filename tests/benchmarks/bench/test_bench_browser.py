"""The benchmark's page in a real browser: filters by arm, family, attempt and outcome; a phone."""

import re
from html import unescape

import pytest

from corgi_gym.benchmarks.bench.launch import in_process
from corgi_gym.benchmarks.bench.page import write_page
from corgi_gym.benchmarks.bench.runner import run_bench

pytestmark = pytest.mark.browser

POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
TRAP = "<script>window.errors = []; onerror = (m) => { errors.push(String(m)); };</script>"
DRIVER = """<script>
const seen = [], id = (x) => document.getElementById(x);
const count = () => Number(id("place").textContent.split(" of ")[1] ?? 0);
const choose = (x, v) => { id(x).value = v; id(x).dispatchEvent(new Event("change")); };
seen.push(count());
choose("arm", "strong"); seen.push(count());
choose("attempt", "01"); const first = count(); seen.push(first > 0);
choose("show", "first"); seen.push(count() === first);
choose("show", "later"); seen.push(count());
choose("attempt", ""); choose("show", "every"); choose("family", "prompts");
seen.push(id("family-label").hidden, location.hash);
let foreign = 0;
do { foreign += id("page").querySelectorAll("script, img, a").length; id("next").click(); }
while (!id("next").disabled);
seen.push(foreign, errors.length);
document.body.style.width = "390px"; seen.push(document.body.scrollWidth);
document.title = seen.join("\\n");
</script>"""

# In a frame as wide as a phone (390, and 15 of a scroll bar): what is wider than its place, and the
# scale of the smallest picture.
MEASURE = """<script>
const wide = [...document.querySelectorAll("body *")].filter((e) =>
  e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).overflowX !== "visible"
  && !e.matches(".sr, svg, svg *"));
const scales = [...document.querySelectorAll("svg")].map((e) =>
  e.getBoundingClientRect().width / e.viewBox.baseVal.width);
const root = document.documentElement;
parent.postMessage([root.clientWidth, root.scrollWidth, Math.min(...scales),
  [...new Set(wide.map((e) => e.className || e.tagName))].join(" ")].join("\\n"), "*");
</script>"""
PHONE = """<title></title><script>onmessage = (e) => { document.title = e.data; };</script>
<iframe src="framed.html" width="405" height="844" style="border: 0"></iframe>"""


def test_the_filters_work_and_nothing_is_wider_than_a_phone(results, dump, tmp_path):
    write_page(results)
    html = POLICY.sub("", (results / "report.html").read_text(encoding="utf-8"))
    copy = tmp_path / "driven.html"
    copy.write_text(html.replace("<head>", f"<head>{TRAP}").replace("</body>", f"{DRIVER}</body>"))
    title = dump(copy).split("<title>")[1].split("</title>")[0]
    everything, strong, some, same, later, hidden, place, *rest = unescape(title).split("\n")
    assert (everything, strong) == ("144", "48")
    assert (some, same, later, hidden) == ("true", "true", "0", "true")
    assert place == "#view=test&show=every&family=prompts&arm=strong&at=1"
    assert rest == ["0", "0", "390"]


def test_on_a_phone_wide_pictures_scroll_and_stay_readable(scripted, dump, tmp_path):
    name = "an algorithm with some changes of its own"  # 41 characters
    spec = scripted(algorithms=[{"name": name, "algorithm": "grpo"}, "untrained"], seeds=[0])
    assert run_bench(spec, tmp_path, in_process, say=lambda line: None) == 0
    write_page(tmp_path)
    html = POLICY.sub("", (tmp_path / "report.html").read_text(encoding="utf-8"))
    (tmp_path / "framed.html").write_text(html.replace("</body>", f"{MEASURE}</body>"))
    (tmp_path / "phone.html").write_text(PHONE)
    title = dump(tmp_path / "phone.html").split("<title>")[1].split("</title>")[0]
    width, page, scale, wide = title.split("\n")
    assert width == page == "390" and set(wide.split()) == {"scroll", "PRE"}
    assert float(scale) * 13 > 10  # the text of a picture, in pixels
