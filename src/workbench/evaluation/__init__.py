"""What a candidate costs on this machine, and which one to take."""

from __future__ import annotations

from workbench.evaluation.distillation import distillation_helped
from workbench.evaluation.measurement import Effort, hardware, measure_candidate, measure_speed
from workbench.evaluation.recommendation import recommend

__all__ = ["Effort", "distillation_helped", "hardware", "measure_candidate", "measure_speed", "recommend"]
