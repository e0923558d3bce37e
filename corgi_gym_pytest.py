"""The pytest plug-in of corgi-gym: a fixture `audit_checker`, a marker `audit`, three ini options.

pytest imports this at every start, so it is a module of its own (importing the package
``corgi_gym`` registers environments, and needs numpy and gymnasium) and imports nothing before a
test asks for the fixture. What the fixture does is in `corgi_gym.rewards.audit.pytest_plugin`.
"""

import pytest


def pytest_addoption(parser):
    """Declare the ini options."""
    parser.addini("corgi_audit_fuzz", "random strings per checker audit", default="500")
    parser.addini("corgi_audit_seed", "seed of checker audits", default="0")
    parser.addini(
        "corgi_audit_fail_on", "exploit, defect or note: what fails an audit", default="defect"
    )


def pytest_configure(config):
    """Declare the marker."""
    config.addinivalue_line(
        "markers", "audit(**options): options of audit_checker for this test, such as fuzz=100"
    )


@pytest.fixture
def audit_checker(request):
    """A function that audits a checker and fails the test on exploits and defects."""
    from corgi_gym.rewards.audit.pytest_plugin import CheckerAudit, of_mark

    config, marker = request.config, request.node.get_closest_marker("audit")
    options = {
        "fuzz": _integer(config, "corgi_audit_fuzz"),
        "seed": _integer(config, "corgi_audit_seed"),
        "fail_on": config.getini("corgi_audit_fail_on"),
        **(of_mark(marker.args, marker.kwargs) if marker else {}),
    }
    return CheckerAudit(options)


def _integer(config, name):
    value = config.getini(name)
    try:
        return int(value)
    except ValueError:
        raise pytest.UsageError(f"{name} must be an integer, got {value!r}") from None
