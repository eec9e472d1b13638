// What a page does beside its sliders: parts that close, values on hover, mistakes to look at.
const byId = (id) => document.getElementById(id);
const sharing = [];  // what sets the prevalence of each panel

// On a phone the parts that go into detail begin closed.
function closeParts() {
  if (!matchMedia("(max-width: 40rem)").matches) return;
  for (const part of document.querySelectorAll('[data-phone="closed"]')) part.open = false;
}

// A link into a closed part opens it.
function openTarget() {
  const target = location.hash.length > 1 && byId(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
}

// The link of the section that is read is marked.
function followReading() {
  const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.hash.slice(1), a]));
  const mark = () => {
    let current = null;
    for (const [id, link] of links) {
      const place = byId(id);
      if (place && place.getBoundingClientRect().top < 120) current = link;
    }
    for (const link of links.values()) {
      if (link === current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    if (current) current.closest("ul").scrollLeft = current.offsetLeft - 60;
  };
  addEventListener("scroll", () => requestAnimationFrame(mark), { passive: true });
  mark();
}

// A chart says its values where the pointer is; with the arrow keys, point by point.
function sayValues(svg) {
  const lines = svg.dataset.hover ? JSON.parse(svg.dataset.hover) : null;
  const tip = byId("tip"), place = [0, 0];
  let mark = null, along = svg.viewBox.baseVal.width / 2;

  const told = (k, i) => {
    const [x, y, ...texts] = lines[k].at[i];
    return { x, y, name: lines[k].name, texts: texts.map((text, j) => [lines[k].fields[j], text]) };
  };

  function nearest(x, y) {
    let best = null, least = Infinity;
    lines.forEach((line, k) => line.at.forEach(([px, py], i) => {
      const distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least) [best, least] = [[k, i], distance];
    }));
    return best;
  }

  function show(found) {
    const screen = new DOMPoint(found.x, found.y).matrixTransform(svg.getScreenCTM());
    if (!mark) {
      mark = document.createElementNS("http://www.w3.org/2000/svg", "circle");
      mark.setAttribute("class", "mark");
      mark.setAttribute("r", "5");
      svg.append(mark);
    }
    mark.setAttribute("cx", found.x);
    mark.setAttribute("cy", found.y);
    const name = document.createElement("b");
    name.textContent = found.name;
    tip.replaceChildren(name, found.texts.map(([field, text]) => `${field} ${text}`).join(", "));
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(innerWidth - box.width - 4, screen.x + 12))}px`;
    tip.style.top = `${screen.y - box.height - 10 < 4 ? screen.y + 14 : screen.y - box.height - 10}px`;
  }

  function hide() {
    tip.hidden = true;
    if (mark) mark.remove();
    mark = null;
  }

  svg.addEventListener("pointermove", (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    if (svg.sayAt) show(svg.sayAt(at.x));
    else {
      const found = nearest(at.x, at.y);
      if (found) show(told(...found));
    }
  });
  svg.addEventListener("pointerleave", hide);
  svg.addEventListener("blur", hide);
  svg.tabIndex = 0;
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (event.key === "Escape") hide();
    if (!step) return;
    event.preventDefault();
    if (svg.sayAt) {
      along = svg.sayAt(along + 12 * step[1]).x;
      show(svg.sayAt(along));
      return;
    }
    if (mark) {
      place[0] = (place[0] + step[0] + lines.length) % lines.length;
      place[1] += step[1];
    }
    place[1] = Math.max(0, Math.min(lines[place[0]].at.length - 1, place[1]));
    show(told(...place));
  });
}

for (const panel of document.querySelectorAll(".panel")) startPanel(panel, sharing);
for (const chart of document.querySelectorAll("svg.chart")) sayValues(chart);
closeParts();
openTarget();
addEventListener("hashchange", openTarget);
followReading();
if (byId("viewer")) startGallery();
