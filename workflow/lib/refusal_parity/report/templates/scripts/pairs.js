// The browser of pairs: a conversation, and beneath it both answers beside each other.
const PAIR_SIDES = [["chosen", "Preferred"], ["rejected", "Rejected"]];

class PairBrowser extends Pages {
  constructor(root, content) {
    super(root, "pair", content.pairs.length);
    Object.assign(this, content);
    this.refused = new Set(content.refusals);
    this.start();
  }

  fill() {
    const { elements } = this.form;
    this.offer("group", this.groups);
    for (const [side] of PAIR_SIDES) {
      this.offer(side, this.labels);
      elements[side].add(new Option("Not labelled", NONE));
    }
    this.offer("judge", this.verdicts);
    const has = (wanted) => this.pairs.some(wanted);
    elements.judge.closest("label").hidden = !has((pair) => pair.judge !== null);
    elements.people.closest("label").hidden = !has((pair) => this.isRead(pair));
  }

  isRead(pair) {
    return PAIR_SIDES.some(([side]) => pair[side].people !== null);
  }

  refuses(answer) {
    return answer.label !== null && this.refused.has(answer.label);
  }

  differs({ label, people }) {
    return people !== null && label !== null && !(people.length === 1 && people[0] === label);
  }

  find() {
    const { elements } = this.form;
    const value = (name) => elements[name].value;
    const is = (name, place) => value(name) === "" || Number(value(name)) === (place ?? NONE);
    const pattern = patternOf(value("text"));
    return this.pairs.filter((pair) => (
      (value("group") === "" || pair.groups.includes(Number(value("group"))))
      && PAIR_SIDES.every(([side]) => is(side, pair[side].label))
      && (value("refuse") === ""
        || PAIR_SIDES.every(([side], at) => pair[side].label !== null
          && this.refuses(pair[side]) === (value("refuse")[at] === "1")))
      && (value("people") === "" || (value("people") === "labelled" ? this.isRead(pair)
        : PAIR_SIDES.some(([side]) => this.differs(pair[side]))))
      && is("judge", pair.judge)
      && (!pattern || [pair.opening, pair.chosen, pair.rejected].some(({ text }) => pattern.test(text)))
    ));
  }

  card(pair) {
    const about = [pair.places ?? "mentions nobody", `seems harmful: ${pair.harm}`, ...pair.cases];
    if (pair.judge !== null) about.push(this.verdicts[pair.judge]);
    const where = make("p", "where", ...about.flatMap((one, at) => [at ? " · " : "", isolated(one)]));
    const asked = make("blockquote", "");
    asked.dir = "auto";
    showText(asked, pair.opening.text, pair.opening.length, "the table of pairs has them all");
    const columns = make("div", "columns pair");
    columns.setAttribute("role", "group");
    columns.setAttribute("aria-label", `Answers of pair ${pair.pair}`);
    columns.append(...PAIR_SIDES.map(([side, name]) => this.answer(pair[side], name)));
    return make("article", "response",
      make("header", "", make("h3", "", `Pair ${pair.pair.toLocaleString("en")}`)), where, asked, columns);
  }

  answer(answer, name) {
    const kind = answer.label === null ? "none" : this.refuses(answer) ? "refused" : "answered";
    const said = make("div", "said");
    said.dir = "auto";
    showText(said, answer.text, answer.length, "the table of pairs has them all");
    const column = make("section", "column",
      make("h4", "", `${name} `, make("span", `badge ${kind}`, this.labelName(answer.label))), said);
    if (answer.people !== null) {
      const words = `people: ${answer.people.map((one) => this.votes[one]).join(", or ")}`;
      column.append(make("p", "said-by", this.differs(answer) ? make("strong", "", words) : words));
    }
    return column;
  }

  labelName(label) {
    return label === null ? "not labelled" : this.labels[label];
  }

  save() {
    const head = ["pair", "mentions", "conversation", ...PAIR_SIDES.flatMap(([side]) => [
      `${side} answer`, `${side} label`, `${side} label by people`]), "judge", "remarks"];
    const line = (pair) => [
      String(pair.pair), pair.places ?? "", pair.opening.text,
      ...PAIR_SIDES.flatMap(([side]) => [pair[side].text, this.labelName(pair[side].label),
        (pair[side].people ?? []).map((one) => this.votes[one]).join(" / ")]),
      pair.judge === null ? "" : this.verdicts[pair.judge], pair.cases.join("; "),
    ];
    saveCsv([head, ...this.rows.map(line)], "pairs");
  }
}

openNear("#reading", "#pair-data", (root, content) => new PairBrowser(root, content),
  "This browser cannot unpack the pairs. The table of pairs has them all.");
