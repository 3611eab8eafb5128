// The response browser.
const NAMES_A_COLUMN = 40;

class Browser extends Pages {
  constructor(root, responses) {
    super(root, "response", responses.size);
    this.responses = responses;
    this.start();
  }

  fill() {
    const { responses } = this;
    this.offer("model", responses.models);
    this.offer("group", responses.groups);
    this.offer("template", responses.templates.map(([text, family]) => `${family}: ${text}`));
    this.offer("label", responses.labels);
    this.form.elements.label.add(new Option("Not labelled", NONE));
    this.offer("arm", responses.arms);
    const samples = 1 + responses.rows.sample.reduce((most, one) => Math.max(most, one), 0);
    this.offer("sample", Array.from({ length: samples }, (_, at) => `Sample ${at}`));
    const against = this.form.elements.opinion;
    responses.opinions.forEach((one, place) => against.add(new Option(`Label and ${one.name} differ`, place)));
    if (responses.opinions.length > 1) against.add(new Option("Any of them differs", "any"));
    against.closest("label").hidden = responses.opinions.length === 0;
  }

  find() {
    const { elements } = this.form;
    const wanted = {};
    for (const name of ["model", "group", "template", "label", "arm", "sample"]) {
      if (elements[name].value !== "") wanted[name] = Number(elements[name].value);
    }
    this.beside = elements.view.value === "beside";
    return this.responses.find({
      wanted, opinion: elements.opinion.value, pattern: patternOf(elements.text.value),
    });
  }

  paged(rows) {
    return this.beside ? this.responses.sets(rows) : super.paged(rows);
  }

  page() {
    return this.beside ? "prompt" : "page";
  }

  cards(page) {
    return page.length && this.beside ? this.columns(page) : super.cards(page);
  }

  card(row) {
    return responseCard(this.responses, row, { prompt: true });
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
    asked.dir = direction(text);
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

openNear("#responses", "#response-data",
  (root, content) => new Browser(root, new Responses(content)),
  "This browser cannot unpack the responses. The table of responses has them all.");
