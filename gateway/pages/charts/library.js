// Lightweight Charts, where the gateway has it.

let loading = null;

/** Give the library; null where the gateway serves an empty script instead. */
export function chartLibrary() {
  loading ??= import("/page/lightweight-charts.js").then(
    () => window.LightweightCharts ?? null,
    () => null,
  );
  return loading;
}
