"use strict";

const NUMBER = /^[+\u2212-]?[\d,]*\.?\d+$/;
// As in spreadsheets.py: what a spreadsheet would run, wherever it may be told that a cell begins.
const FORMULA = /((?:^|[,;|\t\r\n])[\s\ufeff"']*)([=+\-@\uff1d\uff0b\uff0d\uff20])/g;
// Control characters, and those that turn the direction of text; the same signs as there, too.
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
const BAR = /((?:^|[,;\t\r\n])[\s\ufeff"']*)\|/g;

function signOf(character) {
  const code = character.codePointAt(0);
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "\u2421";
  return `[U+${code.toString(16).toUpperCase().padStart(4, "0")}]`;
}

// A cell of a CSV: an apostrophe stands before all that a spreadsheet would take for a formula.
function csvCell(text) {
  const safe = NUMBER.test(text)
    ? text.replaceAll(",", "").replace("\u2212", "-")
    : text.replaceAll("\r\n", "\n").replace(CONTROL, signOf)
      .replace(FORMULA, "$1'$2").replace(BAR, "$1'|");
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function saveCsv(rows, name) {
  const text = rows.map((row) => row.map(csvCell).join(",")).join("\r\n");
  const link = document.createElement("a");
  // The mark at the start makes spreadsheets read the file as UTF-8.
  link.href = URL.createObjectURL(new Blob(["\ufeff", text, "\r\n"], { type: "text/csv" }));
  link.download = `${name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "")}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
