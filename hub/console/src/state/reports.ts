/// Period reports: which periods there are, how a cell reads, and where what was published differs from now.
import type { Schemas } from '@/api/client'
import { zh } from '@/text/zh'
import { monthAfter, thisMonth, written } from '@/text/format'
import { unitOf } from './statistics'

export type Report = Schemas['Report']
export type Issue = Schemas['ReportIssue']
type Cell = Schemas['ReportCell']
type Head = Schemas['ReportColumn']

export const kinds = ['month', 'quarter', 'half', 'year'] as const
export type Kind = (typeof kinds)[number]

/// How many of each are offered, back from now.
const offered: Record<Kind, number> = { month: 24, quarter: 12, half: 6, year: 5 }
const months: Record<Kind, number> = { month: 1, quarter: 3, half: 6, year: 12 }

/// Of what kind a period is, by its form; a month when it is none.
export function kindOf(period: string): Kind {
  if (/^\d{4}$/.test(period)) return 'year'
  if (/^\d{4}-Q[1-4]$/.test(period)) return 'quarter'
  return /^\d{4}-H[12]$/.test(period) ? 'half' : 'month'
}

/// Periods that are over, the last one first.
export function periods(kind: Kind, now: string = thisMonth()): string[] {
  const length = months[kind]
  const running = Math.floor((Number(now.slice(5)) - 1) / length) * length + 1
  const first = `${now.slice(0, 4)}-${String(running).padStart(2, '0')}`
  return Array.from({ length: offered[kind] }, (_, n) => named(kind, monthAfter(first, -length * (n + 1))))
}

function named(kind: Kind, month: string): string {
  const [year = '', number = '1'] = month.split('-')
  switch (kind) {
    case 'month':
      return month
    case 'quarter':
      return `${year}-Q${Math.ceil(Number(number) / 3)}`
    case 'half':
      return `${year}-H${Math.ceil(Number(number) / 6)}`
    case 'year':
      return year
  }
}

/// 2024年第一季度
export function periodName(period: string): string {
  const [year = '', part = ''] = period.split('-')
  const quarter = zh.reports.quarters[part]
  const half = zh.reports.halves[part]
  return `${year}年${quarter ?? half ?? (part ? `${Number(part)}月` : '')}`
}

export const head = (column: Head): string => `${column.name_zh}${unitOf(column.unit)}`

/// The columns that a table has, each with its place in the report.
export const columnsOf = (report: Report, table: Report['tables'][number]): { column: Head; at: number }[] =>
  report.columns
    .map((column, at) => ({ column, at }))
    .filter(({ column }) => !column.offices_only || table.by === 'office')

/// The same by what they are about; a report of before there were subjects has one without a name.
export function subjectsOf(report: Report, table: Report['tables'][number]) {
  const subjects = new Map<string, ReturnType<typeof columnsOf>>()
  for (const one of columnsOf(report, table)) {
    const name = one.column.subject_zh ?? ''
    subjects.set(name, [...(subjects.get(name) ?? []), one])
  }
  return [...subjects].map(([name, columns]) => ({ name, columns }))
}

export const shown = (cell: Cell | undefined, column: Head): string =>
  cell?.withheld ? zh.reports.withheld : written(cell?.value, column.unit)

export interface Difference {
  readonly where: string
  readonly column: string
  readonly published: string
  readonly now: string
}

/// Cells that read otherwise now than they were published.
export function differences(published: Report, now: Report): Difference[] {
  const lines = (report: Report) => [
    { where: zh.statistics.total, key: '', cells: report.total.cells },
    ...report.tables.flatMap(({ by, rows }) =>
      rows.map(({ code, name_zh, cells }) => ({ where: name_zh, key: `${by}/${code}`, cells })),
    ),
  ]
  const today = new Map(lines(now).map((line) => [line.key, line]))
  return lines(published).flatMap(({ where, key, cells }) =>
    published.columns.flatMap((column, at) => {
      const other = now.columns.findIndex(({ code }) => code === column.code)
      const was = shown(cells[at], column)
      const is = shown(today.get(key)?.cells[other], column)
      return was === is ? [] : [{ where, column: head(column), published: was, now: is }]
    }),
  )
}
