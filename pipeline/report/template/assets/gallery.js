// The mistakes, and right answers when they are asked for: filtered by a cell of the confusion
// matrix, sorted, and larger on a click.
function startGallery() {
  const items = [...document.querySelectorAll(".gallery > li")];
  const viewer = byId("viewer"), sort = byId("sort");
  let cell = null, looked = 0;
  const shown = () => [...document.querySelectorAll(".gallery > li")].filter((item) => !item.hidden);
  const nameOf = (item) => (item.querySelector(".file") ?? item.querySelector("code")).textContent;

  function filter(chosen, title) {
    cell = chosen;
    for (const item of items) {
      item.hidden = cell === null ? item.closest(".when-asked") !== null : item.dataset.cell !== cell;
    }
    for (const kind of document.querySelectorAll(".kind")) {
      const empty = !kind.querySelector(".gallery > li:not([hidden])");
      kind.hidden = empty && (cell !== null || kind.matches(".when-asked"));
    }
    for (const button of document.querySelectorAll("[data-cell] > button")) {
      button.setAttribute("aria-pressed", String(button.parentElement.dataset.cell === cell));
    }
    byId("unfilter").hidden = cell === null;
    byId("filtered").textContent = cell === null ? "" : `${title}: ${shown().length} shown`;
  }

  function reorder() {
    const rank = (item) => Number(item.dataset.rank);
    const orders = {
      rank: (a, b) => rank(a) - rank(b),
      unsure: (a, b) => rank(b) - rank(a),
      name: (a, b) => nameOf(a).localeCompare(nameOf(b), undefined, { numeric: true }),
    };
    for (const list of document.querySelectorAll(".gallery")) {
      list.append(...[...list.children].sort(orders[sort.value]));
    }
  }

  function fact(title, text) {
    const [dt, dd] = ["dt", "dd"].map((tag) => document.createElement(tag));
    dt.textContent = title;
    dd.textContent = text;
    return [dt, dd];
  }

  function look(at) {
    const list = shown(), item = list[(at + list.length) % list.length];
    looked = list.indexOf(item);
    byId("viewer-picture").replaceChildren(item.querySelector(".tile").cloneNode(true));
    byId("viewer-title").textContent = item.dataset.title;
    const file = item.querySelector(".file");
    byId("viewer-facts").replaceChildren(
      ...fact("score", item.querySelector("b").textContent),
      ...(file ? fact("file", file.textContent) : []),
      ...fact("id", item.querySelector("code").textContent),
      ...Object.entries(JSON.parse(item.dataset.factors)).flatMap(([key, text]) => fact(key, text)),
    );
    if (!viewer.open) viewer.showModal();
  }

  const pictured = new Set(items.map((item) => item.dataset.cell));
  for (const place of document.querySelectorAll(".confusion [data-cell], .pairs [data-cell]")) {
    if (!pictured.has(place.dataset.cell)) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-pressed", "false");
    button.setAttribute("aria-label", `${place.dataset.title}: ${place.textContent}, show these alone`);
    button.append(...place.childNodes);
    button.addEventListener("click", () => {
      const chosen = cell === place.dataset.cell ? null : place.dataset.cell;
      filter(chosen, place.dataset.title);
    });
    place.append(button);
  }
  for (const item of items) {
    const button = document.createElement("button"), tile = item.querySelector(".tile");
    button.type = "button";
    button.className = "enlarge";
    tile.replaceWith(button);
    button.append(tile);
    button.addEventListener("click", () => look(shown().indexOf(item)));
  }
  filter(null);
  byId("tools").hidden = items.length === 0;
  byId("unfilter").addEventListener("click", () => filter(null));
  sort.addEventListener("change", reorder);
  byId("viewer-back").addEventListener("click", () => look(looked - 1));
  byId("viewer-next").addEventListener("click", () => look(looked + 1));
  byId("viewer-close").addEventListener("click", () => viewer.close());
  viewer.addEventListener("click", (event) => { if (event.target === viewer) viewer.close(); });
}
