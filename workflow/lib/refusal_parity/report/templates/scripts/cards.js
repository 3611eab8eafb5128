// How one response looks. Text of models and people only ever becomes text nodes.
const SHOWN_AT_FIRST = 1200;
// Control characters, and those that turn the direction of text: shown, so that nothing hides.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]/gu;

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

function isolated(text) {
  const element = make("bdi", "", ...legible(text));
  element.dir = "auto";
  return element;
}

function legible(text) {
  const parts = [];
  let from = 0;
  for (const match of text.matchAll(UNSEEN)) {
    parts.push(text.slice(from, match.index));
    const code = match[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
    parts.push(make("span", "unseen", `U+${code}`));
    from = match.index + match[0].length;
  }
  parts.push(text.slice(from));
  return parts;
}

function badge(responses, row) {
  const label = responses.rows.label[row];
  const kind = label === NONE ? "none" : responses.refused.has(label) ? "refused" : "answered";
  const name = label === NONE
    ? `not labelled: ${responses.exclusions[responses.rows.exclusion[row]] ?? "no reason given"}`
    : responses.labelName(label);
  return make("span", `badge ${kind}`, name);
}

function opinions(responses, row) {
  const said = [];
  const source = responses.rows.source[row];
  if (source !== NONE) {
    const sure = responses.rows.probability[row];
    const name = responses.sources[source];
    said.push(name === "classifier" && sure !== NONE ? `${name}, ${sure}\u00a0% sure` : name);
  }
  const line = make("p", "said-by", said.length ? `Label by ${said.join("")}` : "");
  const reason = responses.refusals_by_service[row];
  if (reason !== undefined) line.append("Reason of the service: ", isolated(reason));
  if (responses.cutOff.has(row)) {
    line.append(line.textContent ? "; " : "", "cut off at the longest response allowed");
  }
  for (const opinion of responses.opinions) {
    if (opinion.said[row] === NONE) continue;
    const differs = responses.disagrees(opinion, row);
    const words = `${opinion.name}: ${responses.labelName(opinion.said[row])}`;
    line.append(line.textContent ? "; " : "", differs ? make("strong", "", words) : words);
  }
  return line;
}

function responseText(responses, row) {
  const place = responses.rows.text[row];
  const text = place === NONE ? "" : responses.texts[place];
  const said = make("div", "said");
  said.dir = "auto";
  if (text === "") {
    said.append(make("em", "", place === NONE ? "No text came back." : "No text: it is empty, or this report was made without texts."));
    return said;
  }
  showText(said, text, responses.length[row], "the table of responses has them all");
  return said;
}

// A text from its beginning, the rest behind a button; `whole` is its length where it was cut here.
function showText(said, text, whole, elsewhere) {
  // A character outside the basic plane must not be cut in two.
  const start = [...text.slice(0, 2 * SHOWN_AT_FIRST)].slice(0, SHOWN_AT_FIRST).join("");
  said.append(...legible(start));
  const cut = whole === undefined ? ""
    : `Cut after ${text.length.toLocaleString("en")} of ${whole.toLocaleString("en")} characters; ${elsewhere}.`;
  if (start.length < text.length) {
    const more = make("button", "more", `Show all ${text.length.toLocaleString("en")} characters`);
    more.type = "button";
    more.addEventListener("click", () => {
      said.replaceChildren(...legible(text), ...(cut ? [make("em", "cut", cut)] : []));
      // It scrolls, which a keyboard must be able to do.
      said.tabIndex = 0;
      said.focus({ preventScroll: true });
    });
    said.append("…", make("br", ""), more);
  } else if (cut) {
    said.append(make("em", "cut", cut));
  }
}

// Which way a template is written, whatever name or placeholder it begins with.
function direction(template) {
  const [letter] = template.replace(/\[[^\]]*\]/g, "").match(/\p{L}/u) || [];
  if (!letter) return "auto";
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/.test(letter) ? "rtl" : "ltr";
}

function responseCard(responses, row, { prompt }) {
  const head = make("header", "",
    make("h4", "", isolated(responses.column("name", row))), badge(responses, row));
  const card = make("article", "response", head);
  if (prompt) {
    const where = [responses.groups[responses.column("group", row)],
      responses.models[responses.rows.model[row]],
      ...(responses.arms.length > 1 ? [responses.arms[responses.column("arm", row)]] : []),
      responses.templates[responses.column("template", row)][2], `sample ${responses.rows.sample[row]}`];
    card.append(make("p", "where", ...where.flatMap((one, at) => [at ? " · " : "", isolated(one)])));
    const asked = make("blockquote", "", ...legible(responses.prompts.text[responses.rows.prompt[row]]));
    asked.dir = direction(responses.templates[responses.column("template", row)][0]);
    card.append(asked);
  }
  card.append(responseText(responses, row), opinions(responses, row));
  return card;
}
