"""A slider that a screen reader can name: the browser's own range control with its label.

The stock slider's handle has no accessible name and no trait to give it one.
"""

from __future__ import annotations

import anywidget
import traitlets

SCRIPT = """
export default { render({ model, el }) {
  const label = document.createElement("label"), range = document.createElement("input");
  const told = document.createElement("output");
  el.classList.add("wb-slider");
  range.type = "range";
  for (const name of ["min", "max", "step"]) range[name] = model.get(name);
  const show = () => {
    range.value = model.get("value");
    told.textContent = Number(range.value).toFixed(2);
    range.setAttribute("aria-valuetext", told.textContent);
  };
  range.addEventListener("input", () => { model.set("value", Number(range.value)); model.save_changes(); });
  model.on("change:value", show);
  label.append(model.get("description") + " ", range, " ", told);
  el.append(label);
  show();
} };
"""


class Slider(anywidget.AnyWidget):
    """From 0 to 1; ``value`` follows the hand. The label holds the control, so its name is the description."""

    _esm = SCRIPT
    _css = ".wb-slider label { display: inline-flex; gap: 8px; align-items: center; flex-wrap: wrap; }"
    value = traitlets.Float(0.5).tag(sync=True)
    min = traitlets.Float(0.0).tag(sync=True)
    max = traitlets.Float(1.0).tag(sync=True)
    step = traitlets.Float(0.01).tag(sync=True)
    description = traitlets.Unicode("").tag(sync=True)
