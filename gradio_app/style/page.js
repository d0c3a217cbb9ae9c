"use strict";
(() => {
  const language = document.currentScript.dataset.language;
  const THEME = "sajin-theme";

  Object.defineProperty(navigator, "language", { get: () => language });
  Object.defineProperty(navigator, "languages", { get: () => [language] });

  const showTheme = (theme) => {
    if (document.body.classList.contains("dark") !== (theme === "dark")) document.body.classList.toggle("dark");
  };
  const systemTheme = () => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const savedTheme = () => localStorage.getItem(THEME) || systemTheme();

  const switchTheme = () => {
    const next = document.body.classList.contains("dark") ? "light" : "dark";
    localStorage.setItem(THEME, next);
    showTheme(next);
  };

  const switchLanguage = (link) => {
    document.cookie = `sajin_language=${link.dataset.language}; path=/; max-age=31536000; samesite=lax`;
    link.search = location.search;
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-theme-switch]")) switchTheme();
    const link = event.target.closest("a[data-language]");
    if (link) switchLanguage(link);
  });

  document.addEventListener("error", (event) => {
    if (event.target.tagName === "IMG") event.target.classList.add("sj-missing");
  }, true);

  const overFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
  const dropTarget = () => document.querySelector("#drop-anywhere input[type=file]");

  document.addEventListener("dragover", (event) => {
    if (overFiles(event) && dropTarget()) event.preventDefault();
  });

  document.addEventListener("drop", (event) => {
    const input = dropTarget();
    if (!overFiles(event) || !input || event.target.closest("#drop-anywhere")) return;
    event.preventDefault();
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  const valueOf = (field) => {
    if (field.type === "checkbox") return field.checked;
    if (field.type === "number") return field.value === "" ? null : Number(field.value);
    return field.value;
  };

  window.sajin = {
    clicks(element, trigger) {
      element.addEventListener("click", (event) => {
        const target = event.target.closest("[data-act]");
        if (target && !target.disabled) trigger("click", { ...target.dataset });
      });
    },

    fields(element, trigger) {
      window.sajin.clicks(element, trigger);
      element.addEventListener("change", (event) => {
        const field = event.target.closest("[data-key]");
        if (!field) return;
        const value = valueOf(field);
        const changed = String(value) !== field.dataset.default;
        field.closest("[data-field]").classList.toggle("sj-changed", changed);
        trigger("input", { ...field.dataset, value: changed ? value : null });
      });
    },

    address(query) {
      if (query && query !== (location.search || "?")) history.replaceState(history.state, "", location.pathname + query);
    },

    goto(url) {
      if (url) location.assign(url);
    },

    reveal(selector) {
      requestAnimationFrame(() => {
        const target = document.querySelector(selector);
        const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
        if (target) target.scrollIntoView({ behavior, block: "start" });
      });
    },
  };

  const sayOpen = (head) => {
    const state = String(head.classList.contains("open"));
    if (head.getAttribute("aria-expanded") !== state) head.setAttribute("aria-expanded", state);
  };

  let stepHere = "";
  const followStep = () => {
    const here = document.querySelector(".sj-step.sj-here");
    if (!here || here.id === stepHere) return;
    if (stepHere) window.sajin.reveal(`#${here.id}`);
    stepHere = here.id;
  };

  const keepUp = () => {
    document.querySelectorAll("button.label-wrap").forEach(sayOpen);
    followStep();
    showTheme(savedTheme());
  };

  const begin = () => {
    keepUp();
    new MutationObserver(keepUp).observe(document.body, { subtree: true, childList: true, attributeFilter: ["class"] });
  };

  document.addEventListener("DOMContentLoaded", begin);
})();
