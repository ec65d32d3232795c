"use strict";
// Sorts and searches the tables of the page. Texts become text nodes and links become elements: nothing that a
// customer is called is ever read as markup.
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const amount = new Intl.NumberFormat(words.locale, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  const change = new Intl.NumberFormat(words.locale, { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "exceptZero" });
  const count = new Intl.NumberFormat(words.locale);
  const collator = new Intl.Collator(words.locale, { numeric: true, sensitivity: "base" });
  const fill = (text, fields) => text.replace(/\{(\w+)\}/g, (_, name) => fields[name]);
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const isFigure = (kind) => kind !== "text";

  const figure = (number, kind) => {
    if (number === null) return "";
    if (kind === "count") return count.format(number);
    if (kind === "duration") return fill(words.minutes, { minutes: count.format(Math.floor(number / 60)), seconds: String(number % 60).padStart(2, "0") });
    if (kind === "change") return number === 0 ? words.none : change.format(number / 100).replace("\u2212", "-");
    return amount.format(number / 100).replace("\u2212", "-");
  };

  // A cell is null, a number, a text, or [text, what it is sorted by, [[link's text, address], ...]].
  const cellOf = (cell, kind, place) => {
    const element = document.createElement(place ? "td" : "th");
    if (!place) element.scope = "row";
    if (isFigure(kind)) { element.className = "n"; element.textContent = figure(cell, kind); return element; }
    const [text, , links] = Array.isArray(cell) ? cell : [cell ?? ""];
    if (!links || !links.length) { element.textContent = text; return element; }
    const group = document.createElement("span");
    group.className = "links";
    for (const [name, address] of links) {
      const link = document.createElement("a");
      link.href = address;
      link.textContent = name || text;
      group.append(link);
    }
    element.append(group);
    return element;
  };
  const keyOf = (cell, kind) => isFigure(kind) ? cell : Array.isArray(cell) ? cell[1] || cell[0] : cell ?? "";
  const textOf = (cell) => Array.isArray(cell) ? cell[0] : cell === null || typeof cell === "number" ? "" : cell;

  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
    const kinds = heads.map((head) => head.dataset.kind);
    const packed = document.getElementById(`${table.id}-rows`);
    const size = words.shown;
    // A long table is unpacked when somebody first asks for more of it than stands on the page.
    let rows = packed
      ? null
      : [...body.rows].map((element) => ({
          element,
          keys: [...element.cells].map((cell, place) => isFigure(kinds[place]) ? (cell.dataset.key ? Number(cell.dataset.key) : null) : cell.dataset.key || cell.textContent),
        }));
    if (rows && rows.length < 2) continue;
    let found = rows, first = 0, previous, next, status;
    const unpack = () => {
      if (rows) return;
      rows = JSON.parse(packed.textContent).map((cells) => ({ cells, keys: cells.map((cell, place) => keyOf(cell, kinds[place])) }));
      found = rows;
    };

    const show = () => {
      const part = found.slice(first, first + size);
      body.replaceChildren(...part.map((row) => {
        if (row.element) return row.element;
        const element = document.createElement("tr");
        element.append(...row.cells.map((cell, place) => cellOf(cell, kinds[place], place)));
        return element;
      }));
      if (status) tell(part.length, found.length);
    };
    const tell = (shown, all) => {
      previous.disabled = first === 0;
      next.disabled = first + size >= all;
      const fields = { first: count.format(first + 1), last: count.format(first + shown), count: count.format(all) };
      status.textContent = all ? fill(words.showing, fields) : words.nothing_found;
    };

    heads.forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        unpack();
        const way = head.getAttribute("aria-sort") === "ascending" || (!head.hasAttribute("aria-sort") && isFigure(kinds[place])) ? -1 : 1;
        for (const other of heads) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
        const compare = isFigure(kinds[place])
          ? (one, two) => (one.keys[place] ?? -Infinity) - (two.keys[place] ?? -Infinity) || 0
          : (one, two) => collator.compare(one.keys[place], two.keys[place]);
        rows.sort((one, two) => way * compare(one, two));
        if (found !== rows) { const kept = new Set(found); found = rows.filter((row) => kept.has(row)); }
        first = 0;
        show();
      });
    });

    if (!packed) continue;
    const tools = document.createElement("div"), label = document.createElement("label"), input = document.createElement("input");
    tools.className = "tools";
    label.append(words.search, input);
    input.type = "search";
    input.setAttribute("aria-label", `${words.search}: ${table.caption.textContent}`);
    status = document.createElement("p");
    status.setAttribute("role", "status");
    [previous, next] = [words.previous, words.next].map((text) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      return button;
    });
    previous.addEventListener("click", () => { unpack(); first = Math.max(0, first - size); show(); });
    next.addEventListener("click", () => { unpack(); first += size; show(); });
    input.addEventListener("input", () => {
      unpack();
      const wanted = plain(input.value).split(/\s+/).filter(Boolean);
      for (const row of rows) row.text ??= plain(row.cells.map(textOf).join(" "));
      found = wanted.length ? rows.filter((row) => wanted.every((word) => row.text.includes(word))) : rows;
      first = 0;
      show();
    });
    tools.append(label, previous, next, status);
    table.parentElement.before(tools);
    tell(body.rows.length, Number(packed.dataset.count));
  }

  // What is folded on the screen is printed.
  addEventListener("beforeprint", () => { for (const folded of document.querySelectorAll("details")) folded.open = true; });
})();
