// Each kind of panel in the chart library's terms. `view` says which names are hidden and which
// scales are chosen.
const SYMBOLS = {
  circle: "circle", square: "rect", triangle: "triangle", diamond: "diamond",
  down: "path://M0,0 L20,0 L10,18 Z", cross: "path://M0,3 L3,0 L10,7 L17,0 L20,3 L13,10 L20,17 L17,20 L10,13 L3,20 L0,17 L7,10 Z",
};
const DASHES = { solid: "solid", long: [9, 4], short: [4, 3], dots: [2, 3] };
const MIDDLE = "#808080";

// The grid, both axes, and grid lines at the ticks.
function frame(panel, view, width) {
  const x = placing(panel.x, view.x), y = placing(panel.y, view.y);
  const names = panel.y.names.length > 0;
  const room = names ? Math.min(width * 0.4, 12 + 6.4 * longest(panel.y.names)) : 0;
  const texts = y.ticks.map(([, text]) => text);
  const left = names ? room + 8 : gapOf(texts) + (panel.y.label ? 18 : 0);
  return {
    x, y,
    option: {
      animation: false,
      textStyle: { fontFamily: "system-ui, 'Noto Sans', sans-serif" },
      grid: { left, right: 28, top: 14, bottom: panel.x.label ? 46 : 28, outerBoundsMode: "none" },
      xAxis: axisOption(panel.x, x, false),
      yAxis: axisOption(panel.y, y, true, room),
      tooltip: { confine: true, trigger: "item", transitionDuration: 0 },
      aria: { enabled: true },
      series: [],
    },
  };
}

function longest(names) {
  return Math.max(0, ...names.map(name => name.length));
}

// Lines that belong to no series: grid, level, change points.
function ruled(x, y, panel, marks, level) {
  const faint = { color: FAINT, type: "solid", width: 1 };
  const line = (pair, lineStyle) => [{ ...pair[0], lineStyle, symbol: "none" }, { ...pair[1], symbol: "none" }];
  const data = [
    ...(["bars", "stacks"].includes(panel.content.kind) ? [] : gridLines(x, y, true).map(pair => line(pair, faint))),
    ...(panel.y.names.length ? [] : gridLines(y, x, false).map(pair => line(pair, faint))),
    ...marks.map(at => line([{ coord: [x.place(at), y.low] }, { coord: [x.place(at), y.high] }],
      { color: INK, type: [6, 4], width: 1.5 })),
    ...(level === null ? [] : [line([{ coord: [x.low, y.place(level)] },
      { coord: [x.high, y.place(level)] }], { color: MIDDLE, type: "solid", width: 1 })]),
  ];
  return {
    type: "line", name: "", data: [], silent: true, z: 0,
    markLine: { z: 0, silent: true, animation: false, label: { show: false }, symbol: "none", data },
  };
}

function lines(panel, view, width) {
  const { x, y, option } = frame(panel, view, width);
  option.series.push(ruled(x, y, panel, panel.content.marks, panel.content.level));
  for (const series of panel.content.series) {
    if (view.hidden.has(series.name)) continue;
    const shift = series.shift * (x.high - x.low);
    if (series.points.some(point => point.low !== undefined)) {
      option.series.push(spreads(series, x, y, shift));
    }
    option.series.push(lineOf(panel, series, x, y, shift));
  }
  return option;
}

function lineOf(panel, series, x, y, shift) {
  const { style, role } = series, colour = style.colour;
  const last = series.points.length - 1;
  // With many points, markers would cover each other: dots are drawn, as in the files.
  const dense = role === "points" && last >= 400;
  const isMarked = index => role === "line" || role === "points" || role === "curve" && index === last;
  const data = series.points.map((point, index) => ({
    value: [x.place(point.x) + shift, y.place(point.y)],
    symbolSize: role === "ideal" ? 0 : dense ? 4 : isMarked(index) ? 10 : 7,
    itemStyle: {
      color: point.hollow ? "#fff" : colour, borderColor: colour,
      borderWidth: dense ? 0.8 : 1.5, opacity: dense ? 0.6 : isMarked(index) ? 1 : 0,
    },
    tip: tip(series.name, pointLines(panel, role, point)),
  }));
  return {
    type: role === "points" ? "scatter" : "line",
    name: series.name, data, symbol: dense ? "circle" : SYMBOLS[style.marker], clip: false, z: role === "ideal" ? 1 : 3,
    showSymbol: role !== "ideal", silent: role === "ideal",
    lineStyle: {
      color: colour, width: role === "ideal" ? 1 : 2, type: DASHES[role === "ideal" ? "dots" : style.dash],
    },
    emphasis: { disabled: role === "ideal", scale: 1.3, itemStyle: { opacity: 1 }, lineStyle: { width: 2 } },
    tooltip: { formatter: at => at.data.tip },
  };
}

function pointLines(panel, role, point) {
  const lines = [
    [panel.x.label, format(panel.x, point.x)],
    [panel.y.label, format(panel.y, point.y)],
  ];
  if (point.low !== undefined) {
    lines.push(["slowest to fastest round",
      format(panel.y, point.low) + " to " + format(panel.y, point.high)]);
  }
  if (point.note) lines.push(["", point.note]);
  return lines;
}

// An upright line with two ends for the spread of each point.
function spreads(series, x, y, shift) {
  return {
    type: "custom", name: series.name, silent: true, z: 2,
    data: series.points.map(point => [x.place(point.x) + shift, y.place(point.low), y.place(point.high)]),
    renderItem(params, api) {
      const [at, low] = api.coord([api.value(0), api.value(1)]);
      const [, high] = api.coord([api.value(0), api.value(2)]);
      return { type: "group", children: bar([[at, low], [at, high]], series.style.colour, 1.2, 3) };
    },
  };
}

// A line with a short bar across each of its ends.
function bar([from, to], colour, width, half) {
  const style = { stroke: colour, lineWidth: width };
  const segment = (x1, y1, x2, y2) => ({ type: "line", shape: { x1, y1, x2, y2 }, style });
  const upright = from[0] === to[0];
  const end = ([x, y]) => upright ? segment(x - half, y, x + half, y) : segment(x, y - half, x, y + half);
  return [segment(...from, ...to), end(from), end(to)];
}

// The height of a share: logarithmic down to one in a million, or as it is, up to the largest.
function ridgeHeight(share, largest, scale) {
  if (scale === "linear") return 0.88 * share / largest;
  return 0.88 * (1 + Math.log10(Math.max(share, 1e-6)) / 6);
}

function ridges(panel, view, width) {
  const { x, y, option } = frame(panel, view, width);
  option.series.push(ruled(x, y, panel, [], null));
  panel.content.ridges.forEach((ridge, row) => {
    if (!view.hidden.has(ridge.name)) option.series.push(...ridgeOf(panel, ridge, row, x, view.heights));
  });
  return option;
}

function ridgeOf(panel, ridge, row, x, scale) {
  const colour = ridge.style.colour;
  const largest = Math.max(...ridge.bins.map(([, share]) => share));
  const data = [];
  let from = ridge.start;
  for (const [to, share] of ridge.bins) {
    const text = tip(ridge.name, [
      ["latency", format(panel.x, from) + " to " + format(panel.x, to)],
      ["share of calls", Number((share * 100).toPrecision(2)) + "%"],
    ]);
    const top = row + ridgeHeight(share, largest, scale), end = Math.min(to, ridge.max);
    data.push({ value: [x.place(from), top], tip: text }, { value: [x.place(end), top], tip: text });
    from = end;
  }
  const longestOne = tip(ridge.name, [["longest", format(panel.x, ridge.max)]]);
  const line = {
    type: "line", name: ridge.name, data, symbol: "circle", symbolSize: 9, z: 10 - row,
    lineStyle: { color: colour, width: 1.2 }, itemStyle: { color: colour, opacity: 0 },
    areaStyle: { color: colour, opacity: 0.3, origin: row },
    emphasis: { itemStyle: { opacity: 1 }, lineStyle: { width: 1.2 } },
    tooltip: { formatter: at => at.data.tip },
    markLine: {
      z: 1, silent: true, symbol: "none", animation: false, label: { show: false },
      data: [[{ coord: [x.low, row] }, { coord: [x.high, row] }]],
      lineStyle: { color: MIDDLE, type: "solid", width: 1 },
    },
  };
  const end = {
    type: "scatter", name: ridge.name, symbol: SYMBOLS[ridge.style.marker], symbolSize: 10, z: 20,
    clip: false, itemStyle: { color: colour }, data: [{ value: [x.place(ridge.max), row], tip: longestOne }],
    tooltip: { formatter: at => at.data.tip },
  };
  return [line, end];
}

// The share of the room of a name that its bars take, as in the files.
const FILLED = 0.84;

// Names that are wider than their room stand aslant.
function areAslant(panel, width) {
  return (width - 80) / panel.x.names.length < 6.4 * longest(panel.x.names);
}

function roomBelow(panel, width) {
  return areAslant(panel, width) ? 16 + 5.5 * longest(panel.x.names) : 28;
}

function bars(panel, view, width) {
  const { x, y, option } = frame(panel, view, width);
  const shown = panel.content.bars.filter(series => !view.hidden.has(series.name));
  const wide = FILLED / shown.length;
  option.grid.top = 32;
  option.grid.bottom = roomBelow(panel, width);
  Object.assign(option.xAxis.axisLabel, { hideOverlap: false, rotate: areAslant(panel, width) ? 60 : 0 });
  option.series.push(ruled(x, y, panel, [], null));
  const hasValues = (width - 70) * wide / panel.x.names.length > 34;
  shown.forEach((series, place) => {
    option.series.push(...barsOf(panel, series, y, place * wide - FILLED / 2, wide, hasValues));
  });
  return option;
}

// Bars, and a marker above each: so that none needs its colour, and 0 differs from no count.
function barsOf(panel, series, y, left, wide, hasValues) {
  const there = series.values.map((value, name) => ({ value, name })).filter(one => one.value !== null);
  const tips = there.map(({ value, name }) =>
    tip(series.name, [[panel.x.names[name], format(panel.y, value) + " " + panel.y.label]]));
  const colour = series.style.colour;
  const bodies = {
    type: "custom", name: series.name, z: 2,
    data: there.map(({ value, name }, index) => ({ value: [name, value], tip: tips[index] })),
    tooltip: { formatter: at => at.data.tip },
    renderItem(params, api) {
      const { value, name } = there[params.dataIndex];
      const [from, foot] = api.coord([name + left, 0]), [to, top] = api.coord([name + left + wide * 0.92, value]);
      return { type: "rect", shape: { x: from, y: top, width: to - from, height: foot - top }, style: { fill: colour } };
    },
  };
  const ends = {
    type: "scatter", name: series.name, symbol: SYMBOLS[series.style.marker], symbolSize: 8, symbolOffset: [0, -7],
    z: 3, clip: false, itemStyle: { color: colour, opacity: 1 },
    data: there.map(({ value, name }, index) => ({ value: [name + left + wide * 0.46, y.place(value)], tip: tips[index], text: short(panel.y, value) })),
    label: { show: hasValues, position: "top", distance: 3, fontSize: 10, color: INK, formatter: at => at.data.text },
    tooltip: { formatter: at => at.data.tip },
  };
  return [bodies, ends];
}

// The share of the room of a name that its bar of parts takes, as in the files.
const STACKED = 0.56;

// Bars of parts, one upon the other, with the sum above each: a part that is hidden is not in it.
function stacks(panel, view, width) {
  const { x, y, option } = frame(panel, view, width);
  const shown = panel.content.bars.filter(series => !view.hidden.has(series.name));
  const feet = panel.x.names.map(() => 0);
  option.grid.top = 32;
  option.grid.bottom = roomBelow(panel, width);
  Object.assign(option.xAxis.axisLabel, { hideOverlap: false, rotate: areAslant(panel, width) ? 60 : 0 });
  option.series.push(ruled(x, y, panel, [], null));
  for (const series of shown) option.series.push(stackOf(panel, series, feet));
  option.series.push({
    type: "scatter", silent: true, symbolSize: 0, z: 4,
    data: feet.map((foot, name) => ({ value: [name, y.place(foot)], text: short(panel.y, foot) })),
    label: { show: true, position: "top", distance: 3, fontSize: 11, color: INK, formatter: at => at.data.text },
  });
  return option;
}

// The parts of one name of the legend; `feet` is how high each bar is by now, and grows.
function stackOf(panel, series, feet) {
  const parts = series.values.map((value, name) => {
    const foot = feet[name];
    feet[name] += value ?? 0;
    return { value: value ?? 0, name, foot };
  });
  return {
    type: "custom", name: series.name, z: 2,
    data: parts.map(({ value, name, foot }) => ({
      value: [name, foot + value],
      tip: tip(series.name, [[panel.x.names[name], format(panel.y, value)]]),
    })),
    tooltip: { formatter: at => at.data.tip },
    renderItem(params, api) {
      const { value, name, foot } = parts[params.dataIndex];
      const [from, low] = api.coord([name - STACKED / 2, foot]);
      const [to, top] = api.coord([name + STACKED / 2, foot + value]);
      const shape = { x: from, y: top, width: to - from, height: low - top };
      return { type: "rect", shape, style: { fill: series.style.colour, opacity: 0.75 } };
    },
  };
}

// White at 1, blue above, orange below, as strong as the logarithm is far from 0.
function ratioColour(ratio) {
  const strength = Math.max(-1, Math.min(1, Math.log(ratio) / Math.log(8)));
  const full = strength > 0 ? [77, 157, 201] : [238, 188, 77];
  return "rgb(" + full.map(part => Math.round(245 + (part - 245) * Math.abs(strength))).join(",") + ")";
}

function matrix(panel, view, width) {
  const { x, y, option } = frame(panel, view, width);
  const cells = panel.content.cells.filter(cell => !view.hidden.has(panel.x.names[cell.x]));
  const narrow = width < 560;
  // In a narrow cell the ends of an interval stand one above the other.
  const interval = cell => narrow ? cell.interval.replace(/ /g, "\n") : cell.interval;
  option.xAxis.axisLine = option.yAxis.axisLine = { show: false };
  option.series.push({
    type: "custom",
    data: cells.map(cell => ({
      value: [cell.x, cell.y],
      tip: tip(panel.y.names[cell.y], [
        [panel.x.names[cell.x], digits(cell.ratio)], ["interval", cell.interval]]),
    })),
    tooltip: { formatter: at => at.data.tip },
    renderItem(params, api) {
      const cell = cells[params.dataIndex];
      const [cx, cy] = api.coord([cell.x, cell.y]), [w, h] = api.size([1, 1]);
      const text = (content, dy, size) => ({
        type: "text", silent: true,
        style: { text: content, x: cx, y: cy + dy, fontSize: size, fill: INK, lineHeight: size + 1, align: "center", verticalAlign: "middle" },
      });
      return {
        type: "group",
        children: [
          { type: "rect", shape: { x: cx - w / 2 + 1, y: cy - h / 2 + 1, width: w - 2, height: h - 2 },
            style: { fill: ratioColour(cell.ratio) } },
          text(digits(cell.ratio), narrow ? -h / 3 : -h / 4, 14), text(interval(cell), h / 5, narrow ? 9 : 11),
        ],
      };
    },
  });
  return option;
}

function intervals(panel, view, width) {
  const { x, y, option } = frame(panel, view, width);
  option.series.push(ruled(x, y, panel, [1], null));
  const rows = panel.content.rows.map((row, at) => ({ ...row, at })).filter(row => !view.hidden.has(row.name));
  option.series.push({
    type: "custom", silent: true, z: 2, data: rows.map(row => [x.place(row.ratio), row.at]),
    renderItem(params, api) {
      const row = rows[params.dataIndex];
      const place = value => api.coord([x.place(value), row.at]);
      const children = [];
      if (row.control) {
        const [left, middle] = place(row.control[0]), [right] = place(row.control[1]);
        children.push({ type: "rect", shape: { x: left, y: middle - 8, width: right - left, height: 16 }, style: { fill: FAINT } });
      }
      if (typeof row.low === "number" && typeof row.high === "number") {
        children.push(...bar([place(row.low), place(row.high)], row.style.colour, 2, 5));
      }
      return { type: "group", children };
    },
  });
  option.series.push({
    type: "scatter", z: 3, symbolSize: 11,
    data: rows.map(row => ({
      value: [x.place(row.ratio), row.at], symbol: SYMBOLS[row.style.marker],
      itemStyle: { color: row.style.colour }, tip: tip(row.label, intervalLines(row)),
    })),
    tooltip: { formatter: at => at.data.tip },
  });
  return option;
}

function intervalLines(row) {
  const lines = [[row.name, digits(row.ratio)]];
  if (typeof row.low === "number") lines.push(["interval", digits(row.low) + " to " + digits(row.high)]);
  if (row.control) lines.push(["no change", digits(row.control[0]) + " to " + digits(row.control[1])]);
  return [...lines, ["", row.note]];
}

const KINDS = { lines, ridges, bars, stacks, matrix, intervals };

function heightOf(panel, width) {
  const rows = panel.y.names.length;
  const narrow = width < 560;
  return { lines: 300, ridges: 70 + 62 * Math.max(rows, 2), bars: 212 + roomBelow(panel, width),
    stacks: 280 + roomBelow(panel, width),
    matrix: 46 + (narrow ? 62 : 42) * rows, intervals: 66 + (narrow ? 46 : 26) * rows }[panel.content.kind];
}
