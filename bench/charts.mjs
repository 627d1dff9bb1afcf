// The charts of docs/performance, as SVG text made from figures alone: shares as bars with their spread, growth as lines over
// a logarithmic number of sessions, percentiles as grouped bars on a logarithmic scale. Pure; d3-scale places the values
// (docs/decisions/0013).
export { barChart } from './charts/bars.mjs'
export { lineChart } from './charts/lines.mjs'
export { percentileChart } from './charts/percentiles.mjs'
