"""The whole job: ``run`` takes a recipe through its stages in order, and hands back the run."""

from workbench.pipeline.checking import Checked, Estimate, check
from workbench.pipeline.evaluating import evaluate
from workbench.pipeline.opened import Chosen, Run
from workbench.pipeline.run import resume, run
from workbench.pipeline.stopping import request_stop
from workbench.pipeline.verifying import Finding, Verified, verify
from workbench.runs import find_run

__all__ = [
    "Checked",
    "Chosen",
    "Estimate",
    "Finding",
    "Run",
    "Verified",
    "check",
    "evaluate",
    "find_run",
    "request_stop",
    "resume",
    "run",
    "verify",
]
