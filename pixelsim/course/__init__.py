"What the lessons need: exercises, quizzes, the arena, the leader's kit. `from pixelsim.course import check, hint` loads what it names, when it is named."

from importlib import import_module

_HOME = {"check": "practice", "hint": "practice", "solution": "practice", "progress": "progress_file", "reset_progress": "progress_file",
         "quiz": "quizzes", "predict": "quizzes", "order": "ordering", "review": "due", "write_record": "record", "group_table": "record", "three_from_before": "due", "exercises": "lesson_files", "questions": "lesson_files", "predictions": "lesson_files", "Arena": "arena", "DrawDigit": "draw",
         "ThresholdBar": "figure_bar", "Broadcast": "figure_broadcast", "MemoryStrip": "figure_strip", "Loupe": "figure_loupe",
         "IntervalRain": "figure_rain", "GrowingMean": "figure_grow", "TwoPixels": "figure_plane", "Spike": "figure_spike", "Pile": "figure_pile",
         "RuleBuilder": "figure_rule", "ConfusionGrid": "figure_matrix", "Plan": "figure_plan", "Valley": "figure_valley", "Photo": "figure_photo"}
__all__ = [*_HOME]


def __getattr__(name):
    if name in _HOME: return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__(): return sorted([*globals(), *_HOME])
