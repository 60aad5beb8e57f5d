"use strict";
// Two comforts, and the page is whole without them: tables that sort, charts that answer at once.
// Nothing here makes markup of text, and nothing asks a network.

for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  if (!body || body.rows.length < 2) continue;
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const first = head.classList.contains("number") ? "descending" : "ascending";
      const other = first === "ascending" ? "descending" : "ascending";
      const order = head.getAttribute("aria-sort") === first ? other : first;
      heads.forEach((each) => each.setAttribute("aria-sort", each === head ? order : "none"));
      const sign = order === "ascending" ? 1 : -1;
      // The rank is that of the exact value; a cell without one is not known, and stays last.
      const rank = (row) => row.cells[place].dataset.rank;
      const rows = [...body.rows].sort((a, b) => {
        if (rank(a) === undefined || rank(b) === undefined)
          return (rank(a) === undefined) - (rank(b) === undefined);
        return sign * (rank(a) - rank(b));
      });
      body.append(...rows);
    });
  });
}

const tip = document.createElement("div");
tip.className = "tip";
tip.hidden = true;
tip.setAttribute("role", "status");
document.body.append(tip);
let shown = null;

function show(moment) {
  if (shown) shown.classList.remove("on");
  shown = moment;
  tip.hidden = !moment;
  if (!moment) return;
  moment.classList.add("on");
  tip.replaceChildren(
    ...moment.getAttribute("aria-label").split(" · ").map((text) => {
      const line = document.createElement("div");
      line.textContent = text;
      return line;
    }),
  );
  const box = moment.getBoundingClientRect();
  const right = box.right + 10;
  const left = right + tip.offsetWidth < innerWidth ? right : box.left - tip.offsetWidth - 10;
  tip.style.left = `${Math.max(4, Math.min(left, innerWidth - tip.offsetWidth - 4))}px`;
  tip.style.top = `${Math.max(4, Math.min(box.top + 8, innerHeight - tip.offsetHeight - 4))}px`;
}

for (const svg of document.querySelectorAll("figure svg")) {
  const moments = [...svg.querySelectorAll(".moment")];
  if (!moments.length) continue;
  // The browser would show the title as well, a second later.
  moments.forEach((moment) => moment.querySelector("title").remove());
  svg.tabIndex = 0;
  svg.addEventListener("pointerover", (event) => show(event.target.closest(".moment")));
  svg.addEventListener("pointerleave", () => show(null));
  svg.addEventListener("blur", () => show(null));
  svg.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (event.key === "Escape") show(null);
    if (!step) return;
    event.preventDefault();
    const place = moments.indexOf(shown);
    const start = step > 0 ? 0 : moments.length - 1;
    show(moments[place < 0 ? start : Math.max(0, Math.min(moments.length - 1, place + step))]);
  });
}
addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
