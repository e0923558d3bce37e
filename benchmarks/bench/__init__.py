"""The benchmark: an experiment as data, its jobs, what they show, and whether to believe it.

    spec.py       a YAML file -> jobs (recipes with labels)
    identity.py   the name of a job: a hash of its recipe and of the code that runs it
    job.py        one job: train, evaluate, measure
    launch.py     where jobs run: processes here, or tasks of a Ray cluster
    runner.py     all jobs of a specification: skip, resume, record what fails
    measures.py   what the sessions of one evaluation show
    exploits.py   solved replies that the audit would call an exploit
    results.py    a folder of finished jobs, read back
    analysis.py   all jobs together: statistics.json
    tables.py     its tables, charts.py its charts, sections.py both on a page
    page.py       the report: HTML, Markdown, CSV
    verify.py     is a folder of results what its episodes say
    cli.py        ``corgi-gym bench``

Importing it loads no torch.
"""
