"""A choice of a file whose content comes in pieces: at a long message a notebook's server closes the line.

A file above the limit is not sent at all, only its name and size.
"""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

SCRIPT = """
const PIECE = 1 << 20;
export default { render({ model, el }) {
  const label = document.createElement("label"), input = document.createElement("input");
  el.classList.add("wb-upload");
  [input.type, input.accept] = ["file", model.get("accept")];
  input.addEventListener("change", async () => {
    const file = input.files[0], size = file?.size, read = size > model.get("largest") ? 0 : size;
    for (let at = 0; file && (at < read || at === 0); at += PIECE) {
      const piece = await file.slice(at, Math.min(at + PIECE, read)).arrayBuffer();
      model.send({ name: file.name, size, at, last: at + PIECE >= read }, undefined, [piece]);
    }
    input.value = "";
  });
  label.append(model.get("description") + " ", input);
  el.append(label);
} };
"""


class Upload(anywidget.AnyWidget):
    """The browser's own choice of a file; the label holds it, so its name is the description.

    Attributes:
        value: Once a file was read, a tuple with its ``name``, ``size`` in bytes and ``content``.
        accept: Endings of the files that are offered, with commas between.
        largest: Bytes; of a larger file the content stays empty.
    """

    _esm = SCRIPT
    value = traitlets.Tuple()
    accept = traitlets.Unicode("").tag(sync=True)
    description = traitlets.Unicode("").tag(sync=True)
    largest = traitlets.Int().tag(sync=True)

    def __init__(self, **given: Any) -> None:
        """Make it; the arguments are its attributes."""
        super().__init__(**given)
        self._pieces: list[bytes] = []
        self.on_msg(lambda _, told, pieces: self._take(told, pieces))

    def _take(self, told: dict[str, Any], pieces: list[Any]) -> None:
        self._pieces = [*(self._pieces if told["at"] else []), *map(bytes, pieces)]
        if told["last"]:
            content, self._pieces = b"".join(self._pieces), []
            self.value = ({"name": told["name"], "size": told["size"], "content": content},)
