// Axes in the library's terms. Values are placed here: on a logarithmic axis a place is the
// logarithm, so that the ticks can be those that were worked out for the drawn figures.
function scaleOf(axis, chosen) {
  const wanted = chosen ?? axis.scale;
  return axis[wanted] ? wanted : axis.scale;
}

function placing(axis, chosen) {
  const scale = scaleOf(axis, chosen);
  const range = axis[scale] ?? { low: 0, high: 1, ticks: [] };
  const place = value => scale === "log" ? Math.log10(Math.max(value, 1e-300)) : value;
  const value = placed => scale === "log" ? Math.pow(10, placed) : placed;
  return { place, value, low: place(range.low), high: place(range.high), ticks: range.ticks };
}

const INK = "#1a1a1a";
const FAINT = "#e2e2e2";

function axisOption(axis, placed, isY, width) {
  const places = placed.ticks.map(([value]) => placed.place(value));
  const texts = placed.ticks.map(([, text]) => text);
  const nearest = at => places.findIndex(place => Math.abs(place - at) < 1e-9);
  const names = axis.names.length > 0;
  return {
    type: "value",
    name: axis.label,
    nameLocation: "middle",
    nameGap: isY ? gapOf(texts) : 26,
    nameTextStyle: { color: INK, fontSize: 12 },
    min: placed.low,
    max: placed.high,
    axisLine: { show: true, lineStyle: { color: "#808080" }, onZero: false },
    axisTick: { show: !names, customValues: places },
    axisLabel: {
      color: INK,
      fontSize: 11,
      lineHeight: 13,
      customValues: places,
      hideOverlap: true,
      width: isY && names ? width : undefined,
      overflow: isY && names ? "break" : undefined,
      formatter: at => texts[nearest(at)] ?? "",
    },
    splitLine: { show: false },
    splitArea: { show: false },
    axisPointer: { label: { show: false } },
  };
}

// How far the name of an upright axis stands away: behind its longest tick. Some letters are wide.
function gapOf(texts) {
  const widths = texts.map(text => 6.2 * text.length + 4.5 * (text.match(/[%mMµ]/g) ?? []).length);
  return 14 + Math.max(0, ...widths);
}

// Grid lines where the ticks are.
function gridLines(placed, other, isX) {
  return placed.ticks.map(([value]) => {
    const at = placed.place(value);
    return isX ? [{ coord: [at, other.low] }, { coord: [at, other.high] }]
      : [{ coord: [other.low, at] }, { coord: [other.high, at] }];
  });
}
