// The interface's description, for people: what /openapi.json says, laid out.
import { askForKey } from "./keys.js";
import { call, onKeyAsked } from "./server.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** children: nodes and texts; nothing else becomes markup. */
function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return made;
}

const nameOf = (reference) => reference.split("/").pop();
const linkTo = (name) => element("a", { href: `#${name}` }, name);

/** A schema in a line: a type, or a link to the object of that name. */
function typeOf(schema = {}) {
  if (schema.$ref) return [linkTo(nameOf(schema.$ref))];
  const either = schema.anyOf ?? schema.oneOf;
  if (either) return either.flatMap((each, place) => (place ? [" or ", ...typeOf(each)] : typeOf(each)));
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(" or ")];
  if (schema.type === "array") return ["list of ", ...typeOf(schema.items)];
  if (schema.format === "binary") return ["file"];
  if (schema.additionalProperties?.type) return [`object of ${schema.additionalProperties.type}`];
  return [schema.type ?? "anything"];
}

function table(heads, rows) {
  const head = element("tr", {}, ...heads.map((each) => element("th", { scope: "col" }, each)));
  const body = rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, ...cell))));
  const reached = { class: "table", tabindex: "0", role: "region", "aria-label": heads[0] };
  return element("div", reached, element("table", {}, element("thead", {}, head), element("tbody", {}, ...body)));
}

function fields(schema) {
  const needed = schema.required ?? [];
  const rows = Object.entries(schema.properties ?? {}).map(([name, each]) => [
    [element("code", {}, name)],
    typeOf(each),
    [needed.includes(name) ? "needed" : ""],
    [each.description ?? ""],
  ]);
  return rows.length ? table(["field", "type", "", ""], rows) : null;
}

/** A body of a request or an answer: a link where it has a name, else its fields. */
function content(kinds = {}) {
  return Object.entries(kinds).map(([kind, { schema = {} }]) =>
    element("div", {}, element("p", {}, element("code", {}, kind), ": ", ...typeOf(schema)), fields(schema)),
  );
}

function parameters(listed = []) {
  const rows = listed.map((each) => [
    [element("code", {}, each.name)],
    [each.in],
    typeOf(each.schema),
    [each.required ? "needed" : ""],
    [each.description ?? ""],
  ]);
  return rows.length ? table(["parameter", "in", "type", "", ""], rows) : null;
}

function operation(method, path, told) {
  const answers = Object.entries(told.responses ?? {}).map(([status, each]) =>
    element("div", {}, element("p", {}, element("code", {}, status), " ", each.description ?? ""), ...content(each.content)),
  );
  return element(
    "section",
    {},
    element("h2", {}, element("span", { class: "method" }, method.toUpperCase()), element("code", {}, path)),
    element("p", {}, told.description ?? told.summary ?? ""),
    parameters(told.parameters),
    told.requestBody ? element("h3", {}, "Body") : null,
    ...content(told.requestBody?.content),
    element("h3", {}, "Answers"),
    ...answers,
  );
}

function object([name, schema]) {
  return element(
    "section",
    { id: name },
    element("h2", {}, name),
    element("p", {}, schema.description ?? ""),
    fields(schema) ?? element("p", {}, ...typeOf(schema)),
  );
}

function show(described) {
  const main = document.querySelector("main");
  for (const [path, methods] of Object.entries(described.paths))
    for (const method of METHODS) if (methods[method]) main.append(operation(method, path, methods[method]));
  main.append(element("h2", {}, "Objects"), ...Object.entries(described.components?.schemas ?? {}).map(object));
}

async function start() {
  onKeyAsked((wrong) => askForKey(document.getElementById("key"), wrong));
  try {
    show(await call("GET", "/openapi.json"));
  } catch (error) {
    const problem = document.getElementById("problem");
    problem.textContent = error.message;
    problem.hidden = false;
  }
  document.querySelector("main").removeAttribute("aria-busy");
}

start();
