// Numbers as people read them, as in results::units; and text that cannot be taken for markup.
function digits(value) {
  const size = Math.abs(value);
  if (size > 0 && size < 0.0005) return "<0.001";
  if (size > 0 && size < 0.0995) return value.toFixed(3);
  if (size < 9.995) return value.toFixed(2);
  if (size < 99.95) return value.toFixed(1);
  return value.toFixed(0);
}

function withUnit(value, units, bare) {
  for (const [size, unit] of units) if (value >= size * 0.9995) return digits(value / size) + unit;
  return digits(value) + bare;
}

function percentile(inverse) {
  const nines = Math.max(1, Math.ceil(Math.log10(Math.max(inverse, 1))) - 1);
  const text = (100 * (1 - 1 / Math.max(inverse, 1))).toFixed(nines);
  return text.replace(/\.?0+$/, "") + "%";
}

// 99.96 % must not look like all, nor a little like nothing.
function share(value) {
  const percent = value * 100;
  if (percent > 0 && percent < 0.05) return "<0.1%";
  if (percent >= 99.9 && percent < 100) return (Math.floor(percent * 100) / 100).toFixed(2) + "%";
  return percent.toFixed(1) + "%";
}

const FORMATS = {
  rate: value => withUnit(value, [[1e9, "G"], [1e6, "M"], [1e3, "k"]], "") + " op/s",
  time: value => value < 1000 ? Math.round(value) + " ns"
    : withUnit(value, [[1e9, " s"], [1e6, " ms"], [1e3, " µs"]], " ns"),
  ratio: digits,
  share: share,
  count: value => Number.isInteger(value) ? String(value) : digits(value),
  percentile: percentile,
  name: String,
};

function format(axis, value) {
  return axis.names.length ? axis.names[value] ?? "" : FORMATS[axis.unit](value);
}

// The same without zeros that say nothing.
function short(axis, value) {
  return format(axis, value).replace(/(\.\d*?)0+(?=%?$)/, "$1").replace(/\.(?=%?$)/, "");
}

function escapeText(text) {
  const safe = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return String(text).replace(/[&<>"']/g, character => safe[character]);
}

// A tooltip: lines of a name and a value, both escaped.
function tip(title, lines) {
  const rows = lines.map(([name, value]) =>
    (name ? escapeText(name) + ": " : "") + "<b>" + escapeText(value) + "</b>");
  return '<div class="tip">' + [escapeText(title), ...rows].join("<br>") + "</div>";
}
