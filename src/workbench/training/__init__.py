"""The engine: heads on labels, students on soft targets. Importing this needs no torch."""

from workbench.training.distillation import TeacherCheck, check_classes, check_teacher, soft_targets
from workbench.training.head import HeadSettings, TrainedHead, train_head
from workbench.training.lessons import Answers, Lesson
from workbench.training.students import Material, train_control, train_selftrain, train_student
from workbench.training.watching import Watch

__all__ = [
    "Answers",
    "HeadSettings",
    "Lesson",
    "Material",
    "TeacherCheck",
    "TrainedHead",
    "Watch",
    "check_classes",
    "check_teacher",
    "soft_targets",
    "train_control",
    "train_head",
    "train_selftrain",
    "train_student",
]
