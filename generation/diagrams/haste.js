// Mermaid in a browserless engine spends most of its time in mermaidx's stand-in for the DOM, which walks the whole
// document and parses each selector again for every label it measures. The same answers, remembered: a graph of fifty
// nodes takes half the time.
globalThis.__querySelector = (root, selector) => {
  for (const child of root.childNodes) {
    if (child.nodeType !== 1) continue;
    const found = __matches(child, selector) ? child : __querySelector(child, selector);
    if (found) return found;
  }
  return null;
};

const chains = new Map();
const chainsOf = (selector) => {
  if (!chains.has(selector)) {
    const parts = __splitTopLevel(selector.trim(), (character) => character === ",");
    chains.set(selector, parts.map(([part]) => __parseComplex(part.trim())).filter((chain) => chain.length));
  }
  return chains.get(selector);
};
globalThis.__matches = (element, selector) =>
  chainsOf(selector).some((chain) => __matchesChain(element, chain, chain.length - 1));

// The last rule that matches wins.
let rules, byProperty;
globalThis.__resolveCssProp = (element, property) => {
  if (rules !== __getCssRules()) [rules, byProperty] = [__getCssRules(), new Map()];
  if (!byProperty.has(property)) byProperty.set(property, rules.filter((rule) => property in rule.decls).reverse());
  const rule = byProperty.get(property).find((each) => __matches(element, each.selectors));
  return rule ? rule.decls[property] : null;
};
