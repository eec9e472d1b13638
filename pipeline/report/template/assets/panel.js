// The two sliders. Sensitivity and specificity are counted on the test images; all else follows.
// Where a page has several panels, they share one prevalence: `others` are told of it.
function startPanel(root, others) {
  const name = root.dataset.name;
  const at = (id) => document.getElementById(name + id);
  const data = JSON.parse(at("panel-data").textContent);
  const threshold = at("threshold"), prevalence = at("prevalence"), typed = at("typed");
  const decades = Math.log10(data.high / data.low);
  const last = data.tp.length - 1;  // the slider runs from the laxest threshold to the strictest
  let share = data.start;

  const atPosition = (k) => Math.min(data.high, Number((data.low * 10 ** (k / data.per_decade)).toPrecision(2)));
  const positionOf = (p) => Math.round(data.per_decade * Math.log10(p / data.low));

  // Every metric at the prevalence p; null where it is undefined.
  function figures(recall, specificity, p) {
    const counts = [recall * p, (1 - specificity) * (1 - p), (1 - recall) * p, specificity * (1 - p)];
    const found = {};
    for (const name in FORMULAS) {
      const value = FORMULAS[name](...counts);
      found[name] = Number.isFinite(value) ? value : null;
    }
    return found;
  }

  // Every metric is monotone in both shares, so its ends are at corners of their two intervals. One
  // that depends on the positives alone has the plain interval of the recall.
  function ends(k, p) {
    const corners = (recalls, specificities) => recalls.flatMap((s) => specificities.map((c) => figures(s, c, p)));
    const joint = corners(data.joint_recall[k], data.joint_specificity[k]);
    const plain = corners(data.recall_ends[k], [0.25, 0.75]);
    const found = {};
    for (const name in FORMULAS) {
      const alone = plain[0][name] === plain[1][name] && plain[2][name] === plain[3][name];
      const values = (alone ? plain : joint).map((corner) => corner[name]);
      found[name] = values.includes(null) ? null : [Math.min(...values), Math.max(...values)];
    }
    if (data.positives >= data.ratio_from[0] && data.tp[k] && data.fp[k] >= data.ratio_from[1]) found.precision = ofRatio(k, p);
    return found;
  }

  // The precision follows from recall / false-positive rate, whose interval adds the distances to the ends up in
  // squares on the logarithm.
  function ofRatio(k, p) {
    const recall = data.tp[k] / data.positives, rate = data.fp[k] / data.negatives, odds = (1 - p) / p;
    const [low, high] = data.recall_ends[k], [least, most] = data.specificity_ends[k].map((end) => 1 - end).reverse();
    const below = Math.hypot(Math.log(recall / low), Math.log(most / rate));
    const above = Math.hypot(Math.log(high / recall), Math.log(rate / least));
    return [-below, above].map((step) => 1 / (1 + odds / (recall / rate * Math.exp(step))));
  }

  // As pipeline/wording/numbers.py writes numbers, without exponents.
  function number(value) {
    if (value === null) return "–";
    if (value > 0 && value < 0.0095) return value >= 1e-6 ? trimmed(value) : value.toExponential(1);
    for (let digits = 3; ; digits++) {
      const text = value.toFixed(digits);
      if (value === 1 || Number(text) < 1 || digits === 9) return text;
    }
  }
  const trimmed = (value) => value.toFixed(1 - Math.floor(Math.log10(value)));
  const grouped = (value) => Math.round(value).toLocaleString("en-US");
  const amount = (value) => (value > 0 && value < 10 ? value.toFixed(1) : grouped(value));
  const inPercent = (p) => `${Number((100 * p).toPrecision(3))} %`;
  const oneIn = (p) => `1 in ${p > 0.1 ? Number((1 / p).toPrecision(3)) : grouped(1 / p)}`;

  // Where no false positive was seen and positives are rarer than here, precision and F1 are only known to be so high.
  const isBound = (name, k, p) => ["precision", "f1"].includes(name) && data.tp[k] > 0 && !data.fp[k]
    && p < data.positives / (data.positives + data.negatives);

  function show(row, name, value, range, never, bound) {
    const cell = row.querySelector(".value");
    cell.textContent = bound ? `\u2265\u00a0${number(range[0])}` : number(value);
    cell.dataset.value = value === null ? "" : value;
    row.querySelector(".between").textContent = value === null || !range ? "" : `${number(range[0])}–${number(range[1])}`;
    const bar = row.querySelector(".range"), dot = row.querySelector(".dot"), tick = row.querySelector(".tick");
    bar.hidden = value === null || !range;
    if (!bar.hidden) {
      bar.style.left = `${100 * range[0]}%`;
      bar.style.width = `${100 * (range[1] - range[0])}%`;
      bar.dataset.low = range[0];
      bar.dataset.high = range[1];
    }
    dot.hidden = value === null;
    if (value !== null) dot.style.left = `${100 * value}%`;
    tick.hidden = never === null;
    if (never !== null) tick.style.left = `${100 * never}%`;
    row.querySelector(".never").textContent = number(never);
  }

  function cell(id, value) {
    const place = at(id);
    place.querySelector("b").textContent = amount(value);
    place.dataset.value = value;
  }

  function draw(recall, specificity, p) {
    const { left, right, top, bottom } = data.axes, points = data.points;
    const x = (q) => left + (right - left) * Math.log10(q / data.low) / decades;
    const y = (value) => bottom - (bottom - top) * value / 1.02;
    const lines = Object.fromEntries(Object.keys(FORMULAS).map((name) => [name, []]));
    for (let k = 0; k <= points; k++) {
      const q = data.low * 10 ** (decades * k / points), values = figures(recall, specificity, q);
      for (const name in lines) {
        if (values[name] !== null) lines[name].push(`${x(q).toFixed(1)} ${y(values[name]).toFixed(1)}`);
      }
    }
    for (const name in lines) {
      at(`live-${name}`).querySelector("path").setAttribute("d", lines[name].length ? `M${lines[name].join("L")}` : "");
    }
    at("live-cursor").querySelector("path").setAttribute("d", `M${x(p).toFixed(1)} ${bottom}V${top}`);
  }

  function update() {
    const k = last - Number(threshold.value), tp = data.tp[k], fp = data.fp[k], p = share;
    const recall = tp / data.positives, specificity = 1 - fp / data.negatives;
    const now = figures(recall, specificity, p), range = ends(k, p), never = figures(0, 1, p);
    for (const row of root.querySelectorAll("[data-metric]")) {
      const name = row.dataset.metric;
      show(row, name, now[name], range[name], never[name], isBound(name, k, p));
    }
    const million = 1e6, right = recall * p * million, wrong = (1 - specificity) * (1 - p) * million;
    cell("cell-tp", right);
    cell("cell-fn", p * million - right);
    cell("cell-fp", wrong);
    cell("cell-tn", (1 - p) * million - wrong);
    at("counted").textContent = `Counted on the test images: ${grouped(tp)} of ${grouped(data.positives)} found, `
      + `${grouped(fp)} false positives among ${grouped(data.negatives)}.`;

    at("threshold-text").textContent = data.thresholds[k];
    at("prevalence-text").textContent = `${oneIn(p)} · ${inPercent(p)}`;
    threshold.setAttribute("aria-valuetext", `${data.thresholds[k]}: ${tp} of ${data.positives} found, ${fp} false positives`);
    prevalence.setAttribute("aria-valuetext", `${oneIn(p)}, ${inPercent(p)}`);
    prevalence.dataset.value = p;
    at("reset").setAttribute("aria-pressed", String(k === data.chosen));
    for (const preset of root.querySelectorAll(".preset")) {
      preset.setAttribute("aria-pressed", String(Number(preset.dataset.prevalence) === p));
    }
    at("says").textContent = sentence(now, right, wrong, p);
    // Where no false positive was seen and positives are rarer than here, so many at least are right.
    const bound = isBound("precision", k, p), known = bound ? range.precision[0] : now.precision;
    const filled = known === null ? 0 : bound ? Math.floor(100 * known) : Math.round(100 * known);
    at("of-predicted").textContent = known === null ? "Nothing is predicted positive."
      : bound ? `No false positive was seen: of 100 predicted positives, at least ${filled || "one in many"} ${filled === 1 || !filled ? "is" : "are"} right:`
      : known === 0 ? "No predicted positive is right." : `Of 100 predicted positives, ${filled || "less than one"} ${filled === 1 || !filled ? "is" : "are"} right:`;
    [...at("predicted").children].forEach((square, i) => {
      square.classList.toggle("right", i < filled);
      square.classList.toggle("wrong", !bound && now.precision !== null && i >= filled);
    });
    draw(recall, specificity, p);
  }

  function sentence(now, right, wrong, p) {
    const better = now.accuracy > 1 - p ? "more" : now.accuracy < 1 - p ? "less" : "exactly as";
    const than = better === "exactly as" ? "exactly as accurate as" : `${better} accurate than`;
    const start = `Of a million images, ${amount(p * 1e6)} are positive. `;
    if (now.precision === null) return `${start}The model finds none of them, and is ${inPercent(now.accuracy)} accurate.`;
    return `${start}The model predicts ${amount(right + wrong)} positive, of which ${amount(right)} are right`
      + `${right > 0 && now.precision < 0.95 ? ` (1\u00a0in\u00a0${(1 / now.precision).toFixed(now.precision > 0.1 ? 1 : 0)})` : ""}, and misses ${amount(p * 1e6 - right)}. `
      + `It is ${than} predicting that none is.`;
  }

  // "1 in 347", "3 / 1000", "0.3 %", "0.003"; a comma before three digits parts thousands.
  function parse(text) {
    const plain = text.trim().toLowerCase().replace(/,(?=\d{3}(\D|$))/g, "").replace(",", ".");
    const number = "(\\d*\\.?\\d+(?:e-?\\d+)?)";
    let found = plain.match(new RegExp(`^${number}\\s*(?:in|of|/|:)\\s*${number}$`));
    if (found) return Number(found[1]) / Number(found[2]);
    found = plain.match(new RegExp(`^${number}\\s*(%?)$`));
    return found ? Number(found[1]) / (found[2] ? 100 : 1) : NaN;
  }

  function setShare(p) {
    share = p;
    prevalence.value = positionOf(p);
    update();
  }

  function choose(p) {
    at("typed-help").textContent = "";
    typed.removeAttribute("aria-invalid");
    setShare(p);
    for (const other of others) if (other !== setShare) other(p);
  }

  threshold.addEventListener("input", update);
  prevalence.addEventListener("input", () => choose(atPosition(Number(prevalence.value))));
  typed.addEventListener("change", () => {
    if (!typed.value.trim()) return;
    const p = parse(typed.value);
    if (p >= data.low && p <= data.high) {
      choose(p);
      return;
    }
    typed.setAttribute("aria-invalid", "true");
    at("typed-help").textContent = `Not a share between ${oneIn(data.low)} and ${oneIn(data.high)}: `
      + "write it as 1 in 347, 0.3 % or 0.003.";
  });
  at("reset").addEventListener("click", () => {
    threshold.value = last - data.chosen;
    update();
  });
  for (const preset of root.querySelectorAll(".preset")) {
    preset.addEventListener("click", () => choose(Number(preset.dataset.prevalence)));
  }
  // What the chart says at a place of its axis.
  root.querySelector(".chart").sayAt = (x) => {
    const { left, right, top, bottom } = data.axes, k = last - Number(threshold.value);
    const p = data.low * 10 ** (decades * Math.min(1, Math.max(0, (x - left) / (right - left))));
    const values = figures(data.tp[k] / data.positives, 1 - data.fp[k] / data.negatives, p);
    return {
      x: Math.min(right, Math.max(left, x)), y: bottom - (bottom - top) * (values.accuracy ?? 0) / 1.02,
      name: oneIn(p), texts: Object.keys(FORMULAS).map((key) => [TITLES[key], number(values[key])]),
    };
  };
  threshold.value = last - data.chosen;
  others.push(setShare);
  setShare(share);
}
