// Runs that have neither a load nor a tree: a table for each kind of them.

function buildTable({ name, parameters, heads, rows }) {
  const given = described(parameters);
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  const lines = rows.map((row) => element("tr", {}, ...row.map((text) => element("td", {}, text))));
  const table = element("table", {}, element("thead", {}, head), element("tbody", {}, ...lines));
  const scroll = element("div", { class: "runs", role: "region", "aria-label": name, tabindex: "0" }, table);
  byId("runs").append(element("h2", {}, `${name}${given ? ` (${given})` : ""}`), scroll);
}
