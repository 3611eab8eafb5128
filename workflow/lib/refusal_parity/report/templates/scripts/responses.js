// The responses of the study: unpacked, and asked which of them fit the filters.
const NONE = -1;

class Responses {
  constructor(data) {
    Object.assign(this, data);
    this.size = data.rows.model.length;
    // Opinions that are not one of the labels: some refusal, and no refusal.
    this.someRefusal = data.labels.length;
    this.cutOff = new Set(data.cut_off);
    this.refused = new Set([...data.refusals, this.someRefusal]);
  }

  column(name, row) {
    const prompt = this.rows.prompt[row];
    return name in this.rows ? this.rows[name][row] : this.prompts[name][prompt];
  }

  labelName(place) {
    if (place === NONE) return "not labelled";
    if (place < this.labels.length) return this.labels[place];
    return place === this.someRefusal ? "refusal" : "no refusal";
  }

  disagrees(opinion, row) {
    const said = opinion.said[row];
    const label = this.rows.label[row];
    if (said === NONE || label === NONE) return false;
    if (said < this.labels.length) return said !== label;
    return this.refused.has(said) !== this.refused.has(label);
  }

  // What makes two responses comparable: all but the name is the same.
  setting(row) {
    return ["model", "arm", "template", "sample"].map((name) => this.column(name, row));
  }

  // Rows that fit, in the table's order. `wanted` has places by column, `opinion` is the place
  // of one that disagrees with the label or "any", `pattern` is looked for in prompts and responses.
  find({ wanted, opinion, pattern }) {
    const columns = Object.entries(wanted);
    const asked = opinion === "" ? null
      : opinion === "any" ? this.opinions : [this.opinions[Number(opinion)]];
    const inTexts = pattern && this.texts.map((one) => pattern.test(one));
    const inPrompts = pattern && this.prompts.text.map((one) => pattern.test(one));
    const found = [];
    for (let row = 0; row < this.size; row += 1) {
      if (!columns.every(([name, place]) => this.column(name, row) === place)) continue;
      if (asked && !asked.some((one) => this.disagrees(one, row))) continue;
      const said = this.rows.text[row];
      if (pattern && !inPrompts[this.rows.prompt[row]] && !(said !== NONE && inTexts[said])) continue;
      found.push(row);
    }
    return found;
  }

  // Rows with the same setting together, in the order of their first rows.
  sets(rows) {
    const sets = new Map();
    for (const row of rows) {
      const key = this.setting(row).join(" ");
      if (!sets.has(key)) sets.set(key, []);
      sets.get(key).push(row);
    }
    return [...sets.values()];
  }
}
