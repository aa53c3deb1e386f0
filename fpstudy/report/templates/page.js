"use strict";
// The page is whole without this: it adds filters, sorting, copying and the choice of colours.
(() => {
  const form = document.getElementById("filters");
  const shown = document.getElementById("shown");
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const facets = all("select", form).filter((select) => select.name !== "colours");
  const told = all("[data-k]").map((element) => [element, element.dataset.k.split(" ")]);

  // A row without a key of a facet says nothing about it, and no choice there hides it.
  const fits = (keys, choice) =>
    keys.includes(choice) || !keys.some((key) => key[0] === choice[0]);

  const counted = () => {
    const counts = new Map();
    for (const box of all("[data-count]")) {
      const rows = all("[data-k]", box);
      const [seen, whole] = counts.get(box.dataset.count) ?? [0, 0];
      const here = rows.filter((row) => !row.hidden).length;
      counts.set(box.dataset.count, [seen + here, whole + rows.length]);
    }
    return [...counts].map(([what, [seen, whole]]) => `${seen} of ${whole} ${what}`).join(", ");
  };

  const filter = () => {
    const choices = facets.map((select) => select.value).filter(Boolean);
    for (const [element, keys] of told) {
      element.hidden = !choices.every((choice) => fits(keys, choice));
    }
    for (const group of all("[data-group]")) {
      group.hidden = choices.length > 0 && !group.querySelector("[data-k]:not([hidden])");
    }
    document.body.classList.toggle("filtered", choices.length > 0);
    shown.textContent = choices.length ? `Shown: ${counted()}` : "All rows and figures are shown.";
  };

  const remember = () => {
    const chosen = facets.filter((select) => select.value);
    const pairs = chosen.map((select) => [select.name, select.selectedOptions[0].text]);
    const fragment = new URLSearchParams(pairs).toString();
    history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
  };

  const recall = () => {
    const chosen = new URLSearchParams(location.hash.slice(1));
    for (const select of facets) {
      const text = chosen.get(select.name);
      const option = [...select.options].find((one) => one.value && one.text === text);
      select.value = option ? option.value : "";
    }
  };

  // A fragment holds a filter, or names an element, which is then brought into sight.
  const arrive = () => {
    const target = document.getElementById(location.hash.slice(1));
    if (target || location.hash.includes("=")) recall();
    filter();
    if (!target) return;
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
  };

  if (form) {
    form.hidden = false;
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", (event) => {
      if (event.target.name === "colours") {
        document.documentElement.dataset.colours = event.target.value;
        return;
      }
      filter();
      remember();
    });
    form.addEventListener("reset", () => setTimeout(() => {
      document.documentElement.dataset.colours = "";
      filter();
      remember();
    }));
    window.addEventListener("hashchange", arrive);
    arrive();
  }

  const value = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.v ?? cell.textContent.trim();
    const number = /^-?[\d.]/.test(text) ? parseFloat(text.replaceAll(",", "")) : NaN;
    return [text === "inf" ? Infinity : number, text];
  };

  // Numbers before words, so that what has no value comes last in either direction.
  const compare = ([x, a], [y, b], sign) => {
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    const order = Number.isNaN(x) ? a.localeCompare(b) : x < y ? -1 : x > y ? 1 : 0;
    return sign * order;
  };

  const sort = (table, head, column) => {
    const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
    for (const body of table.tBodies) {
      const rows = [...body.rows].filter((row) => !row.classList.contains("group"));
      const keyed = rows.map((row) => [value(row, column), row]);
      body.append(...keyed.sort(([a], [b]) => compare(a, b, sign)).map(([, row]) => row));
    }
  };

  for (const table of all("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      button.addEventListener("click", () => sort(table, head, column));
      head.append(button);
    });
  }

  for (const pre of navigator.clipboard ? all("pre") : []) {
    const button = document.createElement("button");
    const command = pre.textContent;
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.setAttribute("aria-label", "Copy the command");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(command);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    pre.prepend(button);
  }

  // Only a box that has something to scroll is a stop of the tab key. Within closed details none
  // is asked for its size: that would lay out all that they hide.
  const stops = (within) => {
    for (const box of all(".scroll, pre", within)) {
      if (box.closest("details:not([open])")) continue;
      const more = box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
      box.tabIndex = more ? 0 : -1;
    }
  };
  window.addEventListener("resize", () => stops(document));
  document.addEventListener("toggle", (event) => stops(event.target), true);
  stops(document);

  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = all("details:not([open])");
    for (const details of closed) details.open = true;
  });
  window.addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });
})();
