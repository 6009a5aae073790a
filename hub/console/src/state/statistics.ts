/// Questions about figures, as they stand in the page's address, and what a drill down makes of one.
import { api, ask, type Schemas } from '@/api/client'
import { isDay } from '@/state/filing'
import type { Unit } from '@/text/format'
import { zh } from '@/text/zh'

export type Table = Schemas['StatisticsTable']
export type Column = Schemas['StatisticsColumn']
export type Row = Schemas['StatisticsRow']

export type Measure = Schemas['StatisticsMeasure']

export const filters = [
  'office',
  'district',
  'level',
  'matter_group',
  'matter_type',
  'foreign_relation',
  'rule',
  'finding_severity',
  'filing_kind',
] as const
export type FilterName = (typeof filters)[number]

export interface Question {
  readonly measures: readonly string[]
  readonly by: readonly string[]
  readonly pivot: string
  readonly from: string
  readonly to: string
  readonly filter: Readonly<Partial<Record<FilterName, string>>>
}

type Address = Record<string, string | null | (string | null)[] | undefined>

const usual = { measures: ['applied', 'accepted', 'issued', 'within_limit_rate'], by: ['office'] }
const listed = (text: string): string[] => text.split(',').filter(Boolean)

/// Reads a question from an address; what is not there is as usual.
export function fromAddress(query: Address): Question {
  const text = (name: string): string => {
    const value = query[name]
    return typeof value === 'string' ? value : ''
  }
  const by = query['by'] === undefined ? usual.by : listed(text('by'))
  const measures = listed(text('measures'))
  return {
    measures: measures.length ? measures : usual.measures,
    by,
    pivot: by.includes(text('pivot')) ? text('pivot') : '',
    from: text('from'),
    to: text('to'),
    filter: Object.fromEntries(filters.flatMap((name) => (text(name) ? [[name, text(name)]] : []))),
  }
}

/// Writes a question into an address, short: what is as usual is left out.
export function toAddress(question: Question): Record<string, string> {
  const { measures, by, pivot, from, to, filter } = question
  const same = (a: readonly string[], b: readonly string[]) => a.join() === b.join()
  return {
    ...(same(measures, usual.measures) ? {} : { measures: measures.join(',') }),
    ...(same(by, usual.by) ? {} : { by: by.join(',') }),
    ...(pivot ? { pivot } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...filter,
  }
}

/// As the hub is asked.
export function parameters({ measures, by, pivot, from, to, filter }: Question) {
  return {
    measures: measures.join(','),
    group_by: by.join(','),
    ...(pivot ? { pivot } : {}),
    ...(from ? { from } : {}),
    ...(to ? { to } : {}),
    ...filter,
  }
}

export const isTime = (dimension: string): boolean => ['day', 'month', 'quarter', 'half_year', 'year'].includes(dimension)

/// What one looks at next, once one value of a dimension was chosen.
const next: Record<string, string> = {
  level: 'office',
  district: 'office',
  office: 'matter_type',
  matter_group: 'matter_type',
  matter_type: 'month',
  foreign_relation: 'office',
  rule: 'office',
  finding_severity: 'rule',
  filing_kind: 'office',
  year: 'month',
  half_year: 'month',
  quarter: 'month',
  month: 'office',
}

export const canDrill = (dimension: string): boolean => dimension in next

/// Whether a measure has figures by all of these.
export const has = (measure: Measure, dimensions: readonly string[]): boolean =>
  dimensions.every((dimension) => measure.dimensions.includes(dimension))

/// Measures by what they are counted from, in the order of the first of each.
export function bySource(measures: readonly Measure[]): { name: string; measures: Measure[] }[] {
  const sources = new Map<string, Measure[]>()
  for (const measure of measures) sources.set(measure.source_zh, [...(sources.get(measure.source_zh) ?? []), measure])
  return [...sources].map(([name, of]) => ({ name, measures: of }))
}

/// The unit to stand behind the name of a figure; cases go without saying, and shares carry their sign.
export const unitOf = (unit: Unit): string => (unit === 'count' || unit === 'rate' || unit === 'per_ten_thousand' ? '' : `（${zh.statistics.units[unit]}）`)

/// The dimensions that a measure needs to be in a table.
export const dimensionsOf = ({ by, filter }: Question): string[] => [...by, ...Object.keys(filter)]

/// The question behind one value: the value becomes a condition, and its place is taken by the next dimension that is
/// not told apart already and that every measure has.
export function drilled(question: Question, dimension: string, code: string, known: readonly Measure[] = []): Question {
  const others = question.by.filter((one) => one !== dimension)
  const asked = known.filter((measure) => question.measures.includes(measure.code))
  const settled = (one: string) => others.includes(one) || one in question.filter || !asked.every((measure) => has(measure, [one]))
  let follows = next[dimension] ?? ''
  const passed = new Set([dimension])
  while (follows && settled(follows)) {
    passed.add(follows)
    follows = next[follows] ?? ''
    if (passed.has(follows)) follows = ''
  }
  const clash = isTime(follows) && others.some(isTime)
  const by = follows && !clash ? [...others, follows] : others
  const narrowed = isTime(dimension)
    ? { from: code, to: code }
    : { filter: { ...question.filter, [dimension]: code } }
  return { ...question, by: by.length ? by : ['month'], pivot: by.includes(question.pivot) ? question.pivot : '', ...narrowed }
}

export const table = (question: Question): Promise<Table> =>
  ask(api.GET('/api/v1/statistics', { params: { query: parameters(question) } }))

/// After what it is about, so that one does not take another's place.
export function fileName({ from, to }: Question): string {
  const span = [...new Set([from || zh.statistics.beginning, to || zh.statistics.now])].join('–')
  return from || to ? `${zh.page.statistics} ${span}` : zh.page.statistics
}

/// First and last month of a period as it is written, or of the month of a day; null of what is no period.
function monthsOf(text: string): [string, string] | null {
  const [, year, half, quarter, month, day] = /^(\d{4})(?:-H([12])|-Q([1-4])|-(0[1-9]|1[0-2])(?:-(\d{2}))?)?$/.exec(text) ?? []
  if (!year || (day && !isDay(text))) return null
  if (day) return [text, text]
  if (month) return [text, text]
  const [length, nth] = half ? [6, Number(half)] : quarter ? [3, Number(quarter)] : [12, 1]
  const at = (number: number) => `${year}-${String(number).padStart(2, '0')}`
  return [at(length * (nth - 1) + 1), at(length * nth)]
}

/// What is wrong with a period before it is asked for; the hub decides all the same.
export function periodMistake(from: string, to: string): string | null {
  const [first, last] = [from, to].map((text) => (text ? monthsOf(text) : undefined))
  if (first === null) return zh.statistics.notAPeriod(from)
  if (last === null) return zh.statistics.notAPeriod(to)
  // A day ends behind its month in the order of texts.
  return first && last && `${last[1]}~` < first[0] ? zh.statistics.turned : null
}
