/* What a script adds to pages that work without one: local times, keys, "3 new - show". Nothing moves by itself. */
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // ---- times: the person's own zone first, UTC after it
  const local = new Intl.DateTimeFormat(undefined, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit",
    hour12: false, timeZoneName: "short",
  });
  const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
  const isUtc = new Date().getTimezoneOffset() === 0;

  function localise(root) {
    if (isUtc) return;
    for (const time of all("time[title]:not([data-local])", root)) {
      const words = local.format(new Date(time.dateTime));
      const utc = time.title;
      time.dataset.local = "";
      time.title = time.classList.contains("exact") ? utc : `${words} · ${utc}`;
      if (time.classList.contains("exact")) time.textContent = words;
    }
    for (const picture of all(".timeline-svg:not([data-local])", root)) {
      picture.dataset.local = "";
      let before = "";
      const days = all(".tick.day", picture);
      all(".tick.clock", picture).forEach((tick, index) => {
        const at = new Date(tick.dataset.at);
        tick.textContent = clock.format(at);
        const today = day.format(at);
        days[index].textContent = today === before ? "" : today;
        before = today;
      });
      for (const zone of all(".zone", picture)) zone.textContent = "local";
    }
  }

  // ---- rows and keys
  const keysOn = () => document.body.dataset.keys === "on";
  const rows = () => all("[data-rows] tr.row");
  const rowAt = (node) => node && node.closest ? node.closest("tr.row") : null;
  let last = null;

  function step(by) {
    const list = rows();
    if (!list.length) return;
    const from = list.indexOf(rowAt(document.activeElement) || last);
    const row = list[Math.min(Math.max(from + by, 0), list.length - 1)];
    row.querySelector(".open").focus();
  }

  function pick() {
    const row = rowAt(document.activeElement) || last;
    const box = row && row.querySelector("input[type=checkbox]");
    if (box) box.click();
  }

  function press(key) {
    const bulk = document.querySelector(".bulk-form");
    if (bulk && key !== "u") {
      if (!bulk.querySelector(".pick :checked")) pick();
      if (!bulk.querySelector(".pick :checked")) return;
    }
    const button = document.querySelector(`button[data-key="${key}"]`);
    if (button) button.click();
  }

  function countPicked() {
    const words = document.querySelector(".picked");
    if (words) words.textContent = `With the ${all(".pick :checked").length} selected:`;
  }

  function pickAll(link) {
    const boxes = all(".pick input");
    const on = link.dataset.all === "on";
    for (const box of boxes) box.checked = on;
    link.dataset.all = on ? "off" : "on";
    link.textContent = on ? "select none" : `select all ${boxes.length} on this page`;
    countPicked();
  }

  const help = () => document.querySelector("dialog.keys");
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    x: pick,
    "/": () => document.getElementById("q").focus(),
    "?": () => help().showModal(),
  };
  for (const key of "arnzu") keys[key] = () => press(key);

  document.addEventListener("keydown", (event) => {
    const node = event.target;
    const isTyping = node.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(node.tagName) && node.type !== "checkbox";
    if (event.key === "Escape" && node.id === "q") node.blur();
    if (!keysOn() || isTyping || event.ctrlKey || event.metaKey || event.altKey || help().open) return;
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.addEventListener("focusin", (event) => { last = rowAt(event.target) || last; });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.submit();
    if (event.target.matches(".pick input")) countPicked();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest(".keys-help")) help().showModal();
    const every = event.target.closest("[data-all]");
    if (every) { event.preventDefault(); pickAll(every); }
  });

  // ---- new alerts wait behind a line that says how many
  let fresh = new Set();
  let storm = false;

  function isWanted(alert, wanted) {
    return Object.entries(wanted).every(([name, value]) => {
      if (name === "tool") return alert.act_tool === value || alert.evidence_tool === value;
      return value.split(",").includes(String(alert[name]));
    });
  }

  function announce() {
    const link = document.querySelector("#list .fresh .show");
    if (!link) return;
    const words = [fresh.size ? `${fresh.size} new` : "", storm ? "many changes" : ""].filter(Boolean).join(" and ");
    link.hidden = !words;
    link.textContent = words ? `${words} - show` : "";
  }

  function isNew(alert, list) {
    const rows = all("tr.row[data-alert]", list);
    if (rows.some((row) => row.dataset.alert === alert.id)) return false;
    return isWanted(alert, JSON.parse(list.dataset.wanted || "{}"));
  }

  // ---- what anybody does anywhere shows here at once; nothing moves

  const DONE = {
    acknowledge: "acknowledged", snooze: "snoozed", wake: "woken", resolve: "resolved", verdict: "marked as not a conflict",
    reopen: "reopened", undo: "set back", retract: "retracted", made_good: "made good", repeat: "happened again",
  };

  function markRow(change) {
    const row = all("tr.row[data-alert]").find((one) => one.dataset.alert === change.id);
    if (!row) return;
    const cell = row.querySelector(".sev-cell");
    let status = cell.querySelector(".status");
    if (!status) {
      status = document.createElement("span");
      status.className = "status";
      cell.append(status);
    }
    const words = DONE[change.action] || change.action;
    status.textContent = change.status.replaceAll("_", " ");
    status.title = `${words} by ${change.actor}`;
    row.classList.toggle("moved", !isWanted(change, JSON.parse(document.querySelector("#list")?.dataset.wanted || "{}")));
  }

  function markAlert(change) {
    const page = document.getElementById("alert");
    if (!page || page.dataset.alert !== change.id || change.version <= Number(page.dataset.version)) return;
    page.querySelector(".facts .status").textContent = change.status.replaceAll("_", " ");
    const link = page.querySelector(".fresh .show");
    link.hidden = false;
    link.textContent = `${DONE[change.action] || change.action} by ${change.actor} - show`;
  }

  function count(totals) {
    for (const place of all("[data-total]")) {
      const number = totals[place.dataset.total.replaceAll(" ", "_")] || 0;
      place.firstChild.textContent = String(number).replace(/\B(?=(\d{3})+$)/g, "\u202f");
    }
  }

  function hear(news) {
    const list = document.querySelector("#list");
    for (const change of news.changes) {
      if (list && change.action === "raise" && isNew(change, list)) fresh.add(change.id);
      else { markRow(change); markAlert(change); }
    }
    // Of a storm only a number is told; the new alerts in it may be counted already, or be counted yet.
    storm = storm || news.many > news.changes.length;
    count(news.totals);
    announce();
  }

  // A page that nobody sees keeps no line open (a browser has six for one site); seen again, it goes on where it stopped.
  let stream = null;
  let heard = 0;
  let again = 0;

  function listen() {
    const list = document.querySelector("[data-stream]");
    if (!list || !window.EventSource || stream || document.hidden) return;
    heard = Math.max(heard, Number(list.dataset.since) || 0);
    stream = new EventSource(`${list.dataset.stream}?since=${heard}`);
    stream.addEventListener("error", () => {
      // Refused for good, as a proxy does while the server begins anew: the browser itself does not come back.
      if (!stream || stream.readyState !== EventSource.CLOSED) return;
      rest();
      window.clearTimeout(again);
      again = window.setTimeout(listen, 5000);
    });
    stream.addEventListener("alert", (event) => {
      const now = document.querySelector("[data-stream]");
      if (!now) return;
      let alert;
      try { alert = JSON.parse(event.data); } catch { return; }
      if (now.id !== "list" || !isNew(alert, now)) return;
      fresh.add(alert.id);
      announce();
    });
    stream.addEventListener("changed", (event) => {
      heard = Number(event.lastEventId) || heard;
      try { hear(JSON.parse(event.data)); } catch { return; }
    });
  }

  function rest() {
    if (stream) stream.close();
    stream = null;
  }

  window.addEventListener("pagehide", rest);
  window.addEventListener("pageshow", listen);
  document.addEventListener("visibilitychange", () => { if (document.hidden) rest(); else listen(); });

  // ---- after a piece of the page was replaced
  document.addEventListener("htmx:after:swap", () => { fresh = new Set(); storm = false; prepare(); settle(); });

  function settle() {
    const notice = document.querySelector("[data-focus]");
    const first = rows()[0];
    if (notice) notice.focus();
    else if (first) first.querySelector(".open").focus({ preventScroll: true });
  }

  // A box that scrolls sideways must be reachable by keyboard; one that does not would be an empty stop.
  function stops() {
    for (const box of all(".wide-table, .scroll, pre")) {
      if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }

  function prepare() {
    localise(document);
    stops();
    for (const form of all(".pick-filters")) form.querySelector("button").hidden = true;
    for (const button of all(".keys-help")) button.hidden = !keysOn();
  }

  window.addEventListener("resize", stops);
  prepare();
  listen();
})();
