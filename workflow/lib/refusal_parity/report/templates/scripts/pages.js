// A browser of many things: filters above, a page of what fits them below.
const CARDS_A_PAGE = 20;

class Pages {
  // `unit` is what is browsed, in the plural; `size` how many there are.
  constructor(root, unit, size) {
    this.root = root;
    this.unit = unit;
    this.size = size;
    this.form = root.querySelector("form");
    this.status = root.querySelector("[role=status]");
    this.list = root.querySelector(".found");
    this.place = 0;
    this.turners = [...root.querySelectorAll("button[data-turn]")];
  }

  // Once all that `fill`, `find`, `card` and `save` need is there.
  start() {
    this.fill();
    this.form.addEventListener("submit", (event) => event.preventDefault());
    let waiting;
    this.form.addEventListener("input", (event) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.search(), event.target.type === "search" ? 250 : 0);
    });
    for (const button of this.turners) {
      button.addEventListener("click", () => {
        this.place += Number(button.dataset.turn);
        this.draw();
        this.status.scrollIntoView({ block: "start" });
      });
    }
    this.root.querySelector("button[data-save]").addEventListener("click", () => this.save());
    this.root.querySelector(".loading").remove();
    this.root.querySelector(".tools").hidden = false;
    this.search();
  }

  // A choice that is none is not shown.
  offer(name, options) {
    const select = this.form.elements[name];
    options.forEach((text, place) => select.add(new Option(shortened(text), place)));
    select.closest("label").hidden = options.length < 2;
  }

  search() {
    this.rows = this.find();
    this.pages = this.paged(this.rows);
    this.place = 0;
    this.draw();
  }

  paged(rows) {
    const pages = [];
    for (let at = 0; at < rows.length; at += CARDS_A_PAGE) pages.push(rows.slice(at, at + CARDS_A_PAGE));
    return pages;
  }

  page() {
    return "page";
  }

  draw() {
    const { rows, pages, place, unit } = this;
    for (const button of this.turners) {
      const to = place + Number(button.dataset.turn);
      button.disabled = to < 0 || to >= pages.length;
    }
    const total = `${rows.length.toLocaleString("en")} of ${this.size.toLocaleString("en")} ${unit}s`;
    const where = pages.length < 2 ? ""
      : `; ${this.page()} ${(place + 1).toLocaleString("en")} of ${pages.length.toLocaleString("en")}`;
    this.status.textContent = rows.length ? `${total}${where}.` : `No ${unit} fits these filters.`;
    this.list.replaceChildren(...this.cards(pages[place] ?? []));
  }

  cards(page) {
    return page.map((row) => this.card(row));
  }
}

// For words that somebody looks for, in any case; null for none.
function patternOf(text) {
  const words = text.trim();
  return words ? new RegExp(words.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "iu") : null;
}

async function unpacked(element) {
  const text = atob(element.textContent.trim());
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
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

// Open what a section holds, unpacked when it comes near, so that the page opens at once.
function openNear(section, data, open, failed) {
  const root = document.querySelector(section);
  const element = document.querySelector(data);
  if (!root || !element) return;
  const near = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    near.disconnect();
    unpacked(element)
      .then((content) => {
        open(root, content);
        // The cards push everything below them away.
        const target = document.getElementById(decodeURIComponent(aim.slice(1)));
        if (target && isBelow(target, root)) target.scrollIntoView();
      })
      .catch((error) => {
        const loading = root.querySelector(".loading");
        if (loading) loading.textContent = failed;
        console.warn(error);
      });
  }, { rootMargin: "800px" });
  near.observe(root);
}
