// The page: a chart for each panel, switches for backends and axes, and what printing needs.
const DATA = JSON.parse(document.getElementById("data").textContent);
const HIDDEN = new Set();
const CHARTS = [];

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A swatch as in the drawn figures: line and marker, so that no one needs the colour.
function swatch(style) {
  const colour = style.colour;
  const dash = { solid: "", long: "9 4", short: "4 3", dots: "2 3" }[style.dash];
  const shape = {
    circle: '<circle cx="17" cy="7" r="4.5"/>', square: '<rect x="13" y="3" width="8" height="8"/>',
    triangle: '<path d="M17 2l5 9h-10z"/>', diamond: '<path d="M17 1l6 6-6 6-6-6z"/>',
    down: '<path d="M17 12l5-9h-10z"/>', cross: '<path d="M13 3l8 8m0-8l-8 8" stroke-width="2.5"/>',
  }[style.marker];
  const holder = element("span", { "aria-hidden": "true" });
  holder.innerHTML = `<svg width="34" height="14" stroke="${colour}" fill="${colour}">` +
    `<path d="M0 7h34" stroke-width="2" stroke-dasharray="${dash}" fill="none"/>${shape}</svg>`;
  return holder;
}

function legend(figure) {
  const group = element("div", { class: "group legend", role: "group", "aria-label": "Show or hide" });
  for (const key of figure.legend) {
    const button = element("button", { type: "button", "aria-pressed": "true", "data-name": key.name },
      swatch(key.style), key.name);
    button.addEventListener("click", () => toggle(key.name));
    group.append(button);
  }
  return group;
}

// A name is switched in every figure at once.
function toggle(name) {
  HIDDEN.has(name) ? HIDDEN.delete(name) : HIDDEN.add(name);
  for (const button of document.querySelectorAll(".legend button")) {
    if (button.dataset.name === name) button.setAttribute("aria-pressed", String(!HIDDEN.has(name)));
  }
  redraw();
}

// Two buttons, one of which is pressed.
function choice(label, kind, view, charts) {
  const group = element("div", { class: "group axes", role: "group", "aria-label": label });
  group.append(element("span", { "aria-hidden": "true" }, label));
  for (const [scale, text] of [["linear", "linear"], ["log", "logarithmic"]]) {
    const pressed = String(view[kind] === scale);
    const button = element("button", { type: "button", "aria-pressed": pressed, "data-axis": kind, "data-scale": scale }, text);
    button.addEventListener("click", () => {
      view[kind] = scale;
      for (const other of group.querySelectorAll("button")) {
        other.setAttribute("aria-pressed", String(other === button));
      }
      charts.forEach(chart => draw(chart));
    });
    group.append(button);
  }
  return group;
}

// On paper a chart is drawn as wide as it is printed, so that its text keeps its size.
const PAPER = { wide: 700, narrow: 350 };

function draw(chart, onPaper) {
  if (!chart.instance) return;
  const paper = chart.figure.columns === 1 ? PAPER.wide : PAPER.narrow;
  const width = onPaper === true ? paper : chart.holder.clientWidth;
  const height = heightOf(chart.panel, width);
  chart.holder.style.height = height + "px";
  chart.instance.resize({ width, height });
  const option = KINDS[chart.panel.content.kind](chart.panel, chart.view, width);
  chart.instance.setOption(option, { notMerge: true });
  const drawn = chart.holder.querySelector("svg");
  if (drawn) drawn.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const visible = chart.figure.legend.map(key => key.name).filter(name => !HIDDEN.has(name));
  const label = `${chart.figure.title}: ${chart.panel.title}. Shown: ${visible.join(", ") || "all"}. ` +
    "The values stand in the table below the figure.";
  chart.holder.setAttribute("role", "img");
  chart.holder.setAttribute("aria-label", label);
}

function redraw() {
  CHARTS.forEach(chart => draw(chart));
}

function start(chart) {
  if (chart.instance) return;
  chart.instance = echarts.init(chart.holder, null, {
    renderer: "svg", width: chart.holder.clientWidth || 600, height: 300,
  });
  draw(chart);
}

function build(figure) {
  const section = document.getElementById(figure.id);
  const link = element("a", { href: "#" + figure.id }, figure.title);
  document.getElementById("contents").append(element("li", {}, link));
  if (figure.missing !== null) return;
  const first = figure.panels[0];
  const view = { hidden: HIDDEN, x: first.x.scale, y: first.y.scale, heights: "log" };
  const holder = section.querySelector(".panels");
  holder.classList.toggle("wide", figure.columns === 1);
  const charts = figure.panels.map(panel => {
    const place = element("div", { class: "chart" });
    holder.append(element("figure", { class: "panel" }, element("figcaption", {}, panel.title), place));
    place.style.height = heightOf(panel, place.clientWidth) + "px";
    return { figure, panel, view, holder: place, instance: null };
  });
  const controls = section.querySelector(".controls");
  if (figure.legend.length) controls.append(legend(figure));
  const both = axis => figure.panels.some(panel => panel[axis].linear && panel[axis].log);
  if (both("y")) controls.append(choice(nameOf(first.y), "y", view, charts));
  if (both("x")) controls.append(choice(nameOf(first.x), "x", view, charts));
  if (first.content.kind === "ridges") controls.append(choice("heights", "heights", view, charts));
  CHARTS.push(...charts);
}

function nameOf(axis) {
  return axis.label || "values";
}

// Charts are started a few at a time, so that the page can be used meanwhile; before printing,
// whatever is left.
function startSome(from) {
  const until = performance.now() + 30;
  let index = from;
  while (index < CHARTS.length && performance.now() < until) start(CHARTS[index++]);
  if (index < CHARTS.length) setTimeout(startSome, 0, index);
  else document.documentElement.dataset.ready = "true";
}

DATA.figures.forEach(build);
startSome(0);
window.addEventListener("beforeprint", () => {
  CHARTS.forEach(start);
  CHARTS.forEach(chart => draw(chart, true));
});
window.addEventListener("afterprint", redraw);

let pending = 0;
window.addEventListener("resize", () => {
  clearTimeout(pending);
  pending = setTimeout(() => {
    if (!window.matchMedia("print").matches) redraw();
  }, 100);
});
