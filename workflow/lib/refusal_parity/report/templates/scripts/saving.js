"use strict";

const NUMBER = /^[+\u2212-]?[\d,]*\.?\d+$/;
const FORMULA = /^[\s\ufeff]*[=+\-@|%\uff1d\uff0b\uff0d\uff20]|^[\t\r]/;

// A cell of a CSV: an apostrophe stands before text that a spreadsheet would take for a formula.
function csvCell(text) {
  const safe = NUMBER.test(text)
    ? text.replaceAll(",", "").replace("\u2212", "-")
    : FORMULA.test(text) ? `'${text}` : text;
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
