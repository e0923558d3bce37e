import shutil, traceback
import pytest
from corgi_gym.benchmarks.bench import runner
from corgi_gym.benchmarks.bench.launch import in_process
from corgi_gym.benchmarks.bench.page import write_page
from corgi_gym.benchmarks.bench.verify import verify
from .test_bench_gap import judged

def test_matrix(judged, tmp_path):
    write_page(judged)
    jobs = sorted((judged/"jobs").iterdir())
    job = next(j for j in jobs if '"trains": true' in (j/"job.json").read_text())
    names = [str(p.relative_to(judged)) for p in sorted(job.rglob("*")) if p.is_file()]+["spec.json","statistics.json"]
    for name in names:
        for how in ("missing","cut","list","empty", "dict"):
            copy = tmp_path/"copy"
            shutil.rmtree(copy, ignore_errors=True); shutil.copytree(judged, copy)
            p = copy/name
            if how=="missing": p.unlink()
            elif how=="cut": p.write_bytes(p.read_bytes()[:max(1,len(p.read_bytes())//2)])
            elif how=="list": p.write_text("[]")
            elif how=="dict": p.write_text("{}")
            else: p.write_text("")
            out=[]
            for f in (lambda: verify(copy, sample=5).text(), lambda: [x.name for x in write_page(copy)]):
                try: r=f(); out.append(str(r) if "DIFF" in str(r) or "sound" in str(r) else "ok")
                except ValueError as e: out.append("VALUEERROR "+str(e))
                except FileNotFoundError as e: out.append("FNF "+str(e))
                except Exception as e: out.append("TRACEBACK "+repr(e)+traceback.format_exc().splitlines()[-3])
            print(name[-30:], how, "|", out[0].replace("\n","\n      ")[:700], "|", out[1][:200])
