// The response browser: filters above, a page of responses below.
const CARDS_A_PAGE = 20;
const NAMES_A_COLUMN = 40;

class Browser {
  constructor(root, responses) {
    this.form = root.querySelector("form");
    this.status = root.querySelector("[role=status]");
    this.list = root.querySelector(".found");
    this.responses = responses;
    this.place = 0;
    this.fill();
    this.form.addEventListener("submit", (event) => event.preventDefault());
    let waiting;
    this.form.addEventListener("input", (event) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.search(), event.target.type === "search" ? 250 : 0);
    });
    this.turners = [...root.querySelectorAll("button[data-turn]")];
    for (const button of this.turners) {
      button.addEventListener("click", () => {
        this.place += Number(button.dataset.turn);
        this.draw();
        this.status.scrollIntoView({ block: "start" });
      });
    }
    root.querySelector("button[data-save]").addEventListener("click", () => this.save());
    root.querySelector(".loading").remove();
    root.querySelector(".tools").hidden = false;
    this.search();
  }

  fill() {
    const { responses } = this;
    const add = (name, options) => {
      const select = this.form.elements[name];
      options.forEach((text, place) => select.add(new Option(shortened(text), place)));
      select.closest("label").hidden = options.length < 2;
    };
    add("model", responses.models);
    add("group", responses.groups);
    add("template", responses.templates.map(([text, family]) => `${family}: ${text}`));
    add("label", responses.labels);
    this.form.elements.label.add(new Option("Not labelled", NONE));
    add("arm", responses.arms);
    const samples = 1 + responses.rows.sample.reduce((most, one) => Math.max(most, one), 0);
    add("sample", Array.from({ length: samples }, (_, at) => `Sample ${at}`));
    const against = this.form.elements.opinion;
    responses.opinions.forEach((one, place) => against.add(new Option(`Label and ${one.name} differ`, place)));
    if (responses.opinions.length > 1) against.add(new Option("Any of them differs", "any"));
    against.closest("label").hidden = responses.opinions.length === 0;
  }

  search() {
    const { elements } = this.form;
    const wanted = {};
    for (const name of ["model", "group", "template", "label", "arm", "sample"]) {
      if (elements[name].value !== "") wanted[name] = Number(elements[name].value);
    }
    this.rows = this.responses.find({
      wanted, opinion: elements.opinion.value, text: elements.text.value.trim(),
    });
    this.beside = elements.view.value === "beside";
    this.pages = this.beside ? this.responses.sets(this.rows) : paged(this.rows);
    this.place = 0;
    this.draw();
  }

  draw() {
    const { rows, pages, place } = this;
    const page = pages[place] ?? [];
    for (const button of this.turners) {
      const to = place + Number(button.dataset.turn);
      button.disabled = to < 0 || to >= pages.length;
    }
    const total = `${rows.length.toLocaleString("en")} of ${this.responses.size.toLocaleString("en")} responses`;
    const where = pages.length < 2 ? ""
      : `; ${this.beside ? "prompt" : "page"} ${(place + 1).toLocaleString("en")} of ${pages.length.toLocaleString("en")}`;
    this.status.textContent = rows.length ? `${total}${where}.` : "No response fits these filters.";
    const shown = !page.length ? [] : this.beside ? this.columns(page)
      : page.map((row) => responseCard(this.responses, row, { prompt: true }));
    this.list.replaceChildren(...shown);
  }

  // One template, one column for each group.
  columns(rows) {
    const { responses } = this;
    const [model, arm, template, sample] = responses.setting(rows[0]);
    const [text, , id] = responses.templates[template];
    const parts = [responses.models[model], ...(responses.arms.length > 1 ? [responses.arms[arm]] : []),
      `template ${id}`, `sample ${sample}`];
    const head = make("p", "where", ...parts.flatMap((one, at) => [at ? " · " : "", isolated(one)]));
    const asked = make("blockquote", "", ...legible(text));
    asked.dir = "auto";
    const columns = make("div", "columns");
    columns.tabIndex = 0;
    columns.setAttribute("role", "group");
    columns.setAttribute("aria-label", "Responses by group");
    responses.groups.forEach((group, place) => {
      const members = rows.filter((row) => responses.column("group", row) === place);
      if (members.length) columns.append(this.column(group, members));
    });
    return [head, asked, columns];
  }

  column(group, rows) {
    const { responses } = this;
    const labelled = rows.filter((row) => responses.rows.label[row] !== NONE);
    const refused = labelled.filter((row) => responses.refused.has(responses.rows.label[row]));
    const column = make("section", "column",
      make("h3", "", isolated(group), make("small", "", ` ${refused.length} of ${labelled.length} refused`)),
      ...rows.slice(0, NAMES_A_COLUMN).map((row) => responseCard(responses, row, { prompt: false })));
    const left = rows.length - NAMES_A_COLUMN;
    if (left > 0) column.append(make("p", "where", `${left} more: choose this group and “One by one”.`));
    return column;
  }

  save() {
    const { responses } = this;
    const head = ["model", "group", "name", "arm", "sample", "prompt", "response", "label",
      "label source", ...responses.opinions.map((one) => one.name)];
    const line = (row) => {
      const text = responses.rows.text[row];
      const source = responses.rows.source[row];
      return [
        responses.models[responses.rows.model[row]],
        responses.groups[responses.column("group", row)],
        responses.column("name", row),
        responses.arms[responses.column("arm", row)],
        String(responses.rows.sample[row]),
        responses.prompts.text[responses.rows.prompt[row]],
        text === NONE ? "" : responses.texts[text],
        responses.labelName(responses.rows.label[row]),
        source === NONE ? "" : responses.sources[source],
        ...responses.opinions.map(({ said }) => (said[row] === NONE ? "" : responses.labelName(said[row]))),
      ];
    };
    saveCsv([head, ...this.rows.map(line)], "responses");
  }
}

function paged(rows) {
  const pages = [];
  for (let at = 0; at < rows.length; at += CARDS_A_PAGE) pages.push(rows.slice(at, at + CARDS_A_PAGE));
  return pages;
}

function shortened(text) {
  const clean = text.replace(/[\u0000-\u001f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, " ");
  return clean.length > 90 ? `${clean.slice(0, 89)}…` : clean;
}

// Where a link took the reader, until they move on by themselves.
let aim = location.hash;
addEventListener("hashchange", () => {
  aim = location.hash;
});
for (const gesture of ["wheel", "touchstart", "keydown", "pointerdown"]) {
  addEventListener(gesture, () => { aim = ""; }, { passive: true });
}

function isBelow(target, browser) {
  return Boolean(browser.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_FOLLOWING);
}

const browserRoot = document.querySelector("#responses");
if (browserRoot) {
  // Unpacked when it comes near, so that the page opens at once.
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    Responses.unpack(document.querySelector("#response-data"))
      .then((responses) => {
        new Browser(browserRoot, responses);
        // The cards push everything below them away.
        const target = document.getElementById(decodeURIComponent(aim.slice(1)));
        if (target && isBelow(target, browserRoot)) target.scrollIntoView();
      })
      .catch((error) => {
        browserRoot.querySelector(".loading").textContent =
          "This browser cannot unpack the responses. The table of responses has them all.";
        console.warn(error);
      });
  }, { rootMargin: "800px" });
  near.observe(browserRoot);
}
