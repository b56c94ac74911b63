"use strict";
(async () => {
  const unpacked = async (id) => {
    const packed = Uint8Array.from(atob(document.getElementById(id).textContent), (c) => c.charCodeAt(0));
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  };
  const { charts, domains } = JSON.parse(await unpacked("data"));
  listDomains(domains);

  const plotly = document.createElement("script");
  plotly.textContent = await unpacked("plotly");
  document.head.append(plotly);
  drawCharts(charts);
  document.documentElement.dataset.ready = "yes";

  function drawCharts(charts) {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const narrow = matchMedia("(max-width: 760px)");
    const plots = [...document.querySelectorAll("[data-chart]")];
    const settings = { displayModeBar: false, responsive: true };

    function draw(printing = false) {
      const theme = dark.matches && !printing ? "dark" : "light";
      const width = narrow.matches && !printing ? "narrow" : "wide";
      for (const element of plots) {
        const { data, layout } = charts[element.dataset.chart][`${theme}-${width}`];
        element.style.height = `${layout.height}px`;
        const size = printing ? { width: 680, autosize: false } : { autosize: true };
        // a deep copy, for plotly writes into what it is given
        Plotly.react(element, ...structuredClone([data, { ...layout, ...size }, settings]));
      }
    }
    draw();
    dark.addEventListener("change", () => draw());
    narrow.addEventListener("change", () => draw());
    addEventListener("beforeprint", () => draw(true));
    addEventListener("afterprint", () => draw());
  }

  function listDomains(every) {
    const table = document.getElementById("domain-table");
    if (!table) return;
    // what a row holds: see _domain_rows in page.py; kind of cell, place of its value, place of what sorts it
    const columns = [["th", 0], ["n", 1], ["rate", 2, 4], ["n", 5], ["n", 6], ["n", 7], ["n", 8], ["", 9], ["", 10], ["", 11], ["", 12, 13]];
    const step = Math.max(Number(table.dataset.shown), 1);
    const body = table.tBodies[0];
    const found = document.getElementById("found");
    const more = document.getElementById("more");
    const words = every.map((row) => [row[0], row[9], row[10], row[11]].join("\n").toLowerCase());
    const count = (n) => `${n.toLocaleString("en")} ${n === 1 ? "domain" : "domains"}`;
    let order = every.map((_, place) => place);
    let wanted = "";
    let shown = step;

    const element = (name, text, kind) => {
      const made = document.createElement(name);
      made.textContent = text;
      if (kind) made.className = kind;
      return made;
    };
    function line(row) {
      const made = document.createElement("tr");
      for (const [kind, place] of columns) {
        if (kind === "th") {
          made.append(element("th", row[place]));
          made.lastChild.scope = "row";
        } else if (kind === "n") {
          made.append(element("td", row[place] ? row[place].toLocaleString("en") : "–", "n"));
        } else if (kind === "rate") {
          made.append(element("td", row[place], "n"));
          if (row[place + 1]) made.lastChild.append(" ", element("small", row[place + 1]));
        } else {
          made.append(element("td", row[place]));
        }
      }
      return made;
    }
    function show() {
      const matching = wanted ? order.filter((place) => words[place].includes(wanted)) : order;
      body.replaceChildren(...matching.slice(0, shown).map((place) => line(every[place])));
      const all = count(every.length);
      found.textContent = wanted ? `${matching.length.toLocaleString("en")} of ${all}` : all;
      const rest = matching.length - shown;
      more.hidden = rest <= 0;
      more.textContent = `Show ${Math.min(rest, step).toLocaleString("en")} more of ${rest.toLocaleString("en")}`;
    }
    document.getElementById("search").addEventListener("input", (event) => {
      wanted = event.target.value.trim().toLowerCase();
      shown = step;
      show();
    });
    more.addEventListener("click", () => {
      shown += step;
      show();
    });

    const compare = (a, b) => (typeof a === "number" ? a - b : String(a).localeCompare(String(b)));
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => {
        const numeric = head.classList.contains("n");
        const now = head.getAttribute("aria-sort");
        const next = now ? (now === "ascending" ? "descending" : "ascending") : numeric ? "descending" : "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", next);
        const sign = next === "ascending" ? 1 : -1;
        const key = columns[column].at(-1);
        order.sort((a, b) => sign * compare(every[a][key], every[b][key]) || a - b);
        show();
      });
    });
    show();
  }
})();
