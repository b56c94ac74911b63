"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const narrow = matchMedia("(max-width: 640px)");
  const plots = [...document.querySelectorAll("[data-chart]")].map((element) => ({
    element,
    drawn: JSON.parse(document.getElementById(`data-${element.dataset.chart}`).textContent),
  }));
  const settings = { displayModeBar: false, responsive: true };

  // a chart that is wider than a phone keeps its width and scrolls, with the labels of a wide screen
  const key = (element, printing) => {
    const theme = dark.matches && !printing ? "dark" : "light";
    return `${theme}-${narrow.matches && !printing ? "narrow" : "wide"}`;
  };

  function draw(printing = false) {
    for (const { element, drawn } of plots) {
      const { data, layout } = drawn[key(element, printing)];
      element.style.height = `${layout.height}px`;
      const size = printing ? { width: 680, autosize: false } : { autosize: true };
      Plotly.react(element, data, { ...layout, ...size }, settings);
    }
  }
  draw();
  dark.addEventListener("change", () => draw());
  narrow.addEventListener("change", () => draw());
  addEventListener("beforeprint", () => draw(true));
  addEventListener("afterprint", () => draw());

  const table = document.getElementById("domain-table");
  if (!table) return;
  const body = table.tBodies[0];
  const rows = [...body.rows].map((row) => ({ row, words: row.textContent.toLowerCase() }));
  const found = document.getElementById("found");
  const count = (n) => `${n.toLocaleString("en")} ${n === 1 ? "domain" : "domains"}`;

  document.getElementById("search").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    let shown = 0;
    for (const { row, words } of rows) {
      row.hidden = !words.includes(wanted);
      shown += row.hidden ? 0 : 1;
    }
    found.textContent = wanted ? `${shown.toLocaleString("en")} of ${count(rows.length)}` : count(rows.length);
  });

  const value = (cell) => {
    const sort = cell.dataset.sort;
    if (sort === undefined) return cell.textContent.toLowerCase();
    return Number.isNaN(Number(sort)) ? sort : Number(sort);
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const numeric = head.classList.contains("n");
      const now = head.getAttribute("aria-sort");
      const next = now ? (now === "ascending" ? "descending" : "ascending") : numeric ? "descending" : "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", next);
      const sign = next === "ascending" ? 1 : -1;
      rows.sort((a, b) => sign * compare(value(a.row.cells[column]), value(b.row.cells[column])));
      body.append(...rows.map(({ row }) => row));
    });
  });
})();
