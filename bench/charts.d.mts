interface Sheet {
  title: string
  /** Said to those who cannot see the drawing, before the figures, which are always said. */
  description?: string
  /** Conditions, below the drawing. */
  note?: string
}
interface Limit { value: number, label: string }

export interface BarRow { label: string, value: number, low?: number, high?: number, note?: string, ours?: boolean }
export interface Series { name: string, points: Array<{ x: number, y: number }> }
export interface Panel { axis: string, series: Series[], limit?: Limit }

export function barChart (data: Sheet & { axis: string, reference?: Limit, rows: BarRow[] }): string
export function lineChart (data: Sheet & { x: string, panels: Panel[] }): string
export function percentileChart (data: Sheet & { axis: string, groups: string[], series: Array<{ name: string, values: number[] }>, limit?: Limit }): string
