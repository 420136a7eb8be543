// Live curves on a canvas. Points come as messages, only new ones; a line is told by its dashes and its name beside
// its end, never by its colour alone. Nothing is drawn that is not in view.
const DASHES = [[], [7, 3], [2, 3], [10, 3, 2, 3], [5, 5], [1, 2]];
const COLOURS = 8, LEFT = 58, RIGHT = 150, TOP = 8, BOTTOM = 30, HEIGHT = 300, GAP = 14;

const numbers = (view) => new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
const short = (value) => (value !== 0 && (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3))
  ? value.toExponential(0) : String(Number(value.toPrecision(3)));

function take(lines, message, values) {
  if (message.clear) lines.clear();
  let at = 0;
  for (const { name, count, anew } of message.lines) {
    if (anew || !lines.has(name)) lines.set(name, { xs: [], ys: [], style: lines.get(name)?.style ?? lines.size });
    const line = lines.get(name);
    for (let i = 0; i < count; i++) { line.xs.push(values[at + i]); line.ys.push(values[at + count + i]); }
    at += 2 * count;
  }
}

function axis(lines, key, log) {
  let low = Infinity, high = -Infinity;
  for (const line of lines.values()) {
    for (const value of line[key]) {
      if (log && value <= 0) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (!(low <= high)) [low, high] = log ? [1, 10] : [0, 1];
  if (low === high) [low, high] = log ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  const to = log ? Math.log10 : (value) => value;
  return { low: to(low), high: to(high), to, log };
}

function ticks({ low, high, log }) {
  if (log) {
    const found = [], parts = high - low < 1.5 ? [1, 1.5, 2, 3, 5, 7] : high - low < 3 ? [1, 2, 5] : [1];
    for (let ten = Math.floor(low); ten <= high; ten++) found.push(...parts.map((one) => one * 10 ** ten));
    const told = found.map((one) => [Math.log10(one), short(one)]).filter(([at]) => at >= low && at <= high);
    if (told.length > 1) return told;
  }
  const span = high - low, size = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map((one) => one * size).find((one) => span / one <= 6);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-6; at += step) found.push(at);
  return found.map((at) => [at, short(log ? 10 ** at : Number(at.toPrecision(12)))]);
}

function draw(canvas, lines, logs, words) {
  const width = canvas.clientWidth, ratio = window.devicePixelRatio || 1, context = canvas.getContext("2d");
  if (!width) return;
  canvas.width = width * ratio;
  canvas.height = HEIGHT * ratio;
  context.scale(ratio, ratio);
  const css = getComputedStyle(canvas), colour = (name) => css.getPropertyValue(name).trim();
  const right = Math.min(RIGHT, width * 0.32), x = axis(lines, "xs", logs.x), y = axis(lines, "ys", logs.y);
  const across = (value) => LEFT + (x.to(value) - x.low) / (x.high - x.low) * (width - LEFT - right);
  const down = (value) => HEIGHT - BOTTOM - (y.to(value) - y.low) / (y.high - y.low) * (HEIGHT - TOP - BOTTOM);
  context.font = "12px sans-serif";
  context.fillStyle = context.strokeStyle = colour("--wb-ink");
  context.lineWidth = 0.4;
  for (const [at, told] of ticks(y)) {
    const place = HEIGHT - BOTTOM - (at - y.low) / (y.high - y.low) * (HEIGHT - TOP - BOTTOM);
    context.textAlign = "right";
    context.fillText(told, LEFT - 6, place + 4);
    context.beginPath(); context.moveTo(LEFT, place); context.lineTo(width - right, place); context.stroke();
  }
  context.textAlign = "center";
  for (const [at, told] of ticks(x)) {
    context.fillText(told, LEFT + (at - x.low) / (x.high - x.low) * (width - LEFT - right), HEIGHT - BOTTOM + 14);
  }
  context.textAlign = "right";
  context.fillText(words.step, width - right, HEIGHT - 3);
  const ends = [];
  for (const [name, line] of lines) {
    context.strokeStyle = context.fillStyle = colour(`--wb-line-${line.style % COLOURS}`);
    context.lineWidth = 1.8;
    context.setLineDash(DASHES[line.style % DASHES.length]);
    const end = trace(context, line, across, down, logs);
    context.setLineDash([]);
    if (end) {
      context.beginPath(); context.arc(end[0], end[1], 3, 0, 7); context.fill();
      ends.push({ name, at: end, place: end[1], colour: context.fillStyle });
    }
  }
  label(context, ends, width - right + 10, right - 12);
}

// One stroke; where many points share a column of pixels, only its first, lowest, highest and last are drawn.
function trace(context, { xs, ys }, across, down, logs) {
  let column = NaN, low = 0, high = 0, last = null;
  context.beginPath();
  for (let i = 0; i < xs.length; i++) {
    if ((logs.x && xs[i] <= 0) || (logs.y && ys[i] <= 0)) continue;
    const px = across(xs[i]), py = down(ys[i]);
    if (Math.round(px) !== column) {
      if (last) { context.lineTo(column, low); context.lineTo(column, high); context.lineTo(...last); }
      context.lineTo(px, py);
      column = Math.round(px); low = high = py;
    }
    low = Math.min(low, py); high = Math.max(high, py); last = [px, py];
  }
  if (last) { context.lineTo(column, low); context.lineTo(column, high); context.lineTo(...last); }
  context.stroke();
  return last;
}

function label(context, ends, left, room) {
  ends.sort((one, other) => one.place - other.place);
  ends.forEach((one, i) => { if (i) one.place = Math.max(one.place, ends[i - 1].place + GAP); });
  let lowest = HEIGHT - BOTTOM;
  for (const one of [...ends].reverse()) { one.place = Math.min(one.place, lowest); lowest = one.place - GAP; }
  context.textAlign = "left";
  for (const { name, at, place, colour } of ends) {
    let told = name;
    while (told.length > 4 && context.measureText(told).width > room) told = `${told.slice(0, -2)}…`;
    context.fillStyle = context.strokeStyle = colour;
    context.lineWidth = 0.6;
    context.beginPath(); context.moveTo(at[0] + 4, at[1]); context.lineTo(left - 2, place); context.stroke();
    context.fillText(told, left, place + 4);
  }
}

export default () => {
  const lines = new Map(), views = new Set(), seen = new Set();
  return {
    initialize({ model }) {
      model.on("msg:custom", (message, buffers) => {
        take(lines, message, buffers.length ? numbers(buffers[0]) : []);
        views.forEach((redraw) => redraw());
      });
      model.send({ ask: "all" });
    },
    render({ model, el }) {
      const canvas = document.createElement("canvas"), bar = document.createElement("div");
      const words = model.get("words"), logs = { x: true, y: false };
      let waiting = 0;
      const redraw = () => {
        if (seen.has(canvas)) waiting ||= requestAnimationFrame(() => { waiting = 0; draw(canvas, lines, logs, words); });
      };
      for (const name of ["y", "x"]) {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = words[`log_${name}`];
        button.setAttribute("aria-pressed", String(logs[name]));
        button.onclick = () => { logs[name] = !logs[name]; button.setAttribute("aria-pressed", String(logs[name])); redraw(); };
        bar.append(button);
      }
      canvas.setAttribute("role", "img");
      const name = () => canvas.setAttribute("aria-label", model.get("label"));
      const tell = () => { model.set("visible", seen.size > 0 && !document.hidden); model.save_changes(); };
      const sight = new IntersectionObserver(([entry]) => {
        seen[entry.isIntersecting ? "add" : "delete"](canvas);
        tell(); redraw();
      });
      const size = new ResizeObserver(redraw), theme = new MutationObserver(redraw);
      name(); model.on("change:label", name); views.add(redraw);
      el.classList.add("wb-curves"); el.append(bar, canvas);
      sight.observe(canvas); size.observe(canvas); document.addEventListener("visibilitychange", tell);
      theme.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
      return () => {
        [sight, size, theme].forEach((one) => one.disconnect());
        document.removeEventListener("visibilitychange", tell);
        model.off("change:label", name); views.delete(redraw); seen.delete(canvas); tell();
      };
    },
  };
};
