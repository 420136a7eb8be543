"""A slider that a screen reader can name: the browser's own range control with its label.

The stock slider's handle has no accessible name and no trait to give it one. Where anywidget is missing, the stock one
is shown.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import util
from typing import Any

import ipywidgets as w
import traitlets

SCRIPT = """
export default { render({ model, el }) {
  const label = document.createElement("label"), range = document.createElement("input");
  const told = document.createElement("output"), digits = model.get("digits");
  el.classList.add("wb-slider");
  range.type = "range";
  for (const name of ["min", "max", "step"]) range[name] = model.get(name);
  const show = () => {
    range.value = model.get("value");
    told.textContent = Number(range.value).toFixed(digits);
    range.setAttribute("aria-valuetext", told.textContent);
  };
  range.addEventListener("input", () => { model.set("value", Number(range.value)); model.save_changes(); });
  model.on("change:value", show);
  label.append(model.get("description") + " ", range, " ", told);
  el.append(label);
  show();
} };
"""


@lru_cache
def _native() -> type[Any] | None:
    if util.find_spec("anywidget") is None:
        return None
    import anywidget

    class Slider(anywidget.AnyWidget):
        """The browser's range control; the label holds it, so its name is the description."""

        _esm = SCRIPT
        _css = ".wb-slider label { display: inline-flex; gap: 8px; align-items: center; flex-wrap: wrap; }"
        value = traitlets.Float(0.5).tag(sync=True)
        min = traitlets.Float(0.0).tag(sync=True)
        max = traitlets.Float(1.0).tag(sync=True)
        step = traitlets.Float(0.01).tag(sync=True)
        digits = traitlets.Int(2).tag(sync=True)
        description = traitlets.Unicode("").tag(sync=True)

    return Slider


def slider(description: str, *, value: float = 0.5, step: float = 0.01) -> Any:
    """A slider from 0 to 1 whose ``value`` follows the hand.

    Args:
        description: Its label, which is its accessible name too.
        value: Where it stands first.
        step: From one position to the next.
    """
    native = _native()
    if native is not None:
        return native(description=description, value=value, step=step)
    style, wide = {"description_width": "initial"}, w.Layout(width="min(100%, 560px)")
    return w.FloatSlider(description=description, value=value, min=0, max=1, step=step, style=style, layout=wide)
